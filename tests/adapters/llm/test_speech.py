"""Calls that models write into their text are told from text, however the pieces fall; thoughts are shown to nobody."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.llm.speech import Speech
from bot.ports import ToolCall

CALL = '{"name": "weather", "arguments": {"city": "Oslo"}}'

CALLS = [
    f"```json\n{CALL}\n```",
    f"```\n{CALL}\n```",
    f"```json {CALL}```",
    f"<tool_call>\n{CALL}\n</tool_call>",
    f"<tool_call>{CALL}",
    CALL,
    f"[{CALL}]",
    f"<|python_tag|>{CALL}",
    '{"name": "weather", "parameters": {"city": "Oslo"}}',
    '{"type": "function", "function": {"name": "weather", "arguments": "{\\"city\\": \\"Oslo\\"}"}}',
    f"{{{CALL}}}",
    f"<think>They want the weather.</think>\n\n```json\n{CALL}\n```",
]

TEXTS = [
    "It rains in Oslo.",
    "",
    '```json\n{"colour": "red"}\n```',
    '```json\n{"name": "rm_rf", "arguments": {}}\n```',
    "```python\nprint({'name': 'weather'})\n```\nThat prints it.",
    '{"not": "a call"}',
    "{ this is no JSON",
    "{{ nor is this }}",
    "Use `weather` or ```inline``` marks.",
    "a < b and <tool_ is no mark",
    "<thinking> is no thought",
    '[{"name": "weather", "arguments": {}}, {"name": "unknown"}]',
]


def spoken(parts: list[str], tools: tuple[str, ...] = ("weather",)) -> tuple[str, list[ToolCall], list[str]]:
    speech = Speech(tools)
    shown = [speech.add(part) for part in parts]
    text, calls = speech.end()
    return "".join(shown) + text, calls, shown


@pytest.mark.parametrize("text", CALLS)
def test_a_call_in_the_text_is_a_call_and_is_not_shown(text: str) -> None:
    shown, calls, _ = spoken(list(text))
    assert shown == ""
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [("weather", {"city": "Oslo"})]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_no_call_of_an_offered_tool_is_shown_as_it_is(text: str) -> None:
    shown, calls, _ = spoken(list(text))
    assert (shown, calls) == (text, [])


@pytest.mark.parametrize("text", CALLS[:11])
def test_without_tools_nothing_is_a_call(text: str) -> None:
    assert spoken(list(text), ())[0] == text


def test_several_calls_are_all_made() -> None:
    two = f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL.replace('Oslo', 'Bergen')}</tool_call>"
    _, calls, _ = spoken([two])
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Oslo", "Bergen"]
    assert len({call.id for call in calls}) == 2


def test_words_before_a_call_are_shown_at_once() -> None:
    shown, calls, parts = spoken(["I'll look. ", "```json\n", CALL, "\n```"])
    assert shown == parts[0] == "I'll look. "
    assert len(calls) == 1


def test_plain_words_are_never_held_back() -> None:
    _, _, parts = spoken(["Hello ", "there, ", "how are you?"])
    assert parts == ["Hello ", "there, ", "how are you?"]


def test_thoughts_are_shown_to_nobody() -> None:
    for tools in ((), ("weather",)):
        assert spoken(list("<think>Hm. They are rude.</think>\nGood morning!"), tools)[0] == "Good morning!"
    assert spoken(["<think>never ending"])[0] == ""


@given(st.sampled_from(TEXTS + CALLS), st.lists(st.integers(1, 12), min_size=1, max_size=30))
def test_it_does_not_matter_where_the_pieces_end(text: str, sizes: list[int]) -> None:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    parts.append(text[at:])
    assert spoken(parts)[:2] == spoken([text])[:2]


@given(st.text(alphabet='`<>{}[]"jsontl_calk \n', max_size=60), st.integers(1, 7))
def test_no_text_is_lost(text: str, size: int) -> None:
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    shown, calls, _ = spoken(parts)
    if not calls and "<think>" not in text:
        assert shown.strip() == text.strip()
