"""Mutated updates against the real webhook of the Telegram channel, by the thousand."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from bot.testing.channel_kit import Core, soon
from tests.channels.telegram.fakes import channel_for, served
from tests.platforms.telegram import ANA, BOT, FORUM, GROUP, PRIVATE, TelegramServer

AT_ONCE = 20

_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**63,
    1e308,
    "",
    "x" * 5000,
    "\x00",
    "\u202e",
    "@frontdesk_bot",
    [],
    {},
    [[]],
)
_BYTES = (b"\x00", b"\xff", b"{", b"}", b"[", b'"', b"\\u", b"\\ud800", b"9" * 400, b"e999", b",", b"null")


async def fuzz(count: int, seed: int) -> dict[int, int]:
    """Send so many updates, some signed and some not; how many there were of each status.

    Raises AssertionError at a 5xx, a hang, or a trace of one that was not signed.
    """
    chance, server, core = random.Random(seed), TelegramServer(), Core()
    await server.start()
    channel = channel_for(server)
    statuses: dict[int, int] = {}
    try:
        async with served(server, [channel]):
            await channel.start(core)
            assert await soon(lambda: bool(server.webhook))
            secret = server.webhook["secret_token"]
            for first in range(0, count, AT_ONCE):
                calls = [_one(chance, server, core, secret, first + n) for n in range(min(AT_ONCE, count - first))]
                async with asyncio.timeout(30):
                    for status in await asyncio.gather(*calls):
                        statuses[status] = statuses.get(status, 0) + 1
            strangers = {str(99_000_001 + number) for number in range(count)}
            assert not strangers & {message.event_id for message in core.offered}, "an unsigned one was received"
            assert not [kept for kept in core.unreadable if "stranger" in kept.payload], "an unsigned one was kept"
    finally:
        await channel.stop()
        await server.stop()
    assert set(statuses) <= {200, 400, 401, 413}, statuses
    return statuses


async def _one(chance: random.Random, server: TelegramServer, core: Core, secret: str, number: int) -> int:
    signed = chance.random() < 0.8
    update = _update(chance, server, number if signed else 99_000_000 + number)
    if not signed:
        update["stranger"] = "stranger"
    for _ in range(chance.randrange(4)):
        _spoil(chance, update)
    body = json.dumps(update, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.3:
        body = _cut(chance, body)
    shown = secret if signed else chance.choice([None, "", secret[:-1], secret.upper(), secret + "x", "é"])
    status = await server.post(body, shown)
    assert status == 401 if not signed else status in (200, 400), f"{status} for number {number}"
    return status


def _update(chance: random.Random, server: TelegramServer, number: int) -> dict[str, Any]:
    chat = chance.choice([PRIVATE, GROUP, FORUM])
    message: dict[str, Any] = {
        "message_id": number + 1,
        "date": 1_700_000_000,
        "chat": dict(chat),
        "from": dict(chance.choice([ANA, BOT])),
        **json.loads(json.dumps(chance.choice(_PARTS))),
    }
    query = {"id": f"q{number}", "from": dict(ANA), "message": message, "data": "c1.0", "chat_instance": "1"}
    reaction = {
        "chat": dict(chat),
        "message_id": 1,
        "date": 1,
        "user": dict(ANA),
        "old_reaction": [],
        "new_reaction": [],
    }
    member = {"status": chance.choice(["member", "kicked", "left"]), "user": dict(BOT)}
    change = {
        "chat": dict(chat),
        "from": dict(ANA),
        "date": 1,
        "old_chat_member": member,
        "new_chat_member": dict(member),
    }
    kinds = {"message": message, "edited_message": message, "callback_query": query, "message_reaction": reaction}
    kinds |= {"my_chat_member": change, "channel_post": message, "poll": {"id": "1"}}
    kind = chance.choice([*kinds, "message", "message", "message"])
    return {"update_id": number + 1, kind: kinds[kind]}


_PARTS: tuple[dict[str, Any], ...] = (
    {"text": "hello"},
    {"text": "/track@frontdesk_bot 42"},
    {"text": "@frontdesk_bot hi", "entities": [{"type": "mention", "offset": 0, "length": 14}]},
    {"caption": "look", "photo": [{"file_id": "p", "file_unique_id": "u", "width": 1, "height": 1}]},
    {"document": {"file_id": "d", "file_unique_id": "u", "file_name": "a.pdf", "mime_type": "application/pdf"}},
    {"voice": {"file_id": "v", "file_unique_id": "u", "duration": 1}},
    {"contact": {"phone_number": "43660123", "first_name": "Ana", "user_id": 5001}},
    {"location": {"latitude": 48.2, "longitude": 16.3}},
    {"sticker": {"file_id": "s", "emoji": "👍"}},
    {"new_chat_members": [BOT]},
    {"text": "in a topic", "is_topic_message": True, "message_thread_id": 4, "reply_to_message": {"message_id": 4}},
)


def _spoil(chance: random.Random, value: Any) -> None:
    """Change one thing somewhere inside."""
    while isinstance(value, (dict, list)) and value:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = chance.choice(keys)
        if key in ("update_id", "stranger"):
            return
        if not isinstance(value[key], (dict, list)) or chance.random() < 0.3:
            if chance.random() < 0.3:
                del value[key]
            else:
                value[key] = chance.choice(_ODD)
            return
        value = value[key]


def _cut(chance: random.Random, body: bytes) -> bytes:
    at = chance.randrange(len(body) + 1)
    if chance.random() < 0.5:
        return body[:at]
    return body[:at] + chance.choice(_BYTES) + body[at + chance.randrange(3) :]


if __name__ == "__main__":
    import sys

    print(asyncio.run(fuzz(int(sys.argv[1]), int(sys.argv[2]))))  # noqa: T201 - the figure to report
