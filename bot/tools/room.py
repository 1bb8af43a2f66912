"""All about tools, composed: the registry, its log, tokens, jobs, webhooks, the endpoints. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from aiohttp import web

from bot.clock import Clock, Entropy
from bot.delivery.pacing import Buckets
from bot.errors import FrontdeskError
from bot.llm.toolbox import BoundTool
from bot.ports.llm import Payer
from bot.ports.tools import Caller
from bot.services import Services
from bot.store.database import Database
from bot.store.own_tables import OwnTables
from bot.tools.answers import Reply, answered, failed
from bot.tools.catalogue import HOUSE
from bot.tools.http import Means, ToolRoutes
from bot.tools.inputs import Call
from bot.tools.jobs import Jobs
from bot.tools.published import published
from bot.tools.records import Job
from bot.tools.registry import Registry
from bot.tools.report import as_json, table
from bot.tools.settings import ToolSettings
from bot.tools.tables import metadata
from bot.tools.tokens import Tokens
from bot.tools.usage import UsageLog, UsageQuery
from bot.tools.webhooks import AT_ONCE, Courier
from bot.web.fetching import Fetcher

Ask = Callable[[str], Awaitable[str]]

LOOKS = frozenset({"tool-usage", "tool-tokens"})
"""Commands that only look, so that no bot need run."""


class UsageCommand(UsageQuery, frozen=True):
    """What the command line wants to see of the log; `hours` back from now, 0 for all of it."""

    hours: float = 0.0
    json: bool = False


class ToolRoom:
    """What the app starts and stops."""

    def __init__(
        self,
        database: Database,
        services: Services,
        buckets: Buckets,
        settings: ToolSettings,
        *,
        clock: Clock,
        entropy: Entropy,
        url: Callable[[], str],
    ) -> None:
        self._settings, self._clock = settings, clock
        tables = OwnTables(database, metadata)
        self.usage = UsageLog(tables)
        self.registry = Registry(HOUSE, services, self.usage, settings, clock)
        self.tokens = Tokens(tables, clock, entropy)
        self._posting = Fetcher(trusted=settings.trusted)
        courier = Courier(tables, self._posting, self.tokens.webhook_secret, clock)
        self.jobs = Jobs(
            tables,
            self._work,
            courier.send_next,
            self._sweep,
            clock,
            lease=settings.lease,
            keep=settings.keep_results,
            workers=settings.together,
            senders=AT_ONCE,
        )
        means = Means(
            registry=self.registry,
            jobs=self.jobs,
            tokens=self.tokens,
            tables=tables,
            buckets=buckets,
            settings=settings,
            clock=clock,
            entropy=entropy,
        )
        self._routes = ToolRoutes(means, url)

    def routes(self) -> Sequence[web.RouteDef]:
        """The endpoints."""
        return self._routes.routes()

    def publish(self, tools: Mapping[str, Mapping[str, BoundTool]]) -> None:
        """Offer those of the skills' tools that are published, by skill and name; what was there before goes."""
        found = [(skill, bound) for skill, its in tools.items() for bound in its.values()]
        self.registry.publish(published(skill, bound) for skill, bound in found if bound.tool.published)

    def start(self) -> None:
        """Begin with the jobs that wait."""
        self.jobs.start()

    async def stop(self) -> None:
        """Give back what is not done, and hang up."""
        await self.jobs.stop()
        await self.registry.close()
        await self.usage.settle()
        await self._posting.close()

    def commands(self) -> Mapping[str, Ask]:
        """What the command line may ask, by name; of a bot that does not run only those in LOOKS."""
        return {
            "tool-token": self._token,
            "tool-tokens": self._tokens,
            "tool-revoke": self._revoke,
            "tool-usage": self._usage,
        }

    async def _token(self, name: str) -> str:
        token = await self.tokens.make(name)
        holder = await self.tokens.holder(token)
        secret = await self.tokens.webhook_secret(holder.owner) if holder else ""
        return f"token           {token}\nwebhook secret  {secret}\nThe token is not shown again."

    async def _tokens(self, _: str) -> str:
        return "\n".join(await self.tokens.names()) or "Nobody has a token. Make one: python run.py tools token NAME"

    async def _revoke(self, name: str) -> str:
        if not await self.tokens.revoke(name):
            raise FrontdeskError("Nobody of this name has a token. See: python run.py tools tokens")
        return "It is taken back: the next call with it is refused."

    async def _usage(self, argument: str) -> str:
        wanted = msgspec.json.decode(argument, type=UsageCommand)
        since = self._clock.now() - wanted.hours * 3600 if wanted.hours else 0.0
        lines = await self.usage.read(msgspec.structs.replace(wanted, since=since))
        return as_json(lines) if wanted.json else table(lines)

    async def _work(self, job: Job) -> Reply:
        try:
            call = Call.model_validate_json(job.request)
            caller = Caller(name=job.caller, payer=Payer(skill=f"tools.{job.tool_name}"))
            return answered(
                await self.registry.execute(call.tool_name, call.arguments, engine=call.engine, caller=caller)
            )
        except Exception as problem:
            return failed(problem)

    async def _sweep(self) -> None:
        await self.usage.forget(self._clock.now() - self._settings.keep_usage)
