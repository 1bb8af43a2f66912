"""A bot that answers the widget's tests by script: a line for each thing that the widget must be able to show."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot import Card, Field, Message, Pressed, Reply
from tests.channels.web.fakes import FakeGateway

MARKDOWN = """Here is **bold**, *slanted*, `code` and [a link](https://shop.example/returns).

## What you can do

1. Send it back
2. Swap it
   - same colour
   - another one

> We pay for the parcel.

```
A-1001
```

| Item | Price |
|------|------:|
| Lamp | € 89 |
"""


async def _choices(gateway: FakeGateway, message: Message) -> None:
    await gateway.say(message.address, "Which order is it?", "A-1001 · Ember lamp", "A-1002 · Moss mug", "Another one")


async def _stream(gateway: FakeGateway, message: Message) -> None:
    text = "It left our **workshop** this morning and arrives on *Friday*. You can follow it all the way."
    words = text.split(" ")
    for count in range(1, len(words) + 1):
        if gateway.channel:
            await gateway.channel.draft(message.address, "k", " ".join(words[:count]))
        await asyncio.sleep(0.03)
    await gateway.say(message.address, " ".join(words))


async def _person(gateway: FakeGateway, message: Message) -> None:
    await gateway.say(message.address, "Ana joined the conversation.", source="system")
    await gateway.say(message.address, "Hi, I'm Ana. I've read what you wrote.", source="agent", author="Ana")


async def _queue(gateway: FakeGateway, message: Message) -> None:
    await gateway.say(message.address, "I've passed this on to our team.", source="system")


async def _card(gateway: FakeGateway, message: Message) -> None:
    fields = (Field(name="Arrives", value="Friday, 27 Nov"), Field(name="Carrier", value="Parcel Post"))
    card = Card(
        title="A-1001 · Ember lamp", text="On its way to you.", fields=fields, url="https://shop.example/a-1001"
    )
    await gateway.say(message.address, "", reply=Reply(card=card))


async def _typing(gateway: FakeGateway, message: Message) -> None:
    if gateway.channel:
        await gateway.channel.typing(message.address, on=True)


async def _markdown(gateway: FakeGateway, message: Message) -> None:
    await gateway.say(message.address, MARKDOWN)


async def _say_back(gateway: FakeGateway, message: Message) -> None:
    await gateway.say(message.address, message.text.removeprefix("say back: "))


_LINES: dict[str, Callable[[FakeGateway, Message], Awaitable[None]]] = {
    "where is my order?": _choices,
    "stream": _stream,
    "a person please": _person,
    "queue": _queue,
    "card": _card,
    "typing": _typing,
    "markdown": _markdown,
}


async def scripted(gateway: FakeGateway, message: Message) -> None:
    """Answer one message."""
    if isinstance(message.content, Pressed):
        await gateway.say(message.address, f"You chose **{message.text}**. It arrives on Friday.")
    elif message.text.startswith("say back: "):
        await _say_back(gateway, message)
    elif message.media:
        await gateway.say(message.address, f"Thank you for {message.media[0].name}.")
    elif line := _LINES.get(message.text.lower()):
        await line(gateway, message)
    elif not message.text.startswith("silence"):
        await gateway.say(message.address, f"You said: {message.text}")
