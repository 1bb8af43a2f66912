"""Finds order numbers in what people write. Pure, and knows no orders."""

from __future__ import annotations

import re

from bot import numbers_in, phones_in


def numbers(text: str) -> list[str]:
    """The order numbers in a text; what is surely a phone number is none."""
    phones = {re.sub(r"\D", "", phone) for phone in phones_in(text)}
    return [number for number in numbers_in(text) if number not in phones]
