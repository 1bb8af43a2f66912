"""Understanding short texts without a model: pure functions over strings, no I/O, no network, never an exception.

Every function reads the beginning of a text only (`plain.LONGEST` characters), so a pasted megabyte stays cheap.

choosing    choose(text, options) -> Chosen | Unsure | None: which offered button somebody means
words       meaning(text): "cancel", "back", "help" or "person", when that is all somebody says; yes_no(text)
matching    Examples(pairs).rank(text) -> list[Score]: intents by their examples; THRESHOLD, MARGIN
slots       fill(example, text) -> dict: the {number}, {email}, {phone}, {date}, {amount} or free words of an example
findings    numbers_in, emails_in, phones_in, amounts_in: what stands in a text
numerals    digits(text): "one two three" as "123"; cardinal(words): one whole number said in words
amounts     integer_in(text), decimal_in(text): the one number that an answer states
dates       date_in(text, today), dates_said(text): the one day that an answer names
plain       fold(text), words(text): lower case, no accents, emoji, punctuation or contractions
phrases     how people say cancel, back, help, a person, yes and no
spelling    Spelling(known).nearest(word): the known word that a mistyped one was meant to be
"""

from bot.text.amounts import decimal_in, integer_in
from bot.text.choosing import Chosen, Unsure, choose
from bot.text.dates import date_in, dates_said
from bot.text.findings import amounts_in, emails_in, numbers_in, phones_in
from bot.text.matching import MARGIN, THRESHOLD, Examples, Score
from bot.text.numerals import cardinal, digits
from bot.text.slots import fill
from bot.text.words import Meaning, meaning, yes_no

__all__ = [
    "MARGIN",
    "THRESHOLD",
    "Chosen",
    "Examples",
    "Meaning",
    "Score",
    "Unsure",
    "amounts_in",
    "cardinal",
    "choose",
    "date_in",
    "dates_said",
    "decimal_in",
    "digits",
    "emails_in",
    "fill",
    "integer_in",
    "meaning",
    "numbers_in",
    "phones_in",
    "yes_no",
]
