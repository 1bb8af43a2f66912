"""Telegram as a plugin: on when there is a bot token. The SDK is loaded only then."""

from __future__ import annotations

from collections.abc import Callable

from bot import Channel, PluginContext, SettingsError, StartError, hookimpl
from channels.telegram.settings import TelegramSettings, unreachable

__all__ = ["TelegramSettings"]


@hookimpl
def register_channels(register: Callable[[Channel], None], context: PluginContext) -> None:
    """One channel for each bot."""
    settings = context.settings(TelegramSettings, "telegram")
    bots = settings.bots()
    if not bots:
        return
    if problems := unreachable(bots, context.public_url):
        raise SettingsError(problems)
    try:
        from channels.telegram.channel import TelegramChannel  # noqa: PLC0415 - half a second and 30 MB, for users only
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("telegram", "httpx"):
            raise
        raise StartError("telegram: python-telegram-bot is missing. Run: pip install '.[telegram]'") from error
    for name, account in bots.items():
        register(
            TelegramChannel(
                name,
                account,
                settings,
                public_url=context.public_url,
                clock=context.clock,
                entropy=context.entropy,
            )
        )
