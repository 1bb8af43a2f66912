"""A message while a question is open: its answer, a word that works everywhere, another request, or none of these."""

from __future__ import annotations

from msgspec.structs import replace

from bot.dialog.answers import Chosen, Given, Said, Stale, Torn, Unfit, Word, understand
from bot.dialog.asking import buttons
from bot.dialog.driver import MAX_DEPTH, Dialogs
from bot.dialog.journal import Offer
from bot.dialog.stops import Question
from bot.messages import Submitted, Text
from bot.phrases import Phrases
from bot.replies import Button, Choice, Reply
from bot.turns.requests import Requests
from bot.turns.router import SURE
from bot.turns.work import Work

MOST_MISSES = 3
"""So many answers that don't fit, and a person is offered."""


class OpenQuestions:
    """Takes answers to the open question, and asks it again where something else was said."""

    def __init__(self, requests: Requests, dialogs: Dialogs, phrases: Phrases) -> None:
        self._requests, self._dialogs, self._phrases = requests, dialogs, phrases

    async def answer(self, work: Work) -> None:
        """Answer a message while a question is open."""
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
        return text.startswith("/") and self._requests.router.route(work.message.content, text).score == 1.0

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
                await self._requests.get_person(work, f"asked for a person at a question of {frame.skill}")

    async def _other_request(self, work: Work, question: Question, hint: str) -> None:
        """Another request is answered first, and the question picked up again; anything else is asked again."""
        route = self._requests.router.route(work.message.content, work.message.text)
        work.trace.candidates = route.candidates
        stack = [(frame.skill, frame.handler) for frame in work.lane.frames]
        intent = route.intent
        fresh = intent is not None and (intent.skill, intent.name) not in stack and len(stack) < MAX_DEPTH
        if intent is not None and fresh and route.score >= SURE:
            work.trace.decided = f"another request: {route.decided}"
            await self._requests.begin(work, intent, route)
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


def _offered(offer: Offer | None, question: Question) -> tuple[Button, ...]:
    """The choices on the table while a question is open: what was offered last, if it was about this question."""
    return offer.buttons if offer and offer.frame and offer.buttons else question.buttons


def _hint(phrases: Phrases, question: Question) -> str:
    if question.buttons and question.like is None:
        return phrases.pick
    if question.like and question.like.hint:
        return phrases.hint.replace("{hint}", question.like.hint)
    return ""
