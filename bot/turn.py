"""The turn: one message being answered, as a skill sees it.

Everything here is safe to replay: after a crash the handler runs again from the top with its journal's answers,
says nothing twice and goes on. Use `turn.now()`, `turn.random` and `turn.uuid()` instead of the clock and chance.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar, overload

import msgspec

from bot.channel import Entry
from bot.dialog.asking import Asking, buttons
from bot.dialog.codec import codec_for
from bot.dialog.forms import form_of
from bot.dialog.likes import like_of
from bot.dialog.run import Run
from bot.dialog.scope import Scope
from bot.dialog.steps import Step, perform
from bot.dialog.stops import Again, Declined
from bot.errors import Misuse
from bot.llm.in_turn import TurnLlm
from bot.messages import Due, Media, Message
from bot.people import Conversation, Person
from bot.ports.llm import Chunk
from bot.prompts import TOLD, Memory
from bot.rendering import fill_in
from bot.replies import Card, Choice, Reply, as_choices

T = TypeVar("T")

LARGEST = 5 * 1024 * 1024
"""Bytes of a file that `turn.read` gives to a skill, unless it asks for more."""


class Turn:
    """One message being answered."""

    def __init__(self, run: Run, scope: Scope) -> None:
        self._run, self.scope = run, scope

    # --- what was said, and by whom

    @property
    def message(self) -> Message:
        """The message that started this handler."""
        return self._run.frame.trigger

    @property
    def text(self) -> str:
        """Its words."""
        return self.message.text

    @property
    def choice(self) -> str:
        """The value of the choice that started this handler, or nothing."""
        return self._run.frame.choice

    @property
    def conversation(self) -> Conversation:
        """Where this happens."""
        return self._run.host.conversation

    @property
    def person(self) -> Person:
        """Who is there."""
        return self._run.host.conversation.person

    @property
    def shared(self) -> bool:
        """Whether others read along here: a group, a room, a thread in one. Say nothing personal then."""
        return self._run.host.shared

    def slot(self, name: str) -> str | None:
        """What the message had in the place of `{name}`, or in the pattern's group `name`."""
        return self._run.frame.slots.get(name)

    # --- speaking

    async def say(
        self,
        text: str = "",
        /,
        *,
        choices: Iterable[str | Choice] = (),
        media: Iterable[Media] = (),
        card: Card | None = None,
        once: bool = False,
        private: bool = False,
        **values: object,
    ) -> None:
        """Say something; it is sent when the turn commits, or before something slow.

        `text` is CommonMark; `{name}` is filled from `values`, with Markdown in them made harmless; a `Mention` calls
        somebody. `choices` are suggestions: one that is picked comes back as a new message. `once` means rather never
        than twice. `private` is for this person's eyes only where others read along; where the channel can't do that,
        they are asked to write in private instead.
        """
        await self._enter()
        key = self._run.emits()
        if key is None:
            return
        offered = as_choices(choices)
        words, mentions = fill_in(text, values)
        reply = Reply(
            text=words,
            mentions=mentions,
            private=private,
            media=tuple(media),
            card=card,
            once=once,
            choices=offered,
            buttons=buttons(key, offered),
        )
        self._run.host.say(key, reply)

    async def ask(
        self,
        prompt: str,
        /,
        *,
        like: object = None,
        choices: Iterable[str | Choice] = (),
        form: type | None = None,
        key: str = "",
        help: str = "",
        timeout: float | None = None,
        **values: object,
    ) -> Any:
        """Ask and wait, for minutes or weeks, over restarts.

        `like` says what an answer is: nothing (any text), a pattern, int, float, Decimal, bool, date, Phone, an
        Enum, a Literal, or a function that returns the value, or None or ValueError("hint") to be asked again. The
        `choices` are answered by a press, a number or their words, and give their value; with `like`, either will do.
        `form` is a msgspec.Struct, dataclass or pydantic model: its fields are asked together where the channel has
        forms, else one by one, and the answer is an instance of it. `help` is said when the person is stuck. `key`
        names the question in the journal, if `like` or `form` says too little.

        Raises Cancelled when the person says "cancel", AskTimeout after `timeout` seconds without an answer.
        """
        await self._enter()
        words, mentions = fill_in(prompt, values)
        offered = as_choices(choices)
        asked = Reply(text=words, mentions=mentions, choices=offered)
        asking = Asking(self._run, self.scope, help=help, timeout=timeout)
        if form is not None:
            if offered or like is not None:
                self._run.fault(Misuse("form= has questions of its own; leave out like= and choices="))
            return await asking.fill_in(asked, form_of(form), key)
        return await asking.ask(asked, None if offered and like is None else like_of(like), key)

    async def stream(self, chunks: AsyncIterator[str] | AsyncIterator[Chunk]) -> str:
        """Say a text while it is being made; returns the whole of it. Made again, it replaces what was shown.

        Making it must change nothing in the world: what does belongs into a step of its own.
        """
        await self._enter()
        draft = f"{self._run.frame.base}:draft.{self.scope.ahead}"  # the same one after a crash

        async def collect() -> str:
            text = ""
            async for chunk in chunks:
                if isinstance(chunk, Chunk):
                    text = chunk.text if chunk.anew else text + chunk.text
                else:
                    text += chunk
                await self._run.host.draft(draft, text)
            return text

        text = await self.step(collect, retries=0, effect=False)
        key = self._run.emits()
        if key is not None and text:
            self._run.host.say(key, Reply(text=text, draft=draft))
        return text

    @property
    def llm(self) -> TurnLlm:
        """Language models: answers, streams, extraction, tools. Each is asked once, and remembered."""
        return TurnLlm(self, self._run)

    # --- doing

    @overload
    def step(
        self,
        function: Callable[..., Awaitable[T]],
        /,
        *args: object,
        retries: int = ...,
        at_most_once: bool = ...,
        effect: bool = ...,
    ) -> Awaitable[T]: ...

    @overload
    def step(
        self,
        function: Callable[..., T],
        /,
        *args: object,
        retries: int = ...,
        at_most_once: bool = ...,
        effect: bool = ...,
    ) -> Awaitable[T]: ...

    def step(
        self,
        function: Callable[..., Any],
        /,
        *args: object,
        retries: int = 2,
        at_most_once: bool = False,
        effect: bool = True,
    ) -> Awaitable[Any]:
        """Call `function(*args)` once, and remember what it returned, for ever.

        The result is durable before this returns. Cut off in the middle, the call is made again with the same
        `bot.step_key`, unless `at_most_once` (then Interrupted). `effect=False` marks what only reads, so that
        "back" may go past it. Raises StepFailed when `retries` more attempts have failed too.
        """
        if self._run.over:
            return self._run.dead_end()
        self._run.check(self.scope)
        key = self.scope.key()
        step = Step.of(key, function, args, retries=retries, once=at_most_once, effect=effect)
        return perform(self._run, step, self._run.claim("step", key, step.name))

    async def gather(self, *branches: Callable[[Turn], Coroutine[Any, Any, T]]) -> list[T]:
        """Run branches side by side, each with steps only, and wait for all; the first failure is raised."""
        await self._enter()
        prefix = self.scope.key()
        scopes = [self._run.branch(f"{prefix}/{number}/") for number in range(len(branches))]
        tasks = []
        for branch, scope in zip(branches, scopes, strict=True):
            scope.task = asyncio.create_task(branch(Turn(self._run, scope)))
            tasks.append(scope.task)
        try:
            results = await asyncio.gather(*tasks, return_exceptions=True)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            raise
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if not isinstance(result, BaseException)]

    async def read(self, media: Media, *, largest: int = LARGEST) -> bytes:
        """The bytes of a file that the person sent. They are too many for the journal: read inside a step.

        Let the step return what you made of it. Raises Rejected where the file is gone or has more than `largest`
        bytes, NotSent where it can't be had right now.
        """
        return await self._run.host.read(media.url, largest)

    async def hand_off(self, queue: str = "support", reason: str = "", facts: Mapping[str, str] | None = None) -> None:
        """Get a person. The ticket is made before the person in front of us is promised anything.

        `facts` are shown to the agent beside the transcript. What the handler says afterwards is still said; its
        open questions end with this turn.
        """
        await self._enter()
        key = self.scope.key()
        if self._run.claim("mark", key, "hand_off") is not None:
            return
        self._run.record("mark", key, "hand_off", effect=True)
        self._run.host.hand_off(queue, reason, facts or {})

    async def schedule(self, at: float, text: str) -> None:
        """Say `text` at a time (seconds since 1970), whatever is going on then."""
        await self._enter()
        key = self._run.emits()
        if key is not None:
            self._run.host.schedule(key, at, Due(kind="say", key=key, text=text))

    # --- memory

    async def remember(self, key: str, value: object, *, told: str = "") -> None:
        """Keep something about this person; None forgets it. Any JSON value or frozen value.

        `told` is a sentence about it ("Wears size 43.") that language models may read when they answer this person,
        where nobody else reads along. Nothing else that is remembered is ever shown to a model.
        """
        await self._enter()
        if self._run.emits() is None:
            return
        host = self._run.host
        host.remember(key, None if value is None else msgspec.json.encode(value))
        memory = Memory(text=told, at=self.now()) if told and value is not None else None
        host.remember(TOLD + key, None if memory is None else msgspec.json.encode(memory))

    async def recall(self, key: str, kind: Any = Any) -> Any:
        """What was kept about this person, as `kind`; None when there is nothing."""
        await self._enter()
        data = await self._read(f"recall {key}", lambda: self._run.host.recall(key))
        return None if data is None else codec_for(kind).decode(data)

    async def history(self, limit: int = 50) -> list[Entry]:
        """The last lines of the transcript, oldest first, human agents' words included."""
        await self._enter()

        async def read() -> bytes:
            return msgspec.json.encode(await self._run.host.history(limit))

        data = await self._read("history", read)
        return msgspec.json.decode(data or b"[]", type=list[Entry])

    # --- what replays

    def now(self) -> float:
        """The time, in seconds since 1970: that of the last answer or step, on every replay."""
        return self._run.now(self.scope)

    @property
    def random(self) -> random.Random:
        """Chance that repeats itself on replay."""
        return self.scope.random

    def uuid(self) -> str:
        """A new id that is the same on every replay: a fine idempotency key."""
        return self.scope.uuid()

    async def changed(self, name: str) -> bool:
        """True for dialogs that began after this line was written; False for those that were already past it."""
        await self._enter()
        return self._run.changed(name)

    def again(self, slots: Mapping[str, str] | None = None) -> Again:
        """`return turn.again()` ends the handler and starts it anew with a fresh journal."""
        return Again(dict(slots or {}))

    def decline(self) -> Declined:
        """`return turn.decline()` ends a handler that can't answer this: the bot says what it can do instead."""
        return Declined()

    async def _enter(self) -> None:
        await self._run.enter(self.scope)
        if self.scope.prefix:
            self._run.fault(Misuse("only turn.step is allowed inside turn.gather"))

    async def _read(self, name: str, read: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
        """Read something once; the journal keeps it with the next commit, since reading again harms nobody."""
        key = self.scope.key()
        entry = self._run.claim("step", key, name)
        if entry is None:
            data = await read()
            self._run.record("step", key, name, msgspec.Raw(data if data is not None else b"null"))
            return data
        value = bytes(entry.value)
        return None if value == b"null" else value
