"""Twilio's REST API through its SDK, one attempt a call, its failures told in the core's words.

The SDK's own asynchronous client is not used: it has no time-outs that tell a connection that was never made from an
answer that never came, and breaks on lists of files. This one is plugged in below the SDK's `Client`.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
from twilio.base import values
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from bot import NotSent, UnknownOutcome, Value
from channels.sms.codes import error_for
from channels.sms.settings import Line

_log = logging.getLogger(__name__)

LOOK_BACK = 50
"""Messages to one number that a read-back looks at."""

MOST_MISSED = 1_000
"""Messages that are read at once, the newest ones, of what may have been missed."""


class Outgoing(Value, frozen=True):
    """One message for Twilio to send. `callback` is where it reports what became of it."""

    to: str
    body: str
    media: tuple[str, ...] = ()
    callback: str = ""


class Listed(Value, frozen=True):
    """One message that Twilio took from us."""

    sid: str
    body: str
    created: float


class Received(Value, frozen=True):
    """One message that Twilio took for us, with the fields that its webhook would have had."""

    fields: dict[str, str]
    at: float


class Api:
    """Sends and looks up for one account."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._http = _Http(line.settings.timeout)
        # Settings come from one place: the SDK would read its own region and edge from the environment.
        nothing = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
        token = line.auth_token.get_secret_value()
        self._client = Client(line.account_sid, token, http_client=self._http, environment=nothing)
        self._client.api.base_url = line.settings.api_url

    async def create(self, message: Outgoing) -> str:
        """Send once; the sid. Raises only what `Channel.send` may."""
        service = self._line.sender.startswith("MG")
        try:
            made = await self._client.messages.create_async(
                to=message.to,
                from_=values.unset if service else self._line.sender,
                messaging_service_sid=self._line.sender if service else values.unset,
                body=message.body or values.unset,
                media_url=list(message.media) or values.unset,
                status_callback=message.callback or values.unset,
            )
        except TwilioRestException as problem:
            raise error_for(problem.status, problem.code) from problem
        except (TwilioException, ValueError, TypeError, KeyError, AttributeError) as problem:
            raise UnknownOutcome("Twilio answered something that is no message") from problem
        if not isinstance(made.sid, str) or not made.sid:
            raise UnknownOutcome("Twilio answered something that is no message")
        return made.sid

    async def sent_to(self, number: str) -> list[Listed]:
        """The last messages to a number, newest first. Raises as `create` does.

        Not filtered by day: what waits in Twilio's queue has no date of sending yet.
        """
        sender = values.unset if self._line.sender.startswith("MG") else self._line.sender
        found = await _listed(
            self._client.messages.list_async(to=number, from_=sender, limit=LOOK_BACK, page_size=LOOK_BACK)
        )
        return [
            Listed(sid=one.sid, body=one.body or "", created=one.date_created.timestamp() if one.date_created else 0.0)
            for one in found
            if one.sid and str(one.direction).startswith("outbound")
        ]

    async def received(self, since: datetime) -> list[Received]:
        """What people sent to us since then, oldest first. Raises as `create` does."""
        service = self._line.sender if self._line.sender.startswith("MG") else ""
        to = values.unset if service else self._line.sender
        messages = self._client.messages
        found = await _listed(messages.list_async(to=to, date_sent_after=since, limit=MOST_MISSED, page_size=100))
        ours = [one for one in found if str(one.direction) == "inbound" and one.sid and one.date_sent]
        if service:
            ours = [one for one in ours if one.messaging_service_sid == service]
        # The filter knows whole seconds, and with some servers of this API only days.
        ours = [one for one in ours if one.date_sent >= since]
        return [Received(fields=await self._fields(one), at=one.date_sent.timestamp()) for one in reversed(ours)]

    async def _fields(self, one: Any) -> dict[str, str]:
        """A message of the list as the form that its webhook would have been."""
        fields = {
            "MessageSid": str(one.sid),
            "AccountSid": str(one.account_sid),
            "From": str(one.from_ or ""),
            "To": str(one.to or ""),
            "Body": str(one.body or ""),
            "NumMedia": str(one.num_media or "0"),
        }
        if fields["NumMedia"] != "0":
            files = await _listed(self._client.messages(one.sid).media.list_async(limit=10))
            for number, file in enumerate(files):
                fields[f"MediaUrl{number}"] = f"/Messages/{one.sid}/Media/{file.sid}"
                fields[f"MediaContentType{number}"] = str(file.content_type or "")
        return fields

    async def close(self) -> None:
        """Hang up."""
        await self._http.close()


class _Http(AsyncHttpClient):  # type: ignore[misc]  # the SDK has no types
    """aiohttp below the SDK: no retries, no logs of what is sent to whom."""

    def __init__(self, timeout: float) -> None:
        super().__init__(_log, True, timeout)
        self._total = timeout
        self._session: aiohttp.ClientSession | None = None

    async def request(  # noqa: PLR0917 - the SDK's signature
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Ask once. Raises NotSent before anything was written, RateLimited, and UnknownOutcome."""
        session = self._opened()
        asked = {**(headers or {}), "Authorization": basic_auth(*auth)} if auth else dict(headers or {})
        try:
            async with session.request(
                method.upper(),
                uri,
                params=_pairs(params),
                data=urlencode(_pairs(data)) if data else None,
                headers=asked,
                allow_redirects=allow_redirects,
            ) as answer:
                text = await answer.text(errors="replace")
                if answer.status == 429 or answer.status >= 500:
                    raise error_for(answer.status, None, _seconds(answer.headers.get("Retry-After")))
                return Response(answer.status, text, answer.headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            raise NotSent(f"Twilio was not reached: {type(problem).__name__}") from problem
        except aiohttp.InvalidURL as problem:
            raise NotSent("sms.api_url is no address") from problem
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise UnknownOutcome(f"Twilio did not answer: {type(problem).__name__}") from problem

    async def close(self) -> None:
        """Hang up; the next request dials again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            limits = aiohttp.ClientTimeout(total=self._total, sock_connect=self._total / 2)
            self._session = aiohttp.ClientSession(timeout=limits)
        return self._session


async def _listed(asked: Awaitable[list[Any]]) -> list[Any]:
    """What a list has, its failures in the core's words."""
    try:
        return await asked
    except TwilioRestException as problem:
        raise error_for(problem.status, problem.code) from problem
    except (TwilioException, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise UnknownOutcome("Twilio answered something that is no list") from problem


def basic_auth(login: str, password: str) -> str:
    """The header that opens the API."""
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


def _pairs(given: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """A list is the same name several times."""
    pairs: list[tuple[str, str]] = []
    for name, value in (given or {}).items():
        values_: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(one)) for one in values_ if one is not values.unset]
    return pairs


def _seconds(header: str | None) -> float:
    try:
        return min(max(float(header or 0), 0.0), 3600.0)
    except ValueError:
        return 0.0
