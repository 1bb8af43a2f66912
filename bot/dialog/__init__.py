"""Durable dialogs: the journal of a handler, and the run that replays it.

Knows nothing of lanes, stores or routing: the engine hands a run a `Host` for each turn.
"""
