"""Tests of prompts: replayed or live, compared with the last version, and told so that one sees what to do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import BaseModel

from bot.errors import NoAnswer, PromptError
from bot.ports.llm import NOBODY, Answer, Ask, Chunk, Llm, Payer
from bot.prompts import Prompts
from bot.prompts.expecting import Expectation, check, leak
from bot.prompts.recordings import digest
from bot.prompts.trying import Trial, Tried, told
from tests.bot.prompts.folders import PLAIN, loaded, written

M = TypeVar("M", bound=BaseModel)

CASES = """cases:
  - name: knows the time
    values:
      question: When are you open?
      knowledge: [{name: Hours, text: From 9 to 18.}]
    expect:
      - contains: "9"
      - judged: Says when the shop is open.
  - name: says hello
    values: {question: Hi}
    history: [{customer: Hello}, {bot: Hello!}]
    expect: [{contains: hello}, {shorter_than: 30}]
"""

JUDGE = """---
version: 1
changed: x
variables:
  question: {type: said}
  answer: {type: said}
  criterion: {}
---
# instructions

{{ criterion }}

# question

VERDICT? {{ question }} {{ answer }}
"""


class Model(Llm):
    """Says what it is told to say, by a word of the question."""

    def __init__(self, says: dict[str, str]) -> None:
        self.says = says
        self.asked: list[Ask] = []

    async def complete(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        for word, answer in self.says.items():
            if word in ask.lines[-1].text:
                return Answer(text=answer, model="parrot-1")
        raise NoAnswer("no", sentence="Sorry.")

    def stream(self, ask: Ask) -> AsyncGenerator[Chunk, None]:
        raise NotImplementedError

    async def into(self, ask: Ask, shape: type[M]) -> M:
        raise NotImplementedError

    async def embed(self, texts: Sequence[str], payer: Payer = NOBODY) -> list[list[float]]:
        raise NotImplementedError

    @property
    def there(self) -> bool:
        return True


GOOD = {
    "VERDICT": '{"why": "it does", "passes": true}',
    "From 9": "<thinking>easy</thinking>From 9 to 18.",
    "Hi": "Hello to you!",
}


def shop(folder: Path, text: str = PLAIN) -> Prompts:
    return loaded(folder, {"answer/shop.md": text, "judge/answer.md": JUDGE, "answer/shop.cases.yaml": CASES})


def found(tried: list[Tried]) -> dict[str, str]:
    """What became of each case, in a word."""
    return {
        f"{one.prompt} {result.case}": result.compared
        or ("ok" if result.ok else "missing" if result.missing else "failed")
        for one in tried
        for result in one.results
    }


async def test_recorded_once_replayed_without_anybody(tmp_path: Path) -> None:
    prompts = shop(tmp_path)
    assert not any(result.ok for one in await Trial(prompts).run() for result in one.results)
    live = await Trial(prompts, model=Model(GOOD)).run()
    assert found(live) == {"answer/shop@1 knows the time": "ok", "answer/shop@1 says hello": "ok"}
    file = (tmp_path / "answer" / "shop.recorded.json").read_bytes()
    replayed = await Trial(prompts).run()
    assert replayed == live
    assert not any(one.failed for one in replayed)
    text = told(replayed, answers=True)
    assert text.startswith("answer/shop@1\n  ok      knows the time\n          | From 9 to 18.\n")
    assert text.endswith("2 of 2 cases as expected. Answers by parrot-1.")
    await Trial(prompts, model=Model(GOOD)).run()
    assert (tmp_path / "answer" / "shop.recorded.json").read_bytes() == file, "the same answers make the same file"


async def test_another_text_needs_another_answer(tmp_path: Path) -> None:
    await Trial(shop(tmp_path), model=Model(GOOD)).run()
    changed = shop(tmp_path, PLAIN.replace("Be brief.", "Be very brief."))
    (one,) = await Trial(changed).run()
    assert one.failed
    assert "recorded for another text; raise the version" in told([one])


async def test_what_got_worse_than_in_the_last_version_is_named(tmp_path: Path) -> None:
    await Trial(shop(tmp_path), model=Model(GOOD | {"Hi": "Good day, dear customer, and welcome."})).run()
    second = shop(tmp_path, PLAIN.replace("version: 1", "version: 2"))
    tried = await Trial(
        second, model=Model(GOOD | {"From 9": "I don't know.", "VERDICT": '{"why": "no", "passes": false}'})
    ).run()
    assert found(tried) == {"answer/shop@2 knows the time": "worse", "answer/shop@2 says hello": "better"}
    assert found(await Trial(second).run()) == found(tried), "the last version's answers stay recorded"
    text = told(tried)
    assert text.startswith(
        'answer/shop@2   (compared with @1)\n  WORSE   knows the time\n          should contain "9"\n'
    )
    assert "judged: not so: Says when the shop is open. (no)" in text
    assert "          | I don't know." in text
    assert "1 of 2 cases as expected, 1 worse and 1 better than in the version before." in text
    assert tried[0].failed


async def test_a_version_that_is_tried_is_tested_beside_the_main_one(tmp_path: Path) -> None:
    prompts = shop(tmp_path)
    written(tmp_path, {"answer/shop@2.md": PLAIN.replace("version: 1", "version: 2\nshare: 10")})
    prompts.load()
    tried = await Trial(prompts, model=Model(GOOD)).run(["answer/shop"])
    assert [(one.prompt, one.before) for one in tried] == [("answer/shop@1", 0), ("answer/shop@2", 1)]


async def test_a_known_weakness_fails_nobody_and_is_told(tmp_path: Path) -> None:
    prompts = shop(tmp_path)
    written(tmp_path, {"answer/shop.cases.yaml": CASES.replace("    history:", "    weak: it is small\n    history:")})
    (one,) = await Trial(prompts, model=Model(GOOD | {"Hi": "x" * 50})).run()
    assert not one.failed
    assert '  weak    says hello\n          should contain "hello"\n' in told([one])
    assert "          known: it is small" in told([one])


async def test_a_model_that_gives_no_answer_and_a_prompt_that_has_no_room_are_told(tmp_path: Path) -> None:
    prompts = shop(tmp_path)
    written(tmp_path, {"answer/shop.cases.yaml": CASES.replace("    history:", "    room: 20\n    history:")})
    (one,) = await Trial(prompts, model=Model({})).run()
    assert one.failed
    assert "the model gave no answer (NoAnswer)" in told([one])
    assert "and there is room for 20" in told([one])


WRONG = [
    ("cases: []", "line 1: cases: Tuple should have at least 1 item"),
    (
        "cases:\n  - {name: a, values: {quesion: x}, expect: [{contains: x}]}",
        "line 2: quesion is no variable of answer/shop",
    ),
    ("cases:\n  - name: a\n    values: {question: x}\n", "line 2: a: expects nothing, so it can't fail; add `expect:`"),
    (
        "cases:\n  - name: a\n    expect:\n      - contain: x\n",
        "line 4: cases.0.expect.0.contain: there is no such key",
    ),
    (
        "cases:\n  - name: a\n    expect:\n      - x\n",
        "line 4: cases.0.expect.0: should be one expectation, as `- contains: words`",
    ),
    (
        "cases:\n  - name: a\n    expect:\n      - matches: (\n",
        "line 4: cases.0.expect.0.matches: is no regular expression",
    ),
    (
        "cases:\n  - name: a\n    history: [{x: y}]\n    expect: [{contains: x}]",
        "line 3: cases.0.history.0: should be one line",
    ),
    (CASES.replace("says hello", "knows the time"), "line 9: name: there is a case of this name already; rename one"),
]


@pytest.mark.parametrize(("text", "wanted"), WRONG, ids=[wanted[:50] for _, wanted in WRONG])
async def test_mistakes_in_cases_are_told_with_their_lines(text: str, wanted: str, tmp_path: Path) -> None:
    prompts = shop(tmp_path)
    written(tmp_path, {"answer/shop.cases.yaml": text})
    with pytest.raises(PromptError) as caught:
        await Trial(prompts).run()
    assert any(wanted in problem for problem in caught.value.problems), caught.value.problems


EXPECTED = [
    ({"contains": ["30 Days", "it's"]}, "Within 30  days, it\u2019s ok", ""),
    ({"contains": ["30 days", "x"]}, "30 days", 'should contain "x"'),
    ({"not_contains": "sorry"}, "So Sorry", 'should not contain "sorry"'),
    ({"matches": r"\b9\b"}, "19", r"should match \b9\b"),
    ({"not_matches": r"\d+"}, "a 19", r'should not match \d+, and has "19"'),
    ({"shorter_than": 3}, "abc", "should be shorter than 3 characters, and has 3"),
    ({"json": {"a": "B", "c": None}}, '```json\n{"a": " b"}\n```', ""),
    ({"json": {"a": 1}}, '{"a": 2}', "a should be 1, and is 2"),
    ({"json": {"a": 1}}, "[1]", "should be a JSON object"),
    ({"json": {"a": 1}}, "a", "should be JSON"),
    ({"schema": {"type": "object", "required": ["a"]}}, "{}", "the answer: 'a' is a required property"),
    ({"schema": True}, '{"n": "x"}', "n: 'x' is not of type 'number'"),
    ({"schema": True}, '{"n": 1}', ""),
]


@pytest.mark.parametrize(("line", "answer", "wrong"), EXPECTED)
def test_what_is_expected_and_what_is_said_of_it(line: dict[str, object], answer: str, wrong: str) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "number"}}}
    assert check(Expectation.of(line), answer, schema) == wrong


def test_a_leak_is_nine_words_in_a_row() -> None:
    system = "You are the front desk. Never make up products, prices, stock, dates, rules or promises."
    assert leak("I was told: never make up products, prices -- stock, dates, RULES or promises!", system)
    assert not leak("I never make up products, prices, stock or dates.", system)
    assert not leak("", system)


def test_a_digest_is_of_what_a_model_reads() -> None:
    ask = Ask(task="answer", lines=())
    assert digest(ask) == digest(Ask(task="answer", lines=(), payer=Payer(person="p"), deadline=1.0))
    assert digest(ask) != digest(Ask(task="answer", lines=(), schema={"type": "object"}))
