"""What people do beside writing: they edit what they wrote, take it back, opt out and in again. Knows no bot.

A whim follows a message once that was acknowledged, as platforms bring it; it may come before or after the answer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bot.channel import Accepted
from bot.messages import Consent, Content, Deleted, Edited, Message

EDITS, DELETES, OPTS = 0.12, 0.04, 0.2
"""How often a message is edited or taken back, and how many people opt out."""

STAYS_OUT = 0.3
"""How many of these never come back."""

SOON = (0.0, 0.02, 0.3, 2.0, 8.0)
"""Seconds of which one is at most between a message and its edit: while it waits, while it is answered, behind it."""


@dataclass
class Deeds:
    """What somebody did and had acknowledged: edits and the like, by the event that they are about; consents."""

    changes: dict[str, list[tuple[Message, Accepted]]] = field(default_factory=dict)
    consents: list[tuple[Message, Accepted]] = field(default_factory=list)


class Whims:
    """The whims of one person who writes `count` messages."""

    def __init__(self, seed: int, name: str, count: int) -> None:
        self._chance = random.Random(f"{seed}/{name}/whims")
        self._out = self._in = count
        if self._chance.random() < OPTS and count > 1:
            self._out = self._chance.randrange(count)
            if self._chance.random() > STAYS_OUT:
                self._in = self._chance.randrange(self._out, count)

    def after(self, number: int, event: str, text: str) -> list[tuple[float, Content]]:
        """What follows the message of this number: after how many seconds, and what."""
        whims: list[tuple[float, Content]] = []
        chance = self._chance.random()
        if chance < DELETES:
            whims.append((self._soon(), Deleted(target=event)))
        elif chance < DELETES + EDITS:
            for again in range(self._chance.choice((1, 1, 1, 2))):
                whims.append((self._soon(), Edited(target=event, text=edited(text, again))))
        if number == self._out:
            whims.append((self._soon(), Consent(on=False, word="STOP")))
        if number == self._in:
            whims.append((self._soon(), Consent(on=True, word="START")))
        return whims

    def _soon(self) -> float:
        return self._chance.choice(SOON) * self._chance.random()


def edited(text: str, again: int) -> str:
    """What a message says after its edit: as many echoes as before, or one, of another tag."""
    words = text.split()
    count = words[1] if words[0] == "/echo" else "1"
    return f"/echo {count} {words[-1]}e{again}"
