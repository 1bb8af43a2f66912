"""A long reply in portions: what is sent at once, and what is kept until the person asks for more. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bot.channel import Capabilities
from bot.phrases import ENGLISH, Phrases
from bot.rendering.fitting import fit
from bot.rendering.splitting import Measure
from bot.replies import Reply


def serve(
    reply: Reply, capabilities: Capabilities, measure: Measure, phrases: Phrases = ENGLISH
) -> tuple[list[Reply], list[Reply]]:
    """The replies to send for one reply, and those to keep: each of them has room for the sentence about the rest."""
    parts = fit(reply, capabilities, measure, phrases)
    most = capabilities.max_parts
    if not most or len(parts) <= most:
        return parts, []
    return portion(fit(reply, capabilities, lambda text: measure(_hinted(text, phrases)), phrases), most, phrases)


def portion(parts: Sequence[Reply], most: int, phrases: Phrases = ENGLISH) -> tuple[list[Reply], list[Reply]]:
    """The next `most` parts, the last one saying that there are others; and the others. 0 stands for all."""
    now, rest = list(parts[: most or None]), list(parts[most:] if most else ())
    if rest:
        now[-1] = replace(now[-1], text=_hinted(now[-1].text, phrases))
    return now, rest


def wants_more(text: str) -> bool:
    """Whether somebody asks for the rest, and for nothing else."""
    return text.strip(" \t\n.!?\"'").casefold() == "more"


def _hinted(text: str, phrases: Phrases) -> str:
    return f"{text}\n\n{phrases.more}"
