"""Files that people send: checked, stored under random names, and served so that they can do no harm.

The type of a file is what its first bytes say, never what its name or header claims. Knows no messages.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import msgspec
from aiohttp import web

from bot import Download, Media, Rejected, harmless, safe_name, sniff
from channels.web.parse import BadRequest
from channels.web.settings import WebSettings

_NAMED = re.compile(r"[0-9a-f]{32}")
_HEAD = 4096
_CHUNK = 64 * 1024


class Stored(msgspec.Struct, frozen=True):
    """What is known about an uploaded file."""

    conversation: str
    name: str
    type: str
    size: int


class Uploads:
    """The folder of uploaded files."""

    def __init__(self, settings: WebSettings, folder: Path) -> None:
        self._settings, self._folder = settings, folder
        self._total = 0

    def open(self) -> None:
        """Make the folder, clear away what a crash left half-written, and count what is there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for part in self._folder.glob("*.part"):
            part.unlink(missing_ok=True)
        self._total = sum(path.stat().st_size for path in self._folder.iterdir() if path.is_file())

    async def save(self, id: str, conversation: str, name: str, chunks: AsyncIterator[bytes]) -> Media:
        """Store a file as it comes in; BadRequest (and nothing stored) when it is too large or of a wrong type."""
        part = self._folder / f"{id}.part"
        try:
            size, head = await self._write(part, chunks)
            kind = sniff(head)
            if kind not in self._settings.upload_types:
                raise BadRequest(415, "Files of this type can't be sent here.")
            stored = Stored(conversation=conversation, name=safe_name(name), type=kind, size=size)
            await asyncio.to_thread(self._keep, id, part, stored)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        self._total += size
        return self.media(id, stored)

    async def _write(self, part: Path, chunks: AsyncIterator[bytes]) -> tuple[int, bytes]:
        size, head = 0, b""
        file = await asyncio.to_thread(part.open, "wb")
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._settings.max_upload_bytes:
                    raise BadRequest(413, f"The file is too large: at most {_megabytes(self._settings)} MB.")
                if self._total + size > self._settings.max_uploads_total:
                    raise BadRequest(429, "There is no room for files right now.")
                head += chunk[: _HEAD - len(head)]
                await asyncio.to_thread(file.write, chunk)
        finally:
            await asyncio.to_thread(file.close)
        if not size:
            raise BadRequest(400, "The file is empty.")
        return size, head

    def _keep(self, id: str, part: Path, stored: Stored) -> None:
        # The description first: a file without one can't be found, a description without its file is harmless.
        (self._folder / f"{id}.json").write_bytes(msgspec.json.encode(stored))
        part.rename(self._folder / id)

    async def find(self, id: str) -> Stored | None:
        """What is known about a file; None when there is no such file."""
        if not _NAMED.fullmatch(id):
            return None
        try:
            raw = await asyncio.to_thread((self._folder / f"{id}.json").read_bytes)
            return msgspec.json.decode(raw, type=Stored)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def media(self, id: str, stored: Stored) -> Media:
        """The file as messages carry it."""
        url = f"{self._settings.public_url}/channels/web/uploads/{id}"
        return Media(url=url, name=stored.name, type=stored.type, size=stored.size)

    @asynccontextmanager
    async def read(self, id: str) -> AsyncIterator[Download]:
        """The file, for a skill. Raises Rejected when there is none."""
        stored = await self.find(id)
        try:
            file = await asyncio.to_thread((self._folder / id).open, "rb") if stored else None
        except FileNotFoundError:
            file = None
        if stored is None or file is None:
            raise Rejected("there is no such file")
        try:
            yield Download(chunks=_chunks(file), type=stored.type, name=stored.name, size=stored.size)
        finally:
            await asyncio.to_thread(file.close)

    async def serve(self, id: str) -> web.StreamResponse:
        """The file as a download; pictures may be shown, everything else never runs or renders in our origin."""
        stored = await self.find(id)
        path = self._folder / id
        if stored is None or not await asyncio.to_thread(path.is_file):
            raise BadRequest(404, "There is no such file.")
        shown = "inline" if harmless(stored.type) else "attachment"
        headers = {
            "Content-Type": "text/plain; charset=utf-8" if stored.type == "text/plain" else stored.type,
            "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(stored.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cache-Control": "private, max-age=86400, immutable",
        }
        return web.FileResponse(path, headers=headers)


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, _CHUNK):
        yield chunk


def _megabytes(settings: WebSettings) -> str:
    return f"{settings.max_upload_bytes / 1024 / 1024:g}"
