"""Files that people send: checked, stored under random names, and served so that they can do no harm.

The type of a file is what its first bytes say, never what its name or header claims. Knows no messages.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import msgspec
from aiohttp import web

from bot import Media
from channels.web.parse import BadRequest
from channels.web.settings import WebSettings

INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

_NAMED = re.compile(r"[0-9a-f]{32}")
_HEAD = 4096
_MARKUP = re.compile(rb"\s*(?:<\?xml|<!doctype|<!--|<[a-z][a-z0-9:]*[\s/>])", re.IGNORECASE)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"\x1a\x45\xdf\xa3", "audio/webm"),
)


def sniff(head: bytes) -> str:
    """The media type that the first bytes of a file show; empty when they show none that we know."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] in (b"M4A", b"M4B") else "video/mp4"
    return _text_type(head)


def _text_type(head: bytes) -> str:
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "text/html"  # SVG, HTML, XML: anything that a browser might run
    if _BINARY.search(head):
        return ""
    # A character may be cut in two at the end of the head, so up to three bytes there don't count.
    for cut in range(4 if len(head) >= _HEAD else 1):
        try:
            head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return "text/plain"
    return ""


def safe_name(name: str) -> str:
    """A file name without folders and control characters, at most 120 characters."""
    last = re.split(r"[\\/]", name)[-1]
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "", last).strip()[-120:] or "file"


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

    async def serve(self, id: str) -> web.StreamResponse:
        """The file as a download; pictures may be shown, everything else never runs or renders in our origin."""
        stored = await self.find(id)
        path = self._folder / id
        if stored is None or not await asyncio.to_thread(path.is_file):
            raise BadRequest(404, "There is no such file.")
        shown = "inline" if stored.type in INLINE else "attachment"
        headers = {
            "Content-Type": "text/plain; charset=utf-8" if stored.type == "text/plain" else stored.type,
            "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(stored.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cache-Control": "private, max-age=86400, immutable",
        }
        return web.FileResponse(path, headers=headers)


def _megabytes(settings: WebSettings) -> str:
    return f"{settings.max_upload_bytes / 1024 / 1024:g}"
