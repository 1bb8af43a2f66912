"""Calls to Slack's Web API through its own client, and what became of them in the core's errors. Knows no message.

The client's own retries are off: it posts twice when a connection drops.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Mapping

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import NotSent, RateLimited, Rejected, SendError, UnknownOutcome
from channels.slack.words import items, mapping, text_of

CALL_SECONDS = 8.0
"""How long one call may take."""

_UNCLEAR = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable", "team_added_to_org"})
_BUSY = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_WAIT = 30.0  # seconds, where Slack does not say how long
_LONGEST_WAIT = 3600.0


class Refusal(Rejected):
    """Slack said no; `code` is its word for why."""

    def __init__(self, code: str, method: str) -> None:
        self.code = code
        super().__init__(f"{method}: {code}")


class Calls:
    """One client for all tokens of an account."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    @property
    def client(self) -> AsyncWebClient:
        """Slack's own client. Raises NotSent before the start."""
        if self._client is None:
            raise NotSent("the channel is not running")
        return self._client

    async def start(self) -> None:
        """Make the client; nothing is called yet."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))
            self._client = AsyncWebClient(
                base_url=self._url, session=self._session, retry_handlers=[], logger=silent(), timeout=int(CALL_SECONDS)
            )

    async def stop(self) -> None:
        """Hang up."""
        session, self._session, self._client = self._session, None, None
        if session is not None:
            await session.close()

    async def post(self, method: str, token: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Do something. Raises as `Channel.send` does; Refusal where Slack says no."""
        return await self._call(method, json={**body, "token": token})

    async def get(self, method: str, token: str, params: Mapping[str, str | int]) -> Mapping[str, object]:
        """Look something up. Raises as `post` does."""
        return await self._call(method, params={**params, "token": token})

    async def pages(
        self, method: str, token: str, params: Mapping[str, str | int], key: str, most: int
    ) -> AsyncIterator[Mapping[str, object]]:
        """The entries under `key` of all pages, but at most `most` pages."""
        cursor: Mapping[str, str] = {}
        for _ in range(most):
            page = await self.get(method, token, {**params, **cursor})
            for entry in items(page.get(key)):
                yield mapping(entry)
            follow = text_of(mapping(page.get("response_metadata")).get("next_cursor"))
            if not follow:
                return
            cursor = {"cursor": follow}

    async def exchange(self, id: str, secret: str, refresh: str) -> Mapping[str, object]:
        """A new token for a refresh token, which is worth nothing afterwards. Raises as `post` does."""
        asked = {"client_id": id, "client_secret": secret, "grant_type": "refresh_token", "refresh_token": refresh}
        return await self._call("oauth.v2.access", data=asked)

    async def upload(self, url: str, data: bytes) -> None:
        """Put the bytes of a file where Slack said. Raises as `post` does; nobody sees the file yet."""
        self.client.logger.debug("upload")
        if self._session is None:
            raise NotSent("the channel is not running")
        try:
            async with self._session.post(url, data=data) as answer:
                if answer.status != 200:
                    raise NotSent(f"the upload was answered with {answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotSent("the upload broke off") from error

    async def _call(
        self,
        method: str,
        *,
        json: dict[str, object] | None = None,
        params: dict[str, str | int] | None = None,
        data: dict[str, str] | None = None,
    ) -> Mapping[str, object]:
        client, verb = self.client, "GET" if params else "POST"
        try:
            answer = await client.api_call(method, http_verb=verb, json=json, params=params, data=data)
        except SlackApiError as error:
            raise _refused(error, method) from None  # the error holds the whole answer
        except SlackClientError as error:
            raise UnknownOutcome(f"{method}: {type(error).__name__}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _broken(error, method) from error
        except (ValueError, TypeError, AttributeError) as error:
            # An answer that the client can't read: somebody between us and Slack.
            raise UnknownOutcome(f"{method}: the answer could not be read") from error
        return mapping(answer.data)


def _refused(error: SlackApiError, method: str) -> SendError:
    response = error.response
    status = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    data = mapping(getattr(response, "data", None))
    code = text_of(data.get("error"))
    if status == 429 or code in _BUSY:
        return RateLimited(_pause(getattr(response, "headers", None)), account=code == "message_limit_exceeded")
    if status >= 500 or code in _UNCLEAR or (status == 200 and not code):
        return UnknownOutcome(f"{method}: {code or status}")
    return Refusal(code or f"http_{status}", method)


def _pause(headers: object) -> float:
    given = headers.get("Retry-After") if isinstance(headers, Mapping) else None
    try:
        seconds = float(str(given))
    except ValueError:
        return _WAIT
    return min(max(seconds, 0.1), _LONGEST_WAIT) if math.isfinite(seconds) else _WAIT


def _broken(error: Exception, method: str) -> SendError:
    # Before the connection stood, nothing was written: refused, no such host, TLS, too long to connect.
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL):
        return NotSent(f"{method}: {type(error).__name__}")
    return UnknownOutcome(f"{method}: {type(error).__name__}")


def silent() -> logging.Logger:
    """A logger for Slack's libraries that says nothing: they log whole requests, with all words and addresses."""
    return logging.Logger("slack_sdk", level=logging.CRITICAL + 1)
