"""Which token speaks to which workspace, who the bot is there, and how tokens are sealed. Knows no messages.

AES-GCM with a key from the operator's secret; the name that a token is kept under is bound into it, so that nobody can
move one workspace's token to another.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from msgspec.structs import replace

from bot import Clock, Gateway, NotSent, Rejected, StartError, Value
from channels.slack.calls import Calls, Refusal
from channels.slack.rotation import Pair, Rotation
from channels.slack.settings import SlackAccount
from channels.slack.words import text_of

FRESH = 60.0
"""Seconds for which a token is taken from memory: another process may have heard that it was revoked."""

_DEAD = frozenset(
    {"token_revoked", "invalid_auth", "account_inactive", "token_expired", "not_authed", "org_login_required"}
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A token, which may be one that `expires`, and the bot's own user id there (empty while nobody knows it)."""

    token: str
    own: str = ""
    expires: bool = False


class Workspaces(Protocol):
    """Where tokens come from."""

    async def find(self, team: str) -> Workspace:
        """The workspace. Raises Rejected where we are not installed."""

    def own(self, team: str) -> str:
        """The bot's user id, as far as it is known here and now."""

    def home(self, team: str) -> str:
        """The workspace itself, where an installation is for one; empty for an organisation's, or while unknown."""

    def always(self) -> frozenset[str]:
        """Those that are there without having been heard of."""

    async def forget(self, team: str, at: float) -> None:
        """The workspace took its tokens back. Raises StoreUnavailable."""

    def doubt(self, team: str, problem: Rejected) -> bool:
        """A call was refused: whether because of a token in whose place there soon is another one."""


class OneWorkspace:
    """A token from the settings, for whatever workspace it belongs to."""

    def __init__(self, token: str, calls: Calls) -> None:
        self._token, self._calls, self._own, self._team = token, calls, "", ""

    async def find(self, team: str) -> Workspace:
        """Always the same."""
        return Workspace(self._token, self._own)

    def own(self, team: str) -> str:
        """As `meet` found it out."""
        return self._own

    async def meet(self) -> None:
        """Ask Slack who we are. Raises SendError."""
        told = await self._calls.post("auth.test", self._token, {})
        self._own, self._team = text_of(told.get("user_id")), text_of(told.get("team_id"))

    def home(self, team: str) -> str:
        """As `meet` found it out."""
        return self._team if self._team.startswith("T") else ""

    def always(self) -> frozenset[str]:
        """The one."""
        return frozenset({""})

    async def forget(self, team: str, at: float) -> None:
        """There is nothing to forget: the operator has to put another token in."""
        log.error("slack_token_revoked", say="put a new bot_token into the settings and start again")

    def doubt(self, team: str, problem: Rejected) -> bool:
        """Say so: only the operator can help."""
        if isinstance(problem, Refusal) and problem.code in _DEAD:
            log.error("slack_token_refused", why=problem.code)
        return False


class Installed(Value, frozen=True):
    """What is kept of an installation; `token` and `refresh` are sealed.

    A token that expires has a `refresh` token and `ends` at a moment of the wall clock.
    """

    token: str
    own: str
    at: float
    scopes: str = ""
    refresh: str = ""
    ends: float = 0.0


@dataclass(frozen=True, slots=True)
class Granted:
    """What an installation gives. A token that expires comes with a `refresh` token, and `ends` some time."""

    token: str
    own: str
    scopes: str
    refresh: str = ""
    ends: float = 0.0


