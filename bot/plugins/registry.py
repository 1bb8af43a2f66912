"""The plugins of one App: loading, reloading, unloading, and what they have registered. Knows no plugin by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy
import structlog

from bot import hookspecs
from bot.channel import Channel
from bot.desk import Desk
from bot.errors import PluginError, SettingsError, StartError
from bot.messages import Value
from bot.plugins.context import PluginContext
from bot.plugins.discovery import Source, dropped, find
from bot.plugins.loading import again, explained, forget, load_file, load_module, package_folder
from bot.plugins.registered import REGISTER, Loaded, Registrar, refuse_async
from bot.services import Services, describe
from bot.settings import did_you_mean
from bot.skill import Skill

if TYPE_CHECKING:
    from bot.turns.middleware import Middleware
    from bot.turns.trace import Trace

log = structlog.get_logger()


class Reloaded(Value, frozen=True):
    """What became of a changed file: a sentence for the operator, and whether the new version runs."""

    plugin: str
    ok: bool
    sentence: str


class Plugins:
    """Loads plugins and keeps what they registered.

    `bind` gets each skill once all plugins are there, and each new version before it takes over; it raises PortMissing
    or PluginError when a handler asks for something that nobody provides.
    """

    def __init__(self, context: PluginContext, services: Services, bind: Callable[[Skill], None]) -> None:
        self._context, self._services, self._bind = context, services, bind
        self._hooks = pluggy.PluginManager(hookspecs.PROJECT)
        self._hooks.add_hookspecs(hookspecs)
        self._loaded: dict[str, Loaded] = {}
        self._sources: dict[str, Source] = {}
        self._folders: tuple[Path, ...] = ()
        self._listeners: list[Callable[[], None]] = []
        self._versions = 0
        self.broken: dict[str, str] = {}

    # --- what is registered

    @property
    def names(self) -> tuple[str, ...]:
        """The plugins that run."""
        return tuple(self._loaded)

    @property
    def skills(self) -> tuple[Skill, ...]:
        """All skills, in the order of registration."""
        return tuple(skill for plugin in self._loaded.values() for skill in plugin.skills)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All channels."""
        return tuple(channel for plugin in self._loaded.values() for channel in plugin.channels)

    @property
    def desks(self) -> tuple[Desk, ...]:
        """All desks."""
        return tuple(desk for plugin in self._loaded.values() for desk in plugin.desks)

    @property
    def middleware(self) -> tuple[Middleware, ...]:
        """All middleware, outermost first."""
        return tuple(middleware for plugin in self._loaded.values() for middleware in plugin.middleware)

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each later change of what is registered."""
        self._listeners.append(listener)

    def owner(self, filename: str) -> str:
        """The plugin that a source file belongs to, or ""."""
        path = Path(filename)
        for plugin in self._loaded.values():
            if plugin.place is not None and (path == plugin.place or plugin.place in path.parents):
                return plugin.name
        return ""

    def watched(self) -> list[Path]:
        """The folders whose changes matter under --reload."""
        places = {plugin.place.parent for plugin in self._loaded.values() if plugin.place is not None}
        return sorted(places | {folder.resolve() for folder in self._folders if folder.is_dir()})

    # --- loading

    def load(
        self,
        builtins: Sequence[str],
        *,
        optional: Sequence[str] = (),
        folders: Sequence[Path] = (),
        installed: bool = True,
        off: Sequence[str] = (),
    ) -> None:
        """Load everything and let it register.

        A broken built-in raises PluginError, and wrong settings raise SettingsError. Any other plugin that is broken
        is told about, kept in `broken`, and left out: the others run.
        """
        self._folders = tuple(folders)
        found = find(builtins, optional, folders, installed=installed)
        _known(off, [source.name for source in found])
        for source in found:
            if source.name not in off:
                self._sources[source.name] = source
                with self._surviving(source):
                    self._add(self._import(source))
        for hook in REGISTER:
            for plugin in list(self._loaded.values()):
                with self._surviving(plugin.source):
                    self._call(plugin, hook)
        self._context.given.check(complete=not self.broken and not off)
        for plugin in list(self._loaded.values()):
            with self._surviving(plugin.source):
                self._finish(plugin)

    def unload(self, name: str) -> None:
        """Undo everything that a plugin registered. Turns that it has begun go on."""
        self._remove(name)
        self._tell()

    def reload(self, path: Path) -> Reloaded | None:
        """A file has changed: load its plugin anew, or leave the old version where the new one is broken.

        None when the file belongs to no plugin. Turns that have begun finish on the version that they began with.
        """
        path = path.resolve()
        source = self._source_of(path)
        if source is None:
            return None
        old = self._loaded.get(source.name)
        if source.path is not None and not source.path.exists():
            del self._sources[source.name]
            self.broken.pop(source.name, None)
            if old is not None:
                self.unload(source.name)
            return Reloaded(plugin=source.name, ok=True, sentence=f"{source.name} is gone; it was unloaded.")
        if old is not None and old.needs_restart:
            sentence = f"{source.name} has changed; it holds connections, so restart to use the new version."
            return Reloaded(plugin=source.name, ok=False, sentence=sentence)
        try:
            self._swap(source, old)
        except StartError as problem:
            kept = "The old version stays." if old is not None else "It is not loaded."
            self._fail(source, str(problem), still_runs=old is not None)
            return Reloaded(plugin=source.name, ok=False, sentence=f"{problem} {kept}")
        self.broken.pop(source.name, None)
        self._tell()
        return Reloaded(plugin=source.name, ok=True, sentence=f"{source.name} is loaded, in its new version.")

    def turn_finished(self, trace: Trace) -> None:
        """Tell the observers about a turn; what they raise is logged."""
        self._observe("turn_finished", {"trace": trace})

    # --- how

    def _import(self, source: Source) -> Loaded:
        if source.entry is not None:
            return Loaded(source, explained(source.name, None, source.entry.load), None)
        if source.path is None:
            module = load_module(source.name)
            return Loaded(source, module, package_folder(module))
        self._versions += 1
        return Loaded(source, load_file(source.path, self._versions), source.path)

    def _add(self, plugin: Loaded) -> None:
        """Let pluggy look at a plugin's hooks: unknown names and arguments die here."""
        try:
            self._hooks.register(plugin.module, plugin.name)
            self._hooks.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            if self._hooks.get_plugin(plugin.name) is not None:
                self._hooks.unregister(name=plugin.name)
            raise PluginError(_hook_problem(plugin, error)) from error
        self._loaded[plugin.name] = plugin

    def _call(self, plugin: Loaded, hook: str) -> None:
        """Call one `register_*` hook of one plugin."""
        others = [other for other in self._loaded.values() if other is not plugin]
        register = getattr(Registrar(plugin, others, self._services), REGISTER[hook])
        arguments = {"register": register, "context": self._context}
        for impl in getattr(self._hooks.hook, hook).get_hookimpls():
            if impl.plugin is plugin.module:
                refuse_async(plugin.name, impl.function)
                values = [arguments[name] for name in impl.argnames]
                explained(plugin.name, plugin.place, lambda: impl.function(*values))  # noqa: B023 - called at once
        if hook == "register_skills" and isinstance(getattr(plugin.module, "skill", None), Skill):
            register(plugin.module.skill)  # type: ignore[attr-defined]  # looked at just above

    def _finish(self, plugin: Loaded) -> None:
        """Bind its skills; refuse a dropped file that does nothing."""
        callers = self._hooks.get_hookcallers(plugin.module) or []
        if not callers and not plugin.skills:
            raise PluginError(
                f'{plugin.name}: registers nothing. Add `skill = Skill("{plugin.name}", "what it does")` with a '
                "handler, or a hook from bot.hookspecs marked @hookimpl."
            )
        for skill in plugin.skills:
            self._bind(skill)

    def _swap(self, source: Source, old: Loaded | None) -> None:
        """Put a new version in the place of the old one, or leave everything as it was and raise StartError."""
        order = list(self._loaded)
        restore: Callable[[], None] = lambda: None  # noqa: E731 - does nothing where nothing was touched
        if source.path is None and old is not None:
            module, restore = again(source.name)
            new = Loaded(source, module, package_folder(module))
        else:
            new = self._import(source)
        if old is not None:
            self._remove(source.name)
        try:
            self._add(new)
            for hook in REGISTER:
                self._call(new, hook)
            if old is not None and new.needs_restart:
                raise PluginError(f"{source.name}: now registers connections, which are opened at start only; restart.")
            self._finish(new)
        except StartError:
            self._remove(source.name)
            restore()
            if source.path is not None:
                forget(getattr(new.module, "__name__", ""))
            if old is not None:
                self._add(old)
                for skill in old.skills:
                    self._bind(skill)
            raise
        finally:
            self._loaded = {name: self._loaded[name] for name in [*order, source.name] if name in self._loaded}

    def _remove(self, name: str) -> None:
        plugin = self._loaded.pop(name, None)
        if plugin is None:
            return
        for undo in reversed(plugin.undo):
            undo()
        self._hooks.unregister(name=name)

    @contextmanager
    def _surviving(self, source: Source) -> Iterator[None]:
        """Leave a broken plugin out, unless it is required. Wrong settings wait for `Settings.check`."""
        try:
            yield
        except SettingsError as mistakes:
            self._context.given.note(mistakes.problems)
        except StartError as problem:
            if source.required:
                raise
            self._remove(source.name)
            self._fail(source, str(problem), still_runs=False)

    def _fail(self, source: Source, problem: str, *, still_runs: bool) -> None:
        self.broken[source.name] = problem
        log.error("plugin_failed", plugin=source.name, problem=problem, old_version_runs=still_runs)
        self._observe("plugin_failed", {"plugin": source.name, "problem": problem})

    def _observe(self, hook: str, arguments: dict[str, object]) -> None:
        for impl in getattr(self._hooks.hook, hook).get_hookimpls():
            try:
                impl.function(*[arguments[name] for name in impl.argnames])
            except Exception as error:
                log.error("observer_failed", hook=hook, observer=impl.plugin_name, error=type(error).__name__)

    def _source_of(self, path: Path) -> Source | None:
        """The plugin that a changed path belongs to: one that runs, one that is broken, or a new file."""
        name = self.owner(str(path))
        if name:
            return self._sources[name]
        for folder in self._folders:
            for source in dropped(folder):
                if source.path is not None and (path == source.path or source.path in path.parents):
                    return self._sources.setdefault(source.name, source)
        inside = ".".join(path.with_suffix("").parts)
        for source in self._sources.values():
            unit = source.name.rpartition(".")[0]
            if source.path == path or (source.path is None and unit and f".{unit}." in inside):
                return source
        return None

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _known(off: Sequence[str], names: list[str]) -> None:
    """A plugin that is to be left out must be there: a misspelt name would leave it in."""
    problems = [
        f"plugins.disabled: there is no plugin {name}{did_you_mean(name, names)}" for name in off if name not in names
    ]
    if problems:
        raise SettingsError(problems)


def _hook_problem(plugin: Loaded, error: Exception) -> str:
    """pluggy's complaint with the place, and the hook that was probably meant."""
    hooks = [name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), f"{hookspecs.PROJECT}_spec")]
    for name, function in vars(plugin.module).items():
        if not hasattr(function, f"{hookspecs.PROJECT}_impl"):
            continue
        where = describe(function).replace("handler", "hook")
        if name not in hooks:
            near = difflib.get_close_matches(name, hooks, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(hooks)}."
            return f"{plugin.name}: there is no {where}; {hint}"
        if f"{name!r}" in str(error):
            return (
                f"{plugin.name}: {where} takes an argument that it can't get; see bot/hookspecs.py for its arguments."
            )
    return f"{plugin.name}: {error}"
