"""A skill that has a bit of everything that channels show differently."""

from __future__ import annotations

import msgspec

from bot import Card, Field, Skill, Turn

skill = Skill("lamps", "Sells lamps.")


class Address(msgspec.Struct):
    """Where a lamp goes."""

    street: str
    city: str


@skill.intent("i need a lamp", "sell me a lamp")
async def sell(turn: Turn) -> None:
    await turn.say("We have **three** lamps, all on [one page](https://lamps.example/all).")
    lamp = await turn.ask("Which one?", choices=["Floor lamp", "Desk lamp", "Torch"])
    where = await turn.ask("Where shall it go?", form=Address)
    goes = f"{where.street}, {where.city}"
    card = Card(
        title=lamp,
        text="Bright and warm.",
        fields=(Field(name="Price", value="40 €"), Field(name="Goes to", value=goes)),
    )
    await turn.say("“Done” – it’s on its way:", card=card, choices=["Another one", "Talk to a person"])
