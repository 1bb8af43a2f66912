"""From CommonMark to what each channel can show: parse once, split, fill, degrade. Pure; knows no platform."""

from __future__ import annotations

from bot.rendering.document import Block, Document, Span
from bot.rendering.filling import escape, fill, fill_in
from bot.rendering.fitting import degrade, fit
from bot.rendering.mentions import mentioned
from bot.rendering.parsing import parse
from bot.rendering.plain import plain
from bot.rendering.splitting import split
from bot.rendering.writing import markdown

__all__ = [
    "Block",
    "Document",
    "Span",
    "degrade",
    "escape",
    "fill",
    "fill_in",
    "fit",
    "markdown",
    "mentioned",
    "parse",
    "plain",
    "split",
]
