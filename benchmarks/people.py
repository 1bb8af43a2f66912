"""Scripted people for runs with kills: what each writes, and what each is meant to read, word by word."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

SIZES = ("Small", "Medium", "Large")
WORDS = {"Small": ("1", "small", "first"), "Medium": ("2", "medium", "second"), "Large": ("3", "large", "third")}
BACK_TO = "Back to my question:"  # bot/phrases.py


@dataclass(frozen=True, slots=True)
class Line:
    """One message: words, or the label of a button to press. Without `waits`, the next follows at once."""

    text: str
    replies: tuple[str, ...]
    press: bool = False
    waits: bool = True


@dataclass(slots=True)
class Script:
    """A whole conversation, and the steps that it is meant to set off."""

    chat: str
    lines: list[Line] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    @property
    def expected(self) -> list[str]:
        """Everything that is to be read, in order."""
        return [reply for line in self.lines for reply in line.replies]


def script(number: int, chance: random.Random, *, orders: int) -> Script:
    """Small talk, orders with three questions each, and one interruption in the middle of a question."""
    made = Script(chat=f"C{number:05d}")
    name = f"p{number:05d}"
    _talk(made, f"{name}a")
    interrupted = chance.randrange(orders)
    for order in range(orders):
        _order(made, f"{name}o{order}", chance, interrupted=order == interrupted)
    _talk(made, f"{name}z")
    return made


def _talk(made: Script, mark: str) -> None:
    """Three messages, one right after the other."""
    for place in ("one", "two", "three"):
        words = f"say {place} {mark}"
        made.lines.append(Line(words, (f"echo: {words}",), waits=place == "three"))


def _order(made: Script, mark: str, chance: random.Random, *, interrupted: bool) -> None:
    size, number, sends = chance.choice(SIZES), chance.randint(1, 9), chance.random() < 0.7
    made.lines.append(Line(f"order {mark}", (f"Welcome to order {mark}.", f"Which size for {mark}?")))
    presses = chance.random() < 0.5
    answer = size if presses else chance.choice(WORDS[size])
    made.lines.append(Line(answer, (f"How many for {mark}?",), press=presses))
    if interrupted:
        made.lines.append(Line("/hours", ("We open at ten.", f"{BACK_TO}\n\nHow many for {mark}?")))
    made.lines.append(Line(str(number), (f"Baked {number} {size} for {mark}.", f"Shall I send {mark}?")))
    presses = chance.random() < 0.5
    last = f"Sent {mark} by bike." if sends else f"Kept {mark}."
    yes_no = ("Yes", "yes please") if sends else ("No", "no")
    made.lines.append(Line(yes_no[0] if presses else yes_no[1], (last,), press=presses))
    made.steps += [f"bake.{mark}", f"dispatch.{mark}"] if sends else [f"bake.{mark}"]
