"""The durable boundaries of the bot, by name: where a process may die, and what is true at that moment.

Knows no store and no test: it is the one list that both are held against.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

StoreKind = Literal["sqlite", "postgres"]

Break = Literal["", "reconcile", "acknowledge"]
"""What can be taken out, to see that it is missed: the look for what was sent, the order of storing and telling."""

DEATHS = 5
"""So many lives end at a point, one after the other."""


class Operation(NamedTuple):
    """A writing operation of the store: what is true just before it, and just after it; `at` is for both points."""

    name: str
    before: str
    after: str
    at: tuple[int, ...] = (1,) * DEATHS
    setup: str = ""


class Point(NamedTuple):
    """A place to die. Life number k dies when it comes by for the time number `at[k]`.

    `setup`, where there is one, is the point at which an additional first life leaves behind what this one needs.
    """

    name: str
    sentence: str
    at: tuple[int, ...] = (1,) * DEATHS
    setup: str = ""
    only: StoreKind | None = None


SPREAD = (1, 3, 5, 7, 9)
"""For what happens all the time: each life comes further."""

FEW = (1, 2, 4, 6, 8)

OPERATIONS = (
    Operation("take", "a message is here, and not stored", "it is stored with its turn claimed; nobody knows", FEW),
    Operation("put", "a message is here, and there is no room for its turn", "it is stored, and nobody was called"),
    Operation("claim", "a turn waits for somebody", "it is ours and counted, and nothing of it was done"),
    Operation("flush", "a part of a turn is done, and only in memory", "it is stored; the handler is in its middle"),
    Operation("commit", "a turn is done, and only in memory", "it is stored, and nothing of it was sent", SPREAD),
    Operation("retry", "a turn failed, and nobody wrote that down", "it waits for another attempt"),
    Operation("renew", "a lease runs out while a step works", "somebody renewed it who is gone"),
    Operation("apply", "an agent did something that we have not written", "it is written; the desk was not told so"),
    Operation("fire", "a timer is due", "it is a message now, and nobody was called"),
    Operation("hold", "work that one process does is free", "it is ours, and nothing of it is done", (2, 1, 2, 1, 1)),
    Operation("let_go", "that work is done, and still ours", "it is anybody's"),
    Operation("pick_up", "a row was left behind", "it is held by somebody who is gone", setup="after_postpone"),
    Operation("mark_sending", "a row's turn to be sent has come", "it is marked, and was not sent", (1, 2, 3, 4, 5)),
    Operation("mark_sent", "the platform took it, and only we know", "it is written; the next one waits", SPREAD),
    Operation("mark_failed", "the platform refused for good, and only we know", "it is written; the next one waits"),
    Operation("postpone", "the platform said later, and only we know", "it waits, and nobody has it in mind"),
    Operation("write", "a plugin has something for a table of its own", "it is there, and the plugin was not told"),
)

SURROUNDINGS = (
    Point("before_send", "a reply is marked as being sent, and the platform was not called", SPREAD),
    Point("after_send", "the platform took a reply, and we have not heard", SPREAD),
    Point("before_acknowledge", "a message is stored, and its platform was not told", SPREAD),
    Point("before_desk_call", "a desk is about to be told"),
    Point("after_desk_call", "the desk has it, and we have not heard"),
    Point("before_durable", "a group of writes is in the file's log, without its COMMIT", SPREAD, "", "sqlite"),
    Point("after_durable", "a group of writes is durable, and none of its writers knows", SPREAD, only="sqlite"),
)

LOOKS = frozenset(
    {
        "start",
        "stop",
        "reread",
        "next_due",
        "unsent",
        "history",
        "conversation",
        "recall",
        "recall_all",
        "case",
        "open_cases",
        "trace",
        "states",
        "dead_letters",
        "read",
    }
)
"""Methods of a store that leave nothing behind which a turn rests on."""


def _around(operation: Operation) -> tuple[Point, Point]:
    name, before, after, at, setup = operation
    return Point(f"before_{name}", before, at, setup), Point(f"after_{name}", after, at, setup)


POINTS = (*(point for operation in OPERATIONS for point in _around(operation)), *SURROUNDINGS)
"""All of them."""

METHODS = frozenset(operation.name for operation in OPERATIONS) - {"flush"}
"""The writing methods of a store; a flush is a commit in the middle of a turn."""

IN_THE_DARK = (1, 2, 3, 2, 1)
"""The same for the shorter script of a platform that can't be asked."""

_DARK = ("take", "commit", "mark_sending", "send", "mark_sent", "acknowledge", "durable")


def points_of(kind: StoreKind, *, blind: bool = False) -> list[Point]:
    """Where a bot on this store may die; `blind` for those that a platform without a read-back could tell apart."""
    those = [point for point in POINTS if point.only in (None, kind)]
    if not blind:
        return those
    return [point._replace(at=IN_THE_DARK) for point in those if point.name.partition("_")[2] in _DARK]
