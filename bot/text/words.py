"""Global words: "cancel", "go back", "help", "talk to a person", yes and no, in the user's own words.

Knows no question and no choice. A word counts only when it is all that the user says, apart from politeness:
"cancel my order" is a request to a skill, not "cancel". Never raises, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Literal

from bot.text.phrases import BACK, CANCEL, HELP, NO, NO_PHRASES, PERSON, YES, YES_PHRASES, phrases
from bot.text.plain import listed, without, words
from bot.text.spelling import Spelling

Meaning = Literal["cancel", "back", "help", "person"]


_POLITE = listed(
    """please pls kindly thanks thank hi hello hey ok okay well um uh oh ah sorry just now actually so then sir madam
    bot bitte por favor merci danke gracias s il vous plait ji bhai yaar"""
)
_LEADS = tuple(
    sorted(
        (
            lead.split()
            for lead in phrases(
                """i want to|i would like to|i like to|i need to|i have to|can you|could you|can i|could i|may i
                can we|let me|let us|lets|i wish to|would you|will you|i am going to|you can|id like to|i will"""
            )
        ),
        key=len,
        reverse=True,
    )
)
_LEADING = frozenset(lead[0] for lead in _LEADS)
_LONGEST = 12
"""Words of the longest utterance that can be a global word."""

_REACH = listed(
    "talk speak chat connect transfer put get give contact reach escalate pass switch forward hand want need prefer ask"
)
_SOMEBODY = listed(
    """agent agents human humans person people someone somebody anyone anybody representative representatives rep
    executive executives operator supervisor manager staff advisor adviser specialist colleague employee support
    care service desk helpdesk team"""
)
_AROUND = listed(
    """i you me us to with a an the your my some any one of through over on onto from in real live human actual
    customer support service care sales desk team another else directly instead rather proper here there available
    online immediately asap today in touch would like can could will may must have want need let be am do is"""
)
_NO_ONE_YET = listed("care service desk team staff")
"""Words for somebody only beside another such word: "customer service", "support team"."""

_SAYS_WHO_HE_IS = re.compile(r"\b(?:i am|you are|are you|am i|is this|is it|do you|does|do i|you have)\b")

_SMALL = listed("please thanks thank you sir madam bot very much that it is so just then danke bitte gracias merci")
_THUMB_UP = re.compile("[\U0001f44d\u2705\U0001f44c\u2714\U0001f197\U0001f4af\u2611]")
_THUMB_DOWN = re.compile("[\U0001f44e\u274c\U0001f6ab\u2716\u26d4]")
_LETTERS = re.compile(r"[^\W\d_]")
_TWICE = re.compile(r"(.)\1+")

_BY_PHRASE: tuple[tuple[frozenset[str], Meaning], ...] = (
    (CANCEL, "cancel"),
    (BACK, "back"),
    (HELP, "help"),
    (PERSON, "person"),
)
_OTHER_WORDS = listed("cancer chance counsel parcel person reason season prison")
_SPELLING = Spelling(
    {word for listing, _ in _BY_PHRASE for phrase in listing for word in phrase.split() if len(word) > 4}
    | _SOMEBODY
    | _OTHER_WORDS
)
_VOCABULARY = frozenset(word for listing, _ in _BY_PHRASE for phrase in listing for word in phrase.split())


def meaning(text: str) -> Meaning | None:
    """Which global word this is, if it says that and nothing else."""
    if text[:20].strip() in ("?", "??", "???"):
        return "help"
    # Most messages have more words than that, and to count those that surely are some is cheaper than to read them.
    if len(text) > _LONGEST * 20 or sum(piece[0].isalnum() for piece in text.split()) > _LONGEST:
        return None
    spoken = words(text)
    if not spoken or len(spoken) > _LONGEST:
        return None
    meant = [_spelled(word) for word in spoken]
    for said in (spoken, meant) if meant != spoken else (spoken,):
        for shorter in _shorter(said):
            phrase = " ".join(shorter)
            for listing, name in _BY_PHRASE:
                if phrase in listing:
                    return name
        if _wants_person(said):
            return "person"
    return None


def yes_no(text: str) -> bool | None:
    """True for a yes, False for a no, None for neither, for both, and for more than that."""
    head = text[:200]
    if not _LETTERS.search(head):
        up, down = bool(_THUMB_UP.search(head)), bool(_THUMB_DOWN.search(head))
        return up if up != down and len(text) <= _LONGEST else None
    spoken = words(head)
    if len(text) > len(head) or not spoken or len(spoken) > _LONGEST:
        return None
    core = without(spoken, _POLITE - YES)
    for said in (" ".join(spoken), " ".join(core)):
        if said in NO_PHRASES:
            return False
        if said in YES_PHRASES:
            return True
    return _only(core, NO, YES)


def _only(core: list[str], no: Collection[str], yes: Collection[str]) -> bool | None:
    """Whether these words are all yes, or all no, beside small words."""
    single = [word if word in no or word in yes or word in _SMALL else _TWICE.sub(r"\1", word) for word in core]
    if any(word not in no and word not in yes and word not in _SMALL for word in single):
        return None
    said_no = any(word in no for word in single)
    said_yes = any(word in yes for word in single)
    return said_yes if said_yes != said_no else None


def _shorter(spoken: list[str]) -> list[list[str]]:
    """What is said, without politeness, and without a lead such as "I want to"."""
    bare = without(spoken, _POLITE)
    found = [spoken, bare]
    for lead in _LEADS if bare and bare[0] in _LEADING else ():
        if bare[: len(lead)] == lead and len(bare) > len(lead):
            found.append(bare[len(lead) :])
            break
    return found


@lru_cache(maxsize=8192)  # people use few words, and looking one up is what costs most in an ordinary message
def _spelled(word: str) -> str:
    """The word as it was meant, when it is a slip away from one that matters here."""
    if word in _VOCABULARY or word in _AROUND or word in _REACH:
        return word
    return _SPELLING.nearest(word) or word


def _wants_person(spoken: list[str]) -> bool:
    """Whether somebody is asked for, in words that say nothing else: "can I speak to a real person please"."""
    core = without(spoken, _POLITE)
    if any(word not in _REACH and word not in _SOMEBODY and word not in _AROUND for word in core):
        return False
    said = " ".join(spoken)
    if _SAYS_WHO_HE_IS.search(said):
        return False
    asked = any(word in _REACH for word in core) or said.startswith("let me have") or len(core) <= 4
    somebody = [word for word in core if word in _SOMEBODY or word == "customer"]
    return (
        asked and any(word in _SOMEBODY for word in somebody) and (len(somebody) > 1 or somebody[0] not in _NO_ONE_YET)
    )
