"""Optional packages: imported when they are first needed, and checked to be what was measured. Knows no engine.

    with from_extra("grammar"):
        import harper

Packages that carry weights are often uploaded by one person, so a file of theirs is used only if its bytes are those
that the figures in docs/figures.md were measured with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import ToolMissing


@contextmanager
def from_extra(extra: str) -> Iterator[None]:
    """Around an import: raises ToolMissing, which names the extra, where the package is not there."""
    try:
        yield
    except ImportError as error:
        raise ToolMissing(f"This engine is not installed. Install it: pip install '.[{extra}]'") from error


def intact(path: Path, sha256: str, extra: str) -> Path:
    """The path of a file whose bytes are the ones we know. Raises ToolMissing for any other."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ToolMissing(f"{path.name} is missing. Install it anew: pip install '.[{extra}]'") from error
    if found != sha256:
        raise ToolMissing(f"{path.name} is not the file that was measured. Install it anew: pip install '.[{extra}]'")
    return path
