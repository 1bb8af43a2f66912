"""What people say, what the bot answers, and the skill that does: made so that every boundary is passed.

Each reply of a conversation has words of its own, so one that comes twice is seen.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from bot.errors import AskTimeout
from bot.phrases import Phrases
from bot.skill import Skill
from bot.turn import Turn
from tests.crashes.outside import FORBIDDEN, LIMITED, UNREACHED
from tests.crashes.world import Done, World

AGENT = "Ana"

WORK = 0.3
"""Seconds (ours) that the slow step takes: longer than two thirds of a lease, so it is renewed."""

LEASE = 5
"""The bot's lease, in its own seconds."""

ROOM = 2
"""So many lanes one process works on here, so that messages also come in when there is no room."""

MUTE = Phrases().still_trying
"""Said when the desk could not be reached for long, as during five deaths: it may come, or not."""


STEPS = ["s1", "s2", "s3", "s4", "s5", "s6"]


class Line(NamedTuple):
    """Something that a person says, once they have been shown `after` replies."""

    text: str
    after: int


class Chat(NamedTuple):
    """A conversation. It begins when those of earlier phases are over; a crowded one speaks when there is no room."""

    name: str
    lines: tuple[Line, ...]
    replies: tuple[str, ...]
    phase: int = 1
    polled: bool = False
    crowded: bool = False
    steps: tuple[str, ...] = ()
    desk: tuple[str, ...] = ()


def chats() -> list[Chat]:
    """The script for a platform that can be asked."""
    return [
        _each("early", "limited", ["e1"], phase=0),
        *(_each(f"echo{number}", "echo", [f"{number}a", f"{number}b"]) for number in range(4)),
        _burst("burst", ["b1", "b2", "b3", "b4"]),
        _burst("crowd", ["c1", "c2", "c3", "c4", "c5", "c6", "c7"])._replace(crowded=True),
        *(_order(f"order{number}") for number in range(2)),
        *(_slow(f"slow{number}") for number in range(3)),
        _each("polled", "several", ["q1", "q2", "q3", "q4", "q5"])._replace(polled=True),
        _each("steps", "step", STEPS)._replace(steps=tuple(STEPS)),
        _each("refused", "forbidden", ["r1", "r2", "r3", "r4", "r5", "r6"]),
        _each("limited", "limited", ["l1", "l2", "l3"]),
        _each("unreached", "unreached", ["u1", "u2", "u3"]),
        _each("late", "late", ["w1", "w2", "w3", "w4", "w5", "w6"]),
        *(_person(f"person{number}") for number in range(2)),
        # At the end and alone: who was taken along by three deaths is parked when it fails for the first time.
        _each("flaky", "flaky", ["f1", "f2", "f3", "f4", "f5", "f6"], phase=2),
    ]


def dark_chat() -> Chat:
    """The script for a platform that can't be asked: one thing at a time, so that one send is cut off at most."""
    what = [("echo", "1"), ("several", "2"), ("echo", "3"), ("several", "4"), ("several", "5"), ("limited", "6")]
    what += [("several", "7"), ("echo", "8"), ("several", "9"), ("echo", "10")]
    lines, replies = [], list[str]()
    for kind, subject in what:
        lines.append(Line(f"{kind} {subject}", len(replies)))
        replies += ANSWERS[kind](subject)
    return Chat("dark", tuple(lines), tuple(replies))


ANSWERS = {
    "echo": lambda subject: [f"echo {subject}"],
    "several": lambda subject: [f"one {subject}", f"two {subject}", f"three {subject}"],
    "limited": lambda subject: [f"{LIMITED} {subject}", f"then {subject}"],
    "unreached": lambda subject: [f"{UNREACHED} {subject}", f"then {subject}"],
    "forbidden": lambda subject: [f"then {subject}"],
    "late": lambda subject: [f"Still there, {subject}?", f"gone {subject}"],
    "step": lambda subject: [f"stepped {subject}"],
    "flaky": lambda subject: [f"mended {subject}"],
}
"""What people see of the answers to one message."""


def _each(name: str, kind: str, subjects: list[str], phase: int = 1) -> Chat:
    """One message after the other, each when the one before is answered."""
    lines, replies = [], list[str]()
    for subject in subjects:
        lines.append(Line(f"{kind} {subject}", len(replies)))
        replies += ANSWERS[kind](subject)
    return Chat(name, tuple(lines), tuple(replies), phase)