class ManyWorkspaces:
    """Tokens of all workspaces and organisations that installed us, sealed, in the gateway's notes."""

    def __init__(
        self, account: str, settings: SlackAccount, gateway: Gateway, calls: Calls, vault: Vault, clock: Clock
    ) -> None:
        self._account, self._gateway, self.vault, self._clock = account, gateway, vault, clock
        self._known: dict[str, tuple[float, Workspace]] = {}
        self._rotation = Rotation(account, settings, gateway, calls, clock, self)

    async def find(self, team: str) -> Workspace:
        """From memory, or from the notes; a token that is about to end is exchanged behind its back."""
        until, known = self._known.get(team, (0.0, None))
        if known is not None and self._clock.steady() < until:
            return known
        kept, pair = await self._open(team)
        if pair is not None and self._rotation.over(team, pair):
            await self._rotation.wait(team)
            kept, pair = await self._open(team)
            if pair is not None and self._rotation.over(team, pair):
                raise NotSent("the workspace's token is over, and Slack gives no new one")
        elif pair is not None and self._rotation.due(team, pair):
            self._rotation.begin(team)
        token = pair.token if pair is not None else self._unsealed(team, kept.token)
        found = Workspace(token, kept.own, expires=pair is not None)
        if len(self._known) >= 10_000:
            self._known.clear()
        self._known[team] = (self._clock.steady() + FRESH, found)
        return found

    def own(self, team: str) -> str:
        """As it was when it was last looked up."""
        _, known = self._known.get(team, (0.0, None))
        return known.own if known is not None else ""

    def home(self, team: str) -> str:
        """Ids of organisations begin with another letter."""
        return team if team.startswith("T") else ""

    def always(self) -> frozenset[str]:
        """Whoever installed us and never said a word has nothing to be read."""
        return frozenset()

    async def keep(self, team: str, given: Granted) -> None:
        """A workspace or an organisation installed us. Raises StoreUnavailable."""
        kept = Installed(token="", own=given.own, at=self._clock.now(), scopes=given.scopes)
        await self._write(team, kept, Pair(token=given.token, refresh=given.refresh, ends=given.ends))
        log.info("slack_installed", account=self._account, team=team)

    async def forget(self, team: str, at: float) -> None:
        """Strike the token out, unless it was given after that: news of a removal may come late."""
        kept = await self._kept(team)
        if kept is not None and kept.at <= at + 1:
            await self._gateway.write_note(self._key(team), None)
            log.info("slack_uninstalled", account=self._account, team=team)
        self._known.pop(team, None)

    def doubt(self, team: str, problem: Rejected) -> bool:
        """Look it up again next time; one that expired is exchanged then, whatever our clock says."""
        if not isinstance(problem, Refusal) or problem.code not in _DEAD:
            return False
        _, known = self._known.pop(team, (0.0, None))
        if problem.code != "token_expired" or known is None or not known.expires:
            return False
        self._rotation.expired(team, known.token)
        return True

    async def stop(self) -> None:
        """Exchange nothing more."""
        await self._rotation.stop()

    async def _kept(self, team: str) -> Installed | None:
        text = await self._gateway.note(self._key(team)) if team else None
        return msgspec.json.decode(text, type=Installed) if text is not None else None

    async def _open(self, team: str) -> tuple[Installed, Pair | None]:
        """What is kept, and the tokens if they expire. Raises Rejected."""
        kept = await self._kept(team)
        if kept is None:
            self._known.pop(team, None)
            raise Rejected("the app is not installed in that workspace")
        return kept, self._unsealed_pair(team, kept)

    async def pair(self, team: str) -> Pair | None:
        """Its tokens, if they expire."""
        kept = await self._kept(team)
        return self._unsealed_pair(team, kept) if kept is not None else None

    def _unsealed_pair(self, team: str, kept: Installed) -> Pair | None:
        if not kept.refresh:
            return None
        token, refresh = self._unsealed(team, kept.token), self._unsealed(team, kept.refresh)
        return Pair(token=token, refresh=refresh, ends=kept.ends)

    def _unsealed(self, team: str, sealed: str) -> str:
        try:
            return self.vault.open(self._key(team), sealed)
        except ValueError as problem:
            log.error("slack_token_unreadable", team=team, why=str(problem))
            raise Rejected("the token of that workspace can't be read: its key is another one") from problem

    async def exchange(self, team: str, old: Pair, new: Pair) -> None:
        """Keep new tokens in the place of old ones. Raises StoreUnavailable."""
        kept = await self._kept(team)
        if kept is not None and self._unsealed_pair(team, kept) == old:
            await self._write(team, kept, new)

    async def _write(self, team: str, kept: Installed, pair: Pair) -> None:
        key = self._key(team)
        refresh = self.vault.seal(key, pair.refresh) if pair.refresh else ""
        kept = replace(kept, token=self.vault.seal(key, pair.token), refresh=refresh, ends=pair.ends)
        await self._gateway.write_note(key, msgspec.json.encode(kept).decode())
        self._known.pop(team, None)

    def _key(self, team: str) -> str:
        return f"slack.{self._account}.team.{team}"


def key_of(secret: str) -> bytes:
    """The key that belongs to an operator's secret: 16 characters or more, best made at random."""
    return hashlib.scrypt(secret.encode(), salt=b"frontdesk slack tokens", n=2**14, r=8, p=1, dklen=32)


def key_in(folder: Path) -> bytes:
    """The key of this home folder; made on first use, for its owner only. Raises StartError."""
    path = folder / "token.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
            if len(key) == 32:
                return key
            problem = f"{path} is no key: restore it, or delete it and let every workspace install anew"
            raise StartError(problem) from None
        key = secrets.token_bytes(32)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StartError(f"the key for Slack tokens can't be kept in {path}: {error.strerror}") from error
    return key


class Vault:
    """Seals and opens texts with one key."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only installs need it

        self._cipher = AESGCM(key)

    def seal(self, name: str, text: str) -> str:
        """`text`, to be kept under `name`."""
        nonce = secrets.token_bytes(12)
        sealed = self._cipher.encrypt(nonce, text.encode(), name.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, name: str, sealed: str) -> str:
        """What was kept under `name`. Raises ValueError when it was not, or not with this key."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

        try:
            raw = base64.urlsafe_b64decode(sealed.encode())
            return self._cipher.decrypt(raw[:12], raw[12:], name.encode()).decode()
        except (InvalidTag, ValueError):
            raise ValueError("it was sealed with another key, or under another name") from None
