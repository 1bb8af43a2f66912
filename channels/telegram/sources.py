"""Where Telegram gets a file from: by its address where it can reach it, else from us. Knows no calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from telegram import InputFile

from bot import Fetcher, Media, NotSent, Rejected
from channels.telegram.outgoing import is_fetched

LARGEST_UPLOAD = 20 * 1024 * 1024
"""Bytes of one message; Telegram itself takes up to 50 MB, but people wait."""


class Sources:
    """The files of one bot. `ours` is where files of our own are that Telegram can't get at; empty if it can."""

    def __init__(self, fetcher: Fetcher, ours: str) -> None:
        self._fetcher, self._ours = fetcher, ours

    def reached(self, media: Media) -> bool:
        """Whether Telegram gets it itself, given its address."""
        return is_fetched(media) and not (self._ours and media.url.startswith(self._ours))

    async def upload(self, media: Media, *, part: bool = False) -> InputFile | None:
        """It, to be uploaded, as a part of several if so; None where it can't be had."""
        try:
            body = await self._fetched(media)
        except (Rejected, NotSent):
            # A server that is down now must not hold up the conversation: a link works once it is up again.
            return None
        name = media.name or media.url.rpartition("/")[2] or "file"
        return InputFile(body, filename=name[-128:], attach=part)

    async def together(self, files: Sequence[Media]) -> list[str | InputFile] | None:
        """Several files for one call; None where they can't all be had."""
        fetched = [media for media in files if not self.reached(media)]
        bodies = await asyncio.gather(*(self.upload(media, part=True) for media in fetched))
        uploads = dict(zip(fetched, bodies, strict=True))
        found = [uploads.get(media, media.url) for media in files]
        some = [file for file in found if file is not None]
        contents = [file.input_file_content for file in some if isinstance(file, InputFile)]
        size = sum(len(content) for content in contents if isinstance(content, bytes))
        return some if len(some) == len(files) and size <= LARGEST_UPLOAD else None

    async def _fetched(self, media: Media) -> bytes:
        body = bytearray()
        async with self._fetcher.open(media.url) as download:
            async for chunk in download.chunks:
                body += chunk
                if len(body) > LARGEST_UPLOAD:
                    raise Rejected("the file is too large")
        if not body:
            raise Rejected("the file is empty")
        return bytes(body)
