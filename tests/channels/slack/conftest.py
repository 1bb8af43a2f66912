"""What the tests of the Slack channel share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot import Download, Fetcher, Rejected
from tests.channels.slack.bench import PDF


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the internet has at which address; everything else is gone."""
    there = {PDF.url: b"%PDF"}

    @asynccontextmanager
    async def get(self: Fetcher, url: str, *, headers: object = None) -> AsyncIterator[Download]:
        if url not in there:
            raise Rejected("gone")

        async def chunks() -> AsyncIterator[bytes]:
            yield there[url]

        yield Download(chunks())

    monkeypatch.setattr(Fetcher, "open", get)
    return there
