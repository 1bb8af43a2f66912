"""Tokens that expire, kept fresh: an access token lives for twelve hours, and its refresh token is good once.

One process at a time asks Slack for a new pair, well before the old one ends, and writes it down at once. A process
that dies in the moment between leaves a refresh token that Slack may know no more: the access token is used until its
end, and if Slack gives no other one by then, the app has to be installed there anew. Knows no messages.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from bot import Clock, Gateway, NotSent, SendError, StoreUnavailable, Value
from channels.slack.calls import Calls, Refusal
from channels.slack.settings import SlackAccount
from channels.slack.words import text_of

AHEAD = 2 * 3600.0
"""Seconds before its end in which a token is exchanged: as many as Slack's own libraries take."""

LAST = 60.0
"""Seconds before its end from which on a token is not used any more."""

PATIENCE = 10.0
"""Seconds that somebody waits for a token, where the old one is over."""

AGAIN = 60.0
"""Seconds after a refusal before Slack is asked again."""

log = structlog.get_logger(__name__)


class Pair(Value, frozen=True):
    """An access token, what it is exchanged with, and when it ends on the wall clock."""

    token: str
    refresh: str
    ends: float


class Pairs(Protocol):
    """Where the pairs are kept."""

    async def pair(self, team: str) -> Pair | None:
        """Of a workspace; None where the app is not installed any more, or its token does not expire."""

    async def exchange(self, team: str, old: Pair, new: Pair) -> None:
        """Put one in the place of the other, unless a third is there by now. Raises StoreUnavailable."""


class Rotation:
    """Exchanges the tokens of one account."""

    def __init__(
        self, account: str, settings: SlackAccount, gateway: Gateway, calls: Calls, clock: Clock, pairs: Pairs
    ) -> None:
        self._account, self._settings, self._gateway = account, settings, gateway
        self._calls, self._clock, self._pairs = calls, clock, pairs
        self._running: dict[str, asyncio.Task[None]] = {}
        self._exchanges: set[asyncio.Task[None]] = set()
        self._refused: dict[str, float] = {}
        self._expired: dict[str, str] = {}

    def due(self, team: str, pair: Pair) -> bool:
        """Whether it is time to exchange a pair."""
        return self._clock.now() > pair.ends - AHEAD or self._expired.get(team) == pair.token

    def over(self, team: str, pair: Pair) -> bool:
        """Whether its token is not to be used any more."""
        return self._clock.now() > pair.ends - LAST or self._expired.get(team) == pair.token

    def expired(self, team: str, token: str) -> None:
        """Slack says that a token is over, whatever our clock does."""
        self._expired[team] = token

    def begin(self, team: str) -> asyncio.Task[None]:
        """Exchange the pair of a workspace, unless that is being done, or was refused a moment ago."""
        running = self._running.get(team)
        if running is None or running.done():
            running = self._gateway.alone(f"slack.{self._account}.refresh.{team}", lambda: self._refresh(team))
            self._running[team] = running
            running.add_done_callback(lambda task: self._ended(team, task))
        return running

    async def wait(self, team: str) -> None:
        """Exchange it now. Raises NotSent where that takes too long."""
        done, _ = await asyncio.wait({self.begin(team)}, timeout=PATIENCE)
        if not done:
            raise NotSent("the workspace's token is over, and there is no new one yet")

    async def stop(self) -> None:
        """Begin nothing more; an exchange that has begun is brought to its end."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._exchanges:
            await asyncio.wait(set(self._exchanges), timeout=PATIENCE)

    def _ended(self, team: str, task: asyncio.Task[None]) -> None:
        if self._running.get(team) is task:
            del self._running[team]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("slack_refresh_broke", team=team, exc_info=error)

    async def _refresh(self, team: str) -> None:
        pair = await self._pairs.pair(team)
        if pair is None or not self.due(team, pair) or self._clock.steady() < self._refused.get(team, 0.0):
            return
        # Once Slack was asked, the old refresh token may be worth nothing: what it answers is kept, come what may.
        exchange = asyncio.create_task(self._exchange(team, pair), name="slack token")
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._exchanges.discard)
        await asyncio.shield(exchange)

    async def _exchange(self, team: str, pair: Pair) -> None:
        try:
            fresh = await self._asked(pair)
        except Refusal as refusal:
            self._refused[team] = self._clock.steady() + AGAIN
            if await self._pairs.pair(team) == pair:
                log.error("slack_token_not_refreshed", team=team, why=refusal.code, say="install the app there anew")
            return
        except SendError as problem:
            self._refused[team] = self._clock.steady() + 1.0
            log.warning("slack_token_not_refreshed", team=team, why=str(problem))
            return
        for attempt in range(6):
            try:
                await self._pairs.exchange(team, pair, fresh)
            except StoreUnavailable:
                await self._clock.sleep(0.2 * 2.0**attempt)
            else:
                log.info("slack_token_refreshed", account=self._account, team=team)
                return
        log.error("slack_token_lost", team=team, say="the store took no new token; install the app there anew")

    async def _asked(self, pair: Pair) -> Pair:
        secret = self._settings.client_secret
        assert secret is not None  # noqa: S101 - the settings' own rule
        answer = await self._calls.exchange(self._settings.client_id, secret.get_secret_value(), pair.refresh)
        token, refresh = text_of(answer.get("access_token")), text_of(answer.get("refresh_token"))
        lasts = answer.get("expires_in")
        if not (token and refresh and isinstance(lasts, int)):
            raise NotSent("Slack's answer has no new tokens in it")
        return Pair(token=token, refresh=refresh, ends=self._clock.now() + lasts)
