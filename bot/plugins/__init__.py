"""Plugins: everything that registers itself through the hooks of `bot.hookspecs`."""

from bot.plugins.context import PluginContext
from bot.plugins.registry import Plugins, Reloaded
from bot.plugins.watch import watch

__all__ = ["PluginContext", "Plugins", "Reloaded", "watch"]
