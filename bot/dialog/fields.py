"""The fields of a form as they are shown: what may stand in them, and what is wrong with what does. Pure.

A channel shows the limits with what it has; whatever it lets through is held against them here. Knows no type behind a
form: that may refuse more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from bot.replies import Form, FormField
from bot.text import date_in, decimal_in, integer_in

WHOLE, NUMBER = "a whole number, such as 3", "a number, such as 2.5"
DATE = "a date, such as tomorrow or 3 March"
EMAIL, URL = "an e-mail address, such as ana@example.com", "a web address, such as https://example.com"

# Each is looked for only where one can begin: else a long word costs the square of its length.
_EMAIL = re.compile(r"(?<![^@\s<>,;])[^@\s<>,;]++@[^@\s<>,;]+\.[^@\s<>,;.]+")
_LABEL = r"[^\s<>/@:.]"
_URL = re.compile(
    rf"(?:(https?://)|(?<!{_LABEL})(?<!{_LABEL}\.))((?:{_LABEL}++\.)+{_LABEL}{{2,}}(?::\d{{1,5}})?(?:[/?#][^\s<>]*)?)",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?")
_ADDRESSES = frozenset({"url", "website", "homepage"})


def limited(field: FormField, metas: Iterable[object]) -> FormField:
    """The field with the limits that the annotations of its type set: `msgspec.Meta`, or pydantic's."""
    least, most = _closest(metas, ("ge", "gt"), whole=field.whole), _closest(metas, ("le", "lt"), whole=field.whole)
    shortest, longest = _closest(metas, ("min_length",), whole=True), _closest(metas, ("max_length",), whole=True)
    if field.kind == "number":
        return replace(field, least="" if least is None else str(least), most="" if most is None else str(most))
    if field.kind in ("date", "choice"):
        return field
    return replace(field, shortest=int(shortest or 0), longest=int(longest or 0))


def _closest(metas: Iterable[object], names: tuple[str, ...], *, whole: bool) -> Decimal | None:
    """A bound that may be reached; of several the strictest. What is excluded of fractions is left to their type."""
    found: list[Decimal] = []
    for meta in metas:
        for name in names:
            bound = getattr(meta, name, None)
            if isinstance(bound, int | float | Decimal) and math.isfinite(bound):
                found.append(_reached(Decimal(str(bound)), name, whole=whole))
    lower = names[0] in ("ge", "min_length")
    return (max(found) if lower else min(found)) if found else None


def _reached(bound: Decimal, name: str, *, whole: bool) -> Decimal:
    if not whole:
        return bound
    match name:
        case "gt":
            return Decimal(math.floor(bound) + 1)
        case "lt":
            return Decimal(math.ceil(bound) - 1)
        case "ge":
            return Decimal(math.ceil(bound))
        case _:
            return Decimal(math.floor(bound))


def text_kind(name: str, *, long: bool) -> FormField:
    """What a field for words is by its name: an e-mail address, a web address, or just words."""
    field = FormField(name=name, label=name)
    if "mail" in name.lower():
        return replace(field, kind="email")
    if _ADDRESSES & set(name.lower().split("_")):
        return replace(field, kind="url")
    return replace(field, kind="long" if long else "text")


def filled(form: Form, values: Mapping[str, str]) -> Form:
    """The form with what somebody put into it: nobody types the same twice."""
    return replace(form, fields=tuple(replace(f, value=values.get(f.name, f.value)) for f in form.fields))


def problems(form: Form, values: Mapping[str, str], now: float) -> dict[str, str]:
    """What is wrong with each field, as a plain sentence; empty when nothing is."""
    found = {field.name: _wrong(field, values.get(field.name, "").strip(), now) for field in form.fields}
    return {name: sentence for name, sentence in found.items() if sentence}


def sentence(wanted: str) -> str:
    """What to say of a field; some hints are sentences already."""
    wanted = wanted.strip()
    return wanted if wanted[-1:] in (".", "!", "?") else f"I need {wanted}."


def _wrong(field: FormField, text: str, now: float) -> str:
    if not text:
        return "" if field.optional else sentence("an answer")
    match field.kind:
        case "number":
            return _wrong_number(field, text)
        case "date":
            today = datetime.fromtimestamp(now, UTC).date()
            return "" if date_in(text, today) is not None else sentence(DATE)
        case "choice":
            labels = [choice.meaning for choice in field.choices]
            fits = text.casefold() in (label.casefold() for label in labels)
            return "" if fits else sentence(f"one of: {', '.join(labels)}")
        case "email" if address_in(text) is None:
            return sentence(EMAIL)
        case "url" if url_in(text) is None:
            return sentence(URL)
        case _:
            return _wrong_length(field, text)


def _wrong_number(field: FormField, text: str) -> str:
    value: Decimal | int | None = figure(text)
    if value is None:
        value = integer_in(text) if field.whole else decimal_in(text)
    if value is None or (field.whole and value != int(value)):
        return sentence(WHOLE if field.whole else NUMBER)
    if field.least and value < Decimal(field.least):
        return f"It should be at least {field.least}."
    return f"It should be at most {field.most}." if field.most and value > Decimal(field.most) else ""


def _wrong_length(field: FormField, text: str) -> str:
    if len(text) < field.shortest:
        return f"It should have at least {field.shortest} characters."
    return f"It should have at most {field.longest} characters." if 0 < field.longest < len(text) else ""


def figure(text: str) -> Decimal | None:
    """A number as a form's own element for numbers writes it: there "1.200" is no guess."""
    return Decimal(text) if _FIGURE.fullmatch(text) else None


def address_in(text: str) -> str | None:
    """The e-mail address in a text."""
    found = _EMAIL.search(text)
    return found[0].rstrip(".") if found else None


def url_in(text: str) -> str | None:
    """The web address in a text; people leave the beginning out."""
    found = _URL.search(text)
    return (found[1] or "https://") + found[2].rstrip(".,;!") if found else None
