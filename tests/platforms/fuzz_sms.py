"""Sends mutated webhooks of Twilio to the channel's real routes, in this process.

Run it by hand with `python -m tests.platforms.fuzz_sms 20000`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlencode

import aiohttp
import structlog

from channels.sms.signature import read_form, sign
from tests.channels.sms.rig import Rig, rig
from tests.platforms.twilio import OURS, SID, THEIRS, TOKEN, sid_of

PATIENCE = 5.0
"""Seconds; who takes longer for one webhook hangs."""

ODD = ["", "0", "-1", "1e9", "\x00", "\ud7ff", "ж" * 500, "🙂" * 100, "%00", "<script>", "+1", "+19005551234", "NaN"]
ODD += [
    "STOP",
    "yes",
    "whatsapp:",
    "whatsapp:+14155550123",
    "9" * 20,
    "../..",
    "\r\nX: y",
    "{name} **b**",
]
NAMES = "MessageSid SmsSid AccountSid From To Body NumMedia OptOutType ProfileName ButtonPayload ButtonText".split()  # noqa: SIM905
NAMES += "Latitude Longitude Address Label MessageStatus SmsStatus ErrorCode MediaUrl0 MediaContentType0 Other".split()  # noqa: SIM905

FORGED = ["", "x", "AAAA" * 7, "=" * 900, "sch\u00f6n"]
GARBAGE = [b"&", b"=", b"%", b"%zz", b"\x00", b"\xff\xfe", b";", b"&Body=x", b"+" * 50]

Mutate = Callable[[random.Random, bytes], bytes]


async def fuzz(count: int, seed: int) -> Counter[int]:
    """Send so many, half of them signed; how often each status came. Raises AssertionError for any wrong one."""
    dice, statuses = random.Random(seed), Counter[int]()
    async with rig({"loop_messages": 29, "inbound_per_hour": 10**6, "inbound_per_day": 10**6}) as r, _http() as http:
        for number in range(count):
            signed = dice.random() < 0.5
            before = _traces(r)
            status, body = await _one(http, r, dice, signed=signed)
            statuses[status] += 1
            assert status < 500, f"seed {seed}, webhook {number}: {status} for {body!r}"
            assert signed or status in (400, 401, 413), f"seed {seed}, webhook {number}: {status} for {body!r}"
            assert signed or _traces(r) == before, f"seed {seed}, webhook {number} left a trace: {body!r}"
        r.clock.ahead += 3600
        answer = await r.twilio.text("still there?")
        assert answer.status == 200
        assert r.heard[-1].text == "still there?"
    return statuses


def _http() -> aiohttp.ClientSession:
    patience = aiohttp.ClientTimeout(total=PATIENCE)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), timeout=patience)


def _traces(r: Rig) -> tuple[int, int, int]:
    return len(r.core.offered), len(r.core.unreadable), len(r.core.notes)


async def _one(http: aiohttp.ClientSession, r: Rig, dice: random.Random, *, signed: bool) -> tuple[int, bytes]:
    url = r.twilio.webhook + dice.choice(["", "", "/status", "/status?oid=c1.2", "/status?oid=%00&oid=x"])
    body = urlencode(_fields(dice)).encode()
    for _ in range(dice.choice([0, 0, 1, 3])):
        body = dice.choice(MUTATIONS)(dice, body)
    headers = {"Content-Type": dice.choice(["application/x-www-form-urlencoded", "application/json", "x", "text/xml"])}
    if signed:
        headers["X-Twilio-Signature"] = sign(url, read_form(body) or [], TOKEN).decode()
    elif dice.random() < 0.7:
        headers["X-Twilio-Signature"] = dice.choice(
            ["", "x", "AAAA" * 7, "=" * 900, "sch\u00f6n", sign(url, [], "x").decode()]
        )
    if not signed and dice.random() < 0.1:
        headers["Content-Encoding"] = dice.choice(["gzip", "deflate", "br", "x"])
    try:
        async with http.post(url, data=body, headers=headers) as answer:
            await answer.read()
            return answer.status, body
    except TimeoutError:
        raise AssertionError(f"it hangs: {body!r}") from None


def _fields(dice: random.Random) -> dict[str, str]:
    fields = {"MessageSid": sid_of(str(dice.random())), "AccountSid": SID, "From": THEIRS, "To": OURS, "Body": "hello"}
    fields["From"] = f"+1415555{dice.randrange(10000):04d}"
    for _ in range(dice.choice([0, 1, 2, 6])):
        fields[dice.choice(NAMES)] = dice.choice(ODD)
    for _ in range(dice.choice([0, 0, 1, 3])):
        fields.pop(dice.choice(NAMES), None)
    return fields


def _cut(dice: random.Random, body: bytes) -> bytes:
    return body[: dice.randrange(len(body) + 1)]


def _flip(dice: random.Random, body: bytes) -> bytes:
    place = dice.randrange(len(body) + 1)
    return body[:place] + bytes([dice.randrange(256)]) + body[place + 1 :]


def _insert(dice: random.Random, body: bytes) -> bytes:
    place = dice.randrange(len(body) + 1)
    return body[:place] + dice.choice(GARBAGE) + body[place:]


def _repeat(dice: random.Random, body: bytes) -> bytes:
    return b"&".join([body] * dice.choice([2, 2, 50]))


def _grow(dice: random.Random, body: bytes) -> bytes:
    return body + b"&Body" + b"x" * dice.choice([10, 1000, 40_000, 200_000])


def _json(dice: random.Random, body: bytes) -> bytes:
    return dice.choice([b"{}", b"[]", b"null", b'{"Body": ', b"[" * 5000, b""])


MUTATIONS: list[Mutate] = [_cut, _cut, _flip, _flip, _insert, _insert, _repeat, _grow, _json]


async def _main() -> None:
    count, seed = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = time.monotonic()
    statuses = await fuzz(count, seed)
    took = time.monotonic() - began
    sys.stdout.write(f"{count} webhooks in {took:.0f} s, by status: {dict(sorted(statuses.items()))}\n")


if __name__ == "__main__":
    asyncio.run(_main())
