"""Settings of the SMS channel: one account of Twilio with one number, or several. Knows no SDK."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bot import Env, Section, SettingsError

STOP = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
START = ("START", "UNSTOP", "YES")
HELP = ("HELP", "INFO")
"""Twilio's own words for opting out and in, and for help: it acts on them whatever we do."""

ANSWERS = frozenset({"YES"})
"""Words that mean START only to somebody who said STOP: to anybody else they are an answer."""

API = "https://api.twilio.com"


_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_SENDER = re.compile(
    "|".join(
        (
            r"(whatsapp:)?\+[1-9][0-9]{6,14}",
            r"[0-9]{3,8}",  # a short code
            r"MG[0-9a-fA-F]{32}",  # a messaging service
            r"[A-Za-z0-9 ]{0,10}[A-Za-z][A-Za-z0-9 ]{0,10}",  # a name, where countries allow it
        )
    )
)
_NAME = re.compile(r"[a-z0-9_-]{1,40}")


def _sid(value: str) -> str:
    if value and not _ACCOUNT.fullmatch(value):
        raise ValueError("should be AC and 32 hex digits; Twilio's console shows it as Account SID")
    return value


def _sender(value: str) -> str:
    if value and not _SENDER.fullmatch(value):
        raise ValueError("should be a number such as +14155550100, a short code, MG..., whatsapp:+... or a name")
    return value


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+[^\s?#]*", value):
        raise ValueError(f"should be a web address such as {API}")
    return value.rstrip("/")


def _words(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("".join(char for char in value.upper() if char.isalnum()) for value in values)


def _countries(values: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(value.strip().upper() for value in values)
    if wrong := [value for value in found if not re.fullmatch(r"[A-Z]{2}", value)]:
        raise ValueError(f"should be countries of two letters, such as [US, CA], and not {wrong[0][:20]}")
    return found


Sid = Annotated[str, AfterValidator(_sid)]
Sender = Annotated[str, AfterValidator(_sender)]
Url = Annotated[str, AfterValidator(_url)]
Words = Annotated[tuple[str, ...], AfterValidator(_words)]
Countries = Annotated[tuple[str, ...], AfterValidator(_countries)]


class SmsAccount(Section):
    """A number (or short code, messaging service, WhatsApp sender) of ours; what it does not say, the section does."""

    account_sid: Sid = ""
    auth_token: SecretStr = SecretStr("")
    sender: Sender = ""
    countries: Countries = ()
    rate: Annotated[float, Field(ge=0)] = 0


class SmsSettings(Section):
    """The channel is on when sid, token and sender are set, here or in an account of `accounts`.

    `countries` may write and be written to, as "US"; without it, the country of the sender. Caps are for one person's
    number in one process. `max_segments` is how much of an answer is sent before "reply MORE". `rate` is messages a
    second, 0 for what Twilio allows the kind of sender. `loop_messages` in `loop_seconds` from one number are taken for
    a machine. `prices` is the price of a segment by country, for previews. With `answers_stop` the bot confirms STOP
    and START itself: only where Twilio was told not to.
    """

    account_sid: Annotated[Sid, Env("TWILIO_ACCOUNT_SID")] = ""
    auth_token: Annotated[SecretStr, Env("TWILIO_AUTH_TOKEN")] = SecretStr("")
    sender: Annotated[Sender, Env("TWILIO_FROM")] = ""
    accounts: dict[str, SmsAccount] = Field(default={})
    api_url: Annotated[Url, Env("TWILIO_API_URL")] = API
    countries: Countries = ()
    rate: Annotated[float, Field(ge=0)] = 0
    max_segments: Annotated[int, Field(ge=1, le=10)] = 6
    keep_unicode: bool = False
    mms: bool = False
    inbound_per_hour: Annotated[int, Field(ge=1)] = 60
    inbound_per_day: Annotated[int, Field(ge=1)] = 300
    outbound_per_hour: Annotated[int, Field(ge=1)] = 120
    outbound_per_day: Annotated[int, Field(ge=1)] = 500
    loop_messages: Annotated[int, Field(ge=2, le=29)] = 20
    loop_seconds: Annotated[float, Field(gt=0)] = 30.0
    prices: dict[str, Annotated[float, Field(ge=0)]] = Field(default={})
    currency: str = "USD"
    stop_words: Words = STOP
    start_words: Words = START
    help_words: Words = HELP
    answers_stop: bool = False
    catch_up_every: Annotated[float, Field(ge=0, le=86_400)] = 300.0
    timeout: Annotated[float, Field(gt=0, le=60)] = 9.0

    @model_validator(mode="after")
    def _names(self) -> SmsSettings:
        if wrong := [name for name in self.accounts if not _NAME.fullmatch(name)]:
            raise ValueError(f"the account name {wrong[0][:40]!r} should be of a-z, 0-9, _ and -, at most 40 of them")
        taken = {"status", "main"} & self.accounts.keys()
        if taken:
            raise ValueError(f"an account can't be called {' or '.join(sorted(taken))}")
        return self


class Line(Section):
    """One account with everything that it needs, ready to be opened."""

    account: str
    account_sid: str
    auth_token: SecretStr
    sender: str
    countries: tuple[str, ...]
    rate: float
    public_url: str
    settings: SmsSettings

    @property
    def path(self) -> str:
        """Where Twilio is to deliver, below our public address."""
        return "/channels/sms" if self.account == "main" else f"/channels/sms/{self.account}"


def lines(settings: SmsSettings, public_url: str) -> list[Line]:
    """Every account that is on. Raises SettingsError for one that lacks something."""
    own = SmsAccount(
        account_sid=settings.account_sid,
        auth_token=settings.auth_token,
        sender=settings.sender,
        countries=settings.countries,
        rate=settings.rate,
    )
    named = dict(settings.accounts)
    if own.sender or (not named and (own.account_sid or own.auth_token.get_secret_value())):
        named = {"main": own, **named}
    found, problems = [], []
    for name, account in named.items():
        line = Line(
            account=name,
            account_sid=account.account_sid or own.account_sid,
            auth_token=account.auth_token if account.auth_token.get_secret_value() else own.auth_token,
            sender=account.sender,
            countries=account.countries or own.countries,
            rate=account.rate or own.rate,
            public_url=public_url.rstrip("/"),
            settings=settings,
        )
        problems += _missing(line)
        found.append(line)
    if found and settings.api_url == API and _local(public_url):
        problems.append(
            "sms: PUBLIC_URL is missing; set it to the address that Twilio reaches the bot at: it delivers there, and "
            "signs by it"
        )
    if problems:
        raise SettingsError(problems)
    return found


def _local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.") or "." not in host


def _missing(line: Line) -> list[str]:
    place = "sms" if line.account == "main" else f"sms.accounts.{line.account}"
    names = {
        "account_sid": (line.account_sid, "TWILIO_ACCOUNT_SID"),
        "auth_token": (line.auth_token.get_secret_value(), "TWILIO_AUTH_TOKEN"),
        "sender": (line.sender, "TWILIO_FROM"),
    }
    problems = [
        f"{place}.{key}: is missing; set it in the file, or as {variable}"
        for key, (value, variable) in names.items()
        if not value
    ]
    if line.sender and "+" not in line.sender and not line.countries:
        problems.append(f"{place}.countries: is missing; this kind of sender has no country. Write countries: [US]")
    return problems


Kind = Literal["service", "whatsapp", "short_code", "toll_free", "long_code", "name"]

RATES: dict[str, float] = {
    "service": 20.0,
    "whatsapp": 80.0,
    "short_code": 100.0,
    "toll_free": 3.0,
    "long_code": 1.0,
    "name": 10.0,
}
"""Messages a second that Twilio takes from each kind of sender; what exceeds it waits in Twilio's queue for hours."""
