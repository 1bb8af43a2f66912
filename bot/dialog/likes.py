"""What an answer must be like: a pattern, a type, or a function that says what it understood.

Pure: text in, a value or NotLike out. Choices are not here; they are matched before.
"""

from __future__ import annotations

import enum
import re
import types
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

from bot.dialog.codec import return_type
from bot.errors import Misuse
from bot.messages import Value
from bot.text import date_in, decimal_in, integer_in, phones_in, yes_no

Parse = Callable[[str, float], Any]


class NotLike(ValueError):
    """The answer is not what was asked for; the text, if any, is a hint to the person."""


class Phone(Value, frozen=True):
    """An answer that is the person's phone number: `like=Phone`, or `like=Phone(share="Teile meine Nummer")`.

    `share` stands on the button that shares it, where the channel has one. What is typed may be anybody's: only
    `turn.person.verified` says that the platform vouches for `turn.person.phone`.
    """

    share: str = "Share my phone number"


class Like:
    """One kind of answer: `name` for the journal, `hint` for the person, `kind` for storing it.

    `share` is on the button of a question for a phone number.
    """

    def __init__(self, name: str, kind: Any, hint: str, parse: Parse, share: str = "") -> None:
        self.name, self.kind, self.hint, self._parse, self.share = name, kind, hint, parse, share

    def parse(self, text: str, now: float) -> Any:
        """The value meant by `text`. Raises NotLike."""
        return self._parse(text, now)


def like_of(like: object) -> Like:
    """Understand what `turn.ask(like=...)` was given. Raises Misuse for what can't be an answer."""
    if like is None or like is str:
        return Like("text", str, "", _text)
    if isinstance(like, str):
        like = re.compile(like, re.IGNORECASE)
    if isinstance(like, re.Pattern):
        return Like("pattern", str, "", _pattern(like))
    if like is Phone:
        like = Phone()
    if isinstance(like, Phone):
        return Like("phone", str, "a phone number, such as +43 664 1234567", _phone, like.share)
    if like in _TYPES:
        return _TYPES[like]
    if isinstance(like, type) and issubclass(like, enum.Enum):
        return Like(like.__name__, like, _either([str(m.value) for m in like]), _enum(like))
    if get_origin(like) is Literal:
        options = [str(option) for option in get_args(like)]
        return Like("literal", str, _either(options), _literal(options))
    if isinstance(like, types.FunctionType | types.MethodType | types.BuiltinFunctionType):
        return Like(like.__name__, _returned(like), "", _function(like))
    raise Misuse(f"like={like!r}: use a pattern, a type, an Enum, a Literal, or a function of the text")


def _text(text: str, _: float) -> str:
    if not text.strip():
        raise NotLike
    return text.strip()


def _pattern(pattern: re.Pattern[str]) -> Parse:
    def parse(text: str, _: float) -> str:
        found = pattern.search(text)
        if not found:
            raise NotLike
        return found.group(1) if pattern.groups and found.group(1) else found.group(0)

    return parse


def _integer(text: str, _: float) -> int:
    value = integer_in(text)
    if value is None:
        raise NotLike
    return value


def _decimal(text: str, _: float) -> Decimal:
    value = decimal_in(text)
    if value is None:
        raise NotLike
    return value


def _real(text: str, now: float) -> float:
    return float(_decimal(text, now))


def _yes(text: str, _: float) -> bool:
    value = yes_no(text)
    if value is None:
        raise NotLike
    return value


def _date(text: str, now: float) -> date:
    value = date_in(text, datetime.fromtimestamp(now, UTC).date())
    if value is None:
        raise NotLike
    return value


def _phone(text: str, _: float) -> str:
    found = phones_in(text)
    alone = re.sub(r"[ ./()-]", "", text.strip())
    if not found and re.fullmatch(r"[+]?[0-9]{7,15}", alone):
        found = [alone]
    if len(found) > 1:
        raise NotLike("One phone number, please: which of these is it?")
    if not found:
        raise NotLike
    return found[0]


def _enum(kind: type[enum.Enum]) -> Parse:
    def parse(text: str, _: float) -> enum.Enum:
        wanted = text.strip().casefold()
        for member in kind:
            if wanted in {str(member.value).casefold(), member.name.casefold().replace("_", " ")}:
                return member
        raise NotLike

    return parse


def _literal(options: list[str]) -> Parse:
    def parse(text: str, _: float) -> str:
        wanted = text.strip().casefold()
        for option in options:
            if option.casefold() == wanted:
                return option
        raise NotLike

    return parse


def _function(function: Callable[[str], Any]) -> Parse:
    def parse(text: str, _: float) -> Any:
        try:
            value = function(text)
        except ValueError as problem:
            raise NotLike(*problem.args) from problem
        if value is None:
            raise NotLike
        return value

    return parse


def _returned(function: Callable[..., object]) -> Any:

    kind = return_type(function)
    options = [option for option in get_args(kind) if option is not type(None)]
    return options[0] if len(options) == 1 and get_origin(kind) in {types.UnionType} else kind


def _either(options: list[str]) -> str:
    return f"one of: {', '.join(options)}"


_TYPES: dict[object, Like] = {
    int: Like("int", int, "a whole number, such as 3", _integer),
    float: Like("float", float, "a number, such as 2.5", _real),
    Decimal: Like("Decimal", Decimal, "an amount, such as 12.50", _decimal),
    bool: Like("bool", bool, "yes or no", _yes),
    date: Like("date", date, "a date, such as tomorrow or 3 March", _date),
}
