"""Closed-loop choices: which of the offered buttons somebody means by what they write.

Knows nothing of channels, and does not ask back: an `Unsure` tells the caller between which options to ask. Prefers
saying nothing over choosing too eagerly. Never raises, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import OSA

from bot.messages import Value
from bot.replies import Button
from bot.text.numerals import cardinal
from bot.text.plain import LONGEST, listed, without, words
from bot.text.spelling import slips
from bot.text.words import yes_no


class Chosen(Value, frozen=True):
    """The option that is meant; `exact` for its number, its label or its value, not for a guess at a few words of it.

    A global word such as "cancel" outranks a choice that is not exact, and no other.
    """

    button: Button
    exact: bool = False


class Unsure(Value, frozen=True):
    """Several options fit equally well: ask which of them is meant."""

    options: tuple[Button, ...]


_ORDINALS = {
    spelling: place
    for place, spellings in enumerate(
        (
            ("first", "1st"),
            ("second", "2nd"),
            ("third", "3rd"),
            ("fourth", "4th"),
            ("fifth", "5th"),
            ("sixth", "6th"),
            ("seventh", "7th"),
            ("eighth", "8th"),
            ("ninth", "9th"),
            ("tenth", "10th"),
        ),
        start=1,
    )
    for spelling in spellings
}
_LAST = frozenset(("last", "final", "bottom"))
_TOP = frozenset(("top",))
_COUNTERS = listed("option number no nr num choice answer button item pick")
_FILLERS = listed(
    """a an the i me my we us it its is be to of for with and or so please kindly thanks thank you well um uh oh ah hey
    hi hello would like want take have get give go going choose chose choice select pick prefer let lets make that
    this one ones option will can could just maybe think guess then ok okay need am do sir madam rather say said
    mean meant button item answer colour color"""
)
_OPENERS = listed("yes yeah ok okay sure confirm no nope never ja nein si oui non")
_ORDINAL_FILLERS = _FILLERS - {"a", "an", "and", "or", "to", "of", "for", "with"} | {"in", "on", "list"}
_AGAINST = listed(
    """not never no none neither nor without except but anything cannot nicht kein keine nein nunca sin sans pas nahi
    instead dislike hate wrong both all either unlike"""
)
_ASKING = listed("what where when why how who which whose is are does did has have can could will")
_QUESTION_WORDS = listed("what where when why how who whose")
_MOST_WORDS = 25
_SHARE = 0.6
"""How much of what somebody says, fillers aside, must be words of the option."""

_SAME = 1e-9
_TAIL = 3
"""Last digits that name a longer number: "the one ending in 340"."""


def choose(text: str, options: Sequence[Button]) -> Chosen | Unsure | None:
    """The option that the text names, those between which it is unclear, or None when it names none.

    In order: the label or value itself; its number or place in the list; a yes or a no; a typo in the label; words
    that only one option has. A sentence that refuses, or that asks about something else, chooses nothing.
    """
    bare = text[:LONGEST].strip()
    if not bare or not options or len(bare) >= LONGEST:
        return None
    for same in (_raw(bare, options), _named(words(bare), options)):
        if same:
            return _one(same, exact=True)
    spoken = words(bare)
    if not spoken or len(spoken) > _MOST_WORDS:
        return _emoji(bare, options)
    placed = _placed(spoken, bare, options)
    if placed:
        return placed[0]
    guess = _agreeing(bare, spoken, options) or _misspelt(spoken, options)
    return _one(guess, exact=False) if guess else _described(spoken, bare, options)


def _one(found: list[Button], *, exact: bool) -> Chosen | Unsure:
    """The only one, or the question between several."""
    return Chosen(button=found[0], exact=exact) if len(found) == 1 else Unsure(options=tuple(found))


def _raw(bare: str, options: Sequence[Button]) -> list[Button]:
    """Options whose token, label or value is the text letter by letter, whatever the case: emoji count here."""
    said = bare.casefold()
    by_token = [option for option in options if option.token == bare]
    by_label = [option for option in options if said == option.label.strip().casefold()]
    # Nobody sees the values: a bare figure is a label or a place in the list, never a value.
    by_value = [option for option in options if said == option.value.strip().casefold() and not said.isdigit()]
    return by_token or by_label or by_value


def _named(spoken: list[str], options: Sequence[Button]) -> list[Button]:
    """Options whose label or value is what is said, politeness and punctuation aside."""
    for ignored in (frozenset[str](), _FILLERS):
        said = without(spoken, ignored)
        found = [option for option in options if said and said in (without(name, ignored) for name in _names(option))]
        if found:
            return found
    return []


def _names(option: Button) -> tuple[list[str], list[str]]:
    """The words of an option's label and of its value, unless that is a figure that nobody sees."""
    value = words(option.value.replace("_", " "))
    return words(option.label), [] if all(word.isdigit() for word in value) else value


