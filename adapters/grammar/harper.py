"""Grammar by Harper (extra `grammar`): English, offline, by rules."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot import from_extra
from bot.ports import Dialect, Draft, Finding, Grammar, GrammarChecker, Mistake

if TYPE_CHECKING:
    from harper import Lint, Linter

EXTRA = "grammar"
SPELLING = frozenset({"Spelling", "Typo"})
STYLE = frozenset(
    {"Style", "Enhancement", "Readability", "WordChoice", "Redundancy", "Formatting", "Nonstandard", "Regionalism"}
)
FLAGGED_IS_WRONG, UNFLAGGED_IS_RIGHT = 0.85, 0.73
"""Of as many wrong sentences as right ones, how many of those flagged are wrong, and how many of the others are right
(66.9% of the wrong ones are flagged, and 12.2% of the right ones: docs/figures.md)."""

MOST = 200
SUGGESTIONS = 3


class Harper(GrammarChecker):
    """One linter for each dialect, made at first use, which takes a second."""

    def __init__(self) -> None:
        self._linters: dict[Dialect, Linter] = {}
        self._lock = asyncio.Lock()

    async def find(self, asked: Draft) -> Finding[Grammar]:
        """The mistakes."""
        # A linter takes one text at a time.
        async with self._lock:
            return await asyncio.to_thread(self._find, asked)

    def _find(self, asked: Draft) -> Finding[Grammar]:
        with from_extra(EXTRA):
            import harper  # noqa: PLC0415 - an extra
        linter = self._linters.get(asked.dialect)
        if linter is None:
            linter = self._linters[asked.dialect] = harper.Linter(harper.Dialect[asked.dialect.upper()])
        left_out = (frozenset() if asked.spelling else SPELLING) | (frozenset() if asked.style else STYLE)
        lints = [lint for lint in linter.lint(asked.text, language="plaintext") if lint.lint_kind not in left_out]
        lints.sort(key=lambda lint: (lint.span.start, lint.span.end))
        corrected = asked.text
        ends = len(corrected)
        for lint in reversed(lints):
            if lint.suggestions and lint.span.end <= ends:
                corrected = linter.apply_suggestion(corrected, lint, lint.suggestions[0])
                ends = lint.span.start
        kinds = sorted({lint.lint_kind for lint in lints})
        return Finding(
            result=Grammar(correct=not lints, mistakes=tuple(map(_mistake, lints[:MOST])), corrected=corrected),
            confidence=FLAGGED_IS_WRONG if lints else UNFLAGGED_IS_RIGHT,
            by="harper-py 0.2.0",
            reasoning=(f"{len(lints)} rules objected" + (f": {', '.join(kinds)}" if kinds else ""),),
        )


def _mistake(lint: Lint) -> Mistake:
    return Mistake(
        start=lint.span.start,
        end=lint.span.end,
        kind=lint.lint_kind,
        message=lint.message,
        suggestions=tuple(suggestion.replacement_text for suggestion in lint.suggestions[:SUGGESTIONS]),
    )
