"""What was said while the bot was away for longer than Slack repeats: read from history, as the events would have come.

Remembers which chats and threads there are and the last time stamp in each, and writes that down now and then. People
who wrote for the first time meanwhile, and channels that called for the first time, are in Slack's list of where the
bot is. Edits, deletions and reactions of that time stay unknown: history does not tell when they were made.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

import msgspec
import structlog

from bot import Clock, Gateway, RateLimited, Rejected, SendError, StoreUnavailable, Value
from channels.slack.calls import Calls
from channels.slack.words import text_of
from channels.slack.workspaces import Workspaces

Take = Callable[[Mapping[str, object]], Awaitable[object]]
"""Receives a payload as if Slack had delivered it. Raises StoreUnavailable."""

EVERY, ALIVE = 5.0, 60.0
"""Seconds between two notes of what was seen, and of being there at all."""

MOST = 500
"""Chats and threads that are remembered: those where something was said last."""

LONGEST = 86_400.0
"""Seconds that are read back at most."""

_PAGES, _PER_PAGE, _TRIES = 10, 100, 5
_KINDS = ("im", "mpim", "private_channel", "public_channel")  # each takes a scope of its own
_MARGIN = 60.0  # seconds: the note of being there is as old at most

log = structlog.get_logger(__name__)


class _Seen(Value, frozen=True):
    """What is written down: when the bot was there last, and the last time stamp of every place."""

    alive: float
    places: dict[str, str] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """A chat of a workspace, or a thread in it."""

    team: str
    chat: str
    thread: str = ""

    @property
    def key(self) -> str:
        """As it is written down."""
        return f"{self.team}|{self.chat}|{self.thread}"


class CatchUp:
    """Keeps the ledger of one account, and reads history by it."""

    def __init__(self, account: str, gateway: Gateway, calls: Calls, workspaces: Workspaces, clock: Clock) -> None:
        self._note = f"slack.{account}.seen"
        self._gateway, self._calls, self._workspaces, self._clock = gateway, calls, workspaces, clock
        self._places: OrderedDict[str, str] = OrderedDict()
        self._changed = False
        self._written = 0.0
        self._settled = asyncio.Event()

    def settle(self) -> None:
        """What was missed has been read (or need not be): from now on the ledger may say that we are there."""
        self._settled.set()

    def saw(self, place: Place, ts: str) -> None:
        """Something was said and stored."""
        if float(self._places.get(place.key, "0")) < float(ts):
            self._places[place.key] = ts
            self._changed = True
        self._places.move_to_end(place.key)
        if len(self._places) > MOST:
            self._places.popitem(last=False)

    async def keep(self, present: Callable[[], bool]) -> None:
        """Write down what was seen, for as long as it runs; nothing while we are not `present`."""
        await self._settled.wait()
        while True:
            await self._clock.sleep(EVERY)
            due = self._clock.now() - self._written >= ALIVE
            if present() and (self._changed or due):
                await self.write()

    async def write(self) -> None:
        """Write it down now, with what other processes saw. A failure is no matter: more is read next time.

        Nothing before it is settled: it would say that we were there all the time.
        """
        if not self._settled.is_set():
            return
        self._changed = False
        try:
            theirs = await self._read()
            places = dict(self._places)
            for key, ts in theirs.places.items():
                if key not in places or float(places[key]) < float(ts):
                    places[key] = ts
            newest = sorted(places.items(), key=lambda entry: float(entry[1]))[-MOST:]
            self._written = self._clock.now()
            seen = _Seen(alive=self._written, places=dict(newest))
            await self._gateway.write_note(self._note, msgspec.json.encode(seen).decode())
        except (StoreUnavailable, ValueError) as problem:
            self._changed = True
            log.info("slack_seen_not_noted", why=type(problem).__name__)

    async def run(self, after: float, take: Take) -> int:
        """Read what was missed, if the bot was away for more than `after` seconds; how many messages there were."""
        try:
            seen = await self._read()
        except ValueError:
            return 0
        away = self._clock.now() - seen.alive
        if not seen.alive or away <= after:
            return 0
        log.info("slack_catching_up", away=round(away), places=len(seen.places))
        known = [(Place(*key.split("|", 2)), float(ts)) for key, ts in seen.places.items()]
        count = await self._read_all(known, take)
        unheard = await self._unheard_of({place for place, _ in known})
        count += await self._read_all([(place, seen.alive - _MARGIN) for place in unheard], take)
        self.settle()
        await self.write()
        log.info("slack_caught_up", messages=count)
        return count

    async def _read_all(self, wanted: list[tuple[Place, float]], take: Take) -> int:
        """Read places from some time on, and what began there; how many messages there were."""
        count, places = 0, deque(wanted)
        while places:
            place, ts = places.popleft()
            since = max(ts, self._clock.now() - LONGEST)
            try:
                read, begun = await self._patiently(place, since, take)
            except Rejected as problem:
                log.info("slack_not_caught_up", chat=place.chat, why=str(problem))
            else:
                count += read
                places += ((thread, since) for thread in begun)
        return count

    async def _unheard_of(self, known: set[Place]) -> list[Place]:
        """Where the bot is and nothing was ever said to it; those with people first, and only so many."""
        found: list[Place] = []
        for team in sorted({place.team for place in known} | self._workspaces.always()):
            for kind in _KINDS:
                found += await self._listed(team, kind)
        return [place for place in found if place not in known][:MOST]

    async def _listed(self, team: str, kind: str) -> list[Place]:
        asked: dict[str, str | int] = {"types": kind, "exclude_archived": "true", "limit": _PER_PAGE}
        for _ in range(_TRIES):
            try:
                token = (await self._workspaces.find(team)).token
                listed = self._calls.pages("users.conversations", token, asked, "channels", _PAGES)
                return [Place(team, text_of(one.get("id"))) async for one in listed if not one.get("is_user_deleted")]
            except RateLimited as limit:
                await self._clock.sleep(limit.retry_after)
            except SendError as problem:
                log.info("slack_not_listed", kind=kind, team=team, why=str(problem))
                break
        return []

    async def _patiently(self, place: Place, since: float, take: Take) -> tuple[int, list[Place]]:
        for attempt in range(_TRIES):
            try:
                return await self._place(place, since, take)
            except RateLimited as limit:
                await self._clock.sleep(limit.retry_after)
            except Rejected:
                raise
            except (SendError, StoreUnavailable):
                await self._clock.sleep(2.0**attempt)
        log.warning("slack_not_caught_up", chat=place.chat, why="Slack or the store did not answer")
        return 0, []

    async def _place(self, place: Place, since: float, take: Take) -> tuple[int, list[Place]]:
        """Read one place; how many messages there were, and the threads that began there meanwhile."""
        token = (await self._workspaces.find(place.team)).token
        method = "conversations.replies" if place.thread else "conversations.history"
        params: dict[str, str | int] = {"channel": place.chat, "oldest": f"{since:.6f}", "limit": _PER_PAGE}
        thread = {"ts": place.thread} if place.thread else {}
        found = [
            message
            async for message in self._calls.pages(method, token, params | thread, "messages", _PAGES)
            if text_of(message.get("ts")) and float(text_of(message.get("ts"))) > since
        ]
        for message in sorted(found, key=lambda one: float(text_of(one.get("ts")))):
            await take(_as_event(message, place))
        roots = [] if place.thread else [text_of(one.get("ts")) for one in found if one.get("reply_count")]
        threads = [replace(place, thread=ts) for ts in roots]
        # Of a channel's threads only those that we take part in; a chat of two has no others.
        return len(found), [one for one in threads if place.chat.startswith("D") or one.key in self._places]

    async def _read(self) -> _Seen:
        text = await self._gateway.note(self._note)
        return msgspec.json.decode(text, type=_Seen) if text else _Seen(alive=0.0)


def _as_event(message: Mapping[str, object], place: Place) -> dict[str, object]:
    """A line of history as the event it would have been."""
    event = {**message, "type": "message", "channel": place.chat}
    if place.chat.startswith("D"):
        event["channel_type"] = "im"
    return {"type": "event_callback", "team_id": place.team, "event": event}
