"""Strangers get 401, are never a 5xx, and leave no trace."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import time
from pathlib import Path

import aiohttp
import pytest

from channels.slack.webhook import WINDOW, sign, signed
from tests.channels.slack.bench import opened
from tests.platforms.fuzz_slack import fuzz
from tests.platforms.slack import SECRET

BODY = b'{"type":"url_verification","challenge":"c"}'
NOW = 1_700_000_000


def headers(
    body: bytes = BODY, *, stamp: str | None = None, secret: str = SECRET, signature: str | None = None
) -> list[tuple[str, str]]:
    stamp = stamp if stamp is not None else str(int(time.time()))
    given = signature if signature is not None else sign(secret, stamp, body)
    return [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", given)]


def mutations() -> dict[str, tuple[bytes, list[tuple[str, str]]]]:
    now = int(time.time())
    good = headers()
    packed = gzip.compress(BODY)
    return {
        "no headers": (BODY, []),
        "no signature": (BODY, good[:1]),
        "no time": (BODY, good[1:]),
        "two signatures": (BODY, [*good, good[1]]),
        "two times": (BODY, [*good, good[0]]),
        "a word for a time": (BODY, headers(stamp="abc")),
        "a negative time": (BODY, headers(stamp=f"-{now}")),
        "a time of other digits": (BODY, [("X-Slack-Request-Timestamp", "\u0661" * 10), good[1]]),
        "an endless time": (BODY, headers(stamp="1" * 5000)),
        "a time with a point": (BODY, headers(stamp=f"{now}.0")),
        "too late": (BODY, headers(stamp=str(now - WINDOW - 1))),
        "too early": (BODY, headers(stamp=str(now + WINDOW + 2))),
        "not ascii": (BODY, headers(signature="v0=é" + "a" * 60)),
        "truncated": (BODY, headers(signature=good[1][1][:-1])),
        "upper case": (BODY, headers(signature="v0=" + good[1][1][3:].upper())),
        "another version": (BODY, headers(signature="v1=" + good[1][1][3:])),
        "empty": (BODY, headers(signature="")),
        "another app's secret": (BODY, headers(secret="another")),
        "an empty secret": (BODY, headers(secret="")),
        "one byte more": (BODY + b" ", good),
        "one byte changed": (BODY[:-1] + b"!", good),
        "no body": (b"", good),
        "packed, signed unpacked": (packed, [*good, ("Content-Encoding", "gzip")]),
        "packed, signed packed": (packed, [*headers(packed), ("Content-Encoding", "gzip")]),
    }


@pytest.mark.parametrize("what", mutations())
async def test_a_mutation_is_refused_and_leaves_no_trace(tmp_path: Path, what: str) -> None:
    body, given = mutations()[what]
    async with opened(tmp_path) as bench, aiohttp.ClientSession() as http:
        url = f"{bench.platform.events}/events"
        try:
            async with http.post(url, data=body, headers=given, skip_auto_headers=["Content-Type"]) as answer:
                assert answer.status == 401
        except (aiohttp.ClientError, ValueError, UnicodeEncodeError):
            pass  # aiohttp's own server or client refused it before us
        assert bench.core.offered == bench.core.unreadable == []
        assert bench.core.notes == {}


async def test_chunks_are_signed_as_what_is_in_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        host, port = bench.platform.events.split("/")[2].split(":")
        framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:10], BODY[10:])) + b"0\r\n\r\n"
        for signed_over, status in ((framed, b"401"), (BODY, b"200")):
            lines = [f"{name}: {value}" for name, value in headers(signed_over)]
            head = [
                "POST /channels/slack/events HTTP/1.1",
                "Host: x",
                "Transfer-Encoding: chunked",
                "Connection: close",
            ]
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write("\r\n".join([*head, *lines, "", ""]).encode() + framed)
            assert (await reader.read()).split()[1] == status
            writer.close()


async def test_a_replay_is_one_message(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench:
        body = json.dumps(bench.platform.event(bench.platform.written("hello"))).encode()
        given = headers(body)
        async with aiohttp.ClientSession() as http:
            for _ in range(100):
                async with http.post(f"{bench.platform.events}/events", data=body, headers=given) as answer:
                    assert answer.status == 200
        assert len(bench.core.received) == 1


async def test_a_body_without_an_end_is_cut_off(tmp_path: Path) -> None:
    async with opened(tmp_path) as bench, aiohttp.ClientSession() as http:
        body = b" " * (2 * 1024 * 1024)
        async with http.post(f"{bench.platform.events}/events", data=io.BytesIO(body), headers=headers(body)) as answer:
            assert answer.status == 413
        assert bench.core.offered == bench.core.unreadable == []


def test_the_window_is_five_minutes_both_ways() -> None:
    for late, fits in ((WINDOW, True), (-WINDOW, True), (WINDOW + 1, False), (-WINDOW - 1, False)):
        stamp = str(NOW - late)
        assert signed("s", [stamp], [sign("s", stamp, b"x")], b"x", NOW) is fits


async def test_fuzzed_requests_do_no_harm() -> None:
    told = await fuzz(500, seed=7)
    assert told.sent == 500
    assert told.heard > 20, "the fuzz never gets through to the parser"