def _emoji(bare: str, options: Sequence[Button]) -> Chosen | Unsure | None:
    """What is said without any word: a thumb up for the yes."""
    found = _agreeing(bare, [], options)
    return _one(found, exact=False) if found else None


def _placed(spoken: list[str], bare: str, options: Sequence[Button]) -> list[Chosen | Unsure | None]:
    """What a number or a place in the list chooses, as one entry; no entry when the text states no place."""
    place = _place(spoken, bare, len(options))
    if place is None:
        return []
    said = without(spoken, _ORDINAL_FILLERS | _COUNTERS)
    figure = str(place) if said and said[0] not in _ORDINALS and said[0] not in _LAST | _TOP else ""
    counted = not figure or bool(_COUNTERS & set(spoken)) or "#" in bare
    if (
        figure
        and not counted
        and all(words(option.label)[:1] and words(option.label)[0].isdigit() for option in options)
    ):
        labelled = [option for option in options if figure in words(option.label)]
        here = [options[place - 1]] if 1 <= place <= len(options) else []
        both = list(dict.fromkeys([*here, *labelled]))
        # Asking between all there are would bring nobody on: then the place that everybody sees decides.
        if labelled and len(both) < len(options):
            return [_one(both, exact=len(both) == 1)]
    if figure and not counted and all(option.label.strip().isdigit() for option in options):
        return [None]  # of 1, 2 and 5 pieces, "3" is none, not the third
    return [Chosen(button=options[place - 1], exact=True) if 1 <= place <= len(options) else None]


def _place(spoken: list[str], bare: str, count: int) -> int | None:
    """The place in the list that the text states and nothing beside it; one out of range too, but never a price."""
    said = without(spoken, _ORDINAL_FILLERS | _COUNTERS)
    numeral = [word for word in spoken if word == "one"]
    if not said and numeral and (len(spoken) == 1 or _COUNTERS & set(spoken)):
        return 1
    if len(said) == 2 and said[0] == "second" and said[1] in _LAST:
        return count - 1
    if not said or len(said) > 2:
        return None
    if said[0] in _LAST and len(said) == 1:
        return count
    if said[0] in _TOP and len(said) == 1:
        return 1
    if len(said) == 1 and said[0] in _ORDINALS:
        return _ORDINALS[said[0]]
    if len(said) == 1 and said[0].isdigit():
        plain = re.fullmatch(r"\d{1,2}", said[0]) and not re.search(r"[$€£¥₹%]|\d[.,:]\d", bare)
        return int(said[0]) if plain else None
    return cardinal(said)


def _agreeing(bare: str, spoken: list[str], options: Sequence[Button]) -> list[Button]:
    """The options that agree where the text is a yes, or that decline where it is a no."""
    answer = yes_no(bare)
    rest: list[str] = []
    if answer is None and len(spoken) > 1 and (answer := yes_no(spoken[0])) is not None:
        rest = without(spoken[1:], _FILLERS)
    if answer is None:
        return []
    found = [option for option in options if _attitude(option) is answer]
    if rest:
        # "yes, cancel it" agrees with "Yes, cancel the order" and not with "Yes, but later".
        found = [option for option in found if set(rest) <= set(words(option.label))]
    return found


