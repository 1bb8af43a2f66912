"""What the bot does with a message: answer the open question, or choose a skill, or say that it can't.

This is steps 6 and 7 of a message's path. It decides by the state of the conversation and emits into the turn's
work; it commits nothing.
"""

from __future__ import annotations

from bot.dialog.driver import MAX_DEPTH, Dialogs
from bot.dialog.gates import Gates
from bot.messages import Command, Deleted, Due, Edited, Joined, Pressed, Reacted, Submitted, Text
from bot.phrases import Phrases
from bot.rendering.portions import wants_more
from bot.replies import Reply
from bot.turns.consent import consents
from bot.turns.editing import is_answered_anew, take_back
from bot.turns.questions import OpenQuestions
from bot.turns.requests import Requests
from bot.turns.router import Router
from bot.turns.stock import Stock
from bot.turns.work import Work


class Conversing:
    """Decides what a message means and who answers it."""

    def __init__(self, router: Router, dialogs: Dialogs, gates: Gates, phrases: Phrases) -> None:
        self._dialogs, self._phrases, self.stock = dialogs, phrases, Stock(phrases)
        self._requests = Requests(router, dialogs, gates, self.stock, phrases)
        self._questions = OpenQuestions(self._requests, dialogs, phrases)

    @property
    def router(self) -> Router:
        """Who answers what."""
        return self._requests.router

    @router.setter
    def router(self, router: Router) -> None:
        self._requests.router = router

    def consents(self, work: Work) -> bool:
        """Whether a message only says that we may write to somebody, or not; then it is dealt with."""
        return consents(work, self._phrases)

    async def respond(self, work: Work) -> None:
        """Answer one message, whatever it is."""
        await self._respond(work)
        if work.declined:
            work.trace.notes.append("nobody could answer it")
            self._requests.no_fit(work)

    async def _respond(self, work: Work) -> None:
        top = work.lane.top
        if top is not None and work.lane.interrupted:
            work.trace.decided = "goes on after an interruption"
            work.trace.handler = f"{top.skill}.{top.handler}"
            await self._dialogs.resume(work)
            return
        content = work.message.content
        if isinstance(content, Edited | Deleted) and not await self._changed(work, content):
            return
        if work.lane.rest and self._wanted_more(work):
            return
        match work.message.content:
            case Due() as due:
                await self._due(work, due)
            case Joined():
                self._greet(work)
            case Reacted() as reacted:
                await self._reacted(work, reacted)
            case Command(name="start") if not self.router.has("start"):
                self._start(work)
            case Command(name=name) if not work.lane.top and self.router.has(name):
                await self._requests.route(work, work.message.text)  # also a skill's own /help or /cancel
            case Text() | Pressed() | Submitted() | Command():
                await (self._questions if work.lane.top else self._requests).answer(work)
            case _:
                work.trace.decided = "nothing to answer"

    async def _changed(self, work: Work, content: Edited | Deleted) -> bool:
        """Whether what an edit says now is to be answered."""
        if isinstance(content, Deleted):
            itself = content.settled and content.target == work.message.platform_id
            work.trace.decided = "taken back" if itself else "taken back before it was answered"
            if not content.settled:
                await take_back(work, content)
            return False
        if content.settled:
            work.trace.decided = "edited before it was answered"
            return False
        return await is_answered_anew(work, content)

    async def _reacted(self, work: Work, reacted: Reacted) -> None:
        """A reaction is for whoever wants to know of it; what is on the table stays there."""
        route = self.router.reaction(reacted.emoji)
        stack = [(frame.skill, frame.handler) for frame in work.lane.frames]
        intent, offer = route.intent, work.lane.offer
        if intent is None or not reacted.added or (intent.skill, intent.name) in stack or len(stack) >= MAX_DEPTH:
            work.trace.decided = "nothing to answer"
            return
        work.trace.decided = route.decided
        await self._requests.begin(work, intent, route)
        if not work.holds_words() and len(work.lane.frames) == len(stack):
            work.lane.offer = offer

    def _wanted_more(self, work: Work) -> bool:
        """The rest of a long reply, if that is what is asked for; whoever goes on to something else won't get it."""
        content = work.message.content
        if isinstance(content, Text) and wants_more(content.text):
            work.trace.decided = "more of a long reply"
            work.more(f"more.{work.claim.n}")
            return True
        if isinstance(content, Text | Pressed | Submitted | Command):
            work.lane.rest = []
        return False

    def _greet(self, work: Work) -> None:
        work.trace.decided = "somebody came in"
        if work.claim.n == 1:
            self.stock.say_what_it_can(work, self.router.skills, self._phrases.hello)

    def _start(self, work: Work) -> None:
        """A platform's way of saying that somebody came in, with or without a payload that no skill asked for."""
        work.trace.decided = "the command /start, which no skill has"
        self.stock.say_what_it_can(work, self.router.skills, self._phrases.hello)
        self._dialogs.pick_up(work)

    async def _due(self, work: Work, due: Due) -> None:
        top = work.lane.top
        if due.kind == "say":
            work.trace.decided = "a scheduled text"
            work.say(f"due.{due.key}", Reply(text=due.text))
        elif due.kind == "timeout" and top and top.pending and due.key == f"timeout:{top.base}:{top.pending.key}":
            work.trace.decided = "the question's time is up"
            if await self._dialogs.question(work) is not None:
                await self._dialogs.answer(work, outcome="timeout")
        else:
            work.trace.decided = "nothing to do any more"
