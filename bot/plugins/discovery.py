"""Where plugins are found: module names, installed entry points, and files dropped into a folder. Loads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

GROUP = "frontdesk.plugins"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plugin comes from: a module by name, a dropped file, or an installed package.

    A broken `required` plugin stops the start; any other is left out.
    """

    name: str
    path: Path | None = None
    entry: EntryPoint | None = None
    required: bool = False


def find(builtins: Sequence[str], optional: Sequence[str], folders: Sequence[Path], *, installed: bool) -> list[Source]:
    """All plugins, in the order in which they are loaded; of two with the same name the first wins."""
    found = [Source(name, required=True) for name in builtins]
    found += [Source(name) for name in optional]
    found += [Source(entry.name, entry=entry) for entry in (entry_points(group=GROUP) if installed else ())]
    for folder in folders:
        found += dropped(folder)
    unique: dict[str, Source] = {}
    for source in found:
        unique.setdefault(source.name, source)
    return list(unique.values())


def dropped(folder: Path) -> Iterable[Source]:
    """The plugins in a folder: files, and folders with an `__init__.py`. Names with _ or . in front are not plugins."""
    if not folder.is_dir():
        return []
    return [Source(path.stem, path=path) for path in sorted(folder.resolve().iterdir()) if is_plugin(path)]


def is_plugin(path: Path) -> bool:
    """Whether a path in the plugin folder is a plugin, and not a test or something of an editor's."""
    if path.name.startswith(("_", ".", "test_")) or path.name == "conftest.py":
        return False
    return path.suffix == ".py" or (path / "__init__.py").is_file()