def _burst(name: str, subjects: list[str]) -> Chat:
    """All at once."""
    return Chat(name, tuple(Line(f"echo {each}", 0) for each in subjects), tuple(f"echo {each}" for each in subjects))


def _order(name: str) -> Chat:
    lines = (Line(f"order {name}", 0), Line("a lamp", 1), Line("3", 2))
    return Chat(name, lines, ("What shall it be?", "How many of those?", "3 times a lamp, paid."), steps=(name,))


def _slow(name: str) -> Chat:
    lines = (Line(f"slow {name}", 0), Line(f"echo {name}", 0))
    return Chat(name, lines, (f"working {name}", f"done {name}", f"echo {name}"), steps=(name,))


def _person(name: str) -> Chat:
    say = Phrases()
    lines = (Line(f"fetch {name}", 0), Line(f"word of {name}", 4), Line(f"echo {name}", 7))
    replies = (
        f"getting {name}",
        say.queued,
        say.joined.replace("{agent}", AGENT),
        f"Good day, {name}.",
        f"That is settled, {name}.",
        say.left.replace("{agent}", AGENT),
        say.returned.replace("{agent}", AGENT),
        f"echo {name}",
    )
    return Chat(name, lines, replies, desk=(f"word of {name}",))


def answering(world: World) -> Skill:
    """The skill. What it does outside, the world remembers."""
    skill = Skill("crash", "Passes every boundary.")
    _talks(skill)
    _asks(skill)
    _works(skill, world)
    return skill


def _talks(skill: Skill) -> None:
    @skill.pattern(r"^echo (?P<subject>\S+)$")
    async def echo(turn: Turn) -> None:
        await turn.say(f"echo {turn.slot('subject')}")

    @skill.pattern(r"^several (?P<subject>\S+)$")
    async def several(turn: Turn) -> None:
        for word in ("one", "two", "three"):
            await turn.say(f"{word} {turn.slot('subject')}")

    @skill.pattern(rf"^(?P<kind>{LIMITED}|{UNREACHED}|{FORBIDDEN}) (?P<subject>\S+)$")
    async def troubled(turn: Turn) -> None:
        await turn.say(f"{turn.slot('kind')} {turn.slot('subject')}")
        await turn.say(f"then {turn.slot('subject')}")

    @skill.pattern(r"^fetch (?P<subject>\S+)$")
    async def fetch(turn: Turn) -> None:
        await turn.say(f"getting {turn.slot('subject')}")
        await turn.hand_off("support", turn.slot("subject") or "")


def _asks(skill: Skill) -> None:
    @skill.pattern(r"^late (?P<subject>\S+)$")
    async def late(turn: Turn) -> None:
        try:
            await turn.ask(f"Still there, {turn.slot('subject')}?", timeout=1.0)
        except AskTimeout:
            await turn.say(f"gone {turn.slot('subject')}")


def _works(skill: Skill, world: World) -> None:
    async def work(subject: str) -> None:
        world.work(1)
        try:
            await asyncio.sleep(WORK)
        finally:
            world.work(-1)
        world.note(Done(what="run", subject=subject))

    async def pay(subject: str) -> str:
        world.note(Done(what="run", subject=subject))
        return "paid"

    @skill.pattern(r"^order (?P<subject>\S+)$")
    async def order(turn: Turn) -> None:
        thing = await turn.ask("What shall it be?", key="thing")
        count = await turn.ask("How many of those?", like=int)
        subject = turn.slot("subject") or ""
        paid = await turn.step(pay, subject)
        world.note(Done(what="kept", subject=subject))
        await turn.say(f"{count} times {thing}, {paid}.")

    @skill.pattern(r"^step (?P<subject>\S+)$")
    async def step(turn: Turn) -> None:
        subject = turn.slot("subject") or ""
        await turn.step(pay, subject)
        world.note(Done(what="kept", subject=subject))
        await turn.say(f"stepped {subject}")

    @skill.pattern(r"^slow (?P<subject>\S+)$")
    async def slow(turn: Turn) -> None:
        subject = turn.slot("subject") or ""
        await turn.say(f"working {subject}")
        await turn.step(work, subject)
        world.note(Done(what="kept", subject=subject))
        await turn.say(f"done {subject}")

    @skill.pattern(r"^flaky (?P<subject>\S+)$")
    async def flaky(turn: Turn) -> None:
        subject = turn.slot("subject") or ""
        if Done(what="failed", subject=subject) not in world.all(Done):
            world.note(Done(what="failed", subject=subject))
            raise RuntimeError("this once")
        await turn.say(f"mended {subject}")
