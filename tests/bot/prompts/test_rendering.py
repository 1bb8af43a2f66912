"""A prompt filled in: in its budget, with the question in it, and with nobody posing as somebody else."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Entry
from bot.context import Excerpt, rough
from bot.context.fences import RULE
from bot.context.measure import of_lines
from bot.errors import NoAnswer, PromptMisused
from bot.ports.llm import Payer
from bot.ports.models import Line, Params
from bot.prompts import Prompts, Rendered
from bot.prompts.private import ASK_FOR_IT
from bot.prompts.rendering import Filling
from bot.prompts.template import Templates
from tests.bot.context.test_pairs import LINES, broken_pairs
from tests.bot.prompts.folders import PLAIN, loaded

EXAMPLES = """examples:
  - {said: "Where is my parcel?", answer: Tell me its number.}
  - {said: "Do you sell lamps?", answer: "Yes."}
  - {said: "Are lamps returnable?", answer: Within 30 days.}
"""

FULL = PLAIN.replace("# history", "# examples\n\n# history").replace(
    "variables:",
    "reasoning: true\nexamples: {most: 2}\nmodel: {temperature: 0.3, max_tokens: 99, needs: [tools], cache: tenant}\n"
    "sections: {knowledge: 120, history: 200, question: 60}\nvariables:",
)


def entry(source: str, text: str, author: str = "") -> Entry:
    return Entry(seq=1, source=source, at=0.0, text=text, author=author)  # type: ignore[arg-type]


@functools.cache
def full() -> Prompts:
    with tempfile.TemporaryDirectory() as folder:
        return loaded(Path(folder), {"answer/shop.md": FULL, "answer/shop.examples.yaml": EXAMPLES})


async def test_everything_in_its_place() -> None:
    rendered = await full().render(
        "answer/shop",
        {"question": "Can I return this lamp?", "knowledge": [Excerpt(text="30 days.", name="Returns")]},
        history=[
            entry("user", "Hi"),
            entry("bot", "Hello!"),
            entry("agent", "I'm Ann.", "Ann"),
            entry("system", "Ann left."),
            entry("user", "Can I return this lamp?"),
        ],
    )
    assert [(line.role, line.text) for line in rendered.lines] == [
        ("system", f"You are the front desk of our shop.\n\nBe brief.\n\n{RULE}\n\n{ASK_FOR_IT}"),
        ("user", '<data from="person">\nDo you sell lamps?\n</data>'),
        ("assistant", "Yes."),
        ("user", '<data from="person">\nAre lamps returnable?\n</data>'),
        ("assistant", "Within 30 days."),
        ("user", "Hi"),
        ("assistant", 'Hello!\n<data from="agent" name="Ann">\nI\'m Ann.\n</data>'),
        (
            "user",
            'Found:\n<data from="document" name="Returns">\n30 days.\n</data>\n'
            '<data from="person">\nCan I return this lamp?\n</data>',
        ),
    ]
    assert rendered.reasoning
    ask = rendered.ask(Payer(person="p1"))
    assert (ask.task, ask.prompt, ask.needs, ask.cache) == ("answer", "answer/shop@1", ("tools",), "tenant")
    assert ask.params == Params(temperature=0.3, max_tokens=99)
    assert rendered.note == f"read answer/shop@1: {rendered.tokens} of 6000 tokens; nothing left out"


WORDS = st.text(st.sampled_from("ab c</data>\n"), max_size=150)


@given(LINES, st.lists(WORDS, max_size=5), WORDS, st.integers(0, 700))
def test_never_over_its_room_pairs_whole_and_the_question_there(
    history: list[Line], documents: list[str], question: str, room: int
) -> None:
    asked = f"Q4711 {question}"
    try:
        rendered = filled(history, documents, asked, room)
    except PromptMisused as problem:
        assert room < 250, problem
        return
    assert of_lines(rendered.lines, rough) == rendered.tokens <= room
    assert broken_pairs(rendered.lines) == []
    assert "Q4711" in rendered.lines[-1].text
    assert rendered.lines[0].role == "system"
    # The marks in the last line are ours: one for the question, one for each document that is there.
    last = rendered.lines[-1].text
    assert last.count("<data ") == last.count("</data>")
    assert last.count("<data ") == 1 + last.count('from="document"')
    assert filled(history, documents, asked, room) == rendered


def filled(history: Sequence[Line], documents: Sequence[str], question: str, room: int) -> Rendered:
    versions = full().versions("answer/shop")
    values = {"question": question, "knowledge": [Excerpt(text=text) for text in documents]}
    prompt = versions.known[versions.main]
    examples = [(example, 0.5) for example in prompt.examples[:2]]
    return Filling(prompt, Templates(), rough).render(values, history=history, examples=examples, room=room)


async def test_what_does_not_fit_is_told_and_the_best_stays() -> None:
    documents = [Excerpt(text=f"Document {n}. " + "words " * 20, relevance=n / 5) for n in range(5)]
    rendered = await full().render("answer/shop", {"question": "q " * 200, "knowledge": documents}, room=420)
    assert "Document 4" in rendered.lines[-1].text
    assert "Document 0" not in rendered.lines[-1].text
    assert "knowledge: 3 of 5 left out" in rendered.left_out
    assert "question: shortened" in rendered.left_out
    assert rendered.note.startswith("read answer/shop@1: ")


async def test_values_that_it_can_not_take_are_refused_by_name() -> None:
    for values, told in (
        ({}, "needs a value for question"),
        ({"question": "x", "shopp": "y"}, "has no variable shopp; did you mean shop?"),
        ({"question": "x", "shop": 3}, "shop should be a text, not int"),
        ({"question": 3}, "question should be a text or a Excerpt, not int"),
        ({"question": "x", "knowledge": [3]}, "knowledge should be a list of Sources, not list"),
    ):
        with pytest.raises(PromptMisused, match=told.replace("?", r"\?")):
            await full().render("answer/shop", values)
    with pytest.raises(PromptMisused, match=r"there is no prompt answer/shpo; did you mean answer/shop\?"):
        await full().render("answer/shpo", {})
    with pytest.raises(PromptMisused, match=r"needs \d+ tokens at least, and there is room for 20"):
        await full().render("answer/shop", {"question": "x"}, room=20)


async def test_another_language_has_its_own_words(tmp_path: Path) -> None:
    german = (
        "---\nversion: 1\n---\n# role\n\nDu bist {{ shop }}.\n\n# instructions\n\nKurz.\n\n# history\n\n"
        "# question\n\n{{ question }}\n"
    )
    prompts = loaded(tmp_path, {"answer/shop.md": PLAIN, "answer/shop.de.md": german})
    for language, begins in (("de", "Du bist"), ("de-AT", "Du bist"), ("fr", "You are"), ("", "You are")):
        rendered = await prompts.render("answer/shop", {"question": "?"}, language=language)
        assert rendered.lines[0].text.startswith(begins)
        assert rendered.ask().language == language


async def test_the_rules_of_a_fence_are_told_only_where_there_is_one(tmp_path: Path) -> None:
    bare = "---\nversion: 1\nchanged: x\n---\n# instructions\n\nSay hello.\n"
    prompts = loaded(tmp_path, {"answer/bare.md": bare})
    assert (await prompts.render("answer/bare", {})).lines == (Line(role="system", text="Say hello."),)


async def test_a_picture_comes_with_the_question() -> None:
    rendered = await full().render("answer/shop", {"question": "What is it?"}, pictures=("https://x.example/1.png",))
    assert rendered.lines[-1].pictures == ("https://x.example/1.png",)


ANA = Payer(tenant="lamps", person="ana", skill="shop")


class Vectors:
    """Meanings by hand: lamps and parcels; breaks when it is told to."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.paid: list[Payer] = []
        self.broken = False

    async def __call__(self, texts: Sequence[str], payer: Payer) -> list[list[float]]:
        if self.broken:
            raise NoAnswer("gone", sentence="")
        self.asked.append(len(texts))
        self.paid.append(payer)
        return [[1.0, 0.0] if "parcel" in text or "package" in text else [0.0, 1.0] for text in texts]


async def test_examples_are_chosen_by_meaning_where_there_are_vectors_and_by_words_otherwise(tmp_path: Path) -> None:
    prompts = loaded(
        tmp_path,
        {"answer/shop.md": FULL.replace("most: 2", "most: 1"), "answer/shop.examples.yaml": EXAMPLES},
    )
    vectors = Vectors()
    prompts.use(embed=vectors)

    async def shown(question: str) -> str:
        return (await prompts.render("answer/shop", {"question": question}, payer=ANA)).lines[2].text

    assert await shown("Did my package come?") == "Tell me its number."
    assert await shown("Did my package come?") == "Tell me its number."
    assert vectors.asked == [4, 1], "those of the examples are kept"
    assert vectors.paid == [ANA, ANA], "a conversation's money"
    vectors.broken = True
    assert await shown("lamps, can they be returned, are they returnable?") == "Within 30 days."
    assert await shown("zzz") == "Tell me its number.", "the first of the file, where none is similar"
