"""One-time codes that prove an e-mail address or a phone number. Knows the shop's file, no conversations.

A claim that names nobody is treated exactly like one that names a customer, except that nothing is sent.
"""

from __future__ import annotations

from hmac import compare_digest

from adapters.orders.database import CodeRow, ShopFile, fold, phone_key
from adapters.orders.policy import Identity
from bot import Entropy
from bot.ports import Claim, CodeSent, Customer, Refusal

_HOUR = 3600.0


class OneTimeCodes:
    """Makes, "sends" and checks codes under the policy's limits; callers hold the transaction."""

    def __init__(self, rule: Identity, shop: str, entropy: Entropy) -> None:
        self._rule, self._shop, self._entropy = rule, shop, entropy

    def send(self, file: ShopFile, claim: Claim, now: float) -> CodeSent | Refusal:
        """Store a fresh code, and a message to the customer's own address if the claim names one."""
        if claim.name and self._rule.name_and_postcode == "no":
            return Refusal(code="no_account", sentence="I need the e-mail address or phone number on the order.")
        mark = _mark(claim)
        if file.codes_since(mark, now - _HOUR) >= self._rule.codes_per_hour:
            return Refusal(code="too_many", sentence="That's a lot of codes for now. Please try again in an hour.")
        code = self._fresh()
        who = file.claimed(claim)
        row = CodeRow(id=self._entropy.token(), claim=mark, customer=who.id if who else "", code=code, made_at=now)
        body = f"Your code for {self._shop} is {code}. It works for {self._rule.code_minutes} minutes."
        file.add_code(row, (who.phone if claim.phone else who.email) if who else "", body)
        return CodeSent(
            id=row.id,
            digits=self._rule.code_digits,
            minutes=self._rule.code_minutes,
            demo_code=code if self._rule.show_codes else "",
        )

    def _fresh(self) -> str:
        """An unguessable code; in a demo that says it aloud anyway, always the same one, which is easier to type."""
        digits = self._rule.code_digits
        if self._rule.show_codes:
            return "1234567890"[:digits]
        return f"{int(self._entropy.token(), 16) % 10**digits:0{digits}d}"

    def check(self, file: ShopFile, id: str, code: str, now: float) -> Customer | Refusal:
        """Who it is; every check counts as an attempt, and a right one uses the code up."""
        row = file.code(id)
        if row is None or row.used or now > row.made_at + self._rule.code_minutes * 60:
            return Refusal(code="code_expired", sentence="That code doesn't work any more.")
        if row.attempts >= self._rule.code_attempts:
            return Refusal(code="too_many", sentence="Too many tries with that code.")
        right = compare_digest(row.code.encode(), code.encode())
        file.try_code(id, used=right)
        if not right:
            return Refusal(code="wrong_code", sentence="That code doesn't match.")
        who = file.customer(row.customer)
        if who is None:  # only where demo codes are shown: nobody else ever sees this code
            return Refusal(code="no_account", sentence="I can't find an account with that.")
        return who


def _mark(claim: Claim) -> str:
    return "\x1f".join((fold(claim.email), phone_key(claim.phone), fold(claim.name), fold(claim.postcode)))
