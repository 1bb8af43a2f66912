"""Jobs: done once they are accepted, by whoever is left; and the webhooks that tell of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook, WebhookVerificationError

from bot.app import App
from bot.clock import SeededEntropy, SystemClock
from bot.ports import MoodReader
from bot.settings import Settings
from bot.store.contract import Store
from bot.store.own_tables import OwnTables
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from bot.testing.clock import VirtualClock
from bot.tools import records
from bot.tools.answers import Reply
from bot.tools.jobs import ATTEMPTS, Jobs
from bot.tools.records import Job
from bot.tools.tables import metadata
from bot.tools.tokens import Tokens
from bot.tools.webhooks import PAUSES, Courier, sign
from bot.web.fetching import Fetcher
from tests.bot.tools.support import Desk, SlowMood, desk, stored, until
from tests.servers import PostgresServer, postgres

__all__ = ["postgres"]

DONE = Reply(code=200, body={"tool_name": "MOOD"})


def job(id: str, **more: Any) -> Job:
    given = {"owner": "o", "caller": "c", "tool_name": "MOOD", "request": "{}", "created_at": 0.0, "expires_at": 4e9}
    return Job(id=id, **{**given, **more})


async def done(d: Desk, id: str) -> dict[str, Any] | None:
    async with d.client.get(f"/api/v1/tools/jobs/{id}") as response:
        assert response.status == 200
        body: dict[str, Any] = await response.json()
        return body if body["status"] in ("done", "failed") else None


class Receiver:
    """Somebody's server that gets webhooks, and answers as the test wants."""

    def __init__(self, *answers: int) -> None:
        self.answers, self.got = list(answers), list[tuple[dict[str, str], bytes]]()

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(({k.lower(): v for k, v in request.headers.items()}, await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def receiving(*answers: int) -> AsyncIterator[tuple[Receiver, str]]:
    receiver, app = Receiver(*answers), web.Application()
    app.router.add_post("/hook", receiver.take)
    async with TestServer(app) as server:
        yield receiver, str(server.make_url("/")).rstrip("/")


async def test_a_job_is_done_and_its_webhook_verified_by_somebody_elses_code(tmp_path: Path) -> None:
    async with receiving() as (receiver, origin), desk(tmp_path, options={"tools.trusted": origin}) as d:
        status, body = await d.call("SUMMARY", {"text": "One. Two."}, mode="async", webhook_url=f"{origin}/hook")
        assert status == 202 and body["status"] == "queued" and body["url"].endswith(body["job_id"])
        finished = await until(lambda: done(d, body["job_id"]))
        assert finished["answer"]["result"]["summary"] == "One. Two."
        await until(lambda: receiver.got)
        headers, sent = receiver.got[0]
        payload = Webhook(d.secret).verify(sent, headers)
        assert payload["type"] == "tool.finished" and payload["data"]["job_id"] == body["job_id"]
        assert payload["data"]["answer"] == finished["answer"]
        assert headers["webhook-id"] == f"msg_{body['job_id']}"
        for forged in (sent.replace(b"One", b"Two"), sent + b" "):
            with pytest.raises(WebhookVerificationError):
                Webhook(d.secret).verify(forged, headers)
        kept = stored(tmp_path)
        assert d.secret.removeprefix("whsec_").encode() not in kept
        # Nobody else sees the job.
        other = (await d.app.tools.commands()["tool-token"]("other")).split()[1]
        address, theirs = f"/api/v1/tools/jobs/{body['job_id']}", {"Authorization": f"Bearer {other}"}
        async with d.client.get(address, headers=theirs) as response:
            assert response.status == 404


async def test_a_job_whose_tool_fails_says_so_and_mistakes_are_told_before(tmp_path: Path) -> None:
    async with desk(tmp_path, engines=("adapters.images",)) as d:
        assert (await d.call("IMAGE_MATCH", {}, mode="async"))[0] == 400
        assert (await d.call("NONE", {}, mode="async"))[0] == 404
        _, body = await d.call("IMAGE_MATCH", {"image": "aGk=", "other": "aGk="}, mode="async")
        finished = await until(lambda: done(d, body["job_id"]))
        assert finished["status"] == "failed" and finished["code"] == 422 and finished["problems"]


async def test_the_same_key_makes_one_job(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        key = {"Idempotency-Key": "once"}
        calls = [await d.call("SUMMARY", {"text": "One."}, mode="async", headers=key) for _ in range(3)]
        assert {status for status, _ in calls} == {202} and len({body["job_id"] for _, body in calls}) == 1


async def test_a_webhook_to_an_address_inside_is_refused_and_not_tried_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        _, body = await d.call("SUMMARY", {"text": "One."}, mode="async", webhook_url="http://127.0.0.1:9/hook")
        owner = (await d.app.tools.tokens.holder(d.token)).owner  # type: ignore[union-attr]

        async def refused() -> bool:
            found = await d.app.tools.jobs.find(body["job_id"], owner)
            return found is not None and found.hook == "refused"

        await until(refused)


async def test_a_job_outlives_a_stop_in_the_middle(tmp_path: Path) -> None:
    never = asyncio.Event()
    engine = SlowMood(never.wait)
    async with desk(tmp_path, mood=engine) as d:
        _, body = await d.call("MOOD", {"text": "hm"}, mode="async")
        await until(lambda: engine.calls)
        token = d.token

    async def quick() -> None:
        return

    async with _again(tmp_path, SlowMood(quick), token) as again:
        finished = await until(lambda: done(again, body["job_id"]))
        assert finished["status"] == "done"


@asynccontextmanager
async def _again(home: Path, mood: SlowMood, token: str) -> AsyncIterator[Desk]:
    settings = Settings.load(options={"server.home": str(home), "server.port": "0"})
    app = App.build(settings, builtins=["channels.web"], entry_points=False)
    app.services.add(MoodReader, mood)
    await app.start()
    try:
        async with aiohttp.ClientSession(app.url, headers={"Authorization": f"Bearer {token}"}) as client:
            yield Desk(app, token, "", client)
    finally:
        await app.stop()


# --- the rules of leases and of the schedule, on both stores


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def store_of(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    store: Store
    if kind == "sqlite":
        store = SqliteStore(tmp_path / "frontdesk.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        store = PostgresStore(server.new_database())
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


async def test_a_job_is_held_by_one_and_taken_over_only_when_its_lease_is_over(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with store_of(kind, tmp_path, request) as store:
        database = await OwnTables(store, metadata).make()
        await database.write(lambda c: records.add(c, job("a")))
        claims = await asyncio.gather(*(database.write(lambda c: records.claim(c, 10.0, 5.0)) for _ in range(8)))
        (first,) = [claim for claim in claims if claim is not None]
        assert await database.write(lambda c: records.claim(c, 14.9, 5.0)) is None
        assert await database.write(lambda c: records.hold(c, first, 20.0))
        assert await database.write(lambda c: records.claim(c, 19.9, 5.0)) is None
        second = await database.write(lambda c: records.claim(c, 20.0, 5.0))
        assert second is not None and second.attempts == 2
        # The first one wakes up: it holds nothing any more, and its result is thrown away.
        assert not await database.write(lambda c: records.hold(c, first, 99.0))
        assert not await database.write(lambda c: records.finish(c, first, 200, '{"old": 1}', 21.0, 99.0))
        assert await database.write(lambda c: records.finish(c, second, 200, '{"new": 1}', 22.0, 99.0))
        found = await database.read(lambda c: records.find(c, "a", "o", 30.0))
        assert found is not None and found.body == '{"new": 1}' and found.request == ""
        assert await database.read(lambda c: records.find(c, "a", "o", 99.0)) is None, "it has expired"
        await database.write(lambda c: records.forget(c, 99.0))
        assert await database.read(lambda c: records.find(c, "a", "o", 30.0)) is None


async def test_a_key_is_begun_by_one_and_free_again_when_that_one_died(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with store_of(kind, tmp_path, request) as store:
        database = await OwnTables(store, metadata).make()
        kept = records.Kept(owner="o", key="k", digest="d", expires_at=100.0, held_until=10.0)
        assert await database.write(lambda c: records.begin(c, kept, 1.0)) is None
        assert await database.write(lambda c: records.begin(c, kept, 9.0)) == kept
        later = records.Kept(owner="o", key="k", digest="d", expires_at=100.0, held_until=20.0)
        assert await database.write(lambda c: records.begin(c, later, 10.0)) is None
        assert await database.write(lambda c: records.begin(c, later, 100.0)) is None, "and again once it has expired"


async def test_what_kills_its_process_three_times_is_given_up(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "frontdesk.db")
    await store.start()
    clock, worked = SystemClock(), []

    async def work(one: Job) -> Reply:
        worked.append(one.id)
        return DONE

    async def nothing() -> bool:
        return False

    async def sweep() -> None:
        return

    tables = OwnTables(store, metadata)
    jobs = Jobs(tables, work, nothing, sweep, clock, lease=5.0, keep=60.0, workers=1)
    await jobs.submit(job("bad", attempts=ATTEMPTS))
    await jobs.submit(job("good"))
    jobs.start()
    found = await until(lambda: _finished(jobs, "bad"))
    assert found.status == "failed" and "three times" in found.body
    assert (await until(lambda: _finished(jobs, "good"))).status == "done" and worked == ["good"]
    await jobs.stop()
    await store.stop()


async def _finished(jobs: Jobs, id: str) -> Job | None:
    found = await jobs.find(id, "o")
    return found if found is not None and found.status in ("done", "failed") else None


@pytest.mark.parametrize(("answers", "outcome", "tries"), [([500, 429, 204], "delivered", 3), ([410], "refused", 1)])
async def test_a_webhook_is_tried_by_the_schedule(tmp_path: Path, answers: list[int], outcome: str, tries: int) -> None:
    store, clock = SqliteStore(tmp_path / "frontdesk.db"), VirtualClock()
    await store.start()
    tables = OwnTables(store, metadata)
    tokens = Tokens(tables, clock, SeededEntropy(1))
    async with receiving(*answers) as (receiver, origin):
        fetcher = Fetcher(trusted=[origin])
        courier = Courier(tables, fetcher, tokens.webhook_secret, clock)
        waiting = job("h", status="done", hook="waiting", webhook_url=f"{origin}/hook", body="{}", done_at=clock.now())
        database = await tables.make()
        await database.write(lambda c: records.add(c, waiting))
        for pause in (*PAUSES[: tries - 1], None):
            assert await courier.send_next()
            assert not await courier.send_next(), "not before its time"
            if pause is not None:
                clock.move(clock.now() + pause)
        await fetcher.close()
        found = await database.read(lambda c: records.find(c, "h", "o", clock.now()))
        assert found is not None and found.hook == outcome
        assert len(receiver.got) == tries and len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
        times = [int(headers["webhook-timestamp"]) for headers, _ in receiver.got]
        assert times == sorted(set(times)), "each attempt is signed with its own time"
    await store.stop()


async def test_a_webhook_that_nobody_takes_is_given_up_after_eight_attempts(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "frontdesk.db"), VirtualClock()
    await store.start()
    tables = OwnTables(store, metadata)
    async with receiving(*[503] * 20) as (receiver, origin):
        fetcher = Fetcher(trusted=[origin])
        courier = Courier(tables, fetcher, Tokens(tables, clock, SeededEntropy(1)).webhook_secret, clock)
        waiting = job("h", status="failed", hook="waiting", webhook_url=f"{origin}/hook", body="{}", code=500)
        database = await tables.make()
        await database.write(lambda c: records.add(c, waiting))
        for _ in range(20):
            await courier.send_next()
            clock.move(clock.now() + max(PAUSES))
        await fetcher.close()
        assert len(receiver.got) == 8
        assert json.loads(receiver.got[0][1])["type"] == "tool.failed"
    await store.stop()


@asynccontextmanager
async def tarpit() -> AsyncIterator[tuple[list[str], asyncio.Event, str, str]]:
    """A server that answers under "localhost", and as 127.0.0.1 only once it is let go."""
    asked, let_go, app = list[str](), asyncio.Event(), web.Application()

    async def take(request: web.Request) -> web.Response:
        asked.append(f"{request.url.host}{request.path}")
        if request.url.host == "127.0.0.1":
            await let_go.wait()
        return web.Response()

    app.router.add_post("/{rest:.*}", take)
    async with TestServer(app, host="localhost") as server:
        try:
            yield asked, let_go, f"http://127.0.0.1:{server.port}", f"http://localhost:{server.port}"
        finally:
            let_go.set()


async def test_a_webhook_that_hangs_holds_up_only_those_to_its_own_host(tmp_path: Path) -> None:
    store, clock = SqliteStore(tmp_path / "frontdesk.db"), VirtualClock()
    await store.start()
    tables = OwnTables(store, metadata)
    database = await tables.make()
    async with tarpit() as (asked, let_go, slow, quick):
        fetcher = Fetcher(trusted=[slow, quick])
        courier = Courier(tables, fetcher, Tokens(tables, clock, SeededEntropy(1)).webhook_secret, clock)
        for at, origin in enumerate((slow, slow, quick)):
            url = f"{origin}/{at}"
            waiting = job(f"h{at}", status="done", hook="waiting", webhook_url=url, body="{}", hook_at=at / 10)
            await database.write(lambda c, waiting=waiting: records.add(c, waiting))  # type: ignore[misc]
        sending = asyncio.create_task(courier.send_next())
        await until(lambda: asked)
        assert await courier.send_next()
        assert asked == ["127.0.0.1/0", "localhost/2"]
        assert not await courier.send_next(), "one at a time to each host"
        let_go.set()
        assert await sending and await courier.send_next()
        assert asked[2:] == ["127.0.0.1/1"]
        await fetcher.close()
    await store.stop()


async def test_a_bot_sends_its_webhooks_past_one_that_hangs(tmp_path: Path) -> None:
    async with (
        tarpit() as (asked, _, slow, quick),
        desk(tmp_path, options={"tools.trusted": f"{slow},{quick}"}) as d,
    ):
        for url in (f"{slow}/x", f"{slow}/x", f"{slow}/x", quick.replace("localhost", "LocalHost") + "/x"):
            assert (await d.call("SUMMARY", {"text": "One. Two."}, mode="async", webhook_url=url))[0] == 202
        await until(lambda: "localhost/x" in asked)
        assert asked.count("127.0.0.1/x") == 1


def test_signatures_are_those_of_the_independent_implementation() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime(2026, 1, 2, tzinfo=UTC)
    theirs = Webhook(secret).sign("msg_1", at, '{"ü": 1}')
    assert sign(secret, "msg_1", int(at.timestamp()), '{"ü": 1}'.encode()) == theirs
