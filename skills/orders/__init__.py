"""Order tracking: the skill `orders` as a plugin."""

from __future__ import annotations

from collections.abc import Callable

from bot import Skill, hookimpl
from skills.orders.skill import skill


@hookimpl
def register_skills(register: Callable[[Skill], None]) -> None:
    """Offer the order skill."""
    register(skill)
