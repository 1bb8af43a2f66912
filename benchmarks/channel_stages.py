"""Each channel's strict platform, as benchmarks/channels.py needs it: people on it, and what it does to the bot."""

# ruff: noqa: B027  # a stage has what its platform can do

from __future__ import annotations

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import ClassVar

import aiohttp

from tests.platforms import slack, telegram, twilio

Deliver = Callable[[], Awaitable[bool]]

MANY = 1_000_000


class Stage(ABC):
    """One platform. `looks_up` says that its channel can find out whether an uncertain send arrived."""

    name: ClassVar[str]
    looks_up: ClassVar[bool] = True
    can_fail: ClassVar[bool] = True

    async def start(self) -> None:
        """Listen."""

    async def stop(self) -> None:
        """Be gone."""

    @abstractmethod
    def environ(self) -> dict[str, str]:
        """What the program has to be told."""

    @abstractmethod
    def reach(self, url: str) -> None:
        """Where the program listens."""

    async def ready(self) -> None:
        """The program has started."""

    @abstractmethod
    def message(self, person: int, text: str) -> Deliver:
        """Somebody writes; call what this returns to deliver it, as often as you like. Whether it was taken in."""

    @abstractmethod
    def seen(self, person: int) -> list[str]:
        """What the bot showed them, oldest first."""

    def refuse(self) -> None:
        """Answer 429 from now on."""

    def hang_up(self) -> None:
        """Take the next message from the bot, and don't say so."""

    def calm(self) -> None:
        """Be well."""

    async def finish(self) -> None:
        """Look at what has come meanwhile, where looking is needed."""


class SlackStage(Stage):
    """Direct messages in a workspace."""

    name = "slack"

    def __init__(self) -> None:
        self._server = slack.SlackServer()

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    def environ(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": slack.TOKEN,
            "SLACK_SIGNING_SECRET": slack.SECRET,
            "SLACK_API_URL": self._server.api,
            "FRONTDESK_SLACK__CATCH_UP_AFTER": "0",
        }

    def reach(self, url: str) -> None:
        self._server.events = f"{url}/channels/slack"

    def message(self, person: int, text: str) -> Deliver:
        user = f"U1{person:05d}"
        inner = self._server.written(text, chat=f"D1{person:05d}", user=user)
        event = self._server.event(inner)
        return lambda: self._server.deliver(event)

    def seen(self, person: int) -> list[str]:
        return [str(message["text"]) for message in self._server.shown(f"D1{person:05d}")]

    def refuse(self) -> None:
        self._server.fail("429", times=5_000, method="chat.postMessage", retry_after=1)

    def hang_up(self) -> None:
        if not self._server.faults:
            self._server.fail("accept-then-close", method="chat.postMessage")

    def calm(self) -> None:
        self._server.faults.clear()


class TelegramStage(Stage):
    """Private chats with a bot, by webhook."""

    name = "telegram"
    looks_up = False

    def __init__(self) -> None:
        self._server = telegram.TelegramServer(paced=True)

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    def environ(self) -> dict[str, str]:
        return {
            "TELEGRAM_BOT_TOKEN": telegram.TOKEN,
            "TELEGRAM_API_URL": self._server.url,
            "PUBLIC_URL": "https://bot.example",
        }

    def reach(self, url: str) -> None:
        self._server.reach = url

    async def ready(self) -> None:
        while not self._server.webhook:  # noqa: ASYNC110 - a server's own time
            await asyncio.sleep(0.01)

    def message(self, person: int, text: str) -> Deliver:
        chat = {"id": 9000 + person, "type": "private", "first_name": f"P{person}"}
        self._server.chats[chat["id"]] = chat  # type: ignore[index]
        sender = {"id": 9000 + person, "is_bot": False, "first_name": f"P{person}"}
        update = self._server.update(message=self._server.message(text, chat=chat, sender=sender))
        return lambda: self._server.deliver(update)

    def seen(self, person: int) -> list[str]:
        return [telegram.words(shown.message) for shown in self._server.shown[9000 + person]]

    def refuse(self) -> None:
        self._server.fail("429", "sendMessage", times=MANY)

    def hang_up(self) -> None:
        self._server.fail("close after", "sendMessage")

    def calm(self) -> None:
        self._server.heal()


class SmsStage(Stage):
    """Telephones and a short code."""

    name = "sms"

    def __init__(self) -> None:
        self._server = twilio.Twilio(senders=("55555",))
        self._calm: twilio.Fault = ""
        self._once = 0

    async def start(self) -> None:
        self._server.plan = self._plan
        await self._server.start()

    async def stop(self) -> None:
        await self._server.close()

    def environ(self) -> dict[str, str]:
        return {
            "TWILIO_ACCOUNT_SID": self._server.sid,
            "TWILIO_AUTH_TOKEN": self._server.token,
            "TWILIO_FROM": "55555",
            "TWILIO_API_URL": self._server.url,
            "FRONTDESK_SMS__COUNTRIES": "US",
        }

    def reach(self, url: str) -> None:
        self._server.webhook = f"{url}/channels/sms"

    def message(self, person: int, text: str) -> Deliver:
        event = f"{person} {text}"

        async def deliver() -> bool:
            answer = await self._server.text(text, sender=_number(person), to="55555", event=event)
            return answer.status == 200

        return deliver

    def seen(self, person: int) -> list[str]:
        return self._server.shown(_number(person))

    def refuse(self) -> None:
        self._calm = "429"

    def hang_up(self) -> None:
        self._once += 1

    def calm(self) -> None:
        self._calm, self._once = "", 0

    def _plan(self) -> twilio.Fault:
        if self._once:
            self._once -= 1
            return "close after"
        return self._calm


class WebStage(Stage):
    """Visitors of a page, over plain HTTP."""

    name = "web"
    can_fail = False  # there is nothing between the transcript and the page that could

    def __init__(self) -> None:
        self._url = ""
        self._seen: dict[int, list[str]] = {}
        self._after: dict[int, int] = {}
        self._numbers = itertools.count(1)
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._http = aiohttp.ClientSession()

    async def stop(self) -> None:
        if self._http is not None:
            await self._http.close()

    def environ(self) -> dict[str, str]:
        return {}

    def reach(self, url: str) -> None:
        self._url = f"{url}/channels/web/messages"

    def message(self, person: int, text: str) -> Deliver:
        body = {"text": text, "conversation": f"{person:032x}", "client_id": f"storm-{next(self._numbers):012d}"}

        async def deliver() -> bool:
            assert self._http is not None
            try:
                async with self._http.post(self._url, json=body) as answer:
                    taken = answer.status == 202
                await self._look(person)
            except aiohttp.ClientError:
                return False
            return taken

        return deliver

    async def _look(self, person: int) -> None:
        assert self._http is not None
        asked = {"conversation": f"{person:032x}", "after": str(self._after.get(person, 0)), "wait": "1"}
        async with self._http.get(self._url, params=asked) as answer:
            rows = (await answer.json())["messages"]
        for row in rows:
            self._after[person] = row["seq"]
            if row["from"] != "user":
                self._seen.setdefault(person, []).append(row["text"])

    async def finish(self) -> None:
        for person in list(self._seen):
            await self._look(person)

    def seen(self, person: int) -> list[str]:
        return self._seen.get(person, [])


def _number(person: int) -> str:
    return f"+1415556{person:04d}"


STAGES = MappingProxyType({stage.name: stage for stage in (SlackStage, TelegramStage, SmsStage, WebStage)})
