"""What is remembered of a conversation's dialogs between turns: frames, their journals and their open questions.

Pure data, stored as JSON with each commit. A *frame* is one handler that has not finished; its *journal* holds what
its questions were answered and what its steps returned, which is all that a replay needs.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import Literal

import msgspec

from bot.errors import Misuse
from bot.messages import Due, Message
from bot.replies import Button, Reply

MAX_ENTRIES = 500
MAX_BYTES = 256 * 1024

MAX_MENDS = 20
"""How often a dialog may be cut back before it is given up."""

Kind = Literal["ask", "step", "mark"]
Outcome = Literal["cancel", "timeout", "failed", "started", "typed"]
"""What an entry holds instead of a value; "typed" is a form that is asked question by question."""

UNASKED = "unasked"
"""The detail of a form that nobody was shown, since the channel has none: "back" goes past it."""


class Record(msgspec.Struct, omit_defaults=True):
    """One entry of a journal. `value` is JSON; `outcome` says what happened instead of a value.

    `open` lists the steps that were in flight when this one was recorded: only those may be missing behind it.
    """

    key: str
    kind: Kind
    name: str
    at: float
    value: msgspec.Raw = msgspec.Raw(b"null")
    outcome: Outcome | Literal[""] = ""
    detail: str = ""
    arguments: str = ""
    effect: bool = False
    open: tuple[str, ...] = ()


class Pending(msgspec.Struct, omit_defaults=True):
    """The open question of a frame."""

    key: str
    name: str
    prompt: Reply
    buttons: tuple[Button, ...] = ()
    misses: int = 0
    deadline: float = 0.0


class Frame(msgspec.Struct, omit_defaults=True):
    """One unfinished handler. `said` counts emissions that were committed behind the last entry.

    `rounds` counts the times it began again; `quiet` is set by "cancel" until something is said. `code` marks the
    handler's code as it was then.
    """

    id: str
    skill: str
    handler: str
    trigger: Message
    started_at: float
    slots: dict[str, str] = {}
    choice: str = ""
    journal: list[Record] = []
    pending: Pending | None = None
    said: int = 0
    generation: int = 0
    rounds: int = 0
    quiet: bool = False
    code: str = ""

    @property
    def base(self) -> str:
        """What the keys of this frame's replies begin with; a new generation repeats none of them."""
        return f"{self.id}.{self.generation}"

    def mendable(self, at: int) -> bool:
        """Whether the journal may be cut back to its first `at` entries: never behind what has touched the world."""
        return self.generation <= MAX_MENDS and not any(entry.effect for entry in self.journal[at:])

    def record(self, entry: Record) -> None:
        """Append an entry. Raises Misuse when the dialog has grown beyond its limits."""
        self.journal.append(entry)
        self.said = 0
        if len(self.journal) > MAX_ENTRIES or sum(len(bytes(e.value)) for e in self.journal) > MAX_BYTES:
            raise Misuse(
                f"the journal of {self.skill}.{self.handler} is over {MAX_ENTRIES} entries or {MAX_BYTES} bytes; "
                "end the handler with `return turn.again(...)` now and then"
            )


class Offer(msgspec.Struct, omit_defaults=True):
    """The choices that are on the table: valid until one is taken or others replace them.

    `intents` maps a token to the handler behind "Did you mean ...?", and `text` is what was said before it.
    """

    buttons: tuple[Button, ...]
    skill: str = ""
    frame: str = ""
    intents: dict[str, str] = {}
    text: str = ""


class Lane(msgspec.Struct, omit_defaults=True):
    """The state of one conversation. The last frame is the one in the foreground.

    `kept` are scheduled texts that came due while a human owned the conversation. `rest` is what is left of a long
    reply, for whoever asks for more; anything else they say drops it. `replaces` are the outbox rows whose place is
    taken, one by one, by what the turn at work says: an edited message is answered anew.
    """

    frames: list[Frame] = []
    offer: Offer | None = None
    misses: int = 0
    flooded: bool = False
    kept: list[Due] = []
    rest: list[Reply] = []
    replaces: list[str] = []

    @property
    def top(self) -> Frame | None:
        """The frame in the foreground."""
        return self.frames[-1] if self.frames else None

    @property
    def interrupted(self) -> bool:
        """Whether the foreground handler was cut off in the middle of this very turn, and must go on first."""
        return bool(self.frames) and self.frames[-1].pending is None


_DECODER = msgspec.json.Decoder(Lane)
_ENCODER = msgspec.json.Encoder()


def load(state: bytes) -> Lane:
    """A lane from the store; empty state is an empty lane."""
    return _DECODER.decode(state) if state else Lane()


def dump(lane: Lane) -> bytes:
    """A lane for the store."""
    return _ENCODER.encode(lane)


def digest(value: object) -> str:
    """A short mark of some arguments, to see in strict tests that a replay gives the same ones."""
    return blake2b(repr(value).encode("utf-8", "replace"), digest_size=6).hexdigest()


def waits_since(state: bytes) -> float:
    """Since when a dialog waits in a conversation of this state; infinity if none does, 0 if nobody can read it."""
    try:
        return min((frame.started_at for frame in load(state).frames), default=math.inf)
    except msgspec.MsgspecError:
        return 0.0
