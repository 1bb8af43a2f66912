"""Who is it? Nothing personal is said before the person has proven to be a customer. Knows no orders.

An order number proves nothing. A code sent to the customer's own e-mail or phone does, and so does a channel that
vouches for its sender. Whether an account exists is never told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot import Turn, Value, digits, emails_in, phones_in
from bot.ports import Claim, CodeSent, Customer, Order, Orders, Refusal, Terms
from skills.orders.numbering import numbers
from skills.orders.words import listed, today

MEMORY = "shop:customer"
_PROOF = "shop:proof"
_FACTS = "handoff:facts"  # what the core adds to every ticket of this person
_TRIES = 4
_NAMED = re.compile(
    r"(?:(?:my name is|name is|i am|i'm|it's|this is)\s+)?"
    r"(?P<name>[^\W\d_][^\W\d_.'-]*(?:[\s.'-]+[^\W\d_]+){1,4}?)[\s,]+"
    r"(?:(?:my\s+)?(?:zip code|zip|postcode|post code)\s*(?:is\s*)?)?"
    r"(?P<postcode>[A-Z]{0,2}\d[A-Z0-9]{1,5}(?:[ -]?\d[A-Z]{2})?)",
    re.IGNORECASE,
)
_ORDER_NUMBER = re.compile(r"#\s*W?\d{5,9}\b|\bW\d{5,9}\b|^\s*(?:order\s+)?\d{7,9}\W*$", re.IGNORECASE)
_A_WISH = re.compile(r"\b(?:orders?|parcels?|packages?|deliver\w*|refunds?|stuff)\b", re.IGNORECASE)
_LONGEST_CODE = 8
_NOT_HERE = (
    "Your orders are nobody else's business, and others read along here. "
    "Please write to me in a private chat, and I'll look into it there."
)
_LATER = "I'll look that up as soon as I know it's you."
_NEW, _OTHER = "Send a new code", "Use another address"


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer in front of us, proven, and the shop that knows them."""

    turn: Turn
    orders: Orders
    customer: Customer
    proof: str = ""
    number: str = ""

    @property
    def named(self) -> list[str]:
        """The order numbers that the person gave, in the message or while we asked who they are."""
        return [self.number] if self.number else numbers(self.turn.text)

    async def about(self, orders: Sequence[Order]) -> None:
        """Keep at hand, for a person who may take over, who this is and which orders we talk about."""
        customer = self.customer
        facts = {
            "Customer": f"{customer.first_name} {customer.last_name} (confirmed by {self.proof})",
            "E-mail": customer.email,
        }
        if orders:
            facts["Order" if len(orders) == 1 else "Orders"] = listed([order.number for order in orders])
        await self.turn.remember(_FACTS, facts)

    @property
    def terms(self) -> Terms:
        """The shop's terms."""
        return self.orders.terms

    @property
    def today(self) -> date:
        """The shop's day, as of this moment of the conversation."""
        return today(self.turn.now(), self.orders.terms)


class Heard(Value, frozen=True):
    """What was said when we asked who it is: that, or the code we sent, or an order's number, which has to wait."""

    claim: Claim | None = None
    code: str = ""
    number: str = ""


async def identified(turn: Turn, orders: Orders) -> Visit | None:
    """The customer in front of us; None when that could not be settled, which has been said.

    Where others read along nobody is asked who they are, and no order is told.
    """
    if turn.shared:
        await turn.say(_NOT_HERE)
        return None
    visit = await _known(turn, orders)
    if visit is not None:
        named = [email.casefold() for email in emails_in(turn.text)]
        if named and visit.customer.email.casefold() not in named:
            await turn.say(
                "I can only look into the orders of your own account, {email}.",
                email=visit.customer.email,
                choices=["Use a different account"],
            )
            return None
    else:
        visit = await _Asking(turn, orders).proven()
    if visit is None:
        return None
    await turn.remember(MEMORY, visit.customer.id)
    await turn.remember(_PROOF, visit.proof)
    await visit.about(())
    return visit


async def forget(turn: Turn) -> None:
    """Know no more who it is; a person who takes over isn't told either."""
    for key in (MEMORY, _PROOF, _FACTS):
        await turn.remember(key, None)


async def _known(turn: Turn, orders: Orders) -> Visit | None:
    """Who proved it before, or whom the channel vouches for."""
    known = await turn.recall(MEMORY, str)
    if known:
        customer = await turn.step(orders.customer, known, effect=False)
        if customer is not None:
            proof = await turn.recall(_PROOF, str)
            return Visit(turn, orders, customer, proof or "an earlier conversation")
    person = turn.person
    vouched = Claim(email=person.email, phone=person.phone) if person.verified else Claim()
    customer = await turn.step(orders.find_customer, vouched, effect=False)
    return Visit(turn, orders, customer, "the channel") if customer is not None else None


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


