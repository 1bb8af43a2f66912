"""Small talk: greetings, thanks, goodbyes, "are you a bot?", anger, "please call me". Knows no job of the bot.

Every pattern fits a whole message, so "hi, where is my order" stays with the skill that knows orders.
"""

from __future__ import annotations

from bot import Skill, Turn
from skills.smalltalk.words import AROUND, BYE, FINE, HELLO, NO, SMALL, SWEARING, THANKS, WHO, only

skill = Skill("smalltalk", "")

_PERSON = "Talk to a person"
_WHAT = "What can you do?"


@skill.pattern(only(HELLO, SMALL))
async def hello(turn: Turn) -> None:
    """Greet back."""
    await turn.say("Hello! What can I do for you?", choices=[_WHAT, _PERSON])


@skill.pattern(only(THANKS, SMALL, FINE, BYE, NO))
async def thanks(turn: Turn) -> None:
    """Take thanks."""
    await turn.say("You're welcome! If there is anything else, just write.")


@skill.pattern(only(BYE, SMALL, FINE, NO), only(NO, SMALL))
async def bye(turn: Turn) -> None:
    """Say goodbye."""
    await turn.say("All right. I'm here whenever you need me. Take care!")


@skill.pattern(only(FINE, SMALL))
async def fine(turn: Turn) -> None:
    """Somebody agrees, with nothing on the table."""
    await turn.say("Good. What can I do for you?", choices=[_WHAT, _PERSON])


@skill.pattern(only(WHO, HELLO, SMALL))
async def who(turn: Turn) -> None:
    """Be honest about what this is."""
    await turn.say(
        "I'm the assistant here: a program, not a human. There are people behind me, and I can get you one any time.",
        choices=[_WHAT, _PERSON],
    )


@skill.pattern(only(SWEARING, AROUND))
async def anger(turn: Turn) -> None:
    """Stay kind, and offer a person."""
    await turn.say("I'm sorry that this is frustrating. Shall I get you a person?", choices=[_PERSON])


@skill.intent(
    "I want to make a complaint",
    "your service is terrible",
    "worst service ever",
    "you are useless",
    "bad service",
    "nobody answers me",
    "no one is answering",
    "this is urgent",
    "this is a fraud",
    "you are cheating your customers",
    "I am fed up with your service",
    title="I want to complain",
)
async def complaint(turn: Turn) -> None:
    """A complaint deserves a person."""
    await turn.say("I'm sorry that it went like this. A person can look into it, right here.", choices=[_PERSON])


@skill.intent(
    "please call me back",
    "I want a callback",
    "give me your phone number",
    "what is your contact number",
    "customer care number please",
    "where can I call you",
    "is your call center open",
    "nobody picks up at the call center",
    "how can I get in touch with you",
    "is anyone available to assist me",
    "what is your e-mail address",
    title="How to reach us",
)
async def contact(turn: Turn) -> None:
    """How to get hold of people."""
    await turn.say("I can't place calls, but I can bring a person into this chat.", choices=[_PERSON])
