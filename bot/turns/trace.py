"""Why a turn went the way it did: what was considered, who decided, what was done. Never the words themselves."""

from __future__ import annotations

import msgspec

from bot.messages import Value
from bot.ports.llm import Attempt


class Candidate(Value, frozen=True):
    """A handler that was considered: its score from 0 to 1, and what spoke for it."""

    intent: str
    score: float
    why: str


class StepTrace(Value, frozen=True):
    """A step that was run in this turn; `problem` is empty when it went well."""

    name: str
    milliseconds: float
    problem: str = ""


class ModelTrace(Value, frozen=True):
    """A question to a model, and who answered it. `cost` is in millionths; `problem` is empty when it was answered."""

    task: str
    rung: str = ""
    provider: str = ""
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: int = 0
    attempts: tuple[Attempt, ...] = ()
    problem: str = ""


class Trace(msgspec.Struct, omit_defaults=True):
    """One turn. `decided` is a sentence: "pattern of orders.track", "answer to the open question".

    `lasting`: it answered a question or touched the world, so its message can't be answered anew when it is edited.
    """

    turn: str
    at: float
    attempts: int = 1
    decided: str = ""
    handler: str = ""
    candidates: tuple[Candidate, ...] = ()
    steps: list[StepTrace] = []
    models: list[ModelTrace] = []
    notes: list[str] = []
    milliseconds: float = 0.0
    error: str = ""
    lasting: bool = False


def turn_id(conversation: str, n: int) -> str:
    """The id of a turn: the conversation's id, a dot, and the message's number."""
    return f"{conversation}.{n}"