def who_in(text: str) -> Heard | None:
    """An answer to "who are you?". ValueError with a hint when it is about an order, without a number."""
    if claim := claim_in(text):
        return Heard(claim=claim)
    if named := numbers(text):
        return Heard(number=named[0])
    if _A_WISH.search(text):
        raise ValueError(_LATER)
    return None


def entered_in(text: str) -> Heard | None:
    """An answer to "what does the code say?": the code, or another e-mail address or phone number, or an order."""
    claim, code = _first_claim(text), code_in(text)
    if claim and (claim.email or code is None or len(code) > _LONGEST_CODE):
        return Heard(claim=claim)
    if _ORDER_NUMBER.search(text) and (named := numbers(text)):
        return Heard(number=named[0])
    return Heard(code=code) if code else None


def _first_claim(text: str) -> Claim | None:
    """Only what is certain counts in a message that was about something else."""
    claim = claim_in(text)
    return claim if claim and not claim.name else None


class _Asking:
    """Asks who it is until that is proven. An order's number that comes up meanwhile is kept for later."""

    def __init__(self, turn: Turn, orders: Orders) -> None:
        self.turn, self.orders, self.terms = turn, orders, orders.terms
        self._number = ""

    async def proven(self) -> Visit | None:
        """The customer, once it is certain; None when that did not work out, which has been said."""
        turn, orders = self.turn, self.orders
        claim = _first_claim(turn.text)
        for _ in range(_TRIES):
            claim = claim or await self._claimed()
            if claim is None:
                break
            if claim.name and self.terms.name_is_enough:
                customer = await turn.step(orders.find_customer, claim, effect=False)
                if customer is not None:
                    return self._visit(customer, "name and postcode")
                await turn.say("I can't find a customer of that name and postcode.")
                claim = None
                continue
            # Another code harms nobody, so "back" may go past this one.
            sent = await turn.step(orders.send_code, claim, turn.uuid(), effect=False)
            if isinstance(sent, Refusal):
                await turn.say("{sentence}", sentence=sent.sentence, choices=["Talk to a person"])
                return None
            answer = await self._checked(claim, sent)
            if isinstance(answer, Customer):
                return self._visit(answer, "one-time code")
            if isinstance(answer, Claim):
                claim = answer
            elif answer == _OTHER:
                claim = None
        await turn.say("That didn't work out, sorry. A person can help you with this.", choices=["Talk to a person"])
        return None

    def _visit(self, customer: Customer, proof: str) -> Visit:
        return Visit(self.turn, self.orders, customer, proof, self._number)

    async def _claimed(self) -> Claim | None:
        named = ", or your full name and postcode" if self.terms.name_accepted else ""
        hint = f" {self.terms.sign_in_hint}" if self.terms.sign_in_hint else ""
        question = f"What is your e-mail address or phone number{named}?{hint}"
        first = "To look into that I need to know that it's you."
        for _ in range(_TRIES):
            heard: Heard = await self.turn.ask(
                f"{first} {question}",
                like=who_in,
                help="The e-mail address or phone number that you ordered with, such as name@example.com.",
            )
            if heard.claim is not None:
                return heard.claim
            self._number, first = heard.number, _LATER
        return None

    async def _checked(self, claim: Claim, sent: CodeSent) -> Customer | Claim | str:
        """Ask for the code until it is right; or what the person wants instead."""
        if claim.name:
            sent_to = (
                "If there is an account with that name and postcode, "
                "I've sent a {digits}-digit code to its e-mail address."
            )
        else:
            sent_to = "I've sent a {digits}-digit code to {where}, if it belongs to an account here."
        demo = " (Demo: the code is {code}.)" if sent.demo_code else ""
        prompt = f"{sent_to} What does the code say?{demo}"
        while True:
            heard: Heard | str = await self.turn.ask(
                prompt,
                like=entered_in,
                choices=[_NEW, _OTHER],
                help=f"It is a number of {sent.digits} digits and works for {sent.minutes} minutes.",
                where=claim.email or claim.phone,
                digits=sent.digits,
                code=sent.demo_code,
            )
            if isinstance(heard, str):
                return heard
            if heard.claim is not None:
                return heard.claim
            if heard.number:
                self._number, prompt = heard.number, f"{_LATER} What does the code say?{demo}"
                continue
            answer = await self.turn.step(self.orders.check_code, sent.id, heard.code, self.turn.uuid(), effect=False)
            if isinstance(answer, Customer):
                return answer
            if answer.code != "wrong_code":
                await self.turn.say("{sentence}", sentence=answer.sentence)
                return _OTHER if answer.code == "no_account" else await self._another()
            prompt = "That code doesn't match. Please look again: what does it say?"

    async def _another(self) -> str:
        answer: str = await self.turn.ask("Shall I send you a new one?", choices=[_NEW, _OTHER], key="another code")
        return answer
