"""The table of what every channel and desk can do, made from the proofs in their conformance suites:

    python -m bot.testing.capabilities > docs/capabilities.md

Runs the checks named `test_proves_...` in tests/contracts (or in the folders that are named) and writes down what they
recorded. A proof that fails leaves no table. Knows no channel and no desk.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field

import pytest

FOLDERS = ("tests/contracts",)
OPTIONS = ("-q", "-s", "-k", "test_proves", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")

MEANINGS = {
    "max_text": "the longest text in one message, as the channel counts it; a longer one is split",
    "buttons": "so many choices as buttons; more become a numbered list",
    "markdown": "bold is bold; elsewhere the marks are left out",
    "cards": "picture, title and fields together; elsewhere as text",
    "media": "files are shown; elsewhere as links",
    "typing": "the other side sees that somebody is typing",
    "drafts": "a reply is shown while it is being made",
    "read_back": "after a lost connection it can be looked up whether a reply arrived",
    "forms": "several questions are answered together; elsewhere one after the other",
    "mentions": "somebody can be called by name",
    "shares_phone": "a question for a phone number has a button that shares one's own; elsewhere it is typed",
    "edits": "what was said can be changed",
    "deletes": "what was said can be taken back",
    "reactions": "reactions are passed on",
    "whispers": "a private reply in a room is for one person's eyes; elsewhere they are asked to write alone",
    "private_notes": "notes that only agents see",
    "reopen": "what happens to a closed case when the person writes again",
    "attachments": "files reach the agent",
    "webhook": "the helpdesk tells us at once",
    "append_budget": "how much may be appended in which time",
}
"""What each row means, in the order of the rows."""

HEAD = """# What channels and desks can do

Made by `python -m bot.testing.capabilities > docs/capabilities.md`; don't edit it. Each entry was proven by a check of
the conformance suites (`bot/testing/channel_contract.py`, `bot/testing/desk_contract.py`) when the table was made: a
button was pressed and came back with its token, a long text was split and arrived whole. A dash means that the ability
is not announced, and that what the core does instead was shown to the person.
"""


@dataclass
class Proofs:
    """A pytest plugin that collects what the suites proved: (kind, title, capability) -> value."""

    found: dict[tuple[str, str, str], object] = field(default_factory=dict)
    differing: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a check that passed has recorded."""
        if report.when != "call" or not report.passed:
            return
        for name, value in report.user_properties:
            if name == "proven" and isinstance(value, tuple):
                kind, title, capability, proven = value
                known = self.found.setdefault((kind, title, capability), proven)
                if known != proven:
                    self.differing.append(f"{title}: {capability} is {known} and {proven}")

    def table(self, kind: str) -> list[str]:
        """One table: a row for each capability, a column for each channel (or desk)."""
        titles = _once(title for there, title, _ in self.found if there == kind)
        rows = [name for name in MEANINGS if any((kind, title, name) in self.found for title in titles)]
        return [
            f"| | {' | '.join(titles)} | |",
            f"|---|{'---|' * len(titles)}---|",
            *(
                f"| `{name}` | {' | '.join(_shown(self.found.get((kind, title, name))) for title in titles)} "
                f"| {MEANINGS[name]} |"
                for name in rows
            ),
        ]

    def document(self) -> str:
        """The whole page."""
        parts = [HEAD]
        for kind, title in (("channel", "Channels"), ("desk", "Desks")):
            parts.append("\n".join([f"## {title}", "", *self.table(kind), ""]))
        return "\n".join(parts)


def _once(names: Iterable[str]) -> list[str]:
    return sorted(dict.fromkeys(names), key=lambda name: (name.startswith("kit"), " " in name))


def _shown(value: object) -> str:
    match value:
        case True:
            return "yes"
        case False | None:
            return "–"
        case int():
            return f"{value:,}"
        case _:
            return str(value)


def main(folders: Sequence[str]) -> int:
    """Print the page; 1, and nothing printed, when a proof fails."""
    proofs = Proofs()
    # What pytest has to say goes to the screen, so that it does not end up in the page.
    with redirect_stdout(sys.stderr):
        code = pytest.main([*OPTIONS, *(folders or FOLDERS)], plugins=[proofs])
    for problem in proofs.differing:
        sys.stderr.write(f"Two suites of one title disagree. {problem}\n")
    if code or proofs.differing:
        return 1
    sys.stdout.write(proofs.document())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
