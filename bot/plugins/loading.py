"""Turns a module name or a dropped file into a module, and whatever goes wrong into a sentence with file and line.

Knows nothing of hooks and what they register.
"""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import re
import sys
import tomllib
import traceback
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TypeVar

from bot.errors import PluginError, StartError
from bot.services import short

T = TypeVar("T")

DROPPED = "frontdesk_dropped"


class _Fresh(SourceFileLoader):
    """Compiles from source every time: cached bytecode is told apart by whole seconds only, too coarse for reloads."""

    def get_code(self, fullname: str) -> CodeType:
        path = Path(self.path)
        return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)


def load_module(name: str) -> ModuleType:
    """Import a plugin of this repository, or of an installed package, by its module name."""
    return explained(name, None, lambda: importlib.import_module(name))


def load_file(path: Path, version: int) -> ModuleType:
    """Import a dropped file, or a dropped folder with an `__init__.py`, under a name of its own for each version."""
    name = f"{DROPPED}_{path.stem}_v{version}"
    file = path / "__init__.py" if path.is_dir() else path
    return explained(path.stem, file, lambda: _execute(name, file, folder=path if path.is_dir() else None))


def again(name: str) -> tuple[ModuleType, Callable[[], None]]:
    """Import a module and its package anew, beside the old one; the second result brings the old one back.

    Coroutines of the old version keep its functions and go on.
    """
    unit = unit_of(name)
    old = {key: value for key, value in sys.modules.items() if key == unit or key.startswith(f"{unit}.")}
    parent, _, child = unit.rpartition(".")

    def restore() -> None:
        forget(unit)
        sys.modules.update(old)
        if parent in sys.modules and unit in old:
            setattr(sys.modules[parent], child, old[unit])

    for value in old.values():
        _drop_bytecode(getattr(value, "__file__", None))
    forget(unit)
    try:
        return load_module(name), restore
    except StartError:
        restore()
        raise


def forget(unit: str) -> None:
    """Take a module, and what is below it, out of Python's list of modules."""
    for key in [key for key in sys.modules if key == unit or key.startswith(f"{unit}.")]:
        del sys.modules[key]


def unit_of(name: str) -> str:
    """What is reloaded together: `skills.orders` for the module `skills.orders.skill`."""
    return ".".join(name.split(".")[:2])


def package_folder(module: ModuleType) -> Path | None:
    """Where a plugin's source lies: the folder of its package, or its one file."""
    if not module.__file__:
        return None
    file = Path(module.__file__).resolve()
    deep = module.__name__.count(".") - (0 if file.name == "__init__.py" else 1)
    return file.parents[deep - 1] if deep >= 1 else file


def explained(plugin: str, file: Path | None, load: Callable[[], T]) -> T:
    """Run `load`; whatever it raises becomes a PluginError that names the file, the line and the fix."""
    try:
        return load()
    except StartError:
        raise
    except SyntaxError as error:
        where = f"{short(error.filename or str(file or plugin))}:{error.lineno or 1}"
        raise PluginError(f"{where}: {error.msg}. Mend this line; nothing of the plugin is loaded.") from error
    except ModuleNotFoundError as error:
        where, missing = _where(error, plugin, file), error.name or "a module"
        raise PluginError(f"{where}: there is no module {missing!r}. {_cure(missing)}") from error
    except (Exception, SystemExit) as error:
        where = _where(error, plugin, file)
        raise PluginError(f"{where}: {type(error).__name__}: {error}. Mend this line, or remove the plugin.") from error


def _execute(name: str, file: Path, folder: Path | None) -> ModuleType:
    for part in folder.rglob("*.py") if folder is not None else [file]:
        _drop_bytecode(str(part))
    inside = [str(folder)] if folder is not None else None
    spec = importlib.util.spec_from_file_location(
        name, file, loader=_Fresh(name, str(file)), submodule_search_locations=inside
    )
    if spec is None or spec.loader is None:
        raise PluginError(f"{short(str(file))}: is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        forget(name)
        raise
    return module


def _drop_bytecode(file: str | None) -> None:
    if file:
        Path(importlib.util.cache_from_source(file)).unlink(missing_ok=True)
        linecache.checkcache(file)


def _where(error: BaseException, plugin: str, file: Path | None) -> str:
    """The deepest line of the plugin's own in the traceback: what its author can change."""
    frames = traceback.extract_tb(error.__traceback__)
    folder = str(file.parent if file is not None and file.name == "__init__.py" else file or "")
    part = f"/{unit_of(plugin).replace('.', '/')}/"
    own = [
        frame
        for frame in frames
        if (folder and frame.filename.startswith(folder))
        or (file is None and part in frame.filename.removesuffix(".py") + "/")
    ]
    if own:
        return f"{short(own[-1].filename)}:{own[-1].lineno}"
    return short(str(file)) if file is not None else plugin


def _cure(missing: str) -> str:
    """How to get a missing module: an extra of ours if one brings it, else its package."""
    top = missing.split(".", maxsplit=1)[0]
    if (Path(__file__).parents[2] / top).is_dir():
        return "Look for a typing mistake in the import."
    for extra, requirements in _extras().items():
        names = {re.split(r"[^\w.-]", requirement)[0].lower().replace("-", "_") for requirement in requirements}
        if top.lower() in names or any(top.lower() in name.split("_") for name in names):
            return f"Install it: pip install '.[{extra}]'"
    return f"Install the package that brings it (often: pip install {top}), or remove the import."


def _extras() -> dict[str, list[str]]:
    try:
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    extras = project.get("project", {}).get("optional-dependencies", {})
    return {name: list(lines) for name, lines in extras.items() if name != "dev"}
