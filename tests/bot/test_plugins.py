"""Plugins: found in three places, checked when they load, swapped and taken back without harm."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from bot.clock import SeededEntropy, SystemClock
from bot.errors import PluginError, PortMissing, SettingsError
from bot.plugins import PluginContext, Plugins, watch
from bot.ports import Orders
from bot.services import Services
from bot.settings import Settings
from bot.skill import Skill
from bot.store.database import Database
from bot.turns.trace import Trace

SKILL = """
from bot.skill import Skill

skill = Skill("{name}", "Says {word}.")
WORD = "{word}"


@skill.intent("say it")
async def answer(turn):
    await turn.wait()
    return WORD
"""


class NoDatabase(Database):
    """Plugins only keep it while they register."""

    async def write(self, fn, *, alone=True):  # type: ignore[no-untyped-def]
        raise AssertionError("registration must not touch the database")

    async def read(self, fn):  # type: ignore[no-untyped-def]
        raise AssertionError("registration must not touch the database")


class Bench:
    """Plugins with a folder to drop files into."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.folder = folder
        self.services = Services()
        context = PluginContext(
            given=settings or Settings.load(),
            home=folder,
            clock=SystemClock(),
            entropy=SeededEntropy(1),
            database=NoDatabase(),
            public_url="http://bot.test",
        )
        self.plugins = Plugins(context, self.services, self._bind)

    def drop(self, name: str, source: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source), encoding="utf-8")
        return path

    def skill(self, name: str, word: str) -> Path:
        return self.drop(f"{name}.py", SKILL.format(name=name, word=word))

    def load(self, *builtins: str, optional: tuple[str, ...] = (), off: tuple[str, ...] = ()) -> Plugins:
        self.plugins.load(builtins, optional=optional, folders=[self.folder], installed=False, off=off)
        return self.plugins

    def names(self) -> list[str]:
        return [skill.name for skill in self.plugins.skills]

    def _bind(self, skill: Skill) -> None:
        for handler in skill.handlers.values():
            self.services.resolve(handler)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """A folder from which `room.<name>` can be imported, like skills/ from the repository's root."""
    (tmp_path / "src" / "room").mkdir(parents=True)
    (tmp_path / "src" / "room" / "__init__.py").write_text("")
    sys.path.insert(0, str(tmp_path / "src"))
    yield tmp_path / "src" / "room"
    sys.path.remove(str(tmp_path / "src"))
    for name in [name for name in sys.modules if name == "room" or name.startswith("room.")]:
        del sys.modules[name]


