"""The rules of the house that can be checked by reading the source."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bot
from bot import hookspecs

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("channels", "skills", "adapters", "handoff")
CODE = ("bot", *ROOMS)
LONG = 300
TOO_LONG = 400
LONG_FUNCTION = 60

# Longer than the others, each for its reason. Nothing else may grow past TOO_LONG lines.
LONG_FOR_A_REASON: dict[str, str] = {}


def sources(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((ROOT / room).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{where(path, node)}: imports are absolute here"
            yield node.module or "", node


@pytest.mark.parametrize("name", CODE)
def test_the_rooms_are_those_of_this_repository(name: str) -> None:
    """Other distributions bring modules of these names; ours must win."""
    module = importlib.import_module(name)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().parent == ROOT / name


def test_imports_point_one_way() -> None:
    """The same as the import contracts, and what they can't see: run.py, tests, and imports in functions."""
    wrong = []
    for path in sources(*CODE):
        room = path.relative_to(ROOT).parts[0]
        for name, node in imports(path):
            top = name.partition(".")[0]
            if top in ("run", "tests", "benchmarks") or (top in ROOMS and top != room):
                wrong.append(f"{where(path, node)} imports {name}")
    assert wrong == []


def test_a_room_within_a_room_knows_no_sibling() -> None:
    """channels/web knows nothing of channels/terminal; handoff/console nothing of another desk."""
    wrong = []
    for path in sources(*ROOMS):
        parts = path.relative_to(ROOT).parts
        for name, node in imports(path):
            theirs = name.split(".")
            if len(parts) > 2 and len(theirs) > 1 and theirs[0] == parts[0] and theirs[1] != parts[1]:
                wrong.append(f"{where(path, node)} imports {name}")
    assert wrong == []


def test_the_public_names_are_sorted_and_there() -> None:
    names = list(bot.__all__)
    assert names == sorted(names)
    assert [name for name in names if not hasattr(bot, name)] == []
    brought = {
        alias.asname or alias.name
        for node in tree(ROOT / "bot" / "__init__.py").body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert brought - {"annotations"} == set(names), "what bot/__init__.py imports is exactly what it makes public"


def test_signatures_have_no_open_ends() -> None:
    """`**values` of turn.say and turn.ask fill a text, and `**args` of turn.again start a handler: the only ones."""
    allowed = {("bot/turn.py", name) for name in ("say", "ask", "again")}
    # A test kit's "the same value, but ...", which has no other way to name any field.
    allowed.add(("bot/testing/store_kit.py", "but"))
    found = {
        (str(path.relative_to(ROOT)), function.name)
        for path in sources(*CODE)
        for function in functions(path)
        if function.args.kwarg is not None
    }
    assert found <= allowed


def test_only_the_command_line_prints() -> None:
    printing = [
        where(path, node)
        for path in sources(*CODE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "breakpoint")
    ]
    assert printing == []


def test_modules_keep_their_size() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources(*CODE)}
    too_long = {path: lines for path, lines in sizes.items() if lines > TOO_LONG}
    assert too_long.keys() == LONG_FOR_A_REASON.keys(), f"split by noun, or say why: {too_long}"
    long = sorted((lines, path) for path, lines in sizes.items() if lines > LONG)
    assert len(long) <= len(sizes) / 10, f"a tenth of the modules may pass {LONG} lines: {long}"


def test_functions_keep_their_size() -> None:
    long = [
        f"{where(path, function)} {function.name}"
        for path in sources(*CODE)
        if "migrations" not in path.parts  # a version is a list of tables, and is never touched again
        for function in functions(path)
        if (function.end_lineno or function.lineno) - function.lineno + 1 > LONG_FUNCTION
    ]
    assert long == []


def test_every_module_says_what_it_is() -> None:
    assert [str(path.relative_to(ROOT)) for path in sources(*CODE) if not ast.get_docstring(tree(path))] == []


def test_nobody_is_called_helper() -> None:
    names = [
        f"{where(path, node)} {node.name}"
        for path in sources(*CODE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and re.search(r"(Manager|Helper|Utils?|Base)$", node.name)
    ]
    assert names == []


def test_no_module_keeps_state_of_its_own() -> None:
    """Empty containers at module level are filled later, by somebody, for everybody."""
    wrong = []
    for path in sources(*CODE):
        for node in tree(path).body:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            empty = isinstance(value, ast.Dict | ast.List) and not ast.unparse(value).strip("{}[]")
            made = isinstance(value, ast.Call) and ast.unparse(value) in ("dict()", "list()", "set()")
            if empty or made:
                wrong.append(where(path, node))
    assert wrong == []


HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")]


def test_there_are_hooks() -> None:
    assert {"register_skills", "register_channels", "turn_finished"} <= set(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_described_documented_and_tested(name: str) -> None:
    hook = getattr(hookspecs, name)
    arguments = ", ".join(inspect.signature(hook).parameters)
    assert "alled" in (inspect.getdoc(hook) or ""), "the docstring says when it is called"
    assert f"`{name}({arguments})`" in (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert f"def {name}(" in (ROOT / "tests" / "bot" / "test_plugins.py").read_text(encoding="utf-8")
