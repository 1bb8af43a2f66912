"""A conversation's transcript as a model's lines: who said what, without letting anybody pose as somebody else."""

from __future__ import annotations

from collections.abc import Sequence

from bot.channel import Entry
from bot.context.fences import Excerpt, fence, harmless_text
from bot.ports.models import Line


def lines_of(entries: Sequence[Entry]) -> list[Line]:
    """The lines, oldest first; several in a row by the same one become one.

    People's words keep their role and lose what could pose as a mark. An agent's words are ours to the person and still
    no words of the model: they come fenced, in the role of the assistant. Words of the house itself are left out.
    """
    lines: list[Line] = []
    for entry in entries:
        line = _line(entry)
        if line is None:
            continue
        if lines and lines[-1].role == line.role:
            lines[-1] = Line(role=line.role, text=f"{lines[-1].text}\n{line.text}")
        else:
            lines.append(line)
    return lines


def _line(entry: Entry) -> Line | None:
    text = entry.text.strip()
    if not text:
        return None
    match entry.source:
        case "user":
            return Line(role="user", text=harmless_text(text))
        case "agent":
            return Line(role="assistant", text=fence(Excerpt(text=text, name=entry.author, origin="agent")))
        case "bot":
            offered = ", ".join(button.label for button in entry.buttons)
            return Line(role="assistant", text=f"{text}\n({offered})" if offered else text)
        case "system":
            return None
