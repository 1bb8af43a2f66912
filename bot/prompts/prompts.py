"""The prompts of a bot: finds the version for a person, fills it in, and counts what became of it. Asks no model.

Versions that were withdrawn are looked up in the database every `LOOKS` seconds, and at once when another process tells
of one, so that a rollback reaches every process without a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from bot.channel import Entry
from bot.clock import Clock
from bot.context.measure import Count, rough
from bot.context.transcript import lines_of
from bot.errors import FrontdeskError, PromptError, PromptMisused, StoreError
from bot.ports.llm import NOBODY, Payer
from bot.ports.models import Line
from bot.processes.bus import Bus
from bot.prompts.library import Library, Versions, read_library
from bot.prompts.likeness import Chooser, Embed
from bot.prompts.prompt import Prompt
from bot.prompts.records import Outcome, Records, Shown
from bot.prompts.rendering import Filling, Rendered
from bot.prompts.report import report
from bot.prompts.template import Templates
from bot.prompts.versions import choose, newest_served, shares
from bot.settings import did_you_mean

log = structlog.get_logger()

LOOKS = 2.0
"""Seconds for which withdrawals are taken as known."""

TOPIC = "prompts"
"""The topic of the news that a version was withdrawn."""

ROOM = 6000
"""Tokens for a prompt whose caller knows no better."""

_WRITES = 2.0  # seconds in which who got what is gathered


class Prompts:
    """All of them. Without `records` every version is served by its share and nothing is counted."""

    def __init__(self, clock: Clock, *, records: Records | None = None, bus: Bus | None = None) -> None:
        self._clock, self._records, self._bus = clock, records, bus
        self._folders: tuple[Path, ...] = ()
        self._count: Count = rough
        self._templates = Templates()
        self._chooser = Chooser()
        self._library: Library = {}
        self._withdrawn: Mapping[str, frozenset[int]] = {}
        self._looked = float("-inf")
        self._shown: dict[Shown, int] = {}
        self._writing: asyncio.Task[None] | None = None
        self._noting: set[asyncio.Task[None]] = set()
        if bus is not None:
            bus.subscribe(TOPIC, self._heard)

    # --- files

    def load(self, folders: Sequence[Path] = ()) -> None:
        """Read all files of these folders, or of the same ones as before; a later folder's prompt wins.

        Raises PromptError with every mistake in them; what was there before then stays.
        """
        self._folders = tuple(folders) or self._folders
        templates = Templates()
        library, problems = read_library(self._folders, templates, self._count)
        if problems:
            raise PromptError(problems)
        self._library, self._templates = library, templates
        self._chooser.forget()

    def use(self, *, count: Count | None = None, embed: Embed | None = None) -> None:
        """Count tokens like this; choose examples by these vectors."""
        self._count = count or self._count
        if embed is not None:
            self._chooser = Chooser(embed)

    @property
    def library(self) -> Library:
        """All prompts by name, each with its versions."""
        return self._library

    def versions(self, name: str) -> Versions:
        """The versions of a prompt. Raises PromptMisused when there is none of that name."""
        found = self._library.get(name)
        if found is None:
            raise PromptMisused(f"there is no prompt {name}{did_you_mean(name, self._library)}")
        return found

    async def watch(self, stop: asyncio.Event) -> None:
        """Load the files anew whenever they change, until `stop` is set; a mistake leaves the old ones in place."""
        places = [folder for folder in self._folders if folder.is_dir()]
        if not places:
            return
        from watchfiles import awatch  # noqa: PLC0415 - only those who develop need it

        async for _ in awatch(*places, stop_event=stop, debounce=200, step=50):
            try:
                self.load()
                log.info("prompts_reloaded", prompts=len(self._library))
            except PromptError as wrong:
                log.error("prompts_not_reloaded", problems=wrong.problems)

    # --- filling in

    def takes(self, name: str, variable: str) -> bool:
        """Whether all versions of a prompt have a variable of this name; no, if there is no such prompt."""
        found = self._library.get(name)
        versions = found.known.values() if found is not None else ()
        return bool(versions) and all(variable in {one.name for one in prompt.variables} for prompt in versions)

    async def render(
        self,
        name: str,
        values: Mapping[str, object],
        *,
        history: Sequence[Entry] | Sequence[Line] = (),
        person: str = "",
        room: int = ROOM,
        language: str = "",
        pictures: tuple[str, ...] = (),
        payer: Payer = NOBODY,
    ) -> Rendered:
        """The prompt `name` ("answer/shop") in the version that is this person's, within `room` tokens.

        `history` is `turn.history()`, or a model's lines. Raises PromptMisused when there is no such prompt, or it
        can't take these values, or has no room. `payer` pays for the vectors that its examples may be chosen by.
        """
        versions = self.versions(name)
        await self._look()
        prompt = choose(versions, person, self._withdrawn.get(name, frozenset()))
        rendered = await self.fill(
            prompt, values, history=history, room=room, language=language, pictures=pictures, payer=payer
        )
        if person and self._records is not None:
            shown = Shown(prompt=name, version=prompt.version, person=person)
            self._shown[shown] = self._shown.get(shown, 0) + 1
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write_later(), name="prompts shown")
        return rendered

    async def fill(
        self,
        prompt: Prompt,
        values: Mapping[str, object],
        *,
        history: Sequence[Entry] | Sequence[Line] = (),
        room: int = ROOM,
        language: str = "",
        pictures: tuple[str, ...] = (),
        payer: Payer = NOBODY,
    ) -> Rendered:
        """This very version, for nobody in particular: for tests."""
        liked = values.get(prompt.like, "")
        question = liked if isinstance(liked, str) else getattr(liked, "text", "")
        chosen = await self._chooser.choose(prompt, question, payer)
        filling = Filling(prompt, self._templates, self._count, language)
        return filling.render(values, history=_lines(history, liked), examples=chosen, pictures=pictures, room=room)

    # --- what became of it

    def soon(self, outcome: Outcome, person: str) -> None:
        """Note what became of somebody, behind the answers: it may be lost in a crash."""
        if self._library:
            task = asyncio.create_task(self._note(outcome, person), name="prompt outcome")
            self._noting.add(task)
            task.add_done_callback(self._noting.discard)

    async def _note(self, outcome: Outcome, person: str) -> None:
        try:
            await self.outcome(outcome, person)
        except StoreError as problem:
            log.warning("outcome_not_noted", outcome=outcome, why=type(problem).__name__)

    async def outcome(self, outcome: Outcome, person: str, prompt: str = "") -> None:
        """Note what became of somebody: "resolved", "handed_off", "thumbs_up" or "thumbs_down"; twice is once.

        It is put down to `prompt` ("answer/shop", or "answer/shop@3"), or to all that they got within a day.
        """
        if self._records is None or not person:
            return
        await self._write()
        name, _, version = prompt.partition("@")
        number = int(version) if version.isdigit() else 0
        await self._records.became(outcome, person, self._clock.now(), name, number)

    async def rollback(self, name: str) -> str:
        """Give the newest version of a prompt to nobody, in all processes; says what everybody gets now."""
        versions, records = self.versions(name), self._needed()
        gone = await records.withdrawn()
        newest = newest_served(versions, gone.get(name, frozenset()))
        after = gone.get(name, frozenset()) | {newest}
        left = shares(versions, after)
        if left.keys() & after:
            raise PromptMisused(
                f"{name}@{newest} is all there is. To go back, keep the older file beside it as "
                f"{name.partition('/')[2]}@N.md, with N for its version."
            )
        await records.withdraw(name, newest, self._clock.now())
        self._tell()
        return f"{name}@{newest} goes to nobody any more. {_served(name, left)}"

    async def restore(self, wanted: str) -> str:
        """Take a withdrawal ("answer/shop@3") back, in all processes."""
        name, _, version = wanted.partition("@")
        versions, records = self.versions(name), self._needed()
        if not version.isdigit() or not await records.restore(name, int(version)):
            raise PromptMisused(f"{wanted} was not withdrawn; write it as {name}@3")
        self._tell()
        gone = await records.withdrawn()
        return f"{wanted} is back. {_served(name, shares(versions, gone.get(name, frozenset())))}"

    async def listed(self) -> str:
        """All prompts: who gets which version, and what became of them."""
        await self._write()
        tally = await self._records.tally() if self._records is not None else {}
        gone = await self._records.withdrawn() if self._records is not None else {}
        return report(self._library, gone, tally)

    async def forget(self, person: str) -> None:
        """Delete what is counted of a person."""
        self._shown = {one: many for one, many in self._shown.items() if one.person != person}
        if self._records is not None:
            await self._records.forget(person)

    async def stop(self) -> None:
        """Write down what was gathered."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        if self._noting:
            await asyncio.gather(*self._noting)
        try:
            await self._write()
        except StoreError as problem:
            log.warning("prompts_not_counted", why=type(problem).__name__)

    # --- inside

    def _needed(self) -> Records:
        if self._records is None:
            raise FrontdeskError("There is no database here to write a rollback into.")
        return self._records

    def _tell(self) -> None:
        self._looked = float("-inf")
        if self._bus is not None:
            self._bus.publish(TOPIC)

    def _heard(self, _: bytes) -> None:
        self._looked = float("-inf")

    async def _look(self) -> None:
        """Know what was withdrawn, as of `LOOKS` seconds ago at most; without a database, as of the last time."""
        now = self._clock.steady()
        if self._records is None or now - self._looked < LOOKS:
            return
        self._looked = now
        try:
            self._withdrawn = await self._records.withdrawn()
        except StoreError as problem:
            log.warning("prompts_not_looked_up", why=type(problem).__name__)

    async def _write_later(self) -> None:
        await self._clock.sleep(_WRITES)
        try:
            await self._write()
        except StoreError as problem:
            log.warning("prompts_not_counted", why=type(problem).__name__)

    async def _write(self) -> None:
        shown, self._shown = self._shown, {}
        if shown and self._records is not None:
            await self._records.shown(shown, self._clock.now())


def _lines(history: Sequence[Entry] | Sequence[Line], question: object) -> list[Line]:
    """The history as lines, without the question that is asked now."""
    lines = [one for one in history if isinstance(one, Line)]
    entries = [one for one in history if isinstance(one, Entry)]
    if entries and entries[-1].source == "user" and entries[-1].text == question:
        entries.pop()
    return [*lines, *lines_of(entries)]


def _served(name: str, left: Mapping[int, float]) -> str:
    parts = [f"{name}@{version} goes to {share:g}%" for version, share in left.items()]
    return ", ".join(parts) + "."
