"""An inquiry as OpenAI's protocol has it. Pure: knows no client."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from msgspec.structs import replace

from bot.ports import Inquiry, Lack, Line

Json = dict[str, Any]
"""JSON of the protocol, as its client takes it."""


def body_of(inquiry: Inquiry, model: str, lacks: Collection[Lack]) -> Json:
    """The body of a chat completion; what the server lacks is left out or said in the older way."""
    params = inquiry.params
    lines = inquiry.lines
    if inquiry.schema is not None and "json_schema" in lacks:
        lines = _told(inquiry.schema, lines)
    body: Json = {"model": model, "messages": [_message(line) for line in lines]}
    if params.max_tokens is not None:
        old = "max_completion_tokens" in lacks
        body["max_tokens" if old else "max_completion_tokens"] = params.max_tokens
    if params.temperature is not None:
        body["temperature"] = params.temperature
    if params.top_p is not None:
        body["top_p"] = params.top_p
    if params.seed is not None and "seed" not in lacks:
        body["seed"] = params.seed
    if params.stop:
        body["stop"] = list(params.stop)
    if inquiry.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
            }
            for tool in inquiry.tools
        ]
        if inquiry.tool_choice and "tool_choice" not in lacks:
            body["tool_choice"] = {"type": "function", "function": {"name": inquiry.tool_choice}}
    if inquiry.schema is not None:
        body |= _format(inquiry.schema, lacks)
    if inquiry.stream:
        body["stream"] = True
        if "stream_usage" not in lacks:
            body["stream_options"] = {"include_usage": True}
    return body


def _format(schema: Json, lacks: Collection[Lack]) -> Json:
    if "json_schema" not in lacks:
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}
    if "json_object" not in lacks:
        return {"response_format": {"type": "json_object"}}
    return {}


def _told(schema: Json, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The schema in words, at the end of the first instructions, for a server that would never see it otherwise."""
    words = f"Answer with JSON alone, which fits this JSON Schema: {json.dumps(schema, ensure_ascii=False)}"
    if lines and lines[0].role == "system":
        return (replace(lines[0], text=f"{lines[0].text}\n\n{words}"), *lines[1:])
    return (Line(role="system", text=words), *lines)


def _message(line: Line) -> Json:
    if line.role == "tool":
        return {"role": "tool", "tool_call_id": line.call_id, "content": line.text}
    if line.calls:
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in line.calls
        ]
        return {"role": "assistant", "content": line.text or None, "tool_calls": calls}
    if line.pictures or line.audio:
        text = [{"type": "text", "text": line.text}] if line.text else []
        pictures = [{"type": "image_url", "image_url": {"url": address}} for address in line.pictures]
        audio = [{"type": "input_audio", "input_audio": {"data": a.data, "format": a.format}} for a in line.audio]
        return {"role": line.role, "content": [*text, *pictures, *audio]}
    return {"role": line.role, "content": line.text}