class Waiting:
    """Stands for a turn in which somebody is being waited for."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def wait(self) -> None:
        await self.go_on.wait()


# --- dropped files


def test_a_file_with_just_a_skill_is_a_plugin(bench: Bench) -> None:
    bench.skill("coffee", "coffee")
    bench.drop("_draft.py", "this is no Python")
    bench.drop("test_coffee.py", "raise RuntimeError('tests are not plugins')")
    plugins = bench.load()
    assert bench.names() == ["coffee"]
    assert plugins.broken == {}


def test_a_dropped_folder_is_a_plugin_with_modules_of_its_own(bench: Bench) -> None:
    bench.drop("tea/__init__.py", "from .leaves import skill")
    bench.drop("tea/leaves.py", SKILL.format(name="tea", word="tea"))
    bench.load()
    assert bench.names() == ["tea"]


def test_hooks_register_everything(bench: Bench) -> None:
    bench.drop(
        "whole.py",
        """
        from abc import ABC, abstractmethod
        from bot.channel import Channel
        from bot.hookspecs import hookimpl
        from bot.turns.middleware import Middleware
        from bot.skill import Skill

        class Port(ABC):
            @abstractmethod
            async def look(self): ...

        class Adapter(Port):
            async def look(self): ...

        class Pigeon(Channel):
            name = "pigeon"
            async def start(self, gateway): ...
            async def send(self, delivery): ...
            async def stop(self): ...

        class Quiet(Middleware):
            async def __call__(self, work, proceed):
                await proceed(work)

        skill = Skill("whole", "Does it all.")

        @skill.command("/all")
        async def answer(turn, port: Port): ...

        @hookimpl
        def register_skills(register):
            register(skill)

        @hookimpl
        def register_adapters(register, context):
            assert context.public_url == "http://bot.test"
            register(Port, Adapter())

        @hookimpl
        def register_channels(register):
            register(Pigeon())

        @hookimpl
        def register_middleware(register):
            register(Quiet())
        """,
    )
    plugins = bench.load()
    assert plugins.broken == {}
    assert bench.names() == ["whole"], "a skill that is registered by a hook and found by its name is one skill"
    assert [channel.name for channel in plugins.channels] == ["pigeon"]
    assert len(plugins.middleware) == 1
    assert bench.services.ports() == {"Port": "whole"}


BROKEN = {
    "syntax": ("x = 1\ndef f(:\n", "syntax.py:2: invalid syntax. Mend this line"),
    "missing": ("import os\nimport not_there_at_all\n", "missing.py:2: there is no module 'not_there_at_all'."),
    "extra": ("import twilio.no_such_part\n", "Install it: pip install '.[sms]'"),
    "raises": ("def f():\n    return 1 / 0\n\nf()\n", "raises.py:2: ZeroDivisionError: division by zero."),
    "leaves": ("import sys\nsys.exit(3)\n", "leaves.py:2: SystemExit: 3."),
    "nothing": ("x = 1\n", 'nothing: registers nothing. Add `skill = Skill("nothing"'),
    "handlerless": (
        "from bot.skill import Skill\nskill = Skill('bare', 'Nothing.')\n",
        "the skill bare has no handler",
    ),
    "typo": (
        "from bot.hookspecs import hookimpl\n\n@hookimpl\ndef register_skils(register): ...\n",
        "typo.py:3; did you mean register_skills?",
    ),
    "argument": (
        "from bot.hookspecs import hookimpl\n\n@hookimpl\ndef register_skills(registr): ...\n",
        "argument.py:3 takes an argument that it can't get",
    ),
    "waits": (
        "from bot.hookspecs import hookimpl\n\n@hookimpl\nasync def register_skills(register): ...\n",
        "waits.py:3 must be a plain `def`",
    ),
    "wrong": (
        "from bot.hookspecs import hookimpl\n\n@hookimpl\ndef register_channels(register):\n    register('pigeon')\n",
        "wrong: wants to register a Channel but gives a str",
    ),
    "hook": (
        "from bot.hookspecs import hookimpl\n\n@hookimpl\ndef register_skills(register):\n    {}['x']\n",
        "hook.py:5: KeyError: 'x'.",
    ),
    "abstract": (
        "from bot.channel import Channel\nfrom bot.hookspecs import hookimpl\n\n"
        "class Half(Channel):\n    name = 'half'\n\n"
        "@hookimpl\ndef register_channels(register):\n    register(Half())\n",
        "abstract.py:9: TypeError: Can't instantiate abstract class Half",
    ),
    "port": (
        "from bot.ports import Orders\nfrom bot.skill import Skill\nskill = Skill('port', 'Asks.')\n\n"
        "@skill.command('/x')\nasync def track(turn, orders: Orders): ...\n",
        "port.py:5 asks for Orders, but no adapter provides it. Add one in adapters/",
    ),
    "binary": ("\0\1", "binary.py"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_with_line_and_fix_and_the_others_run(bench: Bench, name: str) -> None:
    source, told = BROKEN[name]
    bench.skill("aaa", "before")
    bench.drop(f"{name}.py", source)
    bench.skill("zzz", "behind")
    plugins = bench.load()
    assert bench.names() == ["aaa", "zzz"]
    assert plugins.channels == ()
    assert list(plugins.broken) == [name]
    assert told in plugins.broken[name]


def test_what_a_broken_plugin_had_registered_is_taken_back(bench: Bench) -> None:
    bench.drop(
        "half.py",
        """
        from abc import ABC, abstractmethod
        from bot.hookspecs import hookimpl

        class Port(ABC):
            @abstractmethod
            def look(self): ...

        class Adapter(Port):
            def look(self): ...

        @hookimpl
        def register_adapters(register):
            register(Port, Adapter())

        @hookimpl
        def register_skills(register):
            raise RuntimeError("too late")
        """,
    )
    plugins = bench.load()
    assert "half.py:18: RuntimeError: too late" in plugins.broken["half"]
    assert bench.services.ports() == {}


def test_two_plugins_with_the_same_skill_are_told_apart(bench: Bench) -> None:
    bench.drop("one.py", SKILL.format(name="same", word="one"))
    bench.drop("two.py", SKILL.format(name="same", word="two"))
    plugins = bench.load()
    assert bench.names() == ["same"]
    assert plugins.broken == {"two": "two: one registers the skill same already; rename or remove one of them"}


def test_other_plugins_hear_of_a_broken_one_and_may_fail_themselves(bench: Bench) -> None:
    bench.drop(
        "observer.py",
        """
        from bot.hookspecs import hookimpl

        heard = []

        @hookimpl
        def plugin_failed(plugin, problem):
            heard.append((plugin, problem))

        @hookimpl
        def turn_finished(trace):
            heard.append(trace.turn)
        """,
    )
    bench.drop(
        "clumsy.py",
        """
        from bot.hookspecs import hookimpl

        @hookimpl
        def turn_finished(trace):
            raise RuntimeError("I only wanted to look")
        """,
    )
    bench.drop("nothing.py", "x = 1")
    plugins = bench.load()
    plugins.turn_finished(Trace(turn="c1.1", at=0.0))
    heard = next(module.heard for name, module in sys.modules.items() if name.startswith("frontdesk_dropped_observer"))
    assert heard[0][0] == "nothing"
    assert heard[-1] == "c1.1"


# --- built-ins


def test_a_broken_built_in_stops_the_start(bench: Bench, package: Path) -> None:
    (package / "bad.py").write_text("\n\nboom\n")
    with pytest.raises(PluginError, match=r"room/bad\.py:3: NameError: name 'boom' is not defined"):
        bench.load("room.bad")


def test_a_built_in_that_lacks_a_port_stops_the_start(bench: Bench, package: Path) -> None:
    (package / "needy.py").write_text(BROKEN["port"][0])
    with pytest.raises(PortMissing, match=r"needy\.py:5 asks for Orders"):
        bench.load("room.needy")


def test_an_optional_module_is_left_out_when_it_is_broken_and_any_can_be_off(bench: Bench, package: Path) -> None:
    (package / "bad.py").write_text("boom\n")
    for name in ("good", "unwanted"):
        (package / f"{name}.py").write_text(SKILL.format(name=name, word=name))
    plugins = bench.load(optional=("room.bad", "room.good", "room.unwanted"), off=("room.unwanted",))
    assert bench.names() == ["good"]
    assert list(plugins.broken) == ["room.bad"]


def test_wrong_settings_of_all_plugins_come_together(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Settings.load(None, {"FRONTDESK_ONE__SPEED": "fast", "FRONTDESK_TWO__SPEED": "slow"}))
    for name in ("one", "two"):
        bench.drop(
            f"{name}.py",
            f"""
            from bot.hookspecs import hookimpl
            from bot.settings import Section

            class Model(Section):
                speed: int = 1

            @hookimpl
            def register_adapters(register, context):
                context.settings(Model, "{name}")
            """,
        )
    with pytest.raises(SettingsError) as caught:
        bench.load()
    assert len(caught.value.problems) == 2
    assert "one.speed (FRONTDESK_ONE__SPEED): should be a whole number" in caught.value.problems


def test_what_a_plugin_itself_finds_wrong_is_told_too(tmp_path: Path) -> None:
    """What one key says about another is the plugin's to find: it must not just stay off."""
    bench = Bench(tmp_path, Settings.load(None, {"FRONTDESK_ONE__SPEED": "3"}))
    bench.drop(
        "one.py",
        """
        from bot import Section, SettingsError, hookimpl

        class Model(Section):
            speed: int = 1

        @hookimpl
        def register_channels(register, context):
            context.settings(Model, "one")
            raise SettingsError(["one.speed: does not go with the weather"])
        """,
    )
    with pytest.raises(SettingsError) as caught:
        bench.load()
    assert caught.value.problems == ["one.speed: does not go with the weather"]


