"""A message while no question is open: a choice of what was offered, a word that works everywhere, or a request."""

from __future__ import annotations

from msgspec.structs import replace

from bot.dialog.answers import Chosen, Said, Stale, Torn, Word, understand
from bot.dialog.asking import buttons
from bot.dialog.driver import Dialogs
from bot.dialog.gates import Gates
from bot.dialog.journal import Offer
from bot.messages import Message, Pressed, Text
from bot.phrases import Phrases
from bot.replies import Button, Choice, Reply
from bot.skill import Intent
from bot.text import meaning
from bot.turns.router import SURE, Route, Router
from bot.turns.stock import Stock
from bot.turns.work import Work

OTHER = "other"
"""The token value behind "Something else" in "Did you mean ...?"."""


class Requests:
    """Finds who answers a request, and lets them begin."""

    def __init__(self, router: Router, dialogs: Dialogs, gates: Gates, stock: Stock, phrases: Phrases) -> None:
        self.router, self._dialogs, self._gates, self._stock, self._phrases = router, dialogs, gates, stock, phrases

    async def answer(self, work: Work) -> None:
        """Answer a message while no question is open."""
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
                await self.route(work, message.text)

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
            await self.begin(work, intent, route, trigger=said)
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
        await self.route(work, button.value, favour=offer.skill, choice=button.value, trigger=picked)

    async def _free_word(self, work: Work, word: Word) -> None:
        work.trace.decided = f'the word "{word}"'
        match word:
            case "person":
                await self.get_person(work, "asked for a person")
            case "help":
                self._stock.say_what_it_can(work, self.router.skills, self._phrases.can_do)
            case _:
                await self._nothing_open(work, word)

    async def _nothing_open(self, work: Work, word: Word) -> None:
        """ "cancel it" with no question open may well be a request: "it" is what we talked about."""
        route = self.router.route(work.message.content, work.message.text)
        if route.intent is not None and route.score >= SURE and " " in work.message.text.strip():
            work.trace.candidates, work.trace.decided = route.candidates, route.decided
            await self.begin(work, route.intent, route)
            return
        work.lane.offer = None
        nothing = self._phrases.nothing_to_undo if word == "back" else self._phrases.nothing_to_cancel
        work.say(f"word.{work.claim.n}", Reply(text=nothing))

    async def route(
        self, work: Work, text: str, *, favour: str = "", choice: str = "", trigger: Message | None = None
    ) -> None:
        """Choose a skill for what was said, or ask which was meant, or say what can be done here."""
        route = self.router.route(work.message.content, text, favour=favour)
        work.trace.candidates, work.trace.decided = route.candidates, route.decided
        if route.intent is not None:
            await self.begin(work, route.intent, route, choice=choice, trigger=trigger)
        elif route.close:
            self._did_you_mean(work, route, text)
        elif self.router.otherwise is not None and isinstance(work.message.content, Text):
            await self.begin(work, self.router.otherwise, route)
        else:
            self.no_fit(work)

    async def begin(
        self, work: Work, intent: Intent, route: Route, *, choice: str = "", trigger: Message | None = None
    ) -> None:
        """Let a handler begin, unless its skill rests."""
        work.trace.handler = intent.id
        if self._gates.of(intent.skill).resting:
            work.trace.notes.append("the skill's breaker is open")
            self._stock.with_person(work, f"resting.{work.claim.n}", self._phrases.resting)
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

    def no_fit(self, work: Work) -> None:
        """Nobody can answer it: the first time say what can be done here, then offer a person."""
        work.lane.misses += 1
        if work.lane.misses < 2:
            self._stock.say_what_it_can(work, self.router.skills, self._phrases.no_fit)
        else:
            self._stock.with_person(work, f"no_fit.{work.claim.n}", self._phrases.no_fit_person)

    async def get_person(self, work: Work, reason: str) -> None:
        """Hand the conversation to people, or say that there are none."""
        if not work.desk:
            self._stock.nobody(work)
            return
        await self._dialogs.give_up(work)
        work.hand_off("support", reason, {})
