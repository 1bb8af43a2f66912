"""A conversation as the page shows it: lines, answers on their way, notes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Literal

from bot import AgentReplied, Entry, Media, Text, Value
from handoff.console.markup import Node, nodes
from handoff.console.records import StoredEvent


class File(Value, frozen=True):
    """A file in a line."""

    url: str
    name: str
    type: str
    size: int
    alt: str


class Line(Value, frozen=True):
    """One line. `nodes` is its markup; what customers and systems say is plain and has none."""

    seq: int
    source: Literal["user", "bot", "agent", "system"]
    at: float
    text: str
    author: str
    nodes: list[Node]
    choices: list[str]
    files: list[File]


class Pending(Value, frozen=True):
    """An answer that is not in the transcript yet."""

    client_id: str
    text: str
    author: str
    at: float


def line(entry: Entry) -> Line:
    """An entry of the transcript as a line."""
    reply = entry.reply
    choices = [button.label for button in entry.buttons]
    if reply is not None and not choices:
        choices = [choice.label for choice in reply.choices]
    return Line(
        seq=entry.seq,
        source=entry.source,
        at=entry.at,
        text=_words(entry),
        author=entry.author,
        nodes=nodes(_words(entry)) if entry.source in {"bot", "agent"} else [],
        choices=choices,
        files=[_file(media) for media in _media(entry)],
    )


def pending(event: StoredEvent) -> Pending | None:
    """An answer on its way."""
    said = event.event
    if not isinstance(said, AgentReplied):
        return None
    return Pending(client_id=client_id(said.event_id), text=said.text, author=said.agent.name, at=said.at)


def shown(answers: Sequence[StoredEvent], entries: Sequence[Entry]) -> Mapping[int, int]:
    """Which of the entries the answers have become: {event: seq}, for those that had no place before.

    The core keeps the order of answers but may add to their words, so an answer is the first agent's line behind what
    its agent had seen that has the words in it and is no other answer's.
    """
    used = {answer.entry_seq for answer in answers if answer.entry_seq}
    places: dict[int, int] = {}
    spoken = [entry for entry in entries if entry.source == "agent"]
    for answer in answers:
        if answer.entry_seq or not isinstance(answer.event, AgentReplied):
            continue
        words = answer.event.text.strip()
        for entry in spoken:
            if entry.seq > answer.seen and entry.seq not in used and words in _words(entry):
                places[answer.id] = entry.seq
                used.add(entry.seq)
                break
    return places


def unseen(entries: Sequence[Entry], seen: int, own: Set[int]) -> list[Entry]:
    """Lines behind `seen` to read before answering: the customer's, and agents' other than one's `own` (by seq)."""
    return [
        entry
        for entry in entries
        if entry.seq > seen and (entry.source == "user" or (entry.source == "agent" and entry.seq not in own))
    ]


def client_id(event_id: str) -> str:
    """The page's own id of an answer, from the id of its event."""
    return event_id.rpartition(":")[2]


def _words(entry: Entry) -> str:
    if entry.text:
        return entry.text
    if entry.reply is not None:
        card = entry.reply.card
        return entry.reply.text or (f"**{card.title}**\n\n{card.text}".rstrip() if card is not None else "")
    return entry.message.text if entry.message is not None else ""


def _media(entry: Entry) -> tuple[Media, ...]:
    if entry.reply is not None:
        return entry.reply.media
    content = entry.message.content if entry.message is not None else None
    return content.media if isinstance(content, Text) else ()


def _file(media: Media) -> File:
    return File(url=media.url, name=media.name, type=media.type, size=media.size, alt=media.alt)
