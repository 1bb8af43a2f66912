"""Finds what would not replay, before it runs: `python run.py lint-skill PATH`. Reads source; imports nothing.

It looks at handlers (async functions whose first parameter is called or typed as a turn) and what is nested in them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from bot.messages import Value

CLOCKS = {"time.time", "time.monotonic", "datetime.now", "datetime.utcnow", "date.today", "datetime.datetime.now"}
CHANCE = {"random", "secrets"}
IDS = {"uuid.uuid1", "uuid.uuid4", "uuid4", "os.urandom"}
FOREIGN = {"asyncio.create_task", "asyncio.ensure_future", "asyncio.wait_for", "asyncio.timeout", "asyncio.sleep"}
BLOCKING = {"time.sleep", "open", "input", "requests", "urllib", "subprocess", "sqlite3", "socket"}
WAITING = {"say", "ask", "step", "stream", "gather", "hand_off", "remember", "recall", "schedule", "history", "changed"}


class Finding(Value, frozen=True):
    """One line that would not replay, and what to write instead."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


def lint(path: Path) -> list[Finding]:
    """What is wrong in a file, or in all files below a folder, in order."""
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [finding for file in files for finding in lint_source(file.read_text(encoding="utf-8"), str(file))]


def lint_source(source: str, name: str = "skill.py") -> list[Finding]:
    """What is wrong in one source text."""
    found: dict[tuple[int, str], Finding] = {}
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.AsyncFunctionDef) and (turn := _turn_of(node)):
            for line, sentence in _Handler(turn, node).findings():
                found[line, sentence] = Finding(file=name, line=line, sentence=sentence)
    return [found[key] for key in sorted(found)]


def _turn_of(node: ast.AsyncFunctionDef) -> str:
    """The name of the turn, if this function takes one first."""
    for argument in node.args.args[:1]:
        annotation = ast.unparse(argument.annotation) if argument.annotation else ""
        if argument.arg == "turn" or annotation.split(".")[-1] == "Turn":
            return argument.arg
    return ""


class _Handler:
    """One handler under the lens."""

    def __init__(self, turn: str, node: ast.AsyncFunctionDef) -> None:
        self._turn, self._node = turn, node
        self._awaited = {id(n.value) for n in ast.walk(node) if isinstance(n, ast.Await)}
        self._kept = {
            id(inner)
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and not self._is_turn(call)
            for argument in call.args
            for inner in ast.walk(argument)
        }

    def findings(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self._node):
            match node:
                case ast.Call():
                    yield from self._call(node)
                case ast.Await():
                    yield from self._await(node)
                case ast.With() | ast.AsyncWith() if self._asks(node):
                    yield node.lineno, "an ask inside `with` holds a resource for weeks; close it before asking"
                case ast.Try():
                    yield from self._try(node)
                case ast.Global() | ast.Nonlocal():
                    yield node.lineno, "global state is not replayed; use turn.remember or a step"
                case ast.For() if _is_set(node.iter):
                    yield node.lineno, "a set has no order to replay; write sorted(...)"
                case _:
                    pass

    def _call(self, node: ast.Call) -> Iterator[tuple[int, str]]:
        name = ast.unparse(node.func)
        if name in CLOCKS:
            yield node.lineno, f"{name}() differs on replay; write {self._turn}.now()"
        elif name in IDS:
            yield node.lineno, f"{name}() differs on replay; write {self._turn}.uuid()"
        elif name.split(".")[0] in CHANCE:
            yield node.lineno, f"{name}() differs on replay; write {self._turn}.random"
        elif name in BLOCKING or name.split(".")[0] in BLOCKING:
            yield node.lineno, f"{name}(...) holds up everybody and is done again on replay; put it into a step"
        elif name in FOREIGN:
            yield node.lineno, f"{name} leaves the dialog's own task; use turn.gather, ask(timeout=) or turn.schedule"
        elif self._is_turn(node) in WAITING - {"step"} and id(node) not in self._awaited | self._kept:
            yield node.lineno, f"{name}(...) is not awaited"
        if self._is_turn(node) == "gather" and any(self._asks(argument) for argument in node.args):
            yield node.lineno, "only steps are allowed inside gather; ask before or after it"

    def _await(self, node: ast.Await) -> Iterator[tuple[int, str]]:
        call = node.value
        if not isinstance(call, ast.Call) or self._is_turn(call):
            return
        given = {n.id for argument in call.args for n in ast.walk(argument) if isinstance(n, ast.Name)}
        if self._turn not in given and ast.unparse(call.func) not in {"asyncio.gather", *FOREIGN}:
            yield node.lineno, f"await {ast.unparse(call.func)}(...) is done again on replay; write turn.step(...)"

    def _try(self, node: ast.Try) -> Iterator[tuple[int, str]]:
        if node.finalbody and self._asks(node):
            yield node.lineno, "`finally` around an ask also runs when the bot is stopped; undo in `except Cancelled`"
        for handler in node.handlers:
            kind = ast.unparse(handler.type) if handler.type else "BaseException"
            swallows = not any(isinstance(inner, ast.Raise) for inner in ast.walk(handler))
            if kind.split(".")[-1] in {"BaseException", "CancelledError"} and swallows:
                yield handler.lineno, f"except {kind} swallows cancellation; catch Cancelled, or raise again"

    def _is_turn(self, node: ast.AST) -> str:
        """The method's name, if this is a call on the turn."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            target = node.func.value
            if isinstance(target, ast.Name) and target.id == self._turn:
                return node.func.attr
        return ""

    def _asks(self, node: ast.AST) -> bool:
        return any(self._is_turn(inner) == "ask" for inner in ast.walk(node))


def _is_set(node: ast.expr) -> bool:
    called = isinstance(node, ast.Call) and ast.unparse(node.func) in {"set", "frozenset"}
    return called or isinstance(node, ast.Set | ast.SetComp)
