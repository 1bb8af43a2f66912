"""The skill that says what was said, alone: for channels that ship, without the platform of benchmarks/plugin.py."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.plugin import echo
from bot import PluginContext, Skill, hookimpl


@hookimpl
def register_skills(register: Callable[[Skill], None], context: PluginContext) -> None:
    """The one."""
    register(echo())
