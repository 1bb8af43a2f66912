"""Small talk: greetings, thanks, goodbyes, "are you a bot?", anger. Knows no job of the bot.

Every pattern fits a whole message, so "hi, where is my order" stays with the skill that knows orders.
"""

from __future__ import annotations

from bot import Skill, Turn

skill = Skill("smalltalk", "")

_PERSON = "Talk to a person"
_WHAT = "What can you do?"

_FILLER = (
    r"(?:there|again|dear|sir|madam|ma'?am|mam|mate|buddy|bro|friend|team|everyone|all|bot|robot|"
    r"please|pls|plz|so|very|much|a lot|lots|for (?:now|today|the help|your (?:help|time|support|assistance|reply)))"
)
_HELLO = (
    r"h+e+y+|h+e+l+o+|h+e+l{2,}o+w*|h+[aiy]+|hallo|hola|namaste|namaskar|greetings|salaam|salam|howdy|yo|"
    r"(?:very )?g(?:oo)?d? ?(?:morning|afternoon|evening|day)|morning|evening|helo+w|hlo+|hlw|"
    r"how are (?:you|u|things)(?: doing)?(?: today)?|how(?:'s| is) it going|what'?s up|sup|nice to meet you"
)
_THANKS = (
    r"(?:many )?th[ae]n?ks?(?: ?(?:you|u))?|thank ?you|thx|tnx|ty|cheers|much appreciated|"
    r"i (?:really )?appreciate (?:it|that)|thanks a lot|dhanyawad|shukriya|"
    r"you(?:'re| are) (?:great|awesome|helpful|amazing)|well done"
)
_BYE = (
    r"(?:good ?)?bye(?: ?bye)?|ba?bye+|see (?:you|ya)(?: later| soon)?|good ?night|take care|have a (?:nice|good|great) "
    r"(?:day|one|evening|weekend)|cya|ciao|tata|ttyl|that'?s (?:all|it)|nothing(?: else| more)?|i'?m done"
)
_FINE = (
    r"o+k+(?:a+y+)?|okie|okey|k+|alright|all right|fine|cool|great|nice|good|perfect|awesome|super|excellent|sure|done|"
    r"got it|i see|understood|hm+|yes|yeah|yep|yup|ya|ha+n?|ji|right|correct|acha|achha|thik hai|theek hai|no problem"
)
_NO = r"no+|nope|nah|not now|no need|not really|nahi|no thanks?(?: you)?|no thank you"
_WHO = (
    r"(?:is (?:this|it|that|there)|are (?:you|u)|am i (?:talking|speaking|chatting) (?:to|with))(?: just| only)? "
    r"(?:an? )?(?:real |live |actual )?(?:ro)?(?:bots?|human|person|people|machine|computer|someone real|ai|robot|real|"
    r"automated|chat ?bot|human being|man or (?:a )?machine)(?: or (?:an? )?(?:real )?(?:\w+ ?){1,2})?|"
    r"(?:and )?(?:who|what) (?:are|r) (?:you|u)|who(?:'s| is) (?:this|that|there|it)|"
    r"what(?:'s| is) (?:your|ur) name|(?:your|ur) name|introduce yourself|tell me about (?:yourself|you)"
)
_INSULT = r"(?:mother ?)?fu+c*k+\w*|f\*+\w*|shit\w*|bull ?shit|bastards?|idiots?|stupid|bitch\w*|ass ?holes?|dumb\w*|wtf"
_AROUND = r"you|u|your|ur|off|this|that|it|is|are|so|such|a|an|bot|what|the|of|man|service|company|hell|really|bloody|damn"


def _only(said: str, *, more: str = _FILLER) -> str:
    """A pattern for messages that say this, perhaps several times, and otherwise only small words."""
    return rf"^\W*(?:(?:{said}|{more})\b\W*)*?(?:{said})\b(?:\W+(?:{said}|{more})\b)*\W*$"


@skill.pattern(_only(_HELLO))
async def hello(turn: Turn) -> None:
    """Greet back."""
    await turn.say("Hello! What can I do for you?", choices=[_WHAT, _PERSON])


@skill.pattern(_only(_THANKS, more=rf"{_FILLER}|{_FINE}|{_BYE}|{_NO}"))
async def thanks(turn: Turn) -> None:
    """Take thanks."""
    await turn.say("You're welcome! If there is anything else, just write.")


@skill.pattern(_only(_BYE, more=rf"{_FILLER}|{_FINE}|{_NO}"), _only(_NO))
async def bye(turn: Turn) -> None:
    """Say goodbye."""
    await turn.say("All right. I'm here whenever you need me. Take care!")


@skill.pattern(_only(_FINE))
async def fine(turn: Turn) -> None:
    """Somebody agrees, with nothing on the table."""
    await turn.say("Good. What can I do for you?", choices=[_WHAT, _PERSON])


@skill.pattern(rf"^\W*(?:(?:{_HELLO})\W+)?(?:{_WHO})\W*$")
async def who(turn: Turn) -> None:
    """Be honest about what this is."""
    await turn.say(
        "I'm the assistant here: a program, not a human. There are people behind me, and I can get you one any time.",
        choices=[_WHAT, _PERSON],
    )


@skill.pattern(_only(_INSULT, more=_AROUND))
async def anger(turn: Turn) -> None:
    """Stay kind, and offer a person."""
    await turn.say("I'm sorry that this is frustrating. Shall I get you a person?", choices=[_PERSON])
