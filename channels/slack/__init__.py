"""Slack as a plugin: on when a bot token, or a client id for installing it in many workspaces, is set."""

from __future__ import annotations

import importlib
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

        # Slack's own libraries are for these alone: who does without does not carry them. And at once, or it would be
        # the first message that finds one missing.
        if any(account.app_token is not None for account in accounts.values()):
            importlib.import_module("channels.slack.sockets")
        if any(account.installs for account in accounts.values()):
            importlib.import_module("channels.slack.oauth")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("slack_sdk", "slack_bolt", "cryptography", "emoji"):
            raise
        raise PluginError(
            f"slack is set, but {missing.name} is not installed: pip install '.[slack]', or take the settings out"
        ) from missing
    for name, account in accounts.items():
        home = context.home / "slack" / name
        register(SlackChannel(name, account, home, context.clock, context.public_url))
