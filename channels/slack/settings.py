"""Settings of the Slack channel: one account from well-known variables, or several by name. Knows nothing of requests.

Scopes are those that the documentation asks for; an app with fewer of them has fewer abilities, and still works.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bot import Env, Section

API = "https://slack.com/api/"
SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "users:read",
    "users:read.email",
)
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def _slashed(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"is not a web address; write it like {API}")
    return value.rstrip("/") + "/"


class SlackAccount(Section):
    """One Slack app: installed in one workspace (`bot_token`), or in many (`client_id` and `client_secret`).

    Events come over HTTP (`signing_secret`), over Socket Mode (`app_token`), or both. `assistant` says that the app is
    an agent, so that threads show a status, suggested prompts and streams. `catch_up_after` is how many seconds of
    absence make us read what was missed (Slack itself repeats for six minutes); 0 never does. `secret` is what the
    tokens of installed workspaces are encrypted with; without it a key is made in the home folder, which is then
    needed on every machine.
    """

    bot_token: Annotated[SecretStr | None, Env("SLACK_BOT_TOKEN")] = None
    signing_secret: Annotated[SecretStr | None, Env("SLACK_SIGNING_SECRET")] = None
    app_token: Annotated[SecretStr | None, Env("SLACK_APP_TOKEN")] = None
    client_id: Annotated[str, Env("SLACK_CLIENT_ID")] = ""
    client_secret: Annotated[SecretStr | None, Env("SLACK_CLIENT_SECRET")] = None
    api_url: Annotated[str, Env("SLACK_API_URL"), AfterValidator(_slashed)] = API
    files_url: Annotated[str, AfterValidator(_slashed)] = "https://files.slack.com/"
    authorize_url: str = "https://slack.com/oauth/v2/authorize"
    scopes: tuple[str, ...] = SCOPES
    secret: SecretStr | None = None
    sockets: Annotated[int, Field(ge=1, le=10)] = 2
    assistant: bool = True
    prompts: tuple[str, ...] = ()
    draft_pace: Annotated[float, Field(gt=0, le=60)] = 1.0
    catch_up_after: Annotated[float, Field(ge=0)] = 300.0
    largest_file: Annotated[int, Field(ge=1)] = 25 * 1024 * 1024

    @property
    def installs(self) -> bool:
        """Whether workspaces can install it."""
        return bool(self.client_id)

    @property
    def on(self) -> bool:
        """Whether anything at all was set."""
        return bool(self.bot_token or self.client_id)

    @model_validator(mode="after")
    def _complete(self) -> SlackAccount:
        if bool(self.client_id) != bool(self.client_secret):
            raise ValueError("client_id and client_secret belong together; set both, or none")
        if self.client_id and self.bot_token:
            raise ValueError("a bot_token is for one workspace, client_id for many; set one of them")
        if not self.on and (self.app_token or self.signing_secret):
            raise ValueError("bot_token (SLACK_BOT_TOKEN) is missing; or client_id, for an app that many install")
        if self.bot_token and self.bot_token.get_secret_value().startswith("xapp-"):
            raise ValueError("bot_token is an app's token (xapp-...); the bot has one of its own")
        if self.bot_token and self.bot_token.get_secret_value().startswith("xoxe"):
            raise ValueError(
                "bot_token is one that expires (xoxe...); set client_id and client_secret and install the app at "
                "/channels/slack/install, or make an app without token rotation"
            )
        if self.app_token and not self.app_token.get_secret_value().startswith("xapp-"):
            raise ValueError("app_token should begin with xapp-")
        if self.on and not (self.signing_secret or self.app_token):
            raise ValueError(
                "set signing_secret (SLACK_SIGNING_SECRET) to get events over HTTP, "
                "or app_token (SLACK_APP_TOKEN) to get them over Socket Mode"
            )
        return self


class SlackSettings(SlackAccount):
    """The `slack` section: the account "main", and others by name."""

    accounts: dict[str, SlackAccount] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _named(self) -> SlackSettings:
        for name, account in self.accounts.items():
            if not _ACCOUNT.fullmatch(name):
                raise ValueError(f"accounts.{name}: a name is up to 32 of a-z, 0-9, _ and -")
            if not account.on:
                raise ValueError(f"accounts.{name}: set bot_token, or client_id and client_secret")
        if self.on and "main" in self.accounts:
            raise ValueError("accounts.main: the account beside accounts is called main already")
        return self

    def all(self) -> dict[str, SlackAccount]:
        """The accounts that are on, by name."""
        return ({"main": self} if self.on else {}) | self.accounts
