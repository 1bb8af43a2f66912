"""Running one step of a handler: once, with its result in the journal before anybody sees it."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.dialog.codec import codec_for, freeze, return_type
from bot.dialog.journal import Record, digest
from bot.dialog.run import Run, step_key
from bot.errors import DialogError, Interrupted, Misuse, StepFailed
from bot.store.codec import clean_text

SHOW_AFTER = 0.1
"""A step that takes longer (seconds) lets the waiting sentences out first."""

BACKOFF = 0.05
"""The first pause (seconds) before a failed step is tried again; it doubles."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call to be run once."""

    key: str
    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    retries: int
    at_most_once: bool
    effect: bool
    kind: Any
    arguments: str

    @classmethod
    def of(
        cls, key: str, function: Callable[..., Any], args: tuple[Any, ...], *, retries: int, once: bool, effect: bool
    ) -> Step:
        """Name a step after its function; the wording of nothing else counts."""
        name = getattr(function, "__qualname__", type(function).__name__)
        return cls(key, name, function, args, retries, once, effect, return_type(function), digest(args))


async def perform(run: Run, step: Step, entry: Record | None) -> Any:
    """The step's result: from the journal, or by running it."""
    run.host.touched = run.host.touched or step.effect
    if entry is not None and entry.outcome != "started":
        return _recorded(step, entry)
    if entry is not None:
        raise Interrupted(step.name)
    if step.at_most_once:
        run.record("step", step.key, step.name, outcome="started", arguments=step.arguments, effect=True)
        await run.flush()
    run.in_flight.append(step.key)
    try:
        value, problem = await _attempts(run, step)
    finally:
        run.in_flight.remove(step.key)
    result = _keep(run, step, value, problem)
    await run.flush()
    if problem:
        raise StepFailed(step.name, problem)
    return result


def _keep(run: Run, step: Step, value: object, problem: str) -> Any:
    if problem:
        run.record(
            "step",
            step.key,
            step.name,
            outcome="failed",
            detail=problem,
            arguments=step.arguments,
            effect=step.effect,
        )
        return None
    try:
        data, copy = freeze(step.name, step.kind, value)
    except Misuse as misuse:
        run.fault(misuse)
        raise
    run.record("step", step.key, step.name, msgspec.Raw(data), arguments=step.arguments, effect=step.effect)
    return copy


def _recorded(step: Step, entry: Record) -> Any:
    if entry.outcome == "failed":
        raise StepFailed(step.name, entry.detail)
    return codec_for(step.kind).decode(bytes(entry.value))


async def _attempts(run: Run, step: Step) -> tuple[object, str]:
    tries = 1 if step.at_most_once else step.retries + 1
    problem = ""
    for attempt in range(tries):
        if attempt:
            await run.host.clock.sleep(BACKOFF * 2 ** (attempt - 1))
        started = time.perf_counter()
        try:
            value = await _call(run, step)
        except DialogError:
            raise
        except Exception as raised:
            problem = clean_text(f"{type(raised).__name__}: {raised}")
            run.host.stepped(step.name, (time.perf_counter() - started) * 1e3, problem)
        else:
            run.host.stepped(step.name, (time.perf_counter() - started) * 1e3, "")
            return value, ""
    return None, problem


async def _call(run: Run, step: Step) -> object:
    token = step_key.set(f"{run.frame.base}/{step.key}")
    try:
        result = step.function(*step.args)
        if not inspect.isawaitable(result):
            return result
        return await _watched(run, result)
    finally:
        step_key.reset(token)


async def _watched(run: Run, result: Awaitable[object]) -> object:
    """Await a call; when it is slow, let out what is ready to be said."""
    work = asyncio.ensure_future(result)
    try:
        if run.host.holds_words():
            await asyncio.wait({work}, timeout=SHOW_AFTER)
            if not work.done():
                await run.flush()
        return await work
    except asyncio.CancelledError:
        work.cancel()
        raise
