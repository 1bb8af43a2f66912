"""What Twilio's error codes mean for a message, in one table. Knows neither the SDK nor HTTP's ways of failing."""

from __future__ import annotations

from typing import Literal

from bot import NotSent, RateLimited, Rejected, SendError, UnknownOutcome, Value

Verdict = Literal["permanent", "opted_out", "later", "operator"]


class Code(Value, frozen=True):
    """`verdict`: never to this person again, never this message, later, or once the operator mended something."""

    verdict: Verdict
    meaning: str


CODES = {
    20003: Code(verdict="operator", meaning="Twilio does not know the account's sid or token"),
    20005: Code(verdict="operator", meaning="the Twilio account is not active"),
    20429: Code(verdict="later", meaning="too many requests"),
    21211: Code(verdict="permanent", meaning="the number is none"),
    21212: Code(verdict="operator", meaning="the sender is none of ours"),
    21214: Code(verdict="permanent", meaning="the number can't be reached"),
    21217: Code(verdict="permanent", meaning="the number is none"),
    21401: Code(verdict="permanent", meaning="the number is none"),
    21408: Code(verdict="permanent", meaning="the account may not send to this country"),
    21421: Code(verdict="permanent", meaning="the number is none"),
    21601: Code(verdict="permanent", meaning="the sender can't send texts"),
    21602: Code(verdict="permanent", meaning="there is nothing in the message"),
    21603: Code(verdict="operator", meaning="there is no sender"),
    21604: Code(verdict="permanent", meaning="there is nobody to send to"),
    21606: Code(verdict="operator", meaning="the sender is none of ours"),
    21610: Code(verdict="opted_out", meaning="the person opted out"),
    21611: Code(verdict="later", meaning="the sender's queue is full"),
    21612: Code(verdict="permanent", meaning="the sender can't reach this number"),
    21614: Code(verdict="permanent", meaning="the number has no mobile phone"),
    21617: Code(verdict="permanent", meaning="the text is over 1,600 characters"),
    21619: Code(verdict="permanent", meaning="there is nothing in the message"),
    21620: Code(verdict="permanent", meaning="the file's address is none"),
    21635: Code(verdict="permanent", meaning="the number is a landline"),
    21654: Code(verdict="permanent", meaning="the template is unknown"),
    30001: Code(verdict="later", meaning="the sender's queue was full"),
    30002: Code(verdict="operator", meaning="the account is suspended"),
    30003: Code(verdict="later", meaning="the phone is off or out of reach"),
    30004: Code(verdict="permanent", meaning="the message was blocked"),
    30005: Code(verdict="permanent", meaning="the number is not in use"),
    30006: Code(verdict="permanent", meaning="a landline, or a carrier that can't be reached"),
    30007: Code(verdict="permanent", meaning="the carrier filtered it; sending it again makes it worse"),
    30008: Code(verdict="later", meaning="the carrier did not say why"),
    30034: Code(verdict="operator", meaning="the sender is not registered for A2P 10DLC"),
    63007: Code(verdict="operator", meaning="the WhatsApp sender is none of ours"),
    63016: Code(verdict="permanent", meaning="the person has not written on WhatsApp for 24 hours"),
    63018: Code(verdict="later", meaning="WhatsApp's limit of messages is reached"),
    63024: Code(verdict="permanent", meaning="the number is not on WhatsApp"),
}
"""By Twilio's error dictionary. Those from 30000 come with a status callback, after the message was taken."""

FULL_QUEUE = 60.0
"""Seconds to wait for room in a queue that holds hours."""


def error_for(status: int, code: int | None, retry_after: float = 0.0) -> SendError:
    """What an answer of Twilio's means that is no success. A 5xx may have come after the message was taken."""
    known = CODES.get(code or 0)
    words = f"Twilio {code or status}: {known.meaning if known else 'refused'}"
    if status == 429 or code == 20429:
        return RateLimited(max(retry_after, 1.0), account=True)
    if status >= 500:
        return UnknownOutcome(words)
    if status == 401 or status < 400:  # a redirect: the operator's address of the API is not the API's
        return NotSent(words)
    match known.verdict if known else "permanent":
        case "later":
            return RateLimited(retry_after or FULL_QUEUE, account=True)  # the sender, and all that it sends
        case "operator":
            return NotSent(words)
        case "opted_out":
            return Rejected(words, silence="opted_out")
        case _:
            return Rejected(words)


def meaning(code: int) -> str:
    """What a code says, for the log."""
    known = CODES.get(code)
    return known.meaning if known else "unknown to us; see Twilio's error dictionary"
