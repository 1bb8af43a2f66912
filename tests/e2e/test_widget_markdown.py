"""The widget's Markdown against what the core promises: escaped words show as they are, and nothing takes long."""

from __future__ import annotations

import random
from pathlib import Path

from markdown_it import MarkdownIt

from bot import escape
from tests.e2e.browser import Widget, browser_test, shop
from tests.e2e.corpus import PAYLOADS
from tests.e2e.scripted import scripted

pytestmark = browser_test

DRAW = """async ([url, texts, open]) => {
    const { blocks } = await import(url);
    return texts.map((text) => {
        const start = performance.now();
        const box = document.createElement('div');
        box.append(...blocks(text, open));
        const took = performance.now() - start;
        for (const br of box.querySelectorAll('br')) br.replaceWith('\\n');
        const tags = [...box.querySelectorAll('*')].map((node) => node.tagName.toLowerCase());
        return [box.textContent, took, tags.join(' ')];
    });
}"""

PIECES = [
    *"*_`~[]()<>!#+-.|\\&;:/=\"'0123 ab\u00e9\U0001f600",
    "http://x.de",
    "&amp;",
    "**",
    "```",
    "1.",
    "- ",
    "# ",
    "> ",
]


async def draw(chat: Widget, texts: list[str], *, unfinished: bool = False) -> list[tuple[str, float, str]]:
    """What the widget makes of texts: the visible words, how long it took, the elements."""
    url = chat.site.api + "/markdown.js"
    found = await chat.page.evaluate(DRAW, [url, texts, unfinished])
    return [(words, took, tags) for words, took, tags in found]


async def test_escaped_words_show_exactly_as_they_are(tmp_path: Path) -> None:
    rng = random.Random(11)
    texts = ["".join(rng.choices(PIECES, k=rng.randrange(1, 14))).strip() or "x" for _ in range(2000)]
    async with shop(tmp_path, scripted) as chat:
        shown = await draw(chat, [f"a {escape(text)} z" for text in texts])
    wrong = [(text, words) for text, (words, _, _) in zip(texts, shown, strict=True) if words != f"a {text} z"]
    assert wrong == []


async def test_common_markdown_has_the_elements_that_commonmark_says(tmp_path: Path) -> None:
    texts = [
        "**bold** and *slanted* and `code`",
        "***both***",
        "_a_ __b__ snake_case_word 2*3*4",
        "a * b * c",
        "**bold *inside* it**",
        "*a **b** c*",
        "[link](https://x.example) and <https://y.example>",
        "[**bold** link](https://x.example)",
        "1. one\n2. two\n\n   more\n3. three",
        "- a\n  - b\n    - c\n- d",
        "- a\n\n- b",
        "> quote\n> goes on\n\nafter",
        "```py\nx = 1\n\ny = 2\n```\nafter",
        "`` a ` b ``",
        "# One\ntext\n## Two",
        "text\n- item",
        "a\\*b\\*c",
        "***",
        "`*a*` *`b`*",
        "5 * 3 = 15 and 2 ** 3",
        "**not closed",
        "[not a link] (really)",
    ]
    reference = MarkdownIt("commonmark")
    expected = []
    for text in texts:
        tags = [
            child.tag
            for token in reference.parse(text)
            for child in (token, *(token.children or ()))
            if child.nesting >= 0 and child.tag and not child.hidden
        ]
        expected.append(sorted(tag for tag in tags if tag not in ("br",)))
    async with shop(tmp_path, scripted) as chat:
        shown = await draw(chat, texts)
    smaller = {"h1": "h3", "h2": "h4"}  # a message is no chapter of the host's page
    for text, wanted, (_, _, tags) in zip(texts, expected, shown, strict=True):
        got = [tag for tag in tags.split() if tag != "br"]
        if "```" in text:
            got.remove("pre")
        assert sorted(got) == sorted(smaller.get(tag, tag) for tag in wanted), text


async def test_no_text_takes_long(tmp_path: Path) -> None:
    long = [(payload * (20_000 // len(payload) + 1))[:20_000] for payload in PAYLOADS]
    mixed = [
        "*_~`[](<>!\\ \n" * 1500,
        "**a " * 5000,
        "[a](b " * 3000,
        "- " * 10_000,
        "\n".join("> " * n for n in range(150)),
    ]
    async with shop(tmp_path, scripted) as chat:
        for unfinished in (False, True):
            for text, (_, took, _) in zip(
                long + mixed, await draw(chat, long + mixed, unfinished=unfinished), strict=True
            ):
                assert took < 500, f"{took} ms for {text[:30]!r}"


async def test_what_is_being_written_never_shows_its_markers(tmp_path: Path) -> None:
    text = "This is **very bold**, *slanted*, `code`, a [link](https://x.example/a_b) and ***more***."
    async with shop(tmp_path, scripted) as chat:
        starts = [text[:end] for end in range(1, len(text) + 1)]
        shown = [words for words, _, _ in await draw(chat, starts, unfinished=True)]
    assert shown[-1] == "This is very bold, slanted, code, a link and more."
    final = shown[-1]
    odd = [words for words in shown if not final.startswith(words.rstrip("*`[").rstrip())]
    assert odd == []
