"""What was said is taken back: every message of a reply, and twice does no harm."""

from __future__ import annotations

import time

import pytest

from bot import Media, Rejected, Reply
from tests.channels.telegram.fakes import ANA, bench, delivery

PICTURES = tuple(Media(url=f"https://files.example/{name}.png", name=name, type="image/png") for name in "ab")


async def test_all_messages_of_a_reply_go() -> None:
    async with bench() as b:
        sent = await b.channel.send(delivery(Reply(text="Look:", media=PICTURES), ANA))
        await b.says("That is all.")
        assert len(sent.platform_id.split()) == 2
        for _ in range(2):
            await b.channel.delete(delivery(Reply(), ANA), sent.platform_id)
        assert b.server.sees() == "That is all."


async def test_what_is_older_than_two_days_stays() -> None:
    async with bench() as b:
        sent = await b.channel.send(delivery(Reply(text="Look"), ANA))
        shown = b.server.shown[5001][-1]
        shown.message = {**shown.message, "date": int(time.time()) - 49 * 3600}
        with pytest.raises(Rejected):
            await b.channel.delete(delivery(Reply(), ANA), sent.platform_id)
        assert b.server.sees() == "Look"