# --- reloading


async def test_a_changed_file_takes_over_while_old_turns_finish_on_the_old_version(bench: Bench) -> None:
    path = bench.skill("coffee", "old")
    bench.skill("tea", "tea")
    plugins = bench.load()
    told: list[list[str]] = []
    plugins.subscribe(lambda: told.append(bench.names()))
    turn = Waiting()
    running = asyncio.create_task(plugins.skills[0].handlers["answer"](turn))  # type: ignore[arg-type]
    await asyncio.sleep(0)

    bench.skill("coffee", "new")
    outcome = plugins.reload(path)

    assert outcome is not None
    assert outcome.ok, outcome.sentence
    assert told == [["coffee", "tea"]], "the order stays, and listeners hear of it once"
    turn.go_on.set()
    assert await running == "old"
    assert await plugins.skills[0].handlers["answer"](turn) == "new"


@pytest.mark.parametrize("name", ["syntax", "raises", "nothing", "typo", "port", "handlerless"])
async def test_a_broken_new_version_rolls_back(bench: Bench, name: str) -> None:
    path = bench.skill("coffee", "old")
    plugins = bench.load()
    bench.drop("coffee.py", BROKEN[name][0])
    outcome = plugins.reload(path)
    assert outcome is not None
    assert not outcome.ok
    assert "The old version stays." in outcome.sentence
    assert "coffee" in plugins.broken
    turn = Waiting()
    turn.go_on.set()
    assert await plugins.skills[0].handlers["answer"](turn) == "old"

    bench.skill("coffee", "mended")
    outcome = plugins.reload(path)
    assert outcome is not None
    assert outcome.ok
    assert plugins.broken == {}
    assert await plugins.skills[0].handlers["answer"](turn) == "mended"


