"""Who is it? Nothing personal is said before the person has proven to be a customer. Knows no orders.

An order number proves nothing. A code sent to the customer's own e-mail or phone does, and so does a channel that
vouches for its sender. Whether an account exists is never told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bot import Turn, digits, emails_in, phones_in
from bot.ports import Claim, CodeSent, Customer, Orders, Refusal, Terms
from skills.orders.words import today

MEMORY = "shop:customer"
_TRIES = 4
_NAMED = re.compile(
    r"(?:(?:my name is|name is|i am|i'm|it's|this is)\s+)?"
    r"(?P<name>[^\W\d_][^\W\d_.'-]*(?:[\s.'-]+[^\W\d_]+){1,4}?)[\s,]+"
    r"(?:(?:my\s+)?(?:zip code|zip|postcode|post code)\s*(?:is\s*)?)?"
    r"(?P<postcode>[A-Z]{0,2}\d[A-Z0-9]{1,5}(?:[ -]?\d[A-Z]{2})?)",
    re.IGNORECASE,
)
_NEW, _OTHER = "Send a new code", "Use another address"


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer in front of us, proven, and the shop that knows them."""

    turn: Turn
    orders: Orders
    customer: Customer

    @property
    def terms(self) -> Terms:
        """The shop's terms."""
        return self.orders.terms

    @property
    def today(self) -> date:
        """The shop's day, as of this moment of the conversation."""
        return today(self.turn.now(), self.orders.terms)


async def identified(turn: Turn, orders: Orders) -> Visit | None:
    """The customer in front of us; None when that could not be settled, which has been said."""
    customer = await _known(turn, orders)
    if customer is not None:
        named = [email.casefold() for email in emails_in(turn.text)]
        if named and customer.email.casefold() not in named:
            await turn.say(
                "I can only look into the orders of your own account, {email}.",
                email=customer.email,
                choices=["Use a different account"],
            )
            return None
    else:
        customer = await _proven(turn, orders)
    if customer is None:
        return None
    await turn.remember(MEMORY, customer.id)
    return Visit(turn, orders, customer)


async def _known(turn: Turn, orders: Orders) -> Customer | None:
    """Who proved it before, or whom the channel vouches for."""
    known = await turn.recall(MEMORY, str)
    if known:
        customer = await turn.step(orders.customer, known, effect=False)
        if customer is not None:
            return customer
    person = turn.person
    vouched = Claim(email=person.email, phone=person.phone) if person.verified else Claim()
    return await turn.step(orders.find_customer, vouched, effect=False)


def claim_in(text: str) -> Claim | None:
    """Who the person says they are: an e-mail address, a phone number, or a full name with a postcode."""
    if emails := emails_in(text):
        return Claim(email=emails[0])
    if phones := phones_in(text):
        return Claim(phone=phones[0])
    named = _NAMED.fullmatch(text.strip().rstrip("."))
    return Claim(name=named["name"], postcode=named["postcode"]) if named else None


def code_in(text: str) -> str | None:
    """A one-time code in what the person wrote: "123 456", "it's 123456", "one two three four five six"."""
    found = re.search(r"(?<!\d)\d{4,10}(?!\d)", re.sub(r"(?<=\d)[\s-]+(?=\d)", "", digits(text)))
    return found[0] if found else None


async def _proven(turn: Turn, orders: Orders) -> Customer | None:
    claim = _first_claim(turn.text)
    for _ in range(_TRIES):
        if claim is None:
            claim = await _claimed(turn, orders)
        if claim.name and orders.terms.name_is_enough:
            customer = await turn.step(orders.find_customer, claim, effect=False)
            if customer is not None:
                return customer
            await turn.say("I can't find a customer of that name and postcode.")
            claim = None
            continue
        # Another code harms nobody, so "back" may go past this one.
        sent = await turn.step(orders.send_code, claim, turn.uuid(), effect=False)
        if isinstance(sent, Refusal):
            await turn.say("{sentence}", sentence=sent.sentence, choices=["Talk to a person"])
            return None
        answer = await _checked(turn, orders, claim, sent)
        if isinstance(answer, Customer):
            return answer
        claim = None if answer == _OTHER else claim
    await turn.say("That didn't work out, sorry. A person can help you with this.", choices=["Talk to a person"])
    return None


def _first_claim(text: str) -> Claim | None:
    """Only what is certain counts in a message that was about something else."""
    claim = claim_in(text)
    return claim if claim and not claim.name else None


async def _claimed(turn: Turn, orders: Orders) -> Claim:
    named = ", or your full name and postcode" if orders.terms.name_accepted else ""
    hint = f" {orders.terms.sign_in_hint}" if orders.terms.sign_in_hint else ""
    claim: Claim = await turn.ask(
        f"To look into that I need to know that it's you. What is your e-mail address or phone number{named}?{hint}",
        like=claim_in,
        help="The e-mail address or phone number that you ordered with, such as name@example.com.",
    )
    return claim


async def _checked(turn: Turn, orders: Orders, claim: Claim, sent: CodeSent) -> Customer | str:
    """Ask for the code until it is right; or what the person wants instead."""
    if claim.name:
        sent_to = (
            "If there is an account with that name and postcode, I've sent a {digits}-digit code to its e-mail address."
        )
    else:
        sent_to = "I've sent a {digits}-digit code to {where}, if it belongs to an account here."
    demo = " (Demo: the code is {code}.)" if sent.demo_code else ""
    prompt = f"{sent_to} What does the code say?{demo}"
    while True:
        entered: str = await turn.ask(
            prompt,
            like=code_in,
            choices=[_NEW, _OTHER],
            help=f"It is a number of {sent.digits} digits and works for {sent.minutes} minutes.",
            where=claim.email or claim.phone,
            digits=sent.digits,
            code=sent.demo_code,
        )
        if entered in (_NEW, _OTHER):
            return entered
        answer = await turn.step(orders.check_code, sent.id, entered, turn.uuid(), effect=False)
        if isinstance(answer, Customer):
            return answer
        if answer.code != "wrong_code":
            await turn.say("{sentence}", sentence=answer.sentence)
            return _OTHER if answer.code == "no_account" else await _another(turn)
        prompt = "That code doesn't match. Please look again: what does it say?"


async def _another(turn: Turn) -> str:
    answer: str = await turn.ask("Shall I send you a new one?", choices=[_NEW, _OTHER], key="another code")
    return answer
