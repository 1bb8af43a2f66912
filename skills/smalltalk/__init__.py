"""Small talk: the skill `smalltalk` as a plugin."""

from __future__ import annotations

from collections.abc import Callable

from bot import Skill, hookimpl
from skills.smalltalk.skill import skill


@hookimpl
def register_skills(register: Callable[[Skill], None]) -> None:
    """Offer small talk."""
    register(skill)
