"""What language models are told when they do a tool's work, and how their answers are held to what was asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.errors import Misfit
from bot.ports.engine import Outcome, Sure
from bot.ports.grammar import Draft, Grammar, Mistake
from bot.ports.images import LONGEST_WORDS, Likeness, TwoPictures
from bot.ports.knowledge import Knowledge, Question
from bot.ports.languages import Candidate, Language, Utterance
from bot.ports.moods import Mood, Remark
from bot.ports.profiles import Account, Fit, Pair, Profile
from bot.ports.pronunciation import Pronunciation, Recording
from bot.ports.summaries import LongText, Summary
from bot.tools.tool import ModelTask

DOUBTFUL = 0.5
"""Scores below are of words worth saying again."""


class SaidKnowledge(BaseModel):
    """An answer out of passages."""

    known: bool
    answer: str = ""
    sources: tuple[str, ...] = ()


def _knowledge(asked: Question, said: SaidKnowledge, offline: Outcome[Knowledge] | None) -> Knowledge:
    passages = offline.result.passages if offline is not None else ()
    there = {passage.source for passage in passages}
    sources = tuple(source for source in said.sources if source in there)
    if said.known and (not said.answer.strip() or not sources):
        raise Misfit("the answer names no passage that it was given")
    return Knowledge(
        known=said.known,
        answer=said.answer if said.known else "",
        sources=sources if said.known else (),
        passages=passages,
    )


def _profile(asked: Account, said: Profile, _: Outcome[Profile] | None) -> Profile:
    """Only what stands in the text."""
    text = " ".join(asked.text.casefold().split())
    figures = "".join(filter(str.isdigit, text))

    def there(value: str) -> bool:
        digits = "".join(filter(str.isdigit, value))
        phone = len(digits) >= 7 and digits in figures and not any(c.isalpha() for c in value)
        return bool(value.strip()) and (" ".join(value.casefold().split()) in text or phone)

    kept = {
        name: tuple(filter(there, value)) if isinstance(value, tuple) else (value if there(value) else "")
        for name, value in said
    }
    return Profile.model_validate(kept)


def _fit(asked: Pair, said: Fit, _: Outcome[Fit] | None) -> Fit:
    known = {name for name in Profile.model_fields if getattr(asked.profile, name) and getattr(asked.other, name)}
    return said.model_copy(update={"reasons": tuple(reason for reason in said.reasons if reason.field in known)})


class SaidLanguage(BaseModel):
    """The language of a text."""

    language: Annotated[str, Field(pattern=r"^([a-z]{2})?$")]


def _language(asked: Utterance, said: SaidLanguage, _: Outcome[Language] | None) -> Language:
    if asked.among and said.language and said.language not in asked.among:
        raise Misfit("the language is none of those that were possible")
    sure = (Candidate(language=said.language, probability=1.0),) if said.language else ()
    return Language(language=said.language, candidates=sure)


class SaidMood(BaseModel):
    """How a text sounds."""

    mood: Literal["positive", "neutral", "negative"]
    valence: Annotated[float, Field(ge=-1, le=1)]


def _mood(asked: Remark, said: SaidMood, _: Outcome[Mood] | None) -> Mood:
    signs = {"positive": said.valence > 0, "negative": said.valence < 0, "neutral": abs(said.valence) <= 0.5}
    if not signs[said.mood]:
        raise Misfit("the mood and the valence contradict each other")
    bad, good = max(0.0, -said.valence), max(0.0, said.valence)
    return Mood(mood=said.mood, valence=said.valence, positive=good, negative=bad, neutral=1 - good - bad)


class SaidMistake(BaseModel):
    """A mistake: the words that are wrong, exactly as they stand there, and what should stand there."""

    wrong: Annotated[str, Field(min_length=1)]
    right: str
    kind: Annotated[str, Field(max_length=40)]
    message: str


class SaidGrammar(BaseModel):
    """All mistakes, in order."""

    mistakes: Annotated[tuple[SaidMistake, ...], Field(max_length=100)] = ()


def _grammar(asked: Draft, said: SaidGrammar, _: Outcome[Grammar] | None) -> Grammar:
    """Only mistakes that stand in the text, one after the other; the text is put together here and not by the model."""
    corrected, end = "", 0
    kept: list[Mistake] = []
    for each in said.mistakes:
        start = asked.text.find(each.wrong, end)
        if start < 0 or each.wrong == each.right:
            continue
        corrected += asked.text[end:start] + each.right
        end = start + len(each.wrong)
        kept.append(Mistake(start=start, end=end, kind=each.kind, message=each.message, suggestions=(each.right,)))
    return Grammar(correct=not kept, mistakes=tuple(kept), corrected=corrected + asked.text[end:])


class SaidLikeness(BaseModel):
    """What two pictures have in common."""

    same: bool
    similarity: Sure
    both_show: Annotated[str, Field(max_length=LONGEST_WORDS)] = ""


def _likeness(asked: TwoPictures, said: SaidLikeness, offline: Outcome[Likeness] | None) -> Likeness:
    """Its own judgement, with the bits that were counted."""
    if said.same and said.similarity < 0.5:
        raise Misfit("the same picture is not unlike itself")
    return Likeness(
        same=said.same,
        similarity=said.similarity,
        different_bits=offline.result.different_bits if offline is not None else None,
        both_show=said.both_show.strip() or None,
    )


class SaidWord(BaseModel):
    """How well a word was said. `place` and `word` are those of the list that was given."""

    place: int
    word: str
    score: Sure


class SaidPronunciation(BaseModel):
    """A judgement of every word."""

    words: Annotated[tuple[SaidWord, ...], Field(max_length=500)]


def _aligned(found: Pronunciation) -> dict[str, object]:
    """The words with their times. What the engine thinks of them is not shown: it would be repeated."""
    words = [
        {"place": place, "word": word.word, "start": word.start, "seconds": word.seconds}
        for place, word in enumerate(found.words)
    ]
    return {"text_ref": found.text_ref, "words": words}


def _pronunciation(asked: Recording, said: SaidPronunciation, offline: Outcome[Pronunciation] | None) -> Pronunciation:
    """Scores for the words that were aligned, all of them and no others; their times are the engine's."""
    if offline is None or not offline.result.words:
        raise Misfit("there are no words to judge")
    found = offline.result
    scores = {
        each.place: each.score
        for each in said.words
        if 0 <= each.place < len(found.words) and each.word.casefold() == found.words[each.place].word.casefold()
    }
    if len(scores) < len(found.words):
        raise Misfit("not every word of the text was judged")
    words = tuple(
        word.model_copy(update={"score": scores[place], "doubtful": scores[place] < DOUBTFUL, "sounds": ()})
        for place, word in enumerate(found.words)
    )
    score = round(sum(scores.values()) / len(scores), 3)
    return found.model_copy(update={"score": score, "words": words})