def test_new_files_come_and_deleted_ones_go(bench: Bench) -> None:
    plugins = bench.load()
    path = bench.skill("coffee", "coffee")
    assert (outcome := plugins.reload(path))
    assert outcome.ok
    assert bench.names() == ["coffee"]
    path.unlink()
    assert (outcome := plugins.reload(path))
    assert outcome.ok
    assert bench.names() == []
    assert plugins.reload(bench.folder / "unknown.txt") is None


def test_a_plugin_with_connections_asks_for_a_restart(bench: Bench) -> None:
    source = """
        from bot.channel import Channel
        from bot.hookspecs import hookimpl

        class Pigeon(Channel):
            name = "pigeon"
            async def start(self, gateway): ...
            async def send(self, delivery): ...
            async def stop(self): ...

        @hookimpl
        def register_channels(register):
            register(Pigeon())
        """
    path = bench.drop("pigeon.py", source)
    coffee = bench.skill("coffee", "coffee")
    plugins = bench.load()
    before = plugins.channels
    assert (outcome := plugins.reload(path))
    assert not outcome.ok
    assert "restart" in outcome.sentence
    assert plugins.channels == before

    coffee.write_text(dedent(source).replace("pigeon", "parrot"))
    assert (outcome := plugins.reload(coffee))
    assert not outcome.ok
    assert (bench.names(), plugins.channels) == (["coffee"], before)


