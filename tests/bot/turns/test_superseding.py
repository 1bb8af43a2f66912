"""Which stored messages end the turn that is at work, and when it is too late for that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from bot.messages import Address, Consent, Content, Deleted, Edited, Message, Sender, Text
from bot.turns.superseding import Superseding
from bot.turns.work import Work


def message(content: Content, platform_id: str = "") -> Message:
    address = Address(channel="web", account="main", chat="c")
    return Message(
        event_id="e", address=address, sender=Sender(id="s"), content=content, at=0.0, platform_id=platform_id
    )


@dataclass
class Named:
    id: str = "c1"


@dataclass
class Claimed:
    rev: int = 3


@dataclass
class AtWork:
    """What Superseding looks at of a turn."""

    touched: bool = False
    drafted: bool = False
    committing: bool = False
    rev: int = 3
    superseded: bool = False
    lane: Any = None
    conversation: Named = field(default_factory=Named)
    claim: Claimed = field(default_factory=Claimed)
    message: Message = field(default_factory=lambda: message(Text(text="hi"), "p1"))


def ended(work: AtWork, content: Content, *, ends: bool = False) -> bool:
    dropped: list[str] = []
    superseding = Superseding(lambda conversation, lane: dropped.append(conversation), lambda conversation: ends)
    with superseding.watching(cast(Work, work)):
        superseding.heard("c1", message(content))
    superseding.heard("c1", message(content))  # nothing is at work any more
    assert work.superseded == bool(dropped)
    return dropped == ["c1"]


EDIT = Edited(target="p1", text="hello")


@pytest.mark.parametrize("content", [EDIT, Deleted(target="p1"), Consent(on=False, word="STOP")])
def test_what_nobody_wants_any_more_ends(content: Content) -> None:
    assert ended(AtWork(), content)


@pytest.mark.parametrize("content", [Text(text="more"), Edited(target="p0", text="x"), Consent(on=True)])
def test_anything_else_waits_its_turn(content: Content) -> None:
    assert not ended(AtWork(), content)


@pytest.mark.parametrize("work", [AtWork(touched=True), AtWork(drafted=True), AtWork(committing=True), AtWork(rev=4)])
def test_what_is_durable_or_on_its_way_is_brought_to_its_end(work: AtWork) -> None:
    assert not ended(work, EDIT)


def test_so_is_a_turn_that_is_being_committed() -> None:
    assert not ended(AtWork(), EDIT, ends=True)
