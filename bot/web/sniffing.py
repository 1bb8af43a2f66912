"""What a file is by its first bytes, never by what its name or a header claims. Pure."""

from __future__ import annotations

import re

HEAD = 4096
"""So many bytes are enough to tell."""

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
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


def harmless(kind: str) -> bool:
    """Whether a browser may show a file of this type in our origin: nothing of a picture runs."""
    return kind in _PICTURES


def _text_type(head: bytes) -> str:
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "text/html"  # SVG, HTML, XML: anything that a browser might run
    if _BINARY.search(head):
        return ""
    # A character may be cut in two at the end of the head, so up to three bytes there don't count.
    for cut in range(4 if len(head) >= HEAD else 1):
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