async def test_a_package_is_swapped_as_a_whole_and_rolls_back_as_a_whole(bench: Bench, package: Path) -> None:
    folder = package / "tea"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "word.py").write_text("WORD = 'old'\n")
    (folder / "skill.py").write_text(
        "from bot.skill import Skill\nfrom room.tea.word import WORD\nskill = Skill('tea', 'Tea.')\n\n"
        "@skill.command('/tea')\nasync def answer(turn):\n    return WORD\n"
    )
    plugins = bench.load("room.tea.skill")

    async def word() -> object:
        return await plugins.skills[0].handlers["answer"](None)  # type: ignore[arg-type]

    old_module = sys.modules["room.tea.word"]
    (folder / "word.py").write_text("WORD = 'bad'; boom\n")
    assert (outcome := plugins.reload(folder / "word.py"))
    assert not outcome.ok
    assert "word.py:1: NameError" in outcome.sentence
    assert await word() == "old"
    assert sys.modules["room.tea.word"] is old_module

    (folder / "word.py").write_text("WORD = 'new'\n")
    assert (outcome := plugins.reload(folder / "word.py"))
    assert outcome.ok
    assert await word() == "new"
    assert plugins.owner(str(folder / "word.py")) == "room.tea.skill"


def test_unloading_undoes_everything(bench: Bench) -> None:
    bench.skill("coffee", "coffee")
    plugins = bench.load()
    plugins.unload("coffee")
    assert (plugins.names, plugins.skills) == ((), ())
    assert plugins.owner(str(bench.folder / "coffee.py")) == ""


async def test_watching_reloads_what_is_saved(bench: Bench) -> None:
    bench.skill("coffee", "old")
    plugins = bench.load()
    changed, stop = asyncio.Event(), asyncio.Event()
    plugins.subscribe(changed.set)
    task = asyncio.create_task(watch(plugins, stop))
    try:
        async with asyncio.timeout(10):
            while not changed.is_set():
                bench.skill("coffee", "new")  # again and again: the watcher needs a moment before it sees the first
                await asyncio.sleep(0.3)
    finally:
        stop.set()
        await task
    turn = Waiting()
    turn.go_on.set()
    assert await plugins.skills[0].handlers["answer"](turn) == "new"


def test_two_sets_of_plugins_know_nothing_of_each_other(tmp_path: Path) -> None:
    one, two = Bench(tmp_path / "one"), Bench(tmp_path / "two")
    one.skill("coffee", "coffee")
    assert one.load().names == ("coffee",)
    assert two.load().names == ()
    with pytest.raises(PortMissing):
        two.services.get(Orders)


def test_desks_register_too(bench: Bench) -> None:
    bench.drop(
        "counter.py",
        """
        from bot.hookspecs import hookimpl
        from bot.testing.fakes import FakeDesk, Helpdesk, Pulse

        @hookimpl
        def register_desks(register):
            register(FakeDesk(Helpdesk(), Pulse()))
        """,
    )
    bench.drop("counter_two.py", (bench.folder / "counter.py").read_text())
    plugins = bench.load()
    assert len(plugins.desks) == 1
    assert "counter registers the desk" in plugins.broken["counter_two"]


def test_installed_packages_are_plugins(bench: Bench, package: Path) -> None:
    """An entry point, as pip would leave it."""
    (package / "shipped.py").write_text(SKILL.format(name="shipped", word="shipped"))
    (package / "torn.py").write_text("boom\n")
    info = package.parent / "room-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: room\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[frontdesk.plugins]\nshipped = room.shipped\ntorn = room.torn\n")
    bench.plugins.load([], installed=True)
    assert bench.names() == ["shipped"]
    assert "NameError: name 'boom' is not defined" in bench.plugins.broken["torn"]
