"""How people greet, thank, take leave, agree, ask who is there and swear; and patterns that fit nothing but that.

Regular expressions, with a bar between phrases; `o+k+` forgives drawn-out letters. English, with a few words of Hindi.
"""

from __future__ import annotations

LONGEST = 60
"""Small talk is short. The limit also keeps a stranger's long text from costing the patterns any time."""


def _phrases(text: str) -> str:
    return "|".join(line.strip() for line in text.splitlines())


HELLO = _phrases(
    r"""h+e+y+|h+[aiy]+|h+e+l+o+w*|h+l+o+|hlw|hallo|hola|howdy|yo|greetings|namaste|namaskar|salaam
    good (?:morning|afternoon|evening|day)|g(?:oo|u)?d (?:mrng|mor?ning|afternoon|evening)|morning|evening
    how are (?:you|u)|how are (?:you|u) doing|how is it going|how's it going|what'?s up|wass?up|nice to meet you|👋"""
)
THANKS = _phrases(
    r"""th[ae]n?ks?|thank ?(?:you|u)|thanx|thx|tnx|ty|cheers|much appreciated|i (?:really )?appreciate (?:it|that)
    many thanks|a lot|so much|very much|dhanyawad|shukriya|well done|(?:that|this) (?:was|is) helpful|🙏|❤️?
    you(?:'re| are) (?:great|awesome|very helpful|helpful|amazing)"""
)
BYE = _phrases(
    r"""(?:good ?)?(?:bye){1,2}e*|babye+|see (?:you|ya)|see (?:you|ya) (?:later|soon)|good ?night|gn|take care|ciao|tata
    have a (?:nice|good|great) (?:day|one|evening|weekend)|that'?s (?:all|it)|nothing|nothing (?:else|more)|i'?m done"""
)
FINE = _phrases(
    r"""o+k+a*y*|okie|okey|k+|alright|all right|fine|cool|great|nice|good|perfect|awesome|super|excellent|sure|done
    got it|i see|understood|h+m+|yes|yeah|yep|yup|ya|ha+n?|ji|right|correct|acha|achha|th?ee?k hai
    no problem|[👍👌]"""
)
NO = _phrases("no+|nope|nah|nahi|not now|not really|no need|no thanks?|no thank you")
WHO = _phrases(
    r"""who (?:are|r) (?:you|u)|what (?:are|r) (?:you|u)|who(?:'s| is) (?:this|that|there|it)
    what(?:'s| is) (?:your|ur) name|(?:your|ur) name|introduce yourself|tell me about yourself
    (?:are|r) (?:you|u) (?:an? )?(?:real )?(?:bot|robot|chat ?bot|machine|computer|ai|human|person|human being|real)
    is (?:this|it|that) (?:an? )?(?:real )?(?:bot|robot|chat ?bot|machine|computer|ai|human|person|human being|real)
    am i (?:talking|speaking|chatting) (?:to|with) (?:an? )?(?:real )?(?:bot|robot|machine|computer|human|person)
    or (?:an? )?(?:real )?(?:bot|robot|machine|computer|human|person)"""
)
SWEARING = _phrases(
    r"""(?:mother ?)?fu+c*k+\w*|f\*+\w*|shit\w*|bull ?shit|bastards?|idiots?|stupid|bitch\w*|ass ?holes?|dumb|wtf"""
)
SMALL = _phrases(
    r"""there|again|dear|sir|madam|ma'?am|mam|mate|bro|friend|team|everyone|please|pls|plz|so|very|well|and|just
    for (?:now|today|everything|that|(?:the|your) (?:help|time|support|assistance|reply))"""
)
AROUND = _phrases(
    r"""you|u|your|ur|off|this|that|it|is|are|so|such|an?|bot|what|the|of|man|service|company|hell|really|bloody|damn"""
)


def only(said: str, *more: str) -> str:
    """A pattern for a message that says this, and beside it nothing but `more`. "/nothing" is a command, no talk."""
    around = "|".join((said, *more))
    return rf"^(?!\s*/)(?=.{{1,{LONGEST}}}$)(?=.*(?<!\w)(?:{said})(?!\w))\W*(?:(?:{around})(?!\w)\W*)+$"
