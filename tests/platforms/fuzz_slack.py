"""Mutated requests for the Slack channel's real routes, signed and unsigned.

    python -m tests.platforms.fuzz_slack 20000 1

Fails when one is answered with a 5xx, hangs, or when a stranger's leaves a trace.
"""

from __future__ import annotations

import asyncio
import json
import random
import string
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from channels.slack.webhook import sign
from tests.channels.slack.bench import Bench, opened
from tests.platforms.slack import SECRET
from tests.platforms.slack_rules import PAYLOADS

HANG = 5.0
"""Seconds after which a request counts as hanging."""

_STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**400, "", " ", "\x00", "\ud83d", "é" * 300, "D1", "1.5", "<@U1>", [], {}, [[]],
    {"a": {}}, "9" * 400, "\u202e", "../../etc/passwd", "https://evil.example/", "T1/../T2", float("nan"),
)  # fmt: skip


@dataclass
class Told:
    """What came of it."""

    sent: int = 0
    heard: int = 0
    set_aside: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0


async def fuzz(count: int, seed: int) -> Told:
    """Send `count` requests, half of them signed; raises AssertionError at the first that does harm."""
    chance, told = random.Random(seed), Told()
    seeds = _seeds()
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as bench:
            limit = aiohttp.ClientTimeout(total=HANG)
            async with aiohttp.ClientSession(timeout=limit) as http:
                for _ in range(count):
                    await _one(bench, http, chance, chance.choice(seeds), told)
            told.heard, told.set_aside = len(bench.core.offered), len(bench.core.unreadable)
    return told


async def _one(bench: Bench, http: aiohttp.ClientSession, chance: random.Random, seed: Any, told: Told) -> None:
    body, ours = _body(chance, seed), chance.random() < 0.5
    stamp = str(int(time.time()))
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign(SECRET, stamp, body)}
    if not ours:
        headers = _spoiled(chance, headers)
    before = _trace(bench)
    path = chance.choice(["events", "interactions", "commands"])
    began = time.monotonic()
    async with http.post(f"{bench.platform.events}/{path}", data=body, headers=headers) as answer:
        status = answer.status
        await answer.read()
    told.sent += 1
    told.statuses[status] += 1
    told.slowest = max(told.slowest, time.monotonic() - began)
    assert status < 500, (status, body[:500])
    if ours:
        assert status in (200, 413), (status, body[:500])
    else:
        assert status in (400, 401, 413), (status, headers)
        assert _trace(bench) == before, body[:500]


def _trace(bench: Bench) -> tuple[int, int, int]:
    # The ledger of what was seen is written every few seconds, whatever comes in.
    notes = [key for key in bench.core.notes if not key.endswith(".seen")]
    return len(bench.core.offered), len(bench.core.unreadable), len(notes)


def _seeds() -> list[Any]:
    """Payloads to begin with: the recorded ones where they are, and some of each kind in any case."""
    message = {"type": "message", "channel": "D1", "user": "U1", "text": "hi <@U2>", "ts": "1700000000.000100"}
    changed = {"type": "message", "subtype": "message_changed", "channel": "D1", "message": {**message, "edited": {}}}
    reaction = {"type": "reaction_added", "user": "U1", "item": {"type": "message", "channel": "D1", "ts": "1.5"}}
    own: list[Any] = [
        {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": inner}
        for inner in (message, changed, reaction, {"type": "app_home_opened", "user": "U1", "tab": "home"})
    ]
    press = {"type": "button", "action_id": "choice.0", "value": "t", "block_id": "fd||0", "action_ts": "1.5"}
    own.append(
        {
            "type": "block_actions",
            "user": {"id": "U1"},
            "container": {"channel_id": "D1", "message_ts": "1.5"},
            "trigger_id": "1",
            "actions": [press],
        }
    )
    own.append({"command": "/track", "channel_id": "D1", "user_id": "U1", "trigger_id": "1", "text": "x"})
    recorded = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(PAYLOADS.glob("*.json"))]
    return own * 10 + recorded


def _body(chance: random.Random, seed: Any) -> bytes:
    payload = _mutated(chance, json.loads(json.dumps(seed)))
    text = json.dumps(payload)
    if chance.random() < 0.3:
        text = urlencode({"payload": text})
    elif isinstance(payload, dict) and "command" in payload:
        text = urlencode({str(key): str(value) for key, value in payload.items()}, errors="replace")
    body = text.encode("utf-8", "surrogatepass")
    spoil: Callable[[bytes], bytes] = chance.choice(
        [
            *[lambda whole: whole] * 8,
            lambda whole: whole[: chance.randrange(len(whole) + 1)],
            lambda whole: whole.replace(b"a", bytes([chance.randrange(256)])),
            lambda whole: chance.randbytes(chance.randrange(200)),
            lambda whole: whole + whole,
            lambda whole: b"[" * chance.randrange(100_000),
            lambda whole: b"&".join([b"payload=" + whole] * chance.randrange(200)),
        ]
    )
    return spoil(body)


def _mutated(chance: random.Random, value: Any) -> Any:
    """Change a few places anywhere in a payload."""
    for _ in range(chance.choice([0, 1, 1, 2, 4])):
        places = list(_places(value))
        if not places:
            return deepcopy(chance.choice(_STRANGE))
        holder, key = chance.choice(places)
        match chance.randrange(4):
            case 0:
                del holder[key]
            case 1:
                holder[key] = [holder[key], deepcopy(holder[key])]
            case 2 if isinstance(holder[key], str):
                holder[key] += chance.choice(string.printable)
            case _:
                holder[key] = deepcopy(chance.choice(_STRANGE))
    return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        holder = stack.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            stack.append(holder[key])
    return found


def _spoiled(chance: random.Random, headers: dict[str, str]) -> dict[str, str]:
    stamp, signature = headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"]
    spoiled = chance.choice(
        [
            {},
            {"X-Slack-Signature": signature},
            {**headers, "X-Slack-Signature": signature[:-1] + ("0" if signature[-1] != "0" else "1")},
            {**headers, "X-Slack-Signature": signature.upper()},
            {**headers, "X-Slack-Request-Timestamp": str(int(stamp) - 301)},
            {**headers, "X-Slack-Request-Timestamp": chance.choice(["abc", "-1", "", "1e9", "٣", "9" * 99])},
            {**headers, "Content-Encoding": "identity"},
        ]
    )
    return dict(spoiled)


async def _main(count: int, seed: int) -> None:
    began = time.monotonic()
    told = await fuzz(count, seed)
    seconds = time.monotonic() - began
    print(  # noqa: T201 - a program's answer
        f"{told.sent} requests in {seconds:.0f} s: {dict(told.statuses)}, {told.heard} heard, "
        f"{told.set_aside} set aside, slowest {told.slowest * 1000:.0f} ms"
    )


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
