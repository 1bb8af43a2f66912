"""Answers of tools as HTTP and webhooks give them: what a failure is called, and how a job looks. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import msgspec

from bot.errors import BadArguments, NoAnswer, StoreUnavailable, ToolBusy, ToolMissing, ToolRefused, UnknownTool
from bot.messages import Value
from bot.ports.tools import ToolAnswer
from bot.tools.records import Job


class Reply(Value, frozen=True):
    """A status and a JSON body; `retry_after` is in seconds, and 0 where it would not help."""

    code: int
    body: dict[str, Any]
    retry_after: int = 0

    @property
    def text(self) -> str:
        """The body as it is sent."""
        return msgspec.json.encode(self.body).decode()


def answered(answer: ToolAnswer) -> Reply:
    """A tool's answer."""
    return Reply(code=200, body=answer.model_dump(mode="json"))


def failed(problem: Exception) -> Reply:
    """What a caller is told of a failure."""
    body: dict[str, Any] = {"error": str(problem)}
    match problem:
        case UnknownTool():
            return Reply(code=404, body=body)
        case BadArguments():
            words = "The tool can't work with this." if problem.unreadable else "The arguments need attention."
            return Reply(code=422 if problem.unreadable else 400, body={"error": words, "problems": problem.problems})
        case ToolRefused():
            return Reply(code=422, body=body)
        case ToolMissing():
            return Reply(code=501, body=body)
        case ToolBusy():
            return Reply(code=503, body=body, retry_after=max(1, math.ceil(problem.retry_after)))
        case NoAnswer():
            return Reply(code=503, body={"error": problem.sentence}, retry_after=30)
        case StoreUnavailable():
            return Reply(
                code=503, body={"error": "We can't store anything right now; please send it again."}, retry_after=2
            )
        case _:
            return Reply(code=500, body={"error": "Something went wrong on our side."})


def job_body(job: Job) -> dict[str, Any]:
    """A job as its owner sees it: with its answer once it is done, or with what went wrong."""
    body: dict[str, Any] = {
        "job_id": job.id,
        "status": job.status,
        "tool_name": job.tool_name,
        "created_at": _when(job.created_at),
    }
    if job.done_at:
        body["expires_at"] = _when(job.expires_at)
    if job.status == "done":
        body["answer"] = msgspec.json.decode(job.body)
    if job.status == "failed":
        body |= {"code": job.code, **msgspec.json.decode(job.body)}
    return body


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
