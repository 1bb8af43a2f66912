"""Pages of knowledge: Markdown files in a folder, cut at their headings. Knows no question."""

from __future__ import annotations

import re
from pathlib import Path

from bot import Value

LARGEST_PAGE = 1024 * 1024
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")


class Piece(Value, frozen=True):
    """The text below one heading. `source` is the file's name and the heading's own address in it."""

    source: str
    title: str
    text: str


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when any page of the folder does."""
    found = []
    for path in sorted(folder.glob("*.md")):
        about = path.stat()
        found.append((path.name, about.st_mtime_ns, about.st_size))
    return tuple(found)


def read_pages(folder: Path) -> list[Piece]:
    """All pieces of all pages, in the order of the files' names. A page that is too large is cut short."""
    pieces: list[Piece] = []
    for path in sorted(folder.glob("*.md")):
        pieces += cut(path.name, path.read_bytes()[:LARGEST_PAGE].decode("utf-8", "replace"))
    return pieces


def cut(name: str, page: str) -> list[Piece]:
    """The pieces of one page; the heading above the first piece is the page's title."""
    page_title, heading, lines = "", "", list[str]()
    pieces: list[Piece] = []

    def finish() -> None:
        text = " ".join(" ".join(lines).split())
        if text:
            title = " / ".join(part for part in (page_title, heading) if part) or name
            pieces.append(Piece(source=f"{name}#{_slug(heading)}" if heading else name, title=title, text=text))
        lines.clear()

    for line in page.splitlines():
        found = _HEADING.match(line)
        if found is None:
            lines.append(line)
            continue
        finish()
        if len(found[1]) == 1:
            page_title, heading = found[2], ""
        else:
            heading = found[2]
    finish()
    return pieces


def _slug(heading: str) -> str:
    return re.sub(r"[^\w]+", "-", heading.casefold()).strip("-")
