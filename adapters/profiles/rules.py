"""Reads what people say about themselves by rules: English, and "my name is" in four more languages. No package.

Every value is a piece of the text (phone numbers without what only makes them readable), so nothing is invented; what
is said in a way that no rule knows is missed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from bot import emails_in, phones_in
from bot.ports import Account, Finding, Profile, ProfileReader

MOST = 20
LONGEST = 120

_CAP = r"[A-ZÀ-ÖØ-ÞА-ЯŠŽ][\w'’-]*(?:\.\w[\w'’-]*)*"
_PARTICLE = r"(?:van|von|de|da|del|della|di|la|le|bin|al|der|den|ter|el)"
_FULL_NAME = rf"{_CAP}(?: (?:{_PARTICLE} )*{_CAP}){{0,3}}"
_NAMES = (
    rf"(?i:\bmy (?:full )?name(?:'s|’s| is)) ({_FULL_NAME})",
    rf"(?i:\b(?:call me|people call me|you can call me)) ({_FULL_NAME})",
    rf"(?i:\bthis is) ({_FULL_NAME})(?= (?i:here|from|at|speaking|calling|writing)\b|[,.!])",
    rf"(?i:(?:^|[.!?,] ?|\bhi |\bhello |\bhey )(?:i am|i'm|i’m)) ({_FULL_NAME})(?=[,.!]| (?i:from|and|"
    rf"here|at|with)\b|$)",
    rf"(?i:\bname ?:) ?({_FULL_NAME})",
    rf"(?i:\bich (?:heiße|heisse)|\bmein name ist) ({_FULL_NAME})",
    rf"(?i:\bme llamo|\bmi nombre es|\bmeu nome é|\bme chamo) ({_FULL_NAME})",
    rf"(?i:\bje m['’]appelle|\bmon nom est|\bmi chiamo|\bil mio nome è) ({_FULL_NAME})",
)
_NO_NAMES = frozenset(
    re.findall(
        r"\S+",
        """i i'm a an the from not sure sorry fine good ok okay yes no here looking interested happy unhappy angry
    waiting trying writing calling very so still also just monday tuesday wednesday thursday friday saturday
    sunday january february march april may june july august september october november december english
    german french spanish american british indian canadian italian chinese japanese""",
    )
)
_STOP = r"(?=[.,;!?\n)]| (?i:and|but|as|where|who|which|because|so|since|for|with|in|at|when|while|or|near|on)\b|$)"
_END = r"(?=[.;!?\n]|, ?(?:and |but |so )|$)"
_PLACES = (
    rf"(?i:\bi (?:currently |now )?(?:live|reside) (?:in|near|at)|\bi(?:'m|’m| am) (?:based|living|located) in) "
    rf"((?:the )?{_CAP}(?:(?:, | ){_CAP}){{0,3}})",
    rf"(?i:\bi(?:'m|’m| am| come) (?:originally )?from) ((?:the )?{_CAP}(?:(?:, | ){_CAP}){{0,2}})",
    rf"(?i:\b(?:location|city|place) ?:) ?({_CAP}(?:(?:, | ){_CAP}){{0,3}})",
)
_JOB = (
    r"(?:[a-z][\w+#/-]* ){0,4}?(?:engineer|developer|manager|director|teacher|nurse|doctor|designer|student|lawyer|"
    r"accountant|analyst|consultant|writer|editor|scientist|researcher|chef|cook|driver|founder|"
    r"owner|officer|assistant|"
    r"architect|artist|baker|carpenter|clerk|coach|dentist|economist|electrician|farmer|journalist|librarian|mechanic|"
    r"musician|painter|pharmacist|photographer|pilot|plumber|professor|programmer|salesperson|secretary|therapist|"
    r"translator|tutor|vet|waiter|waitress|administrator|technician|recruiter|marketer|trainer|entrepreneur|freelancer|"
    r"product owner|cto|ceo|cfo|coo)"
)
_ROLES = (
    rf"(?i:\bi(?:'m|’m| am)(?: currently| now| also)?(?: an?| the)? ({_JOB})\b)",
    rf"(?i:\b(?:i|and|currently|now) work(?:ed)? as (?:an?|the) ({_JOB})\b)",
    r"(?i:\b(?:my job title is|my role is|job title ?:|role ?:|position ?:)) ?"
    r"([A-Za-z][\w /&-]{2,60}?)" + _STOP,
)
_COMPANIES = (
    rf"(?i:\b(?:i|we) (?:currently |now )?work (?:at|for)) ((?:{_CAP})(?:(?: & | | and (?=[A-Z])){_CAP}){{0,4}})",
    rf"(?i:\bi(?:'m|’m| am) (?:an? |the )?[a-z][\w /-]{{2,40}} (?:at|with)) ((?:{_CAP})(?:(?: & | ){_CAP}){{0,4}})",
    rf"(?i:\bas an? {_JOB} (?:at|with|for)) ((?:{_CAP})(?:(?: & | ){_CAP}){{0,4}})",
    rf"(?i:\b(?:company|employer) ?:) ?({_CAP}(?:(?: & | ){_CAP}){{0,4}})",
    rf"(?i:\bi (?:founded|run|own|lead)) ((?:{_CAP})(?:(?: & | ){_CAP}){{0,4}})",
)
_TONGUES = (
    "English German French Spanish Italian Portuguese Dutch Polish Russian Ukrainian Turkish Arabic Hindi Urdu Bengali "
    "Tamil Telugu Punjabi Chinese Mandarin Cantonese Japanese Korean Vietnamese Thai Indonesian Malay Swedish "
    "Norwegian Danish Finnish Greek Hebrew Persian Farsi Romanian Czech Slovak Hungarian Croatian Serbian Bulgarian "
    "Swahili"
)
_TONGUE = re.compile(rf"\b({'|'.join(_TONGUES.split())})\b", re.IGNORECASE)
_SPEAKS = re.compile(
    r"(?i:\b(?:i|we) (?:(?:can|also|only|mostly|fluently) )*speak|\bfluent in|\bmy (?:native|first|"
    r"mother) (?:language|tongue) is|"
    r"\bnative speaker of|\blanguages? ?:|\bi(?:'m|’m| am) (?:learning|studying)) ([^.;!?\n]{2,80})"
)
_SKILLS = re.compile(
    r"(?i:\bi(?:'m|’m| am) (?:good|skilled|experienced) (?:at|in|with)|\bmy skills (?:are|include)|\bskills ?:|"
    r"\bi have experience (?:with|in)) ?([^.;!?\n]{2,120})"
)
_INTERESTS = re.compile(
    r"(?i:\bi(?: really| also)? (?:love|enjoy|like)(?! to (?:know|see|ask|return|order|cancel)\b)|"
    r"\bi(?:'m|’m| am) (?:interested in|into|passionate about)|"
    r"\bmy hobb(?:y is|ies are|ies include)|\b(?:interests|hobbies) ?:) ?([^.;!?\n]{2,120})"
)
_GOALS = re.compile(
    rf"(?i:\bmy (?:main |biggest )?goals? (?:is|are)(?: to)?|\bgoals? ?:|\bi(?:'m|’m| am) (?:hoping|"
    rf"planning|aiming) to|"
    rf"\bi (?:hope|plan|aim|dream|intend) (?:to|of)|\bi(?:'d|’d| would) like to|"
    rf"\bi want to) ?([^.;!?\n]{{3,120}}?){_END}"
)
_LISTED = re.compile(r",\s*(?:and\s+|or\s+)?|\s+and\s+|\s*&\s*|\s+or\s+|\s*/\s*")


class ProfileRules(ProfileReader):
    """Needs nothing."""

    async def find(self, asked: Account) -> Finding[Profile]:
        """What the text says of its author."""
        return await asyncio.to_thread(self._find, asked.text)

    def _find(self, text: str) -> Finding[Profile]:
        profile = Profile(
            name=_name(text),
            emails=tuple(emails_in(text)[:MOST]),
            phones=tuple(phones_in(text)[:MOST]),
            languages=_few(tongue for found in _SPEAKS.findall(text) for tongue in _TONGUE.findall(found)),
            place=_first(_PLACES, text),
            company=_first(_COMPANIES, text),
            role=_first(_ROLES, text),
            skills=_few(item for found in _SKILLS.findall(text) for item in _LISTED.split(found)),
            interests=_few(item for found in _INTERESTS.findall(text) for item in _LISTED.split(found)),
            goals=_few(_GOALS.findall(text)),
        )
        filled = [name for name in type(profile).model_fields if getattr(profile, name)]
        exact = sum(name in ("emails", "phones") for name in filled)
        return Finding(
            result=profile,
            # E-mail addresses and phone numbers have a shape of their own; the rest rests on turns of phrase.
            confidence=round((0.95 * exact + 0.75 * (len(filled) - exact)) / len(filled), 3) if filled else 0.5,
            by="rules",
            reasoning=(f"rules found: {', '.join(filled)}" if filled else "no rule found anything",),
        )


def _name(text: str) -> str:
    for pattern in _NAMES:
        for match in re.finditer(pattern, text):
            name = _kept(match[1])
            if name.split()[0].casefold() not in _NO_NAMES:
                return name
    return ""


def _first(patterns: Iterable[str], text: str) -> str:
    for pattern in patterns:
        match = re.search(pattern, text)
        if match is not None:
            return _kept(match[1])
    return ""


def _kept(value: str) -> str:
    return value.strip().strip(".,;:'’-")[:LONGEST].strip()


def _few(values: Iterable[str]) -> tuple[str, ...]:
    """Each once, in order, without what is too long to be one."""
    kept = (_kept(value) for value in values)
    return tuple({value.casefold(): value for value in reversed([v for v in kept if v])}.values())[::-1][:MOST]
