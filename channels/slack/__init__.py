"""Slack as a plugin: on when a bot token, or a client id for installing it in many workspaces, is set."""

from __future__ import annotations

from collections.abc import Callable

from bot import Channel, PluginContext, PluginError, hookimpl
from channels.slack.settings import SlackAccount, SlackSettings

__all__ = ["SlackAccount", "SlackSettings"]


@hookimpl
def register_channels(register: Callable[[Channel], None], context: PluginContext) -> None:
    """One channel for each account; without one, Slack's libraries are not even imported."""
    accounts = context.settings(SlackSettings, "slack").all()
    if not accounts:
        return
    try:
        from channels.slack.channel import SlackChannel  # noqa: PLC0415 - the libraries may be missing
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("slack_sdk", "slack_bolt", "cryptography", "emoji"):
            raise
        raise PluginError(
            f"slack is set, but {missing.name} is not installed: pip install '.[slack]', or take the settings out"
        ) from missing
    for name, account in accounts.items():
        home = context.home / "slack" / name
        register(SlackChannel(name, account, home, context.clock, context.public_url))
