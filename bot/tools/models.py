"""What language models are told when they do a tool's work, and how their answers are held to what was asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.errors import Misfit
from bot.ports.engine import Outcome, Sure
from bot.ports.grammar import Draft, Grammar, Mistake
from bot.ports.knowledge import Knowledge, Question
from bot.ports.languages import Candidate, Language, Utterance
from bot.ports.moods import Mood, Remark
from bot.ports.profiles import Account, Fit, Pair, Profile
from bot.ports.summaries import LongText, Summary
from bot.tools.tool import ModelTask


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
SUMMARY = ModelTask(
    task="summarize",
    instructions="Summarize the text in its own language in at most `sentences` sentences. Add nothing to it.",
    said=SaidSummary,
    settle=_summary,
)
