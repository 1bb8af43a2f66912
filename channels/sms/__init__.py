"""SMS, MMS and WhatsApp by Twilio as a plugin. Its SDK is loaded only where the credentials are set."""

from __future__ import annotations

from collections.abc import Callable

from bot import Channel, PluginContext, PluginError, hookimpl
from channels.sms.settings import SmsSettings, lines

__all__ = ["SmsSettings"]


@hookimpl
def register_channels(register: Callable[[Channel], None], context: PluginContext) -> None:
    """On for each account that has a sid, a token and a sender."""
    opened = lines(context.settings(SmsSettings, "sms"), context.public_url)
    if not opened:
        return
    try:
        from channels.sms.channel import SmsChannel  # noqa: PLC0415 - thousands of lines that a bot without SMS needs not
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in ("twilio", "phonenumbers", "requests"):
            raise
        raise PluginError(f"SMS needs {missing.name}; install it: pip install '.[sms]'") from missing
    for line in opened:
        register(SmsChannel(line, context.clock))
