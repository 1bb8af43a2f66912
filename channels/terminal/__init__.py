"""The terminal: `python run.py chat` shows a conversation as another channel would render it."""

from __future__ import annotations

from collections.abc import Callable

from bot import Channel, PluginContext, hookimpl
from channels.terminal.channel import Pace, TerminalChannel
from channels.terminal.profiles import Profile, profile, profile_names
from channels.terminal.settings import TerminalSettings

__all__ = ["Pace", "Profile", "TerminalChannel", "TerminalSettings", "profile", "profile_names"]


@hookimpl
def register_channels(register: Callable[[Channel], None], context: PluginContext) -> None:
    """Register the terminal; only `chat` loads this plugin."""
    settings = context.settings(TerminalSettings, "terminal")
    register(TerminalChannel(profile(settings.channel), person=settings.person, clock=context.clock))
