"""Comparing pictures, as a plugin."""

from __future__ import annotations

from adapters.images.hashing import PerceptualHash
from bot import RegisterAdapter, hookimpl
from bot.ports import ImageMatcher


@hookimpl
def register_adapters(register: RegisterAdapter) -> None:
    """Offer the matcher."""
    register(ImageMatcher, PerceptualHash())
