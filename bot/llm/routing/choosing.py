"""Which models may answer an Ask, and in which order. Pure: knows how nobody fares."""

from __future__ import annotations

from bot.llm.routing.catalogue import Catalogue, Level, Model, Step
from bot.messages import Value
from bot.ports.llm import Ask, Need

LONG = 32_000
"""What `long_context` asks for, in tokens."""

MARGIN = 1.1
"""Counting tokens is right within a tenth."""


class Candidate(Value, frozen=True):
    """A model that may answer."""

    provider: str
    model: str


class Choice(Value, frozen=True):
    """Who may answer, in order; `too_small` are those for whose context it is too long."""

    candidates: tuple[Candidate, ...] = ()
    too_small: tuple[Candidate, ...] = ()


def choose(catalogue: Catalogue, ask: Ask, tokens: int, level: Level = "free") -> Choice:
    """The models of the task's route that may answer, when the prompt has so many tokens."""
    fitting: list[tuple[Candidate, float]] = []
    too_small: list[Candidate] = []
    for step, provider, name in catalogue.places(ask.task):
        model, candidate = catalogue.model(provider, name), Candidate(provider=provider, model=name)
        if candidate in too_small or any(candidate == other for other, _ in fitting):
            continue
        if not _wanted(step, ask, tokens, level) or not _able(model, ask):
            continue
        if room(model, tokens) <= 0:
            too_small.append(candidate)
        else:
            fitting.append((candidate, typical_price(model)))
    if level != "free":
        fitting.sort(key=lambda found: found[1])  # among equals the route's order stays
    return Choice(candidates=tuple(candidate for candidate, _ in fitting), too_small=tuple(too_small))


def room(model: Model, tokens: int) -> int:
    """How many tokens are left for the answer, which needs at least an eighth of the context or 256."""
    left = model.context - int(tokens * MARGIN)
    return left if left >= min(256, model.context // 8) else 0


def typical_price(model: Model) -> float:
    """For comparing: questions are longer than answers."""
    return 3 * model.price.input + model.price.output


def needs(ask: Ask) -> set[Need]:
    """What an Ask needs, also where it does not say so itself."""
    found = set(ask.needs)
    if ask.tools:
        found.add("tools")
    if any(line.pictures for line in ask.lines):
        found.add("vision")
    if any(line.audio for line in ask.lines):
        found.add("hearing")
    return found


def _able(model: Model, ask: Ask) -> bool:
    wanted = needs(ask)
    return (
        ("embed" in model.abilities) == (ask.task == "embed")
        and all(need in model.abilities for need in wanted if need != "long_context")
        and ("long_context" not in wanted or model.context >= LONG)
        and model.quality >= ask.quality
        and (not ask.language or not model.languages or _primary(ask.language) in map(_primary, model.languages))
    )


def _wanted(step: Step, ask: Ask, tokens: int, level: Level) -> bool:
    when = step.when
    return (
        (not when.needs or bool(set(when.needs) & needs(ask)))
        and (when.longer is None or tokens > when.longer)
        and (when.shorter is None or tokens <= when.shorter)
        and (not when.languages or _primary(ask.language) in map(_primary, when.languages))
        and (when.quality is None or ask.quality >= when.quality)
        and (not when.budget or level in when.budget)
    )


def _primary(tag: str) -> str:
    """The language of a tag: "pt" of "pt-BR"."""
    return tag.replace("_", "-").partition("-")[0].lower()
