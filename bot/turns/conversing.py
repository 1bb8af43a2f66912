"""What the bot does with a message: answer the open question, or choose a skill, or say that it can't.

This is steps 6 and 7 of a message's path. It decides by the state of the conversation and emits into the turn's
work; it commits nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.dialog.answers import Chosen, Given, Said, Stale, Torn, Unfit, Word, understand
from bot.dialog.asking import buttons
from bot.dialog.driver import MAX_DEPTH, Dialogs
from bot.dialog.gates import Gates
from bot.dialog.journal import Offer
from bot.dialog.stops import Question
from bot.messages import Command, Deleted, Due, Edited, Joined, Message, Pressed, Reacted, Submitted, Text
from bot.phrases import Phrases
from bot.rendering.portions import wants_more
from bot.replies import Button, Choice, Reply
from bot.skill import Intent
from bot.text import meaning
from bot.turns.consent import consents
from bot.turns.editing import is_answered_anew, take_back
from bot.turns.router import SURE, Route, Router
from bot.turns.stock import what_it_can, with_person
from bot.turns.work import Work

OTHER = "other"
"""The token value behind "Something else" in "Did you mean ...?"."""

MOST_MISSES = 3
"""So many answers that don't fit, and a person is offered."""


class Conversing:
    """Decides what a message means and who answers it."""

    def __init__(self, router: Router, dialogs: Dialogs, gates: Gates, phrases: Phrases) -> None:
        self.router, self._dialogs, self._gates, self._phrases = router, dialogs, gates, phrases

    def consents(self, work: Work) -> bool:
        """Whether a message only says that we may write to somebody, or not; then it is dealt with."""
        return consents(work, self._phrases)

    async def respond(self, work: Work) -> None:
        """Answer one message, whatever it is."""
        await self._respond(work)
        if work.declined:
            work.trace.notes.append("nobody could answer it")
            self._no_fit(work)

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
                await self._route(work, work.message.text)  # also a skill's own /help or /cancel
            case Text() | Pressed() | Submitted() | Command():
                await (self._answer(work) if work.lane.top else self._request(work))
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
        await self._begin(work, intent, route)
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

    # --- an open question

    async def _answer(self, work: Work) -> None:
        frame = work.lane.frames[-1]
        work.trace.handler = f"{frame.skill}.{frame.handler}"
        question = await self._dialogs.question(work)
        if question is None:
            work.trace.decided = "the handler's code changed"
            return
        offered = _offered(work.lane.offer, question)
        meant = understand(work.message.content, offered, question.like, work.clock.now())
        work.trace.lasting = isinstance(meant, Chosen | Given | Said)
        match meant:
            case Chosen(button=button) if button in question.buttons:
                work.trace.decided = "a choice of the open question"
                await self._dialogs.answer(work, button)
            case Chosen(button=button):
                await self._word(work, question, "person" if button.value == "person" else "cancel")
            case Given(value=value) if not self._elsewhere(work, question):
                work.trace.decided = "an answer to the open question"
                await self._dialogs.answer(work, value)
            case Said(word=word):
                await self._word(work, question, word)
            case Torn(buttons=several):
                work.trace.decided = "several choices fit alike"
                self._offer_again(work, question, self._phrases.which_one, several)
            case Stale():
                work.trace.decided = "a button of a question that is over"
                self._reask(work, question, self._phrases.too_late_question)
            case Unfit(hint=hint) if isinstance(work.message.content, Submitted):
                work.trace.decided = "a form with something wrong in it"
                self._reask(work, question.filled(work.message.content.values), hint)
            case Unfit(hint=hint):
                await self._other_request(work, question, hint)
            case Given():
                await self._other_request(work, question, "")

    def _elsewhere(self, work: Work, question: Question) -> bool:
        """Whether a message that would do as an answer is a command for somebody else."""
        text = work.message.text
        return text.startswith("/") and self.router.route(work.message.content, text).score == 1.0

    async def _word(self, work: Work, question: Question, word: Word) -> None:
        work.trace.decided = f'the word "{word}"'
        frame = work.lane.frames[-1]
        match word:
            case "cancel":
                await self._dialogs.answer(work, outcome="cancel")
            case "back":
                problem = await self._dialogs.back(work)
                if problem:
                    phrase = self._phrases.no_way_back if problem == "effect" else self._phrases.nothing_before
                    self._reask(work, question, phrase)
            case "help":
                about = question.help or _hint(self._phrases, question)
                self._reask(work, question, "\n\n".join(part for part in (about, self._phrases.help_here) if part))
            case "person":
                await self.get_person(work, f"asked for a person at a question of {frame.skill}")

    async def _other_request(self, work: Work, question: Question, hint: str) -> None:
        """Another request is answered first, and the question picked up again; anything else is asked again."""
        route = self.router.route(work.message.content, work.message.text)
        work.trace.candidates = route.candidates
        stack = [(frame.skill, frame.handler) for frame in work.lane.frames]
        intent = route.intent
        fresh = intent is not None and (intent.skill, intent.name) not in stack and len(stack) < MAX_DEPTH
        if intent is not None and fresh and route.score >= SURE:
            work.trace.decided = f"another request: {route.decided}"
            await self._begin(work, intent, route)
        elif question.prompt.form and isinstance(work.message.content, Text):
            work.trace.decided = "words instead of a form: its questions one by one"
            await self._dialogs.answer(work, outcome="typed")
        else:
            work.trace.decided = "no answer to the open question"
            self._miss(work, question, hint)

    def _miss(self, work: Work, question: Question, hint: str) -> None:
        frame = work.lane.frames[-1]
        if frame.pending is None:
            return
        frame.pending.misses += 1
        misses = frame.pending.misses
        first = hint or self._phrases.again
        if misses == 1:
            self._reask(work, question, first)
        elif misses < MOST_MISSES:
            about = question.help or _hint(self._phrases, question)
            self._reask(work, question, f"{first} {about}" if about else first)
        else:
            ways_out = (
                Choice(label=self._phrases.person, value="person"),
                Choice(label=self._phrases.cancel, value="cancel"),
            )
            key = f"stuck.{work.claim.n}"
            text = f"{self._phrases.stuck}\n\n{question.prompt.text}"
            offered = question.buttons + buttons(key, ways_out)
            choices = question.prompt.choices + ways_out
            work.say(key, replace(question.prompt, text=text, choices=choices, buttons=offered))
            work.lane.offer = Offer(buttons=offered, frame=frame.id)

    def _reask(self, work: Work, question: Question, first: str) -> None:
        text = f"{first}\n\n{question.prompt.text}"
        work.say(f"again.{work.claim.n}", replace(question.prompt, text=text, buttons=question.buttons))
        work.lane.offer = Offer(buttons=question.buttons, frame=work.lane.frames[-1].id)

    def _offer_again(self, work: Work, question: Question, text: str, several: tuple[Button, ...]) -> None:
        choices = tuple(Choice(label=button.label, value=button.value) for button in several)
        work.say(f"which.{work.claim.n}", Reply(text=text, choices=choices, buttons=several))
        rest = tuple(button for button in question.buttons if button not in several)
        work.lane.offer = Offer(buttons=several + rest, frame=work.lane.frames[-1].id)

    # --- no open question

    async def _request(self, work: Work) -> None:
        offer, message = work.lane.offer, work.message
        meant = understand(message.content, offer.buttons if offer else (), None, work.clock.now())
        match meant:
            case Chosen(button=button) if offer:
                work.trace.lasting = True
                await self._chosen(work, offer, button)
            case Stale():
                work.trace.decided = "a button of a question that is over"
                work.say(f"late.{work.claim.n}", Reply(text=self._phrases.too_late))
            case Torn(buttons=several) if offer and not self.router.route(message.content, message.text).intent:
                work.trace.decided = "several choices fit alike"
                choices = tuple(Choice(label=b.label, value=b.value) for b in several)
                work.say(f"which.{work.claim.n}", Reply(text=self._phrases.which_one, choices=choices, buttons=several))
                work.lane.offer = replace(offer, buttons=several)
            case Said(word=word):
                await self._free_word(work, word)
            case _:
                await self._route(work, message.text)

    async def _chosen(self, work: Work, offer: Offer, button: Button) -> None:
        work.lane.offer = None
        if button.value == OTHER and offer.intents:
            work.trace.decided = "none of those that were close"
            work.say(f"other.{work.claim.n}", Reply(text=self._phrases.neither_then))
            return
        intent = self.router.intents.get(offer.intents.get(button.token, ""))
        if intent is not None:
            work.trace.decided = 'picked after "Did you mean ...?"'
            said = replace(work.message, content=Text(text=offer.text))
            route = self.router.slots(intent, offer.text)
            await self._begin(work, intent, route, trigger=said)
            return
        if button.value == "person":
            work.trace.decided = "the choice of a person"
            await self.get_person(work, "asked for a person")
            return
        # A skill's own suggestion may be a word that works everywhere: "Talk to a person", "What can you do?".
        word = meaning(button.value)
        if word is not None:
            await self._free_word(work, word)
            return
        # Picked by "2", a skill sees what it would see after a press: the label, which may name what it is about.
        picked = replace(work.message, content=Pressed(token=button.token, label=button.label))
        await self._route(work, button.value, favour=offer.skill, choice=button.value, trigger=picked)

    async def _free_word(self, work: Work, word: Word) -> None:
        work.trace.decided = f'the word "{word}"'
        match word:
            case "person":
                await self.get_person(work, "asked for a person")
            case "help":
                self._say_what_it_can(work, self._phrases.can_do)
            case _:
                await self._nothing_open(work, word)

    async def _nothing_open(self, work: Work, word: Word) -> None:
        """ "cancel it" with no question open may well be a request: "it" is what we talked about."""
        route = self.router.route(work.message.content, work.message.text)
        if route.intent is not None and route.score >= SURE and " " in work.message.text.strip():
            work.trace.candidates, work.trace.decided = route.candidates, route.decided
            await self._begin(work, route.intent, route)
            return
        work.lane.offer = None
        nothing = self._phrases.nothing_to_undo if word == "back" else self._phrases.nothing_to_cancel
        work.say(f"word.{work.claim.n}", Reply(text=nothing))

    async def _route(
        self, work: Work, text: str, *, favour: str = "", choice: str = "", trigger: Message | None = None
    ) -> None:
        route = self.router.route(work.message.content, text, favour=favour)
        work.trace.candidates, work.trace.decided = route.candidates, route.decided
        if route.intent is not None:
            await self._begin(work, route.intent, route, choice=choice, trigger=trigger)
        elif route.close:
            self._did_you_mean(work, route, text)
        elif self.router.otherwise is not None and isinstance(work.message.content, Text):
            await self._begin(work, self.router.otherwise, route)
        else:
            self._no_fit(work)

    async def _begin(
        self, work: Work, intent: Intent, route: Route, *, choice: str = "", trigger: Message | None = None
    ) -> None:
        work.trace.handler = intent.id
        if self._gates.of(intent.skill).resting:
            work.trace.notes.append("the skill's breaker is open")
            self._with_person(work, f"resting.{work.claim.n}", self._phrases.resting)
            return
        await self._dialogs.begin(work, intent.skill, intent.name, slots=route.slots, choice=choice, trigger=trigger)

    def _did_you_mean(self, work: Work, route: Route, text: str) -> None:
        key = f"mean.{work.claim.n}"
        titles = [*(Choice(label=intent.title) for intent in route.close)]
        choices = (*titles, Choice(label=self._phrases.neither, value=OTHER))
        offered = buttons(key, choices)
        phrase = self._phrases.did_you_mean if len(titles) > 1 else self._phrases.did_you_mean_this
        work.say(key, Reply(text=phrase, choices=choices, buttons=offered))
        intents = {button.token: intent.id for button, intent in zip(offered, route.close, strict=False)}
        work.lane.offer = Offer(buttons=offered, intents=intents, text=text)

    def _no_fit(self, work: Work) -> None:
        work.lane.misses += 1
        if work.lane.misses < 2:
            self._say_what_it_can(work, self._phrases.no_fit)
        else:
            self._with_person(work, f"no_fit.{work.claim.n}", self._phrases.no_fit_person)

    # --- things that any part may say

    def _greet(self, work: Work) -> None:
        work.trace.decided = "somebody came in"
        if work.claim.n == 1:
            self._say_what_it_can(work, self._phrases.hello)

    def _start(self, work: Work) -> None:
        """A platform's way of saying that somebody came in, with or without a payload that no skill asked for."""
        work.trace.decided = "the command /start, which no skill has"
        self._say_what_it_can(work, self._phrases.hello)
        self._dialogs.pick_up(work)

    def _say_what_it_can(self, work: Work, first: str) -> None:
        key = f"can.{work.claim.n}"
        work.say(key, what_it_can(self.router.skills, self._phrases, key, first))

    def _with_person(self, work: Work, key: str, text: str) -> None:
        work.say(key, with_person(self._phrases, key, text))

    def apologise(self, work: Work, *, changed: bool) -> None:
        """A turn was given up: say so, once, and offer a person."""
        sentence = self._phrases.updated if changed else self._phrases.sorry
        self._with_person(work, f"sorry.{work.claim.n}", sentence)

    def nobody(self, work: Work) -> None:
        """There is no desk to hand over to."""
        work.say(f"no_desk.{work.claim.n}", Reply(text=self._phrases.no_desk))

    async def get_person(self, work: Work, reason: str) -> None:
        """Hand the conversation to people, or say that there are none."""
        if not work.desk:
            self.nobody(work)
            return
        await self._dialogs.give_up(work)
        work.hand_off("support", reason, {})

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


def _offered(offer: Offer | None, question: Question) -> tuple[Button, ...]:
    """The choices on the table while a question is open: what was offered last, if it was about this question."""
    return offer.buttons if offer and offer.frame and offer.buttons else question.buttons


def _hint(phrases: Phrases, question: Question) -> str:
    if question.buttons and question.like is None:
        return phrases.pick
    if question.like and question.like.hint:
        return phrases.hint.replace("{hint}", question.like.hint)
    return ""