def _attitude(option: Button) -> bool | None:
    """Whether an option is a yes, a no, or neither."""
    for name in _names(option):
        if name and (attitude := yes_no(" ".join(name))) is not None:
            return attitude
    label = _names(option)[0]
    if label[:1] and label[0] in ("not", "do", "keep", "never") and (label[0] != "do" or label[1:2] == ["not"]):
        return False
    # "Right shoe" and "Good morning" are no yes, though "right" and "good" alone are.
    return yes_no(label[0]) if label and label[0] in _OPENERS else None


def _misspelt(spoken: list[str], options: Sequence[Button]) -> list[Button]:
    """The options whose label or value the whole text is, but for a slip of the finger."""
    near: dict[int, list[Button]] = {}
    for said in (" ".join(spoken), " ".join(without(spoken, _FILLERS))):
        for option in options if said else ():
            for name in _names(option):
                distance = _slipped(said, " ".join(name))
                if distance is not None and option not in near.setdefault(distance, []):
                    near[distance].append(option)
        if near:
            break
    return near[min(near)] if near else []


def _slipped(said: str, name: str) -> int | None:
    """How many slips lie between two texts; None when it is more than a slip, or when a digit differs."""
    if re.findall(r"\d+", said) != re.findall(r"\d+", name) or not name:
        return None
    longer = max(said, name, key=len)
    allowed = 0 if min(len(said), len(name)) < 3 else max(slips(re.sub(r"\d", "x", longer)), len(longer) // 8)
    distance = OSA.distance(said, name, score_cutoff=allowed)
    return distance if distance <= allowed else None


def _described(spoken: list[str], bare: str, options: Sequence[Button]) -> Chosen | Unsure | None:
    """The option that the text's own words belong to, if they belong to one more than to the others."""
    labels = [frozenset(map(_singular, words(option.label))) - _FILLERS for option in options]
    said = frozenset(map(_singular, spoken)) - _FILLERS
    # "Not now" may be an option: a negation that some label has is then no refusal.
    if not said or _AGAINST.intersection(spoken).difference(*labels):
        return None
    hits = [frozenset(word for word in said if _among(word, label)) for label in labels]
    holders = {word: sum(word in hit for hit in hits) for word in said}
    worths = [sum(1 / holders[word] for word in hit) for hit in hits]
    best = max(worths)
    if not best or (len(options) > 2 and min(holders[word] for hit in hits for word in hit) == len(options)):
        return _ending(said, options)  # no word of any option, or only words that every one has
    meant = [option for option, worth in zip(options, worths, strict=True) if worth > best - _SAME]
    covered = {word for hit, worth in zip(hits, worths, strict=True) if worth > best - _SAME for word in hit}
    if len(meant) == 1 and not {"or", "and"} & set(spoken):
        # "Return my order" means "Return an item" though other options have "order": its own word is the rarer one.
        covered |= {word for word, count in holders.items() if count > 1}
    asking = "?" in bare or spoken[0] in _QUESTION_WORDS or (spoken[0] in _ASKING and len(spoken) > 3)
    if len(covered) < (1.0 if asking else _SHARE) * len(said):
        return _ending(said, options)
    return _one(meant, exact=False)


def _singular(word: str) -> str:
    """The word without a plural ending, where enough is left of it."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _among(word: str, label: frozenset[str]) -> bool:
    """Whether a label has this word, be it with a slip of the finger."""
    if word in label:
        return True
    allowed = slips(word)
    return bool(allowed) and any(
        word[0] == other[0] and slips(other) and OSA.distance(word, other, score_cutoff=allowed) <= allowed
        for other in label
    )


def _ending(said: frozenset[str], options: Sequence[Button]) -> Chosen | Unsure | None:
    """The option whose number ends in the digits said: "the one ending in 340"."""
    tails = [word for word in said if word.isdigit() and len(word) >= _TAIL]
    if len(tails) != 1 or len(said - {"ending", "end", "in", "with"}) != 1:
        return None
    found = [option for option in options if any(word.endswith(tails[0]) for word in words(option.label))]
    return _one(found, exact=False) if found else None
