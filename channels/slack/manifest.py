"""The manifest that an administrator of Slack pastes: what the app may do, hear and show. Pure.

All limits are those of Slack's own schema of manifests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot import KnownCommand
from channels.slack.labels import JsonObject, cut, size
from channels.slack.settings import SlackAccount
from channels.slack.views import about

EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
    "tokens_revoked",
)
ASSISTANT_EVENTS = ("assistant_thread_context_changed", "assistant_thread_started")
ASSISTANT_SCOPE = "assistant:write"

_MOST_COMMANDS, _COMMAND, _ABOUT = 50, 32, 2000
_SHORTCUTS, _SHORTCUT, _SHORTCUT_ABOUT = 5, 24, 150
"""Slack takes ten shortcuts; the other five are for whoever adds some by hand."""

_NAME, _BOT, _DESCRIPTION = 35, 80, 140
_CAN = "Answers questions, asks back, and gets a person when one is needed."


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the app is reached: at `url` over HTTP, or without one in Socket Mode; `at` is the channel's own path.

    `installs` is for an app that many workspaces or a whole organisation install, which takes a `url` either way.
    """

    name: str
    at: str = "/channels/slack"
    url: str = ""
    sockets: bool = False
    installs: bool = False


def manifest(commands: Sequence[KnownCommand], settings: SlackAccount, wanted: Wanted) -> JsonObject:
    """The whole of it."""
    scopes = [scope for scope in settings.scopes if settings.assistant or scope != ASSISTANT_SCOPE]
    oauth: JsonObject = {"scopes": {"bot": scopes}}
    if wanted.installs:
        oauth["redirect_urls"] = [f"{wanted.url}{wanted.at}/oauth"]
    return {
        "display_information": {"name": cut(wanted.name, _NAME), "description": cut(_CAN, _DESCRIPTION)},
        "features": _features(commands, settings, wanted),
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": _at(wanted, "events") | {"bot_events": _events(settings)},
            "interactivity": {"is_enabled": True} | _at(wanted, "interactions"),
            "org_deploy_enabled": wanted.installs,
            "socket_mode_enabled": wanted.sockets,
            "token_rotation_enabled": wanted.installs,
        },
    }


def _features(commands: Sequence[KnownCommand], settings: SlackAccount, wanted: Wanted) -> JsonObject:
    home = {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False}
    found: JsonObject = {
        "app_home": home,
        "bot_user": {"display_name": cut(wanted.name, _BOT), "always_online": True},
    }
    if settings.assistant:
        found["assistant_view"] = {"assistant_description": _CAN}
    slashed = [_slashed(command, wanted) for command in commands if len(command.name) < _COMMAND]
    if slashed:
        found["slash_commands"] = slashed[:_MOST_COMMANDS]
        found["shortcuts"] = [_shortcut(command) for command in commands[:_SHORTCUTS]]
    return found


def _slashed(command: KnownCommand, wanted: Wanted) -> JsonObject:
    name = f"/{command.name}"
    told = {"command": name, "description": cut(about(command, "") or name, _ABOUT), "should_escape": False}
    return told | _at(wanted, "commands", "url")


def _shortcut(command: KnownCommand) -> JsonObject:
    """The lightning bolt's way to a command: its `callback_id` is the command's name."""
    words = about(command, "") or f"/{command.name}"
    name = words if size(words) <= _SHORTCUT else command.name.replace("_", " ").capitalize()
    shown = {"name": cut(name, _SHORTCUT), "description": cut(words, _SHORTCUT_ABOUT)}
    return {"type": "global", "callback_id": command.name, **shown}


def _events(settings: SlackAccount) -> list[str]:
    return sorted(EVENTS + (ASSISTANT_EVENTS if settings.assistant else ()))


def _at(wanted: Wanted, name: str, key: str = "request_url") -> JsonObject:
    """Where Slack delivers; in Socket Mode it has no address."""
    return {} if wanted.sockets else {key: f"{wanted.url}{wanted.at}/{name}"}
