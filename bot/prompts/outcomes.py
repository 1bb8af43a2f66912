"""What a turn says about the prompts that the person got: they were handed to a person, or showed a thumb. Pure."""

from __future__ import annotations

from bot.messages import Message, Reacted
from bot.prompts.records import Outcome

_THUMBS: dict[str, Outcome] = {"👍": "thumbs_up", "👎": "thumbs_down"}


def outcome_of(message: Message, *, handed_off: bool) -> Outcome | None:
    """What became of the person in this turn, if it says anything about an answer."""
    if handed_off:
        return "handed_off"
    content = message.content
    if isinstance(content, Reacted) and content.added:
        return next((outcome for thumb, outcome in _THUMBS.items() if content.emoji.startswith(thumb)), None)
    return None
