"""Calls to Slack's Web API over one session, and what became of them in the core's errors. Knows no message.

Not through Slack's own client: it posts twice when a connection drops, and takes nearly as long again as the call
itself.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec

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
    """One session for all tokens of an account."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Make the session; nothing is called yet."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=_proxy(self._url),
            )

    async def stop(self) -> None:
        """Hang up."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def post(self, method: str, token: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Do something. Raises as `Channel.send` does; Refusal where Slack says no."""
        return await self._call("POST", method, token, data=_encoded(body))

    async def get(self, method: str, token: str, params: Mapping[str, str | int]) -> Mapping[str, object]:
        """Look something up. Raises as `post` does."""
        return await self._call("GET", method, token, params=params)

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
        form = urlencode(asked).encode()
        return await self._call("POST", "oauth.v2.access", "", data=form, kind="application/x-www-form-urlencoded")

    async def upload(self, url: str, data: bytes) -> None:
        """Put the bytes of a file where Slack said. Raises as `post` does; nobody sees the file yet."""
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
        verb: str,
        method: str,
        token: str,
        *,
        data: bytes | None = None,
        kind: str = "application/json; charset=utf-8",
        params: Mapping[str, str | int] | None = None,
    ) -> Mapping[str, object]:
        if self._session is None:
            raise NotSent("the channel is not running")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if data is not None:
            headers["Content-Type"] = kind
        try:
            async with self._session.request(
                verb, self._url + method, data=data, params=params, headers=headers, allow_redirects=False
            ) as response:
                body = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _broken(error, method) from error
        answer = _decoded(body)
        if response.status == 200 and answer.get("ok") is True:
            return answer
        raise _refused(response, answer, method)


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for this address."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("http")


def _encoded(body: Mapping[str, object]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return json.dumps(body).encode()  # which writes half characters as escapes


def _decoded(body: bytes) -> Mapping[str, object]:
    """What was answered; nothing where it can't be read: somebody between us and Slack."""
    try:
        return mapping(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _refused(response: aiohttp.ClientResponse, answer: Mapping[str, object], method: str) -> SendError:
    status, code = response.status, text_of(answer.get("error"))
    if status == 429 or code in _BUSY:
        return RateLimited(_pause(response.headers), account=code == "message_limit_exceeded")
    if status >= 500 or code in _UNCLEAR or (status < 400 and not code):
        return UnknownOutcome(f"{method}: {code or status}")
    return Refusal(code or f"http_{status}", method)


def _pause(headers: Mapping[str, str]) -> float:
    try:
        seconds = float(headers.get("Retry-After", ""))
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
