"""The turn: from a message that came in to the commit of what it did. Sends nothing."""