class SaidSummary(BaseModel):
    """A summary."""

    summary: Annotated[str, Field(min_length=1)]


def _summary(asked: LongText, said: SaidSummary, _: Outcome[Summary] | None) -> Summary:
    if len(said.summary) > max(200, len(asked.text)):
        raise Misfit("the summary is longer than the text")
    kept: Sure = round(min(1.0, len(said.summary) / len(asked.text)), 3)
    return Summary(summary=said.summary, kept=kept)


KNOWLEDGE = ModelTask(
    task="answer",
    instructions="Answer the question using only the passages. If they do not answer it, say known=false. "
    "`sources` are the `source` of each passage that you used.",
    said=SaidKnowledge,
    settle=_knowledge,
    grounded=True,
    shown=lambda found: {"passages": [passage.model_dump(mode="json") for passage in found.passages]},
)
PROFILE_EXTRACTION = ModelTask(
    task="extract",
    instructions="Write down what the author of the text says about themselves. Copy each value exactly as it stands "
    "in the text. Leave empty what is not said; never guess.",
    said=Profile,
    settle=_profile,
)
PROFILE_MATCH = ModelTask(
    task="judge",
    instructions="Judge how well the two profiles fit, from 0 to 1, comparing only fields that both have. `matches` "
    "is true from 0.5 on. A field in `required` that does not fit makes the score 0. Give a reason for each field.",
    said=Fit,
    settle=_fit,
)
LANGUAGE_DETECTION = ModelTask(
    task="classify",
    instructions="Name the language of the text by its ISO 639-1 code. If `among` has any, choose one of them. Leave "
    "it empty if the text has no words.",
    said=SaidLanguage,
    settle=_language,
)
MOOD = ModelTask(
    task="classify",
    instructions="Judge how the author of the text feels. The valence goes from -1 (very bad) to 1 (very good).",
    said=SaidMood,
    settle=_mood,
)
GRAMMAR_CHECKER = ModelTask(
    task="judge",
    instructions="Find the mistakes of grammar in the text, in order, and also of spelling or style if those are asked "
    "for. Quote only the words that are wrong, exactly as they stand there.",
    said=SaidGrammar,
    settle=_grammar,
)
PRONUNCIATION_CHECKER = ModelTask(
    task="judge",
    instructions="Listen to the recording of somebody who reads the `words` aloud, each at its `start` (in seconds). "
    "Judge each of them from 0 (another word, or not to be understood) to 1 (as a native speaker says it). Give every "
    "word once, with its `place` and `word` as they stand there, and no others.",
    said=SaidPronunciation,
    settle=_pronunciation,
    grounded=True,
    shown=_aligned,
    recordings=("audio",),
)
IMAGE_MATCH = ModelTask(
    task="judge",
    instructions="Compare the two pictures. `same` says whether they are one and the same picture, resized, a little "
    "cropped, brightened or compressed; two pictures of one thing are not the same. `similarity` goes from 0 to 1. "
    "`both_show` says in a few words what is to be seen in both; leave it empty if there is nothing.",
    said=SaidLikeness,
    settle=_likeness,
    grounded=True,
    alone=True,
    pictures=("image", "other"),
)
SUMMARY = ModelTask(
    task="summarize",
    instructions="Summarize the text in its own language in at most `sentences` sentences. Add nothing to it.",
    said=SaidSummary,
    settle=_summary,
)
