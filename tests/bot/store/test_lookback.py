"""Looking back at what was said: whether a message on the platform is one of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store import lookback
from bot.store.lookback import is_ours
from bot.store.sqlite import SqliteStore
from bot.testing.store_kit import CHAT, NOW, answer, reply


async def test_only_our_own_last_messages_of_that_conversation_are_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(tmp_path / "x.db")
    await store.start()
    for n in range(3):
        (row,) = (await answer(store, f"e{n}", reply(f"k{n}"))).rows
        assert await store.mark_sending(row, 15.0, NOW) == "sending"
        await store.mark_sent(row, f"p{n}", NOW)
    assert [await is_ours(store, CHAT, f"p{n}") for n in range(4)] == [True, True, True, False]
    assert not await is_ours(store, "c-another", "p0")
    monkeypatch.setattr(lookback, "LATEST", 2)
    assert [await is_ours(store, CHAT, f"p{n}") for n in range(3)] == [False, True, True]
    await store.stop()
