"""The bot with a real small model on this machine, and with none."""
