"""Where something is said, as Slack names it. Pure."""

from __future__ import annotations

from bot import Address


def place(address: Address) -> tuple[str, str, str]:
    """An address as Slack says it: workspace (empty where there is only one), channel, thread."""
    team, _, chat = address.chat.rpartition("/")
    return team, chat, address.thread
