"""Tokens that expire: exchanged in time, by one process, sealed, and through crashes."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot import NotSent, Rejected
from bot.processes.peers import Job
from bot.testing.channel_kit import Core, soon
from channels.slack import rotation, workspaces
from channels.slack.rotation import AHEAD
from channels.slack.settings import SlackAccount
from tests.channels.slack.bench import Bench, opened
from tests.channels.slack.test_slack_oauth import ONE, delivery, install
from tests.platforms.slack import DM, SECRET, SlackServer

# Slack's own library, in its own call.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

HOURS = 3600.0


class Shared(Core):
    """A core behind several processes, of which one at a time does what is done alone."""

    def __init__(self) -> None:
        super().__init__()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def alone(self, name: str, job: Job) -> asyncio.Task[None]:
        async def held() -> None:
            async with self._locks[name]:
                await job()

        return asyncio.create_task(held(), name=name)


def settings(platform: SlackServer) -> SlackAccount:
    return SlackAccount(
        client_id="1.2",
        client_secret=SecretStr("client-secret"),
        signing_secret=SecretStr(SECRET),
        api_url=platform.api,
        files_url=platform.files_url,
        secret=SecretStr("a long secret of the operator"),
    )


@asynccontextmanager
async def rotating(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """A bot that was just installed in one workspace, with tokens for twelve hours; nothing is remembered for long."""
    monkeypatch.setattr(workspaces, "FRESH", 0.0)
    platform = SlackServer()
    await platform.start()
    platform.installed.clear()
    platform.rotates, platform.codes = True, {"code-one": ONE}
    try:
        async with opened(folder, settings(platform), platform=platform, core=Shared()) as bench:
            await install(bench, "code-one")
            yield bench
    finally:
        await platform.stop()


def later(bench: Bench, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is so much later by the wall clock; Slack's tokens end by it too."""
    monkeypatch.setattr(bench.channel._clock, "now", lambda: time.time() + seconds)
    if seconds >= 12 * HOURS:
        bench.platform.expired.update(bench.platform.installed)


async def test_a_token_is_exchanged_ahead_of_its_end_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rotating(tmp_path, monkeypatch) as bench:
        await bench.channel.send(delivery("T1", "one"))
        await asyncio.sleep(0.02)
        assert bench.platform.exchanges == []
        later(bench, 12 * HOURS - AHEAD + 10, monkeypatch)
        bench.core.full = True  # so that the exchange takes its time
        async with asyncio.timeout(2):
            await bench.channel.send(delivery("T1", "two"))
        bench.core.full = False
        assert [text for text in ("one", "two") if text in bench.platform.text(DM)] == ["one", "two"]


async def test_the_new_token_is_used_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rotating(tmp_path, monkeypatch) as bench:
        old = bench.core.notes["slack.main.team.T1"]
        later(bench, 11 * HOURS, monkeypatch)
        await bench.channel.send(delivery("T1", "one"))
        assert await soon(lambda: bench.core.notes["slack.main.team.T1"] != old)
        assert "canary" not in repr(bench.core.notes)
        bench.platform.expired.add(ONE.token)
        await bench.channel.send(delivery("T1", "two"))
        assert bench.platform.exchanges == ["T1"]


async def test_of_several_processes_one_exchanges_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rotating(tmp_path, monkeypatch) as bench:
        later(bench, 13 * HOURS, monkeypatch)
        async with opened(
            tmp_path / "other", settings(bench.platform), platform=bench.platform, core=bench.core
        ) as other:
            monkeypatch.setattr(other.channel._clock, "now", bench.channel._clock.now)
            both = [one.channel.send(delivery("T1", "hello")) for one in (bench, other) for _ in range(5)]
            await asyncio.gather(*both)
        assert bench.platform.exchanges == ["T1"]


async def test_a_store_that_is_full_for_a_moment_loses_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rotating(tmp_path, monkeypatch) as bench:
        later(bench, 13 * HOURS, monkeypatch)
        bench.core.full = True
        sending = asyncio.create_task(bench.channel.send(delivery("T1", "hello")))
        assert await soon(lambda: bench.platform.exchanges == ["T1"])
        await asyncio.sleep(0.1)
        bench.core.full = False
        await sending
        assert bench.platform.text(DM).strip() == "hello"


async def test_a_stop_in_the_middle_brings_the_exchange_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rotating(tmp_path, monkeypatch) as bench:
        later(bench, 11 * HOURS, monkeypatch)
        old = bench.core.notes["slack.main.team.T1"]
        bench.core.full = True
        await bench.channel.send(delivery("T1", "hello"))
        assert await soon(lambda: bench.platform.exchanges == ["T1"])
        stopping = asyncio.create_task(bench.channel.stop())
        await asyncio.sleep(0.05)
        bench.core.full = False
        await stopping
        assert bench.core.notes["slack.main.team.T1"] != old


async def test_after_a_death_between_exchange_and_store_the_old_token_serves_until_the_app_is_installed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rotating(tmp_path, monkeypatch) as bench:
        monkeypatch.setattr(rotation, "AGAIN", 0.0)
        later(bench, 11 * HOURS, monkeypatch)
        bench.platform.refreshable.clear()  # somebody exchanged it, and died before it was written down
        for _ in range(3):
            await bench.channel.send(delivery("T1", "hello"))
            await asyncio.sleep(0.01)
        later(bench, 13 * HOURS, monkeypatch)
        with pytest.raises(NotSent, match="no new one"):
            await bench.channel.send(delivery("T1", "lost?"))
        bench.platform.codes = {"code-one": ONE}
        bench.platform.expired.clear()
        await install(bench, "code-one")
        monkeypatch.undo()
        await bench.channel.send(delivery("T1", "back"))


async def test_an_answer_that_is_lost_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rotating(tmp_path, monkeypatch) as bench:
        later(bench, 13 * HOURS, monkeypatch)
        bench.platform.fail("500", method="oauth.v2.access")
        with pytest.raises(NotSent):
            await bench.channel.send(delivery("T1", "hello"))
        monkeypatch.setattr(bench.channel._clock, "steady", lambda: time.monotonic() + 5)
        await bench.channel.send(delivery("T1", "hello"))


async def test_a_token_that_slack_says_is_over_is_exchanged_whatever_our_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rotating(tmp_path, monkeypatch) as bench:
        bench.platform.expired.add(ONE.token)
        with pytest.raises(NotSent, match="token_expired"):
            await bench.channel.send(delivery("T1", "hello"))
        await bench.channel.send(delivery("T1", "hello"))
        assert bench.platform.exchanges == ["T1"]


async def test_a_workspace_that_left_meanwhile_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rotating(tmp_path, monkeypatch) as bench:
        later(bench, 11 * HOURS, monkeypatch)
        bench.core.full = True
        await bench.channel.send(delivery("T1", "hello"))
        assert await soon(lambda: bench.platform.exchanges == ["T1"])
        bench.core.notes.pop("slack.main.team.T1")
        bench.core.full = False
        await asyncio.sleep(0.5)
        assert "slack.main.team.T1" not in bench.core.notes
        with pytest.raises(Rejected, match="not installed"):
            await bench.channel.send(delivery("T1", "hello"))


def test_a_token_of_one_workspace_that_expires_is_told_at_the_start() -> None:
    with pytest.raises(ValidationError, match="without token rotation"):
        SlackAccount(bot_token=SecretStr("xoxe.xoxb-1"), signing_secret=SecretStr(SECRET))
