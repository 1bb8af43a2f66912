"""Replies that grow while people watch: posted once, edited at Telegram's pace, ended by the reply itself.

In memory only: after a crash the reply is posted anew below what was shown of it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from bot import Address, RateLimited, SendError, split
from channels.telegram.calls import Calls
from channels.telegram.outgoing import MAX_TEXT, Outgoing, measure
from channels.telegram.render import render

PAUSE = 1.0
"""Seconds between two edits in one chat."""

GROUP_PAUSE = 4.0
"""The same in a group, where 20 a minute are for everything that is said."""

ENDED_FOR = 5.0
"""Seconds after the end of a draft in which a late piece of it is not taken for a new one."""

MOST = 5_000

log = structlog.get_logger(__name__)

Key = tuple[Address, str]


@dataclass(slots=True)
class _Draft:
    """One of them. `calling` is held during a call, so that the end comes after it, never before."""

    wanted: str = ""
    shown: str = ""
    message_id: int = 0
    over: bool = False
    calling: asyncio.Lock = field(default_factory=asyncio.Lock)
    worker: asyncio.Task[None] | None = None


class Growing:
    """All drafts of one bot."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._drafts: dict[Key, _Draft] = {}
        self._next: dict[str, float] = {}
        self._ended: dict[Key, float] = {}
        self._resting = 0.0

    def rest(self, seconds: float) -> None:
        """Show nothing new for so long: Telegram wants less of the whole bot."""
        self._resting = max(self._resting, _now() + seconds)

    def show(self, address: Address, key: str, text: str) -> None:
        """Show a text, or a later one if there is one by the time that Telegram takes it. Returns at once."""
        if not text.strip() or self._ended.get((address, key), 0.0) > _now():
            return
        draft = self._drafts.get((address, key))
        if draft is None:
            if len(self._drafts) >= MOST:
                self._drop(next(iter(self._drafts)))
            draft = self._drafts[address, key] = _Draft()
        draft.wanted = text
        if not draft.over and (draft.worker is None or draft.worker.done()):
            draft.worker = asyncio.create_task(self._work(address, draft), name="telegram draft")

    async def close(self, address: Address, key: str) -> int:
        """Show no more of it, once the call is over that is under way; the id of its message, 0 if there is none."""
        draft = self._drafts.get((address, key))
        if draft is None:
            return 0
        draft.over = True
        async with draft.calling:
            if draft.worker is not None:
                draft.worker.cancel()
        return draft.message_id

    def forget(self, address: Address, key: str) -> None:
        """Its message is a reply now."""
        now = _now()
        if self._drafts.pop((address, key), None) is not None:
            self._ended = {ended: until for ended, until in self._ended.items() if until > now}
            self._ended[address, key] = now + ENDED_FOR

    async def stop(self) -> None:
        """Let go of all of them."""
        workers = [draft.worker for draft in self._drafts.values() if draft.worker is not None]
        for key in list(self._drafts):
            self._drop(key)
        await asyncio.gather(*workers, return_exceptions=True)
        self._ended.clear()

    def _drop(self, key: Key) -> None:
        draft = self._drafts.pop(key)
        draft.over = True
        if draft.worker is not None:
            draft.worker.cancel()

    async def _work(self, address: Address, draft: _Draft) -> None:
        while draft.shown != draft.wanted and not draft.over:
            await asyncio.sleep(self._place(address))
            async with draft.calling:
                if draft.over:
                    return
                text = draft.wanted
                try:
                    await self._call(address, draft, text)
                except RateLimited as problem:
                    self._next[address.chat] = _now() + problem.retry_after
                    if problem.account:
                        self.rest(problem.retry_after)
                except SendError as problem:
                    # The reply itself will come, whatever becomes of its draft.
                    draft.over = True
                    log.debug("telegram_draft_ended", why=type(problem).__name__)
                else:
                    draft.shown = text

    async def _call(self, address: Address, draft: _Draft, text: str) -> None:
        shown = render(text)
        if shown.units > MAX_TEXT:
            shown = render(split(text, MAX_TEXT, measure)[0])
        outgoing = Outgoing(text=shown, grows=True)
        if draft.message_id:
            await self._calls.change(address, draft.message_id, outgoing)
        else:
            draft.message_id = await self._calls.post(address, outgoing)

    def _place(self, address: Address) -> float:
        """Seconds to wait for the next place in the chat's pace."""
        now = _now()
        if len(self._next) > MOST:
            self._next = {chat: at for chat, at in self._next.items() if at > now}
        at = max(self._next.get(address.chat, 0.0), self._resting, now)
        self._next[address.chat] = at + (GROUP_PAUSE if address.chat.startswith("-") else PAUSE)
        return at - now


def _now() -> float:
    return asyncio.get_running_loop().time()
