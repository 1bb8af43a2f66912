"""Errors of OpenAI's client and of the servers behind it, as ours: the class says what follows.

Texts of servers are never passed on: some repeat the key, some the person's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from bot import AuthFailed, BadInquiry, ContentRefused, ModelBusy, ModelError, QuotaSpent, StreamBroken

CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum.{0,20}tokens|too (long|large|many tokens)|exceed\w*.{0,40}(context|tokens)",
    re.IGNORECASE,
)
NO_MODEL = re.compile(r"model.{0,80}(not (exist|found)|does not|no access|not supported)|no such model", re.IGNORECASE)
BAD_KEY = re.compile(r"api.?key.{0,20}(not valid|invalid|expired)|API_KEY_INVALID", re.IGNORECASE)
SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")

NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"}
FILTERED = {"content_filter", "content_policy_violation", "moderation_blocked", "responsibleaipolicyviolation"}
TRY_AGAIN = {408, 409, 425, 429, 498}


def failure(error: Exception, *, begun: bool) -> ModelError:
    """What an attempt is told to have failed with. `begun`: pieces of an answer had come before."""
    if isinstance(error, openai.APIStatusError):
        return _by_status(error)
    if isinstance(error, openai.APITimeoutError | openai.APIConnectionError):
        return StreamBroken("the connection broke") if begun else ModelBusy("not reached")
    if isinstance(error, openai.APIError):
        return _in_the_stream(error, begun=begun)
    problem = f"it could not be read ({type(error).__name__})"
    return StreamBroken(problem) if begun else ModelBusy(problem)


def _by_status(error: openai.APIStatusError) -> ModelError:
    status, told = error.status_code, _Told(error.body, error.code, error.type)
    name = f"{status} {told.name}".rstrip()
    if status == 402 or told.codes & NO_CREDIT:
        return QuotaSpent(name)
    if told.codes & FILTERED:
        return ContentRefused(name)
    if status == 401 or (status in (400, 403) and BAD_KEY.search(told.text)):
        return AuthFailed(name)
    if status in TRY_AGAIN or status >= 500:
        return ModelBusy(name, retry_after=_retry_after(error.response.headers, told))
    no_model = "model_not_found" in told.codes or (status == 404 and bool(NO_MODEL.search(told.text)))
    if status == 403 and not no_model:
        return AuthFailed(name)
    too_long = status == 413 or "context_length_exceeded" in told.codes or bool(TOO_LONG.search(told.text))
    return BadInquiry(name, too_long=too_long and not no_model, no_such_model=no_model)


def _in_the_stream(error: openai.APIError, *, begun: bool) -> ModelError:
    """Some servers answer 200 and tell of the failure where a piece should be."""
    told = _Told(error.body, error.code, error.type)
    if told.codes & FILTERED:
        return ContentRefused(told.name)
    if begun:
        return StreamBroken(f"an error came in the middle ({told.name})")
    if told.codes & NO_CREDIT:
        return QuotaSpent(told.name)
    if "context_length_exceeded" in told.codes or TOO_LONG.search(told.text):
        return BadInquiry(told.name, too_long=True)
    return ModelBusy(f"an error came instead of an answer ({told.name})")


class _Told:
    """What a server told about an error, in whichever shape."""

    def __init__(self, body: object, code: object, kind: object) -> None:
        found = list(_mappings(body))
        raw = [code, kind, *(one.get(key) for one in found for key in ("code", "type", "status"))]
        names = [str(value) for value in raw if isinstance(value, str) and CODE.fullmatch(value)]
        self.name = names[0] if names else ""
        self.codes = {name.lower() for name in names}
        self.text = " ".join(str(one.get("message") or "") for one in found) if found else str(body or "")
        self.delays = [str(one["retryDelay"]) for one in found if "retryDelay" in one]


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """All objects inside: the error itself, those around it, its details."""
    if isinstance(value, Mapping):
        yield value
        for part in value.values():
            yield from _mappings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _mappings(part)


def _retry_after(headers: Mapping[str, str], told: _Told) -> float | None:
    """In how many seconds the server wants to be asked again."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    try:
        # By the server's own clock, whatever ours says.
        gap = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
        return max(0.0, gap.total_seconds())
    except (KeyError, ValueError, TypeError):
        pass
    found = SECONDS.fullmatch(told.delays[0]) if told.delays else None
    return float(found[1]) if found else None
