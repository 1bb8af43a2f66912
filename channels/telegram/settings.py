"""Settings of the Telegram channel: one bot, or several by name. Knows nothing of requests."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from bot import Env, Section

_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{3,200}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

Mode = Literal["auto", "webhook", "polling"]


def _token(value: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("that is no bot token; it looks like 123456:ABC-DEF and comes from @BotFather")
    return value


def _secret(value: SecretStr) -> SecretStr:
    if not _SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("should be 32 to 256 of the characters A-Z, a-z, 0-9, _ and -")
    return value


def _api(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("should be a web address such as https://api.telegram.org")
    return value.rstrip("/").removesuffix("/bot")


Token = Annotated[SecretStr, AfterValidator(_token)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]


class TelegramAccount(BaseModel):
    """One bot. `webhook_secret` is made from the token if it is not given: the same one in every process."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bot_token: Token
    webhook_secret: Secret | None = None
    mode: Mode = "auto"

    @property
    def bot_id(self) -> int:
        """The bot's own id as a user: the token begins with it."""
        return int(self.bot_token.get_secret_value().partition(":")[0])

    @property
    def secret(self) -> str:
        """What Telegram has to show with every update; nobody gets back from it to the token."""
        if self.webhook_secret is not None:
            return self.webhook_secret.get_secret_value()
        return hmac.digest(self.bot_token.get_secret_value().encode(), b"frontdesk webhook", "sha256").hex()


class TelegramSettings(Section):
    """The bots, and how Telegram is reached. Times are in seconds.

    `mode` "auto" is a webhook where people reach us over https, and long polling elsewhere. `max_connections` is how
    many updates Telegram may deliver at the same time. `private_hint` is said in a group in the place of words that are
    for one person who has not opened a chat with the bot.
    """

    bot_token: Annotated[Token | None, Env("TELEGRAM_BOT_TOKEN")] = None
    api_url: Annotated[str, Env("TELEGRAM_API_URL"), AfterValidator(_api)] = "https://api.telegram.org"
    webhook_secret: Secret | None = None
    mode: Mode = "auto"
    poll_timeout: Annotated[int, Field(ge=0, le=50)] = 25
    private_hint: str = "I can only tell you that in private. Write to me here and ask me again: {link}"
    max_connections: Annotated[int, Field(ge=1, le=100)] = 40
    accounts: dict[str, TelegramAccount] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _apart(self) -> TelegramSettings:
        """Two accounts with one token would take each other's updates away."""
        for name in self.accounts:
            if not _NAME.fullmatch(name):
                raise ValueError(f"the account name {name!r} should be of a-z, 0-9, _ and -, at most 40 of them")
        if self.bot_token is not None and "main" in self.accounts:
            raise ValueError("bot_token is the account main; leave out one of bot_token and accounts.main")
        if len({account.bot_id for account in self.bots().values()}) < len(self.bots()):
            raise ValueError("two accounts are the same bot; each needs a token of its own")
        return self

    def bots(self) -> dict[str, TelegramAccount]:
        """All bots by the name of their account; the one without a name is "main"."""
        if self.bot_token is None:
            return dict(self.accounts)
        first = TelegramAccount(bot_token=self.bot_token, webhook_secret=self.webhook_secret, mode=self.mode)
        return {"main": first, **self.accounts}


def unreachable(bots: Mapping[str, TelegramAccount], public_url: str) -> list[str]:
    """A sentence for each bot that shall have a webhook, where Telegram can't deliver to our address."""
    if public_url.startswith("https://"):
        return []
    return [
        f"{'telegram' if name == 'main' else f'telegram.accounts.{name}'}.mode: a webhook needs an address that begins "
        "with https://; set PUBLIC_URL to it, or mode to polling"
        for name, bot in bots.items()
        if bot.mode == "webhook"
    ]
