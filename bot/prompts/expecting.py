"""What a test expects of an answer, and whether it is so. Pure, but for what a judge says.

    expect:
      - contains: 30 days                  # capitals and spaces don't matter
      - not_contains: [refund, sorry]      # none of them
      - matches: "\\\\b14 (May|days)\\\\b"       # a regular expression
      - not_matches: https?://
      - json: {intent: track}              # these fields of a JSON answer have these values
      - schema: {type: object}             # or true: the schema that the prompt itself asks for
      - shorter_than: 400                  # characters
      - judged: Says that it can't know the price.

That an answer gives nothing of the system line away is always expected, unless the case says `may_leak: true`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from bot.ports.models import Schema
from bot.text.plain import words

LEAK = 9
"""Words in a row of the system line that make a leak: an answer shares a few with it by chance."""

_FENCED = re.compile(r"^```(?:json)?[^\S\n]*+\n(.*?)\n?```$", re.DOTALL)


class Expectation(BaseModel):
    """One line of `expect`: exactly one of these."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contains: str | tuple[str, ...] | None = None
    not_contains: str | tuple[str, ...] | None = None
    matches: str | None = None
    not_matches: str | None = None
    json_: dict[str, Any] | None = None
    schema_: bool | dict[str, Any] | None = None
    shorter_than: int | None = None
    judged: str | None = None

    @field_validator("matches", "not_matches")
    @classmethod
    def _is_pattern(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return pattern

    @classmethod
    def of(cls, line: object) -> Expectation:
        """One line as it stands in the file. Raises ValueError."""
        if not isinstance(line, dict) or len(line) != 1:
            raise ValueError("should be one expectation, as `- contains: words`")
        ((name, wanted),) = line.items()
        return cls.model_validate({f"{name}_" if name in ("json", "schema") else name: wanted})


def check(expected: Expectation, answer: str, schema: Schema | None) -> str:
    """What is wrong with the answer, in words; "" where nothing is, or only a judge can say."""
    if expected.contains is not None:
        missing = [text for text in _several(expected.contains) if _flat(text) not in _flat(answer)]
        return f"should contain {_quoted(missing)}" if missing else ""
    if expected.not_contains is not None:
        there = [text for text in _several(expected.not_contains) if _flat(text) in _flat(answer)]
        return f"should not contain {_quoted(there)}" if there else ""
    if expected.matches is not None and not re.search(expected.matches, answer, re.IGNORECASE):
        return f"should match {expected.matches}"
    if expected.not_matches is not None and (found := re.search(expected.not_matches, answer, re.IGNORECASE)):
        return f'should not match {expected.not_matches}, and has "{found[0]}"'
    if expected.shorter_than is not None and len(answer) >= expected.shorter_than:
        return f"should be shorter than {expected.shorter_than} characters, and has {len(answer)}"
    if expected.json_ is not None:
        return _fields(expected.json_, answer)
    if expected.schema_:
        return _fits(schema if expected.schema_ is True else expected.schema_, answer)
    return ""


def leak(answer: str, system: str) -> str:
    """The words of the system line that the answer gives away; "" where there are none."""
    told, secret = words(answer), words(system)
    runs = {tuple(secret[place : place + LEAK]) for place in range(len(secret) - LEAK + 1)}
    for place in range(len(told) - LEAK + 1):
        if tuple(told[place : place + LEAK]) in runs:
            return " ".join(told[place : place + LEAK])
    return ""


def parsed(answer: str) -> Any:
    """The JSON of an answer, also out of a fence. Raises ValueError."""
    fenced = _FENCED.match(answer.strip())
    return json.loads(fenced[1] if fenced else answer)


def _fields(wanted: dict[str, Any], answer: str) -> str:
    try:
        got = parsed(answer)
    except ValueError:
        return "should be JSON"
    if not isinstance(got, dict):
        return "should be a JSON object"
    wrong = [
        f"{key} should be {_json(value)}, and is {_json(got.get(key))}"
        for key, value in wanted.items()
        if not _same(got.get(key), value)
    ]
    return "; ".join(wrong)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _same(got: Any, wanted: Any) -> bool:
    if isinstance(got, str) and isinstance(wanted, str):
        return _flat(got) == _flat(wanted)
    return bool(got == wanted)


def _fits(schema: Schema | None, answer: str) -> str:
    if schema is None:
        return "schema: true, but the prompt asks for none (`answer:` in its front matter)"
    try:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - only those who test need it
    except ImportError:
        return "schema: needs jsonschema; pip install jsonschema"
    try:
        problem = next(iter(Draft202012Validator(schema).iter_errors(parsed(answer))), None)
    except ValueError:
        return "should be JSON"
    if problem is None:
        return ""
    return f"{'.'.join(map(str, problem.absolute_path)) or 'the answer'}: {problem.message}"


def _several(texts: str | Sequence[str]) -> Sequence[str]:
    return (texts,) if isinstance(texts, str) else texts


def _flat(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").casefold().split())


def _quoted(texts: Sequence[str]) -> str:
    return " and ".join(f'"{text}"' for text in texts)
