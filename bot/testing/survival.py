"""Every scenario, dead and alive: what people see must not depend on when the process dies.

    await survives(scenario, "skills.orders", "adapters.orders")

runs `scenario(bot)` warm, then killed before each message, then killed at each write (before it is durable, and right
after), and compares everything that every person was shown. Strict, it compares what steps were given too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.dialog.journal import load
from bot.ports.llm import Llm
from bot.skill import Skill
from bot.testing.fakes import shown
from bot.testing.kit import Bot

Scenario = Callable[[Bot], Awaitable[None]]
Shown = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Ran:
    """One way through a scenario. `steps` are (handler, key, step, mark of its arguments), each attempt of each."""

    shown: Shown
    steps: set[tuple[str, str, str, str]]
    writes: int
    deaths: int


async def survives(
    scenario: Scenario,
    *plugins: str | Skill,
    options: dict[str, str] | None = None,
    llm: Llm | None = None,
    prompts: Path | None = None,
    strict: bool = False,
) -> int:
    """Run a scenario every way there is; how many deaths it survived. Raises AssertionError at the first difference.

    `strict` also compares the arguments of all steps: chance and clocks of one's own are caught even where nobody
    sees them. It can't be used where steps rightly get the time (turn.now()), which goes on when the bot is killed,
    or objects without a repr of their own.
    """

    def fresh(seed: int = 1) -> Bot:
        return Bot(*plugins, options=options, seed=seed, llm=llm, prompts=prompts)

    warm = await _run(scenario, fresh())
    cold = await _run(scenario, fresh(1000), each_message=True)
    _same(warm, cold, "killed before each message", strict=strict)
    deaths = cold.deaths
    for write in range(1, warm.writes + 1):
        for before in (True, False):
            ran = await _run(scenario, fresh(2000 + write), dies_at=write, before=before)
            deaths += ran.deaths
            how = f"killed {'before' if before else 'after'} write {write} of {warm.writes}"
            _same(warm, ran, how, strict=strict)
    return deaths


async def _run(
    scenario: Scenario, bot: Bot, *, each_message: bool = False, dies_at: int = 0, before: bool = False
) -> _Ran:
    bot.dies_before_messages = each_message
    bot.die_at(dies_at, before=before)
    async with bot:
        await scenario(bot)
        await bot.settle()
    return _Ran(shown=_everything(bot), steps=_steps(bot), writes=bot.writes, deaths=bot.deaths)


def _steps(bot: Bot) -> set[tuple[str, str, str, str]]:
    return {
        (f"{frame.skill}.{frame.handler}", entry.key, entry.name, entry.arguments)
        for state in set(bot.states)
        for frame in load(state).frames
        for entry in frame.journal
        if entry.kind == "step"
    }


def _everything(bot: Bot) -> Shown:
    seen: Shown = {}
    for kind, platform in bot.platforms.items():
        for delivery in platform.taken:
            seen.setdefault(f"{kind}/{delivery.address.chat}", []).append(shown(delivery))
    return seen


def _same(warm: _Ran, other: _Ran, how: str, *, strict: bool) -> None:
    if warm.shown != other.shown:
        lines = [
            f"{who}:\n  warm  {warm.shown.get(who)}\n  other {other.shown.get(who)}"
            for who in warm.shown.keys() | other.shown.keys()
        ]
        raise AssertionError(f"it went another way when {how}\n" + "\n".join(lines))
    if strict and warm.steps != other.steps:
        differ = sorted({f"{name} at {key} of {handler}" for handler, key, name, _ in warm.steps ^ other.steps})
        raise AssertionError(f"steps were given something else when {how}: {', '.join(differ)}")
