"""Answers of OpenAI's protocol as pieces: streamed chunk by chunk, or whole. Pure: knows no client's connection."""

from __future__ import annotations

from typing import Any, Literal

from adapters.llm.halves import Halves, joined
from adapters.llm.speech import Speech
from bot.ports import CallPiece, Finished, Inquiry, Piece, Thinking, Usage, Words

Reason = Literal["stop", "length", "tools", "content"]
REASONS: dict[str, Reason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tools",
    "function_call": "tools",
    "content_filter": "content",
}


class Reader:
    """Reads one answer. `complete` once the model said why it stopped; then `end` gives the last pieces."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._speech = Speech([tool.name for tool in inquiry.tools])
        self._text = Halves()
        self._arguments: dict[int, Halves] = {}
        self._indices: dict[str, int] = {}
        self._last = -1
        self._reason: str = ""
        self.usage = Usage()

    @property
    def complete(self) -> bool:
        """Whether the model said that it is."""
        return bool(self._reason)

    def chunk(self, chunk: Any) -> list[Piece]:
        """The pieces in a chunk. Raises AttributeError and the like where it is none: clients don't check."""
        # Groq tells the usage in a field of its own.
        self._count(chunk.usage or _field(getattr(chunk, "x_groq", None), "usage"))
        pieces: list[Piece] = []
        for choice in chunk.choices or ():
            if choice.index in (0, None):
                if choice.delta is not None:
                    pieces += self._said(choice.delta, streamed=True)
                self._reason = choice.finish_reason or self._reason
        return pieces

    def whole(self, completion: Any) -> list[Piece]:
        """The pieces of an answer that was not streamed."""
        self._count(completion.usage)
        choice = completion.choices[0]
        pieces = self._said(choice.message, streamed=False)
        self._reason = choice.finish_reason or "stop"
        return [*pieces, *self.end()]

    def end(self) -> list[Piece]:
        """What was held back, and that it is complete."""
        late = self._speech.add(self._text.end())
        text, calls = self._speech.end()
        if calls and self._last >= 0:
            text, calls = "", []  # it called properly as well
        pieces: list[Piece] = [Words(text=late + text)] if late + text else []
        for index, halves in self._arguments.items():
            if lost := halves.end():
                pieces.append(CallPiece(index=index, arguments=lost))
        for call in calls:
            self._last += 1
            pieces.append(CallPiece(index=self._last, id=call.id, name=call.name, arguments=call.arguments))
        reason = REASONS.get(self._reason, "content" if self._reason.startswith("content_filter") else "stop")
        if self._last >= 0 and reason == "stop":
            reason = "tools"
        return [*pieces, Finished(reason=reason, usage=self.usage)]

    def _said(self, said: Any, *, streamed: bool) -> list[Piece]:
        pieces: list[Piece] = []
        thought = getattr(said, "reasoning_content", None) or getattr(said, "reasoning", None)
        if isinstance(thought, str):
            pieces.append(Thinking(text=thought))
        text = said.content or getattr(said, "refusal", None)
        if text is not None and not isinstance(text, str):
            raise TypeError("content is no text")
        shown = self._speech.add(self._text.add(text)) if text else ""
        if text and self._speech.thinking:
            pieces.append(Thinking(text=text))
        if shown:
            pieces.append(Words(text=shown))
        for call in said.tool_calls or ():
            piece = self._call(call, streamed=streamed)
            if piece is not None:
                pieces.append(piece)
        return pieces

    def _call(self, call: Any, *, streamed: bool) -> CallPiece | None:
        """Calls are told apart by their ids: not every server counts them."""
        function = call.function
        if function is None:
            return None
        given = getattr(call, "index", None) if streamed else None
        name, arguments, id = joined(function.name or ""), function.arguments or "", joined(call.id or "")
        if id and id in self._indices:
            index = self._indices[id]
        elif (id and (given is None or given <= self._last)) or (name and given is None) or self._last < 0:
            index = self._last + 1
        else:
            index = self._last if given is None else int(given)
        self._last = max(self._last, index)
        if id:
            self._indices[id] = index
        if not isinstance(arguments, str):
            raise TypeError("arguments are no text")
        halves = self._arguments.setdefault(index, Halves())
        return CallPiece(index=index, id=id, name=name, arguments=halves.add(arguments))

    def _count(self, usage: Any) -> None:
        if usage is None:
            return
        self.usage = Usage(
            prompt=int(_field(usage, "prompt_tokens") or 0),
            completion=int(_field(usage, "completion_tokens") or 0),
            cached=int(_field(_field(usage, "prompt_tokens_details"), "cached_tokens") or 0),
        )


def _field(value: Any, name: str) -> Any:
    """Of what the client typed, or of what it left as it came."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
