"""The sections that the core itself has, and what a plugin's section is made of. Knows no source of settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


class Section(BaseModel):
    """One section of the settings: frozen, and a key that it does not have is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Env:
    """Marks a field that is also set by the environment variable `name`."""

    name: str


def _web(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^/\s]+\S*", value):
        raise ValueError("should be a web address such as https://bot.example.com")
    return value


def _prefix(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{0,40}", value):
        raise ValueError("should be of a-z, 0-9, _ and -, at most 40 of them")
    return value


def _expanded(path: Path) -> Path:
    return path.expanduser()


class ServerSettings(Section):
    """Where the bot listens and keeps its files. The host 127.0.0.1 means this machine only; 0.0.0.0 means everyone."""

    host: str = "127.0.0.1"
    port: Annotated[int, Env("PORT"), Field(ge=0, le=65535)] = 8080
    public_url: Annotated[str, Env("PUBLIC_URL"), AfterValidator(_web)] = ""
    home: Annotated[Path, Env("FRONTDESK_HOME"), AfterValidator(_expanded)] = Path("var")
    max_body: Annotated[int, Field(ge=1024)] = 2 * 1024 * 1024

    @property
    def url(self) -> str:
        """The address that people reach us at, without a slash at its end."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 - compared, not bound
        return self.public_url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


class StoreSettings(Section):
    """Where the truth is kept; without an address it is a SQLite file in the home folder.

    `lease` is after how many seconds without a sign of life a process's conversations go to another one. Bots with the
    same `redis_prefix` on one Redis are one bot; without it, those with the same host, port and name of the database.
    """

    database_url: Annotated[SecretStr | None, Env("DATABASE_URL")] = None
    redis_url: Annotated[SecretStr | None, Env("REDIS_URL")] = None
    lease: Annotated[float, Field(ge=0.5, le=300)] = 10.0
    redis_prefix: Annotated[str, AfterValidator(_prefix)] = ""


Days = Annotated[int, Field(ge=1, le=36_500)] | Literal[0]
LongDays = Annotated[int, Field(ge=7, le=36_500)] | Literal[0]
"""Platforms deliver an event again for a day at most, and ids of events go with what they are kept in."""


class KeepSettings(Section):
    """For how many days things are kept; 0 is for ever. Notes that channels made for a while go by themselves.

    `transcripts` is what people and the bot said, with dead letters and closed cases; for ever, unless somebody decides
    otherwise. `traces` is what `explain` tells; `events` are the ids by which an event from a desk happens once;
    `letters` is what no channel could read.
    """

    transcripts: LongDays = 0
    traces: Days = 90
    events: LongDays = 30
    letters: Days = 365


class PluginSettings(Section):
    """Folders (beside `plugins/` in the home folder) whose files are plugins, and plugins that are left out."""

    folders: Annotated[tuple[Path, ...], Env("FRONTDESK_PLUGINS")] = ()
    disabled: tuple[str, ...] = ()


class HandoffSettings(Section):
    """What happens around human agents: `patience` is how many seconds somebody waits before they are told so."""

    patience: Annotated[float, Field(gt=0)] = 180.0


class LlmSettings(Section):
    """Language models: `providers` is the file that says which; the program brings `config/providers.yaml`."""

    providers: Path | None = None


class LogSettings(Section):
    """How much is logged, and in which form: "auto" is text on a terminal and JSON elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"
