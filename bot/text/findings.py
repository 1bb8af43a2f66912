"""Findings: order numbers, e-mail addresses and phone numbers that stand in a text.

Knows their shapes only, never whether such an order or person exists. Never raises, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.text.numerals import digits
from bot.text.plain import LONGEST

_EMAIL = re.compile(r"(?<![\w.+-])[\w.%+'-]{1,64}@[^\W_](?:[\w-]{0,62}\.){1,5}[^\W\d_]{2,24}(?![\w-])")
_PHONE = re.compile(r"(?<![\w#+.-])(?:\+|00)?\(?\d(?:[ ./()-]{0,2}\d){6,16}(?![\w-])")
_DATE = re.compile(r"(?<!\d)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?!\d)")
_MONEY = re.compile(
    r"(?:[$€£¥₹]|\b(?:rs|usd|eur|gbp|inr)\b\.?) ?\d[\d.,]{0,20}"
    r"|(?<!\w)\d[\d.,]{0,20} ?(?:[$€£¥₹]|(?:rs|usd|eur|gbp|inr|dollars?|euros?|pounds?|rupees?|bucks)\b)",
    re.IGNORECASE,
)
_MEASURE = re.compile(
    r"(?<!\w)\d[\d.,]{0,20} ?(?:mg|g|kg|grams?|ml|l|cm|mm|m|km|kcal|lbs?|oz|inch(?:es)?|watts?|%|°)(?!\w)", re.I
)
_YEAR = re.compile(
    r"\b(?:in|since|year|jan\w*|feb\w*|mar(?:ch)?|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*)"
    r"(?: \d{1,2}(?:st|nd|rd|th)?)?,? (?:19|20)\d\d\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w@+])(?:"
    r"#\s?(?P<marked>[A-Z]{0,6}-?\d[\dA-Z]{0,20}(?:-\d{1,12}){0,3})"
    r"|(?:order|number|no|nr|id)[.:]? ?(?:number|no|nr|id)?[.:]? ?(?:is |was )?(?P<told>\d{3,24})"
    r"|(?P<plain>[A-Z]{0,5}-?\d{4,24}|[A-Z]{1,5}-\d{1,6}(?:-\d{1,12}){1,3}|\d{3}-\d{7}-\d{7}|\d{4,12}-\d{1,12}(?:-\d{1,12})?)"
    r")(?![\w@]|[-.,]\w)",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"(?<![\w#.,+-])\d{1,3}(?:,\d{3}){0,5}(?:\.\d{1,2})?(?![\w]|[-.,]\w)")
_DIGIT = re.compile(r"\d")
_PHONE_DIGITS = range(7, 16)


def numbers_in(text: str) -> list[str]:
    """Order-like numbers, upper case without the "#": four digits or more, or any after "#"; spoken ones too.

    What is clearly something else (an e-mail address, a written phone number, a date, a price, a measure) is left out.
    """
    spoken = digits(text)[:LONGEST]
    if _DIGIT.search(spoken) is None:
        return []
    for pattern in (_EMAIL, _DATE, _MONEY, _MEASURE, _YEAR):
        spoken = pattern.sub(" ", spoken)
    spoken = _PHONE.sub(lambda found: " " if _surely_phone(found[0]) else found[0], spoken)
    found = (match["marked"] or match["plain"] or match["told"] for match in _NUMBER.finditer(spoken))
    return _once(number.upper() for number in found)


def emails_in(text: str) -> list[str]:
    """E-mail addresses, as they were written, each once."""
    return _once(_EMAIL.findall(text[:LONGEST]))


def amounts_in(text: str) -> list[str]:
    """Sums of money and other short figures, as they were written: "€ 12.50", "3"; order numbers are left out."""
    spoken = digits(text)[:LONGEST]
    for pattern in (_EMAIL, _DATE, _YEAR):
        spoken = pattern.sub(" ", spoken)
    money = [found.strip() for found in _MONEY.findall(spoken)]
    return _once([*money, *_FIGURE.findall(_MONEY.sub(" ", spoken))])


def phones_in(text: str) -> list[str]:
    """Phone numbers as digits with a leading "+" where one was written; bare digits count from ten digits on."""
    spoken = _EMAIL.sub(" ", digits(text)[:LONGEST])
    spoken = _MONEY.sub(" ", _DATE.sub(" ", spoken))
    phones = (match[0] for match in _PHONE.finditer(spoken))
    return _once(_bare(phone) for phone in phones if _surely_phone(phone) or 10 <= len(_bare(phone)) <= 15)


def _surely_phone(written: str) -> bool:
    """Whether it is written as a phone number is: with a "+", brackets, or groups that are not an order number's."""
    figures = len(re.sub(r"\D", "", written))
    if figures not in _PHONE_DIGITS:
        return False
    return written[0] == "+" or written.startswith("00") or bool(re.search(r"\d[ ./()-]+\d", written)) or "(" in written


def _bare(written: str) -> str:
    """A phone number without what only makes it readable."""
    figures = re.sub(r"\D", "", written)
    if written.startswith("00"):
        return f"+{figures[2:]}"
    return f"+{figures}" if written.startswith("+") else figures


def _once(found: Iterable[str]) -> list[str]:
    """Each once, in order, whatever its case."""
    return list({item.casefold(): item for item in reversed(list(found))}.values())[::-1]
