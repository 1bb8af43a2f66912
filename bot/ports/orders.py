"""The port to a shop's orders and who owns them. Knows no shop, vendor or rule: an adapter does.

What can be expected to go wrong comes back as a `Refusal` with a sentence to say, never as an exception; exceptions
mean that the shop could not be reached. Money is Decimal with cents.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

from bot.messages import Value
from bot.ports.shop import Customer, Order, Payment, Product, ShopAddress, Swap, Variant

RefusalCode = Literal[
    "not_found",
    "wrong_state",
    "already_changed",
    "too_late",
    "wrong_reason",
    "no_items",
    "no_such_item",
    "other_product",
    "same_item",
    "unavailable",
    "unknown_payment",
    "same_payment",
    "wrong_refund",
    "gift_card_short",
    "bad_address",
    "key_reused",
    "wrong_code",
    "code_expired",
    "too_many",
    "no_account",
]


class Cancel(Value, frozen=True, tag="cancel"):
    """Cancel the whole order, for one of the shop's reasons."""

    order: str
    reason: str


class ChangeAddress(Value, frozen=True, tag="address"):
    """Send the order elsewhere."""

    order: str
    address: ShopAddress


class ChangePayment(Value, frozen=True, tag="payment"):
    """Pay for the order with another of the customer's methods."""

    order: str
    method: str


class ChangeItems(Value, frozen=True, tag="items"):
    """Take other options of the same products, before the order is packed; `method` pays or gets the difference."""

    order: str
    swaps: tuple[Swap, ...]
    method: str


class ReturnItems(Value, frozen=True, tag="return"):
    """Send items back; the money goes to the payment method `method`."""

    order: str
    items: tuple[str, ...]
    method: str


class ExchangeItems(Value, frozen=True, tag="exchange"):
    """Send items back for other options of the same products; `method` pays or gets the difference."""

    order: str
    swaps: tuple[Swap, ...]
    method: str


class ChangeOwnAddress(Value, frozen=True, tag="own_address"):
    """Change the address that the shop has for the customer; orders keep theirs."""

    address: ShopAddress


Change = Cancel | ChangeAddress | ChangePayment | ChangeItems | ReturnItems | ExchangeItems | ChangeOwnAddress


class Refusal(Value, frozen=True, tag="refusal"):
    """No, for a reason that the person should hear; nothing was changed."""

    code: RefusalCode
    sentence: str


class Plan(Value, frozen=True, tag="plan"):
    """What a change would do: order or customer as they would be, the money that would move, and what to add."""

    order: Order | None = None
    customer: Customer | None = None
    money: tuple[Payment, ...] = ()
    notes: tuple[str, ...] = ()


class Done(Value, frozen=True, tag="done"):
    """What a change did; the fields are those of `Plan`."""

    order: Order | None = None
    customer: Customer | None = None
    money: tuple[Payment, ...] = ()
    notes: tuple[str, ...] = ()


class Claim(Value, frozen=True):
    """Who somebody says they are: an e-mail address, or a phone number, or a full name with a postcode."""

    email: str = ""
    phone: str = ""
    name: str = ""
    postcode: str = ""


class CodeSent(Value, frozen=True, tag="code_sent"):
    """A one-time code is on its way, if the claim names a customer: the answer is the same when it names nobody.

    `demo_code` is only filled in by a demo shop whose settings say so.
    """

    id: str
    digits: int = 6
    minutes: int = 10
    demo_code: str = ""


class Terms(Value, frozen=True):
    """What a skill must know of the shop's rules to ask well; the adapter enforces them.

    `name_accepted`: a full name with its postcode may stand for an e-mail address; `name_is_enough`: and needs no
    code. `sign_in_hint` is a sentence for newcomers to a demo. `refund_when` says by kind of payment when money
    arrives, `refund_kinds` which kinds may get a return's money beside the original payment. `to_a_person` lists the
    troubles that the rules leave to a person; `rules` is all of it in words.
    """

    shop: str = "the shop"
    currency: str = "$"
    time_zone: str = "UTC"
    cancel_reasons: tuple[str, ...] = ()
    name_accepted: bool = False
    name_is_enough: bool = False
    sign_in_hint: str = ""
    refund_when: dict[str, str] = {}  # noqa: RUF012  msgspec gives every value its own
    refund_kinds: tuple[str, ...] = ()
    to_a_person: tuple[str, ...] = ()
    rules: str = ""


class Orders(ABC):
    """A shop's orders. `customer` is always the id of the person who was identified."""

    terms: Terms = Terms()

    @abstractmethod
    async def find_customer(self, claim: Claim) -> Customer | None:
        """The one customer whom the claim names; an empty claim names nobody. The caller must know that it is true."""

    @abstractmethod
    async def send_code(self, claim: Claim, key: str) -> CodeSent | Refusal:
        """Send a one-time code to the named customer's own e-mail or phone; takes as long when there is none."""

    @abstractmethod
    async def check_code(self, code_id: str, code: str, key: str) -> Customer | Refusal:
        """Who it is, if the code is right; wrong, expired and used-up codes are refused."""

    @abstractmethod
    async def customer(self, customer: str) -> Customer | None:
        """The customer of that id."""

    @abstractmethod
    async def find(self, number: str, customer: str) -> Order | None:
        """The customer's own order. Somebody else's is None, like one that does not exist.

        `number` is as people write it: case, spaces and what all the shop's numbers begin with may be missing.
        """

    @abstractmethod
    async def recent(self, customer: str, limit: int = 5) -> list[Order]:
        """The customer's orders, newest first."""

    @abstractmethod
    async def product(self, product: str) -> Product | None:
        """The product of that id, with all its variants."""

    @abstractmethod
    async def variant(self, item: str) -> Variant | None:
        """The variant of that item id."""

    @abstractmethod
    async def plan(self, customer: str, change: Change) -> Plan | Refusal:
        """What the change would do, or why it can't be done; changes nothing."""

    @abstractmethod
    async def perform(self, customer: str, change: Change, key: str) -> Done | Refusal:
        """Do it, once per `key`: the same key again answers what it did the first time."""
