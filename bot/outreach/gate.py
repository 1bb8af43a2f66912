"""The rules for what is said unasked, looked at in the very turn that says it; and who wants no broadcasts.

A middleware: what it says, puts off or drops goes no further.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from bot.dialog.answers import Chosen, understand
from bot.dialog.asking import buttons
from bot.messages import Command, Content, Due, Text, Value
from bot.outreach.campaigns import Campaigns
from bot.outreach.night import PREFIX
from bot.outreach.quiet import QuietHours
from bot.outreach.records import Status
from bot.outreach.segments import OUT
from bot.outreach.settings import OutreachSettings
from bot.outreach.words import Words, due_of, words_of
from bot.outreach.zones import zones_of
from bot.people import Conversation, Owner, Silence
from bot.phrases import Phrases
from bot.turns.middleware import Middleware, Proceed
from bot.turns.work import Work

SOON, LATE = 60.0, 1800.0
"""Seconds after which it is tried again, at first and at most: each time half as long again as it has waited."""

WISHES: Mapping[str, Literal["off", "on"]] = MappingProxyType({"/unsubscribe": "off", "/subscribe": "on"})
"""What is understood as a wish about broadcasts."""

Noted = Callable[[str, str, str], Awaitable[None]]
"""Writes down that somebody (by id) does not get a broadcast (by id), and why."""

Wished = Callable[[Conversation, str], Awaitable[None]]
"""Lets a wish ("off" or "on") of whoever a conversation is with count elsewhere."""


class Situation(Value, frozen=True):
    """What decides. `awake` is when the recipient's quiet hours are over, `status` that of the broadcast it is of."""

    now: float
    awake: float
    owner: Owner = "bot"
    silence: Silence = ""
    asking: bool = False
    subscribed: bool = True
    status: Status | None = None


class Verdict(Value, frozen=True):
    """Say it, wait until then, or drop it; and why."""

    what: Literal["say", "wait", "drop"]
    why: str = ""
    until: float = 0.0


def judge(words: Words, seen: Situation) -> Verdict:
    """Whether something may be said now. Pure."""
    if seen.now >= words.expires:
        return Verdict(what="drop", why="expired")
    if seen.silence:
        return Verdict(what="drop", why=seen.silence.replace("_", " "))
    if words.broadcast and not seen.subscribed:
        return Verdict(what="drop", why="unsubscribed")
    if words.broadcast and seen.status not in {"running", "paused", "done"}:
        return Verdict(what="drop", why="cancelled")
    why = ""
    if words.broadcast and seen.status == "paused":
        why = "the broadcast is paused"
    elif seen.owner != "bot":
        why = "a human agent has the conversation"
    elif words.reply.choices and seen.asking:
        why = "a question is open"
    if why:
        pause = min(max(SOON, (seen.now - words.since) / 2), LATE)
        return Verdict(what="wait", why=why, until=min(seen.now + pause, words.expires))
    if words.quiet and seen.awake > seen.now:
        return Verdict(what="wait", why="quiet hours", until=min(seen.awake, words.expires))
    return Verdict(what="say")


class Gate(Middleware):
    """Lets through what may be said. `noted` writes down who does not get a broadcast after all; `wished`, for the same
    person elsewhere, who wants none or wants them again.
    """

    def __init__(
        self, campaigns: Campaigns, settings: OutreachSettings, phrases: Phrases, *, noted: Noted, wished: Wished
    ) -> None:
        self._campaigns, self._settings, self._phrases = campaigns, settings, phrases
        self._noted, self._wished = noted, wished
        self._quiet = QuietHours.parse(settings.quiet_hours)

    async def __call__(self, work: Work, proceed: Proceed) -> None:
        """Take what is ours."""
        content = work.message.content
        wish = wish_of(content) or _chosen_wish(work, content)
        if isinstance(content, Due) and content.kind == "outreach":
            await self._due(work, content)
        elif wish and not work.lane.interrupted and not _is_offered(work, content):
            work.trace.decided = "whether broadcasts are wanted"
            work.remember(OUT, msgspec.json.encode(wish))
            await self._wished(work.conversation, wish)
            phrase = self._phrases.unsubscribed if wish == "off" else self._phrases.subscribed
            work.notice(f"outreach.{work.claim.n}", phrase)
        else:
            await proceed(work)

    async def _due(self, work: Work, due: Due) -> None:
        words = words_of(due)
        verdict = judge(words, await self._situation(work, words))
        key = f"{PREFIX}{due.key}"
        if verdict.what == "say":
            work.trace.decided = "said unasked"
            work.say(key, msgspec.structs.replace(words.reply, buttons=buttons(key, words.reply.choices)))
        elif verdict.what == "wait":
            work.trace.decided = f"to be said later: {verdict.why}"
            work.schedule(key, verdict.until, due_of(due.key, words))
        else:
            work.trace.decided = f"not said: {verdict.why}"
            if words.broadcast:
                await self._noted(words.broadcast, work.conversation.person.id, verdict.why)

    async def _situation(self, work: Work, words: Words) -> Situation:
        conversation, now = work.conversation, work.clock.now()
        zones = zones_of(conversation.person, self._settings.zone_of(conversation.tenant))
        top = work.lane.top
        return Situation(
            now=now,
            awake=self._quiet.over(now, zones),
            owner=conversation.owner,
            silence=conversation.silence,
            asking=top is not None and top.pending is not None,
            subscribed=not words.broadcast or await work.recall(OUT) != b'"off"',
            status=await self._campaigns.status(words.broadcast) if words.broadcast else None,
        )


def wish_of(content: Content) -> Literal["", "off", "on"]:
    """What somebody says about broadcasts: the commands /unsubscribe and /subscribe, or either word alone."""
    match content:
        case Command(name=name):
            word = name
        case Text(text=text):
            word = text.strip().strip(".!").removeprefix("/").lower()
        case _:
            return ""
    return WISHES.get(f"/{word}", "")


def _chosen_wish(work: Work, content: Content) -> Literal["", "off", "on"]:
    """The wish behind a choice that was picked: a broadcast may offer "/unsubscribe" with words of its own."""
    offer = work.lane.offer
    if offer is None or offer.frame or all(button.value not in WISHES for button in offer.buttons):
        return ""
    match understand(content, offer.buttons, None, work.clock.now()):
        case Chosen(button=button):
            return WISHES.get(button.value, "")
        case _:
            return ""


def _is_offered(work: Work, content: Content) -> bool:
    """Whether the word is one of the choices of an open question: then it is the answer, and no wish."""
    top = work.lane.top
    if not isinstance(content, Text) or top is None or top.pending is None:
        return False
    said = content.text.strip().strip(".!").casefold()
    return any(said == button.label.casefold() for button in top.pending.buttons)
