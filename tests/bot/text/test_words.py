"""Global words, yes and no."""

from __future__ import annotations

import pytest

from bot.text.words import meaning, yes_no
from tests.bot.text.tables import each

SAID = {
    "cancel": """cancel|Cancel!|CANCLE|cancal|cancell pls|never mind|Nevermind, thanks|neverminde|forget it|stop
        stop this please|I want to quit|start over|abbrechen bitte|cancelar|laisse tomber|rehne do
I changed my mind""",
    "back": """back|go back|previous question|I'd like to go back|take me back please|back to the previous question
undo
        zurück|atrás|wapas|can you go back|i made a mistake""",
    "help": """help|help me|HELP!!|?|what can you do|i need help|I dont understand|can you help me|Hilfe!|ayúdame
madad karo
        how does this work?|what are my options""",
    "person": """talk to a human|i want a real person|chat with an agent|Chat agent|customer care executive|operator
        speak to someone|Can I talk to a human?|connect me to a supervisor|real person available
talk to agnet|agent
        I want to speak with a live agent|talk to your executive|i need customer support|contact support
human please
        get me a manager|quiero hablar con una persona|mit einem Menschen sprechen
i don't want to talk to a bot
        put me through to customer service|reprasentative""",
}


@pytest.mark.parametrize(
    ("text", "name"),
    [(text.strip(), name) for name, many in SAID.items() for line in many.splitlines() for text in line.split("|")],
)
def test_global_words(text: str, name: str) -> None:
    assert meaning(text) == name


@pytest.mark.parametrize(
    "text",
    each("""cancel my order|I want to return back my order|help me find my order|track person order|cancer|parcel
i am a person
are you a human|are you a real person?|is this a bot|customer care number|the agent was rude
stop the shipment|service
help me choose a size|my agent number|back order|I need to give it back|person 2|a|give me one
i need one|the last one
do you have a manager|no|yes|can you do it|I want my money back|I need service for my car|give it to me|
two people
reason|it doesn't matter|egal|never|mind the gap|talk"""),
)
def test_what_is_no_global_word(text: str) -> None:
    assert meaning(text) is None


@pytest.mark.parametrize(
    "text",
    each("""yes|yes please|Yess|yesss!|yeah|ok|👍|👍🏽|✅|sure|ok thanks|go ahead|of course|y|that's right|JA|oui|haan
sí
yes yes|yep thanks|Yes, that's correct|why not"""),
)
def test_yes(text: str) -> None:
    assert yes_no(text) is True


@pytest.mark.parametrize(
    "text", each("no|nope|nah|no thanks|noo|nooooo|not now|👎|❌|don't|I don't think so|nein|no thank you|n|never")
)
def test_no(text: str) -> None:
    assert yes_no(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "yes and no",
        "not sure",
        "maybe",
        "where is it",
        "no the blue one",
        "yes but tomorrow",
        "thanks",
        "please",
        "👍👎",
        "",
        "�",
        "🚚",
    ],
)
def test_neither(text: str) -> None:
    assert yes_no(text) is None
