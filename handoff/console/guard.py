"""Who may do what: every request of the console passes here before anything else happens. Knows no tickets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel

from bot import Agent, FrontdeskError
from handoff.console import access
from handoff.console.means import Means
from handoff.console.web import COOKIE, Handler, Refusal, answer, read_json, same_origin

M = TypeVar("M", bound=BaseModel)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a signed-in agent."""

    agent: Agent
    session: str
    request: web.Request

    @property
    def ticket(self) -> int:
        """The number of the ticket in the address."""
        return int(self.request.match_info["ticket"])


class Guard:
    """Wraps handlers, so that each gets a signed-in agent and a checked body or is never called."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def get(self, handler: Callable[[Visit], Awaitable[object]]) -> Handler:
        """A handler that reads: needs a session."""

        async def inside(request: web.Request) -> web.StreamResponse:
            return _response(await handler(await self.visit(request)))

        return self.careful(inside)

    def post(self, handler: Callable[[Visit, M], Awaitable[object]], model: type[M]) -> Handler:
        """A handler that writes: needs our own origin, a session, and a JSON body that fits `model`."""

        async def inside(request: web.Request) -> web.StreamResponse:
            self.check_origin(request)
            visit = await self.visit(request)
            return _response(await handler(visit, await read_json(request, model)))

        return self.careful(inside)

    def careful(self, handler: Handler) -> Handler:
        """The handler, with refusals and failures answered as JSON."""

        async def outside(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refusal as refusal:
                return answer(refusal.body, refusal.status)
            except FrontdeskError as problem:
                log.warning("console_busy", path=request.path, error=str(problem))
                return answer({"error": "busy", "message": "Frontdesk can't reach its data. Try again."}, 503)

        return outside

    def check_origin(self, request: web.Request) -> None:
        """Refuse what does not come from our own page."""
        if not same_origin(request, self._means.settings):
            raise Refusal(403, "wrong_origin", "This request does not come from the console's own page.")

    async def visit(self, request: web.Request) -> Visit:
        """Who is asking; refuses whoever is not signed in."""
        session = request.cookies.get(COOKIE, "")[:200]
        now = self._means.now()
        agent = await self._means.read(lambda c: access.signed_in(c, session, now)) if session else None
        if agent is None:
            raise Refusal(401, "signed_out", "Sign in with a link from whoever runs Frontdesk.")
        return Visit(agent=agent, session=session, request=request)


def _response(value: object) -> web.StreamResponse:
    return value if isinstance(value, web.StreamResponse) else answer(value)
