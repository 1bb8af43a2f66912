"""Replies that grow while they are made: a native stream in an assistant's thread, a message that is edited elsewhere.

Drafts are shown at the platform's pace, the newest text only, and are kept in memory: a process that dies leaves its
draft as it was, and the reply is posted anew by another one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

import structlog

from bot import Address, Clock, RateLimited, SendError, UnknownOutcome, parse, plain
from channels.slack.labels import cut
from channels.slack.render import fallback
from channels.slack.richtext import LONGEST, text_blocks
from channels.slack.words import text_of

Call = Callable[[Address, str, dict[str, object]], Awaitable[Mapping[str, object]]]
"""Calls a method of Slack's for an address; raises SendError."""

MOST = 1_000
"""Drafts at a time; the oldest are left as they are."""

_LONGEST = 2_800  # characters: the first part of a longer reply is about as long
_PATIENCE = 60.0  # seconds of Retry-After that a draft waits for
_TRIES = 3

log = structlog.get_logger(__name__)


class Draft:
    """One message that grows. `ts` is Slack's name for it once it is there."""

    def __init__(self, address: Address, recipient: tuple[str, str], *, native: bool) -> None:
        self.address, self.native, self.ts = address, native, ""
        self._recipient = recipient
        self._wanted, self._shown = "", ""
        self._changed, self._over = asyncio.Event(), asyncio.Event()
        self._failures = 0

    def want(self, text: str) -> None:
        """Show this from now on; of a long text only what becomes its first message."""
        self._wanted = text[:_LONGEST]
        self._changed.set()

    def end(self) -> None:
        """Show nothing more: what is on its way may still arrive, nothing after it."""
        self._over.set()
        self._changed.set()

    async def run(self, call: Call, clock: Clock, pace: float) -> None:
        """Show what is wanted, at most once in `pace` seconds, until the end."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._over.is_set():
                return
            pause = pace
            if self._wanted != self._shown:
                try:
                    await self._show(call, self._wanted)
                    self._failures = 0
                except RateLimited as limit:
                    pause = min(limit.retry_after, _PATIENCE)
                    self._changed.set()
                except SendError as problem:
                    if not self._goes_on(problem):
                        return
            await self._rest(clock, pause)

    async def _rest(self, clock: Clock, seconds: float) -> None:
        """Wait, but not when it is over."""
        waits = {asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(self._over.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _goes_on(self, problem: SendError) -> bool:
        """Whether it is worth another try; a stream that Slack has ended or never had becomes an edited message."""
        if isinstance(problem, UnknownOutcome) and not self.ts:
            return False  # it may be there: a second one would stay beside it
        if self.native:
            self.native = False
            self._changed.set()
            return True
        self._failures += 1
        log.info("slack_draft_failed", why=type(problem).__name__, times=self._failures)
        self._changed.set()
        return self._failures < _TRIES

    async def _show(self, call: Call, text: str) -> None:
        if self.native:
            await self._stream(call, text)
        elif not self.ts:
            answer = await call(self.address, "chat.postMessage", _posted(text))
            self.ts = text_of(answer.get("ts"))
        else:
            await call(self.address, "chat.update", {"ts": self.ts, **_posted(text)})
        self._shown = text

    async def _stream(self, call: Call, text: str) -> None:
        if not self.ts:
            team, user = self._recipient
            known = {"recipient_team_id": team, "recipient_user_id": user} if user else {}
            answer = await call(self.address, "chat.startStream", {"markdown_text": _streamed(text), **known})
            self.ts = text_of(answer.get("ts"))
        elif text.startswith(self._shown):
            more = text[len(self._shown) :]
            await call(self.address, "chat.appendStream", {"ts": self.ts, "markdown_text": _streamed(more)})
        else:
            # A stream only grows: end it, and edit from here on.
            self.native = False
            await call(self.address, "chat.stopStream", {"ts": self.ts})
            await self._show(call, text)


class Growing:
    """All drafts of an account."""

    def __init__(self, call: Call, clock: Clock, pace: float) -> None:
        self._call, self._clock, self._pace = call, clock, pace
        self._drafts: OrderedDict[tuple[Address, str], tuple[Draft, asyncio.Task[None]]] = OrderedDict()

    def show(self, address: Address, key: str, text: str, recipient: tuple[str, str], *, native: bool) -> None:
        """Show a draft's text so far."""
        known = self._drafts.get((address, key))
        if known is None:
            draft = Draft(address, recipient, native=native)
            task = asyncio.create_task(draft.run(self._call, self._clock, self._pace), name="slack draft")
            known = self._drafts[address, key] = (draft, task)
            if len(self._drafts) > MOST:
                self._drafts.popitem(last=False)[1][0].end()
        known[0].want(text)

    async def finish(self, address: Address, key: str) -> Draft | None:
        """Stop growing: the message as it stands, to be made the whole reply; None when there is none."""
        known = self._drafts.get((address, key))
        if known is None:
            return None
        draft, task = known
        draft.end()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("slack_draft_broke", why=repr(error))
        return draft if draft.ts else None

    def forget(self, address: Address, key: str) -> None:
        """The reply stands."""
        self._drafts.pop((address, key), None)

    async def stop(self) -> None:
        """Leave them all as they are."""
        tasks = [task for _, task in self._drafts.values()]
        self._drafts.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _posted(text: str) -> dict[str, object]:
    words = plain(parse(text)).strip()
    if not words:
        return {"text": "…", "blocks": text_blocks("…")}
    return {"text": fallback(words), "blocks": text_blocks(cut(text, LONGEST))}


def _streamed(text: str) -> str:
    """CommonMark for a stream; escaped, so that no words in it become a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
