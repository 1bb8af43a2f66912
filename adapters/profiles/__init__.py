"""Reading and comparing profiles, as a plugin."""

from __future__ import annotations

from adapters.profiles.fit import FieldFit
from adapters.profiles.rules import ProfileRules
from bot import RegisterAdapter, hookimpl
from bot.ports import ProfileMatcher, ProfileReader


@hookimpl
def register_adapters(register: RegisterAdapter) -> None:
    """Offer both."""
    register(ProfileReader, ProfileRules())
    register(ProfileMatcher, FieldFit())
