"""Settings: the YAML file, then the environment, then the command line. Knows no plugin and no vendor.

Each plugin brings a pydantic model for its own section and asks for it once, at start. A field may carry the name of
an environment variable that its users already have:

    class SlackSettings(Section):
        bot_token: Annotated[SecretStr | None, Env("SLACK_BOT_TOKEN")] = None

Every other field is FRONTDESK_<SECTION>__<KEY>. Mistakes are collected, and `check` raises all of them at once.
"""

from bot.settings.reading import Settings, did_you_mean
from bot.settings.sections import (
    Env,
    HandoffSettings,
    KeepSettings,
    LlmSettings,
    LogSettings,
    PluginSettings,
    Section,
    ServerSettings,
    StoreSettings,
)

__all__ = [
    "Env",
    "HandoffSettings",
    "KeepSettings",
    "LlmSettings",
    "LogSettings",
    "PluginSettings",
    "Section",
    "ServerSettings",
    "Settings",
    "StoreSettings",
    "did_you_mean",
]
