"""What can be taken out of the statements, to see that the simulation would notice."""

from __future__ import annotations

from bot.store.sqlite import inbox, lanes, outbox


def without_fence() -> dict[str, str]:
    """The commits of a turn as they would be if nobody had thought of epoch, head, rev and the owner's version."""
    fence = "AND epoch = ?{} AND head = ?{} - 1 AND rev = ?{} AND owner_version = ?{}"
    done = fence.format(7, 2, 8, 9), "AND ?7 + ?8 + ?9 >= 0"
    flush = fence.format(4, 5, 6, 7), "AND ?4 + ?5 + ?6 + ?7 >= 0"
    return {lanes._DONE: _without(lanes._DONE, *done), lanes._FLUSH: _without(lanes._FLUSH, *flush)}


def without_silence() -> dict[str, str]:
    """A send begins whether anybody wants to hear it or not."""
    return {outbox._SENDING: _without(outbox._SENDING, "silence <> ''", "silence = 'never'")}


def without_amending() -> dict[str, str]:
    """An edit in time changes nothing: it is stored like any other message."""
    return {inbox._WAITING: _without(inbox._WAITING, "ORDER BY", "AND 1 = 0 ORDER BY")}


def _without(statement: str, part: str, instead: str) -> str:
    changed = statement.replace(part, instead)
    assert changed != statement, f"{part} is written in another way now"
    return changed
