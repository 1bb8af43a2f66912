# ruff: noqa: E501 - a table of mistakes and what is said of them reads better a line each
"""Every mistake in a prompt's file is told, with its file, its line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.prompts.template import Marked, Templates, Wrong
from tests.bot.prompts.folders import PLAIN, loaded, problems

HEAD = "---\nversion: 1\nchanged: x\n"
BODY = "---\n# instructions\n\nBe brief.\n"


def head(lines: str) -> str:
    return f"{HEAD}{lines}\n{BODY}"


MISTAKES = [
    ("# instructions\nBe brief.", "line 1: a prompt begins with its front matter: `---`, `version: 1`, `changed: ...`, `---`"),
    (head("sektions: {a: 1}"), "line 4: sektions: there is no such key; did you mean sections?"),
    (head("model: {temprature: 1}"), "line 4: model.temprature: there is no such key; did you mean temperature?"),
    (head("model:\n  temperature: 7"), "line 5: model.temperature: should be less than or equal to 2"),
    (head("share: many"), "line 4: share: should be a number"),
    (head("a: [b"), "line 5: expected ',' or ']', but got '<stream end>'; indent with spaces and put texts with `:` or `#` in quotes"),
    ("---\nversion: 1\n" + BODY, "line 2: changed: is missing; add it"),
    (head("variables:\n  who: {type: texts}"), "line 5: variables.who.type: should be 'text', 'number', 'flag', 'said' or 'sources'"),
    (head("variables:\n  who: {default: 3}\n"), "line 5: variables.who.default: should be text; put it in quotes"),
    (head("variables:\n  Who: {}\n"), "line 5: variables.Who: names are small letters, digits and _"),
    (head("variables:\n  who: {}\n"), "line 5: variables.who: is not used; remove it, or write {{ who }}"),
    (head("sections: {histori: 3}"), "line 4: sections.histori: is no part and no said or sources; there is instructions"),
    (HEAD + "---\nBe brief.\n", "line 5: stands before the first part; put `# instructions` above it"),
    (HEAD + "---\n# instructions\n\n# instrucktions\n", "line 7: # instrucktions: there is no such part; did you mean instructions?. Headings inside a part begin with ##"),
    (HEAD + "---\n# role\n\nYou are.\n", "line 5: there is neither `# instructions` nor `# question`: the model would read nothing"),
    (HEAD + "---\n# question\n\n# role\n", "line 5: the parts should be in this order: # role, # instructions, # examples, # history, # question"),
    (HEAD + "---\n# instructions\na\n# history\nb\n", "line 8: # history has no words of its own: it says where they are put"),
    (HEAD + "---\n# instructions\na\n# instructions\nb\n", "line 7: # instructions: stands there already; keep one"),
    (HEAD + "---\n# instructions\n\na\n{{ who }}\n", "line 8: {{ who }} is no variable of this prompt; declare it under variables"),
    (HEAD + "variables:\n  shop: {}\n---\n# instructions\n{{ shop }}\n{{ shpo }}\n", "line 9: {{ shpo }} is no variable of this prompt; did you mean shop?"),
    (HEAD + "---\n# instructions\n\n{% if %}\n", "line 7: Expected an expression, got 'end of statement block'; docs/prompts.md shows what a template can do"),
    (HEAD + "---\n# instructions\na\n{% include 'x' %}\n", "line 7: a prompt can't take in other files; write it out here; docs/prompts.md shows what a template can do"),
    (HEAD + "variables:\n  said: {type: said}\n---\n# instructions\n{{ said }}\n", "line 8: {{ said }} is what others said; put it into # question, not into # instructions"),
    (HEAD + "variables:\n  said: {type: said}\n---\n# question\n\n{{ said | upper }}\n", "line 9: what others said can't be changed or put into another text; print it by itself: {{ name }}"),
    (HEAD + "variables:\n  who: {}\n---\n# instructions\n\na\n{{ who + 1 }}\n", 'line 10: can only concatenate str (not "int") to str'),
    (HEAD + "variables:\n  question: {}\n---\n# question\n{{ question }}\n", "line 5: variables.question.type: should be said: a person said it"),
    (HEAD + "---\n# instructions\na\n# examples\n", "line 2: examples.like: question is no variable"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), MISTAKES, ids=[told[:60] for _, told in MISTAKES])
def test_a_mistake_is_told_with_its_line_and_fix(text: str, told: str, tmp_path: Path) -> None:
    found = problems(tmp_path, {"answer/shop.md": text})
    assert any(problem.replace("answer/shop.md ", "").startswith(told) for problem in found), found


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    files = {
        "answer/shop.md": PLAIN.replace("version: 1", "version: 2"),
        "answer/shop@1.md": PLAIN.replace("version: 1", "version: 2"),
        "answer/shop@3.md": PLAIN.replace("version: 1", "version: 4"),
        "answer/shop@5.md": PLAIN.replace("version: 1", "version: 5\nshare: 60"),
        "answer/shop@6.md": PLAIN.replace("version: 1", "version: 6\nshare: 60"),
        "answer/shop.de.md": "---\nversion: 1\n---\n# instructions\n\nSei kurz.\n",
        "answer/other@1.md": PLAIN,
        "answer/other.de.md": PLAIN,
        "answer/shopp.cases.yaml": "",
        "answer/Notes.txt": "",
        "Answer/shop.md": PLAIN,
    }
    assert sorted(problems(tmp_path, files)) == sorted(
        [
            "Answer: a folder here is named after a task: small letters, digits and _",
            "answer/Notes.txt: is no prompt; its name should be like shop.md or shop@4.de.md",
            "answer/other.de.md: translates other.md, which is not there",
            "answer: other@...md needs a other.md, for everybody else",
            "answer/shop.de.md line 2: version: is 1, but answer/shop.md is 2; translate it anew",
            "answer/shop.de.md line 4: should have the same parts as answer/shop.md, in order: "
            "# role, # instructions, # history, # question",
            "answer/shop@1.md line 2: version: answer/shop.md is version 2 too; raise one",
            "answer/shop@3.md line 2: version: is 4, but the file's name says 3",
            "answer/shop.md line 1: share: the shares of its versions come to 120, more than 100",
            "answer/shopp.cases.yaml: belongs to shopp.md, which is not there; did you mean shop?",
        ]
    )


def test_examples_are_there_where_the_prompt_wants_them(tmp_path: Path) -> None:
    wants = PLAIN.replace("# history", "# examples\n\n# history")
    (problem,) = problems(tmp_path / "a", {"answer/shop.md": wants})
    assert problem == (
        "answer/shop.md line 17: # examples: there are none; write them into answer/shop.examples.yaml, or remove the part"
    )
    broken = {"answer/shop.md": wants, "answer/shop.examples.yaml": "examples:\n  - {said: hi, anser: x}\n"}
    assert problems(tmp_path / "b", broken) == [
        "answer/shop.examples.yaml line 2: examples.0.answer: is missing; add it",
        "answer/shop.examples.yaml line 2: examples.0.anser: there is no such key; did you mean answer?",
    ]


def test_instructions_have_a_budget_too(tmp_path: Path) -> None:
    text = PLAIN.replace("variables:", "sections: {instructions: 20}\nvariables:")
    (problem,) = problems(tmp_path, {"answer/shop.md": text})
    assert problem.startswith("answer/shop.md line ")
    assert "tokens, more than 20" in problem


def test_a_good_file_stays_when_a_new_one_is_wrong(tmp_path: Path) -> None:
    prompts = loaded(tmp_path, {"answer/shop.md": PLAIN})
    (tmp_path / "answer" / "shop.md").write_text("oops")
    with pytest.raises(Exception, match="Prompts need attention"):
        prompts.load()
    assert prompts.versions("answer/shop").main == 1


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ knowledge._text }}",
    "{{ knowledge['_text'] }}",
    "{{ knowledge|attr('_text') }}",
    "{{ knowledge ~ '' }}",
    "{{ knowledge|string }}",
    "{{ '%s' % knowledge }}",
    "{{ '{}'.format(knowledge) }}",
    "{{ knowledge[3:] }}",
    "{{ knowledge|list }}",
    "{{ knowledge|replace('data', '') }}",
    "{{ [knowledge]|join }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ range(10) }}",
    "{{ missing }}",
    "{{ items.append(1) }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_no_template_gets_out_of_its_sandbox_or_a_text_out_of_its_fence(source: str) -> None:
    filled = Templates().fill(source, {"knowledge": Marked("<data>x</data>"), "items": []})
    assert isinstance(filled, Wrong), filled
    assert filled.line == 1


def test_a_template_can_ask_whether_there_is_any_and_print_it() -> None:
    source = "a\n{% if knowledge %}\n{{ knowledge }}\n{% endif %}\n{{ name | upper }}"
    assert Templates().fill(source, {"knowledge": Marked("<data>"), "name": "b"}) == "a\n<data>\nB"
    assert Templates().fill(source, {"knowledge": Marked(""), "name": "b"}) == "a\nB"
