"""The Bot API through the SDK's client: each call once, its answer as it came, its failure in the core's words.

The SDK makes objects of what it gets and stumbles over what it does not expect, after the message was sent. So the
answer is read here, from the bytes, and what the SDK makes of it does not count.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

import httpx
import msgspec
import structlog
from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest, RequestData

from bot import NotSent, RateLimited, Rejected, SendError, UnknownOutcome
from channels.telegram.updates import decode

T = TypeVar("T")

CONNECT = 3.0
ANSWER = 8.0
UPLOAD = 10.0
"""Seconds."""

_GONE = (
    "bot was blocked by the user",
    "user is deactivated",
    "bot was kicked",
    "bot is not a member",
    "the group chat was deleted",
    "bot can't initiate conversation",
)
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)

log = structlog.get_logger(__name__)


class Parameters(msgspec.Struct, frozen=True):
    """What Telegram says beside an error."""

    retry_after: float = 0.0
    migrate_to_chat_id: int = 0


class Answer(msgspec.Struct, frozen=True):
    """What Telegram answers."""

    ok: bool = False
    result: msgspec.Raw = msgspec.Raw()
    error_code: int | None = None
    description: str | None = None
    parameters: Parameters | None = None


class Refused(Rejected):
    """Telegram said no, and why; `moved_to` is the chat that has taken the place of this one."""

    def __init__(self, description: str, moved_to: str = "") -> None:
        gone = any(words in description for words in _GONE)
        super().__init__(description[:300], silence="blocked" if gone else "")
        self.description, self.moved_to = description, moved_to


class TokenRefused(NotSent):
    """The token is revoked or wrong: for the operator to mend, and nothing gets lost meanwhile."""


class _Answered:
    """The bytes of the answer to one call."""

    __slots__ = ("code", "payload")

    def __init__(self) -> None:
        self.code, self.payload = 0, b""


_answered: ContextVar[_Answered | None] = ContextVar("answered", default=None)


class _Request(HTTPXRequest):
    """The SDK's client; it puts what came aside before the SDK reads it."""

    async def do_request(  # noqa: PLR0917 - the SDK's signature
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = HTTPXRequest.DEFAULT_NONE,
        write_timeout: object = HTTPXRequest.DEFAULT_NONE,
        connect_timeout: object = HTTPXRequest.DEFAULT_NONE,
        pool_timeout: object = HTTPXRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make the call."""
        code, payload = await super().do_request(
            url,
            method,
            request_data,
            read_timeout,  # type: ignore[arg-type]  # the SDK's own type for "not given" is private
            write_timeout,  # type: ignore[arg-type]  # likewise
            connect_timeout,  # type: ignore[arg-type]  # likewise
            pool_timeout,  # type: ignore[arg-type]  # likewise
        )
        answered = _answered.get()
        if answered is not None:
            answered.code, answered.payload = code, payload
        return code, payload


class Api:
    """One bot's calls."""

    def __init__(self, token: str, api_url: str) -> None:
        _hush()
        self._token = token
        self._calls, self._polls = _client(64), _client(2)
        self.bot = Bot(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=self._calls,
            get_updates_request=self._polls,
        )

    async def call(self, made: Callable[[Bot], Awaitable[object]], want: type[T]) -> T:
        """Make one call; what is wanted of its result.

        Raises Rejected, RateLimited, NotSent or UnknownOutcome, as a send does.
        """
        answered = _Answered()
        mark = _answered.set(answered)
        problem: Exception | None = None
        try:
            await made(self.bot)
        except Exception as error:
            problem = error
        finally:
            _answered.reset(mark)
        if not answered.code:
            raise _unanswered(problem) from None  # the SDK's error has the address in it, and that the token
        return self._result(answered, want)

    async def close(self) -> None:
        """Hang up."""
        await self._calls.shutdown()
        await self._polls.shutdown()

    def _result(self, answered: _Answered, want: type[T]) -> T:
        try:
            answer = decode(answered.payload, Answer)
        except ValueError:
            answer = Answer(ok=False, error_code=answered.code)
            if answered.code < 300:
                raise UnknownOutcome("Telegram's answer can't be read") from None
        if answer.ok and answered.code < 300:
            try:
                return decode(bytes(answer.result), want)
            except ValueError:
                # It did what it was asked to: that must not be done again.
                log.warning("telegram_answer_unexpected")
                return want()
        # Some servers of the same API say no with HTTP 200.
        raise _refusal(answered.code if answered.code >= 300 else answer.error_code or 0, answer)


def _refusal(code: int, answer: Answer) -> SendError:
    """A refusal in the core's words. Whatever Telegram calls an error of the caller, it did not do."""
    said, parameters = answer.description or f"HTTP {code}", answer.parameters or Parameters()
    if code == 429:
        return RateLimited(max(parameters.retry_after, 1.0))
    if code in (401, 404):
        return TokenRefused(f"Telegram refuses the bot's token: {said[:200]}")
    if code == 409:
        return NotSent(said[:300])
    if 400 <= code < 500:
        moved_to = parameters.migrate_to_chat_id
        return Refused(said, moved_to=str(moved_to) if moved_to else "")
    return UnknownOutcome(f"HTTP {code}")


def _unanswered(problem: Exception | None) -> SendError:
    """A call without an answer: was it made?"""
    cause = problem.__cause__ if isinstance(problem, TelegramError) and problem.__cause__ else problem
    name = type(cause).__name__
    if isinstance(cause, _UNSENT):
        return NotSent(f"Telegram can't be reached: {name}")
    if isinstance(cause, RuntimeError):  # the client was closed: the bot stops
        return NotSent("the channel is not running")
    if isinstance(cause, (TypeError, ValueError)):  # it could not even be written down
        return Rejected(f"the call can't be made: {name}")
    return UnknownOutcome(f"Telegram did not answer: {name}")


def _client(connections: int) -> _Request:
    return _Request(
        connection_pool_size=connections,
        connect_timeout=CONNECT,
        read_timeout=ANSWER,
        write_timeout=ANSWER,
        pool_timeout=CONNECT,
        media_write_timeout=UPLOAD,
    )


def _hush() -> None:
    """The libraries write addresses into the log, and these have the token in them; the SDK also what people wrote."""
    for name in ("telegram", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
