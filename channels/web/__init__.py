"""The web channel as a plugin: a chat widget for any page, and the same conversations over plain HTTP."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from bot import Channel, PluginContext, hookimpl
from channels.web.channel import WebChannel
from channels.web.settings import WebSettings

__all__ = ["WebChannel", "WebSettings"]


@hookimpl
def register_channels(register: Callable[[Channel], None], context: PluginContext) -> None:
    """The widget is always on: it needs no credentials."""
    settings = context.settings(WebSettings, "web")
    if not settings.public_url:
        url = context.public_url.rstrip("/")
        port = urlsplit(url).port if "port" not in settings.model_fields_set else None
        settings = settings.model_copy(update={"public_url": url, "port": port or settings.port})
    register(WebChannel(settings, context.home / "web", context.clock))
