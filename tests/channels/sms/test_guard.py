"""Caps and the guard against loops are those of all processes together."""

from __future__ import annotations

import pytest

from bot.delivery.counting import Counted
from bot.messages import Text
from bot.testing import VirtualClock
from bot.testing.channel_kit import Core
from channels.sms.guard import Guard
from channels.sms.numbers import Number
from channels.sms.settings import SmsSettings
from tests.platforms.twilio import THEIRS

NUMBER = Number(e164=THEIRS, country="US")
LONG = "I am out of office until Monday. In urgent cases ask somebody else."


def processes(settings: SmsSettings, count: int = 3) -> list[Guard]:
    core = Core()
    core.counted = Counted(VirtualClock())
    return [Guard(settings, ("US",), core, "main") for _ in range(count)]


@pytest.mark.parametrize(
    ("settings", "words", "allowed", "why"),
    [
        (SmsSettings(loop_messages=6), "number {}", 6, "loop"),
        (SmsSettings(inbound_per_hour=4), "number {}", 4, "hourly_cap"),
        (SmsSettings(inbound_per_day=5), "number {}", 5, "daily_cap"),
        (SmsSettings(), LONG, 3, "same_text"),
    ],
)
async def test_what_comes_in_by_three_processes_is_counted_together(
    settings: SmsSettings, words: str, allowed: int, why: str
) -> None:
    guards = processes(settings)

    async def comes(n: int, process: int) -> str:
        return await guards[process % 3].inbound(NUMBER, f"SM{n}", Text(text=words.format(n)))

    assert [await comes(n, n) for n in range(allowed)] == [""] * allowed
    # Delivered again, to another process: the same verdict, and no other place.
    assert [await comes(n, n + 1) for n in range(allowed)] == [""] * allowed
    assert [await comes(n, n) for n in range(allowed, 15)] == [why] * (15 - allowed)


async def test_what_goes_out_is_counted_together_and_each_delivery_once() -> None:
    guards = processes(SmsSettings(outbound_per_hour=4))
    assert [await guards[n % 3].outbound(NUMBER, "one") for n in range(9)] == [""] * 9
    assert [await guards[n % 3].outbound(NUMBER, f"d{n}") for n in range(5)] == [""] * 3 + ["hourly_cap"] * 2
    assert await guards[0].outbound(Number(e164="+14155550199", country="US"), "d9") == ""
