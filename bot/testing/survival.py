"""Every scenario, dead and alive: what people see must not depend on when the process dies.

    await survives(scenario, "skills.orders", "adapters.orders")

runs `scenario(bot)` warm, then killed before each message, then killed at each write (before it is durable, and right
after), and compares everything that every person was shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.skill import Skill
from bot.testing.fakes import shown
from bot.testing.kit import Bot

Scenario = Callable[[Bot], Awaitable[None]]
Shown = dict[str, list[str]]


async def survives(scenario: Scenario, *plugins: str | Skill, options: dict[str, str] | None = None) -> int:
    """Run a scenario every way there is; how many deaths it survived. Raises AssertionError at the first difference."""
    warm, writes, _ = await _run(scenario, plugins, options)
    cold, _, deaths = await _run(scenario, plugins, options, each_message=True, seed=1000)
    _same(warm, cold, "killed before each message")
    for write in range(1, writes + 1):
        for before in (True, False):
            seen, _, died = await _run(scenario, plugins, options, dies_at=write, before=before, seed=2000 + write)
            deaths += died
            _same(warm, seen, f"killed {'before' if before else 'after'} write {write} of {writes}")
    return deaths


async def _run(
    scenario: Scenario,
    plugins: tuple[str | Skill, ...],
    options: dict[str, str] | None,
    *,
    each_message: bool = False,
    dies_at: int = 0,
    before: bool = False,
    seed: int = 1,
) -> tuple[Shown, int, int]:
    bot = Bot(*plugins, options=options, seed=seed)
    bot.dies_before_messages = each_message
    bot.die_at(dies_at, before=before)
    async with bot:
        await scenario(bot)
        await bot.settle()
    return _everything(bot), bot.writes, bot.deaths


def _everything(bot: Bot) -> Shown:
    seen: Shown = {}
    for kind, platform in bot.platforms.items():
        for delivery in platform.taken:
            seen.setdefault(f"{kind}/{delivery.address.chat}", []).append(shown(delivery))
    return seen


def _same(warm: Shown, other: Shown, how: str) -> None:
    if warm != other:
        lines = [f"{who}:\n  warm  {warm.get(who)}\n  other {other.get(who)}" for who in warm.keys() | other.keys()]
        raise AssertionError(f"it went another way when {how}\n" + "\n".join(lines))
