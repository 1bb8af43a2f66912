"""Units of work on sign-in links and sessions. Only digests are stored; knows no tickets."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import Connection, and_, select

from bot import Agent, Value
from handoff.console.tables import agents, links, sessions


def digest(secret: str) -> str:
    """What is stored of a secret: who reads the database can sign in as nobody."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def add_link(connection: Connection, secret: str, name: str, expires: float, now: float) -> None:
    """Keep a sign-in link, and forget those that have expired."""
    connection.execute(links.delete().where(links.c.expires < now))
    connection.execute(links.insert().values(digest=digest(secret), name=name, expires=expires))


def find_link(connection: Connection, secret: str, now: float) -> str | None:
    """The name that a link was made for ("" for anybody); None when it was used or has expired."""
    where = and_(links.c.digest == digest(secret), links.c.expires >= now)
    return connection.execute(select(links.c.name).where(where)).scalar_one_or_none()


class NewSession(Value, frozen=True):
    """A session to begin; `agent` is who it is when the name is new."""

    secret: str
    agent: Agent
    expires: float


def sign_in(connection: Connection, link: str, session: NewSession, now: float) -> Agent | None:
    """Use up a link and start a session; None when the link was used or has expired.

    A known name is the agent who has it.
    """
    bound = find_link(connection, link, now)
    if connection.execute(links.delete().where(links.c.digest == digest(link))).rowcount != 1 or bound is None:
        return None
    agent = session.agent
    name = bound or agent.name
    folded = name.casefold()[:80]
    known = connection.execute(select(agents).where(agents.c.folded == folded)).first()
    if known is None:
        connection.execute(agents.insert().values(id=agent.id, name=name, folded=folded, created=now))
    who = Agent(id=known.id, name=known.name) if known is not None else Agent(id=agent.id, name=name)
    connection.execute(sessions.delete().where(sessions.c.expires < now))
    connection.execute(sessions.insert().values(digest=digest(session.secret), agent=who.id, expires=session.expires))
    return who


def signed_in(connection: Connection, session: str, now: float) -> Agent | None:
    """Who a session belongs to."""
    row = connection.execute(
        select(agents.c.id, agents.c.name)
        .join(sessions, sessions.c.agent == agents.c.id)
        .where(sessions.c.digest == digest(session), sessions.c.expires >= now)
    ).first()
    return Agent(id=row.id, name=row.name) if row is not None else None


def sign_out(connection: Connection, session: str) -> None:
    """End a session."""
    connection.execute(sessions.delete().where(sessions.c.digest == digest(session)))
