"""Who may call tools over HTTP: tokens, each with a name and a secret that its webhooks are signed with.

A token is shown once, when it is made. The secret of its webhooks is derived from a root that only the store has.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from sqlalchemy import Connection, delete, insert, select

from bot.clock import Clock, Entropy
from bot.errors import FrontdeskError
from bot.messages import Value
from bot.store.notes import agree_on, read_note
from bot.store.own_tables import OwnTables
from bot.tools.tables import tokens

ROOT = "tools.webhooks"
PREFIX = "fd_"
LONGEST_NAME = 60


class Holder(Value, frozen=True):
    """Who holds a token."""

    name: str
    owner: str


class Tokens:
    """Makes tokens, knows them, and takes them back."""

    def __init__(self, tables: OwnTables, clock: Clock, entropy: Entropy) -> None:
        self._tables, self._clock, self._entropy = tables, clock, entropy

    async def make(self, name: str) -> str:
        """A token for a new name. Raises FrontdeskError."""
        name = " ".join(name.split())
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise FrontdeskError(f"A token needs a name of at most {LONGEST_NAME} characters: who will use it?")
        token = f"{PREFIX}{self._entropy.token()}{self._entropy.token()}"
        values = {"digest": digest(token), "name": name, "created_at": self._clock.now()}
        database = await self._tables.make()
        if not await database.write(lambda c: _add(c, values)):
            raise FrontdeskError(f"There is a token for {name} already. Take it back first: tools revoke NAME")
        return token

    async def holder(self, token: str) -> Holder | None:
        """Who holds it; None for one that is none, or was taken back."""
        if not token.startswith(PREFIX) or len(token) > 200 or not await self._tables.there():
            return None
        owner = digest(token)
        name = await self._tables.database.read(
            lambda c: c.execute(select(tokens.c.name).where(tokens.c.digest == owner)).scalar_one_or_none()
        )
        return None if name is None else Holder(name=name, owner=owner)

    async def names(self) -> list[str]:
        """Who has one."""
        if not await self._tables.there():
            return []
        return await self._tables.database.read(
            lambda c: list(c.execute(select(tokens.c.name).order_by(tokens.c.name)).scalars())
        )

    async def revoke(self, name: str) -> bool:
        """Take a token back; whether there was one."""
        if not await self._tables.there():
            return False
        name = " ".join(name.split())
        return await self._tables.database.write(
            lambda c: c.execute(delete(tokens).where(tokens.c.name == name)).rowcount == 1
        )

    async def webhook_secret(self, owner: str) -> str:
        """What the webhooks of a token are signed with, in the form that Standard Webhooks gives to secrets."""
        root = await read_note(self._tables.database, ROOT)
        if root is None:
            root = await agree_on(self._tables.database, ROOT, self._entropy.token() + self._entropy.token())
        secret = hmac.new(bytes.fromhex(root), owner.encode(), hashlib.sha256).digest()
        return f"whsec_{base64.b64encode(secret).decode()}"


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _add(connection: Connection, values: dict[str, object]) -> bool:
    if connection.execute(select(tokens.c.name).where(tokens.c.name == values["name"])).first() is not None:
        return False
    connection.execute(insert(tokens).values(**values))
    return True
