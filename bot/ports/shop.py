"""What a shop has: customers, products, orders and their parts. Values only; no rule and no shop."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from bot.messages import Value

Action = Literal["cancel", "address", "payment", "items", "return", "exchange"]


class State(StrEnum):
    """Where an order stands. Processed means packed or on its way: its shipments tell which."""

    PENDING = "pending"
    MODIFIED = "pending (items modified)"
    PROCESSED = "processed"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURN_REQUESTED = "return requested"
    EXCHANGE_REQUESTED = "exchange requested"


class ShopAddress(Value, frozen=True, kw_only=True):
    """Where parcels go."""

    line1: str
    line2: str = ""
    city: str
    state: str = ""
    postcode: str
    country: str

    def __str__(self) -> str:
        """One line, as on an envelope."""
        street = ", ".join(part for part in (self.line1, self.line2, self.city) if part)
        return f"{street}, {' '.join(part for part in (self.state, self.postcode) if part)}, {self.country}"


class PaymentMethod(Value, frozen=True):
    """How a customer pays; `kind` is credit_card, gift_card, paypal or the like. Only gift cards have a balance."""

    id: str
    kind: str
    brand: str = ""
    last_four: str = ""
    balance: Decimal | None = None

    @property
    def label(self) -> str:
        """What a clerk would call it: "Visa ending in 9212", "PayPal", "gift card"."""
        if self.last_four:
            return f"{self.brand.title() or 'card'} ending in {self.last_four}"
        return "PayPal" if self.kind == "paypal" else self.kind.replace("_", " ")


class Customer(Value, frozen=True, kw_only=True, tag="customer"):
    """Somebody who buys. `id` is the shop's own."""

    id: str
    first_name: str
    last_name: str
    email: str
    phone: str = ""
    address: ShopAddress
    payment_methods: tuple[PaymentMethod, ...] = ()

    def method(self, id: str) -> PaymentMethod | None:
        """The payment method of that id, if this customer has it."""
        return next((method for method in self.payment_methods if method.id == id), None)


class Variant(Value, frozen=True):
    """One option of a product: this size in that colour. Its id is an item id, never a product id."""

    id: str
    product: str
    name: str
    options: dict[str, str]
    price: Decimal
    available: bool = True

    @property
    def label(self) -> str:
        """Name and options: "Water Bottle (1000ml, glass, blue)"."""
        return _label(self.name, self.options)


class Product(Value, frozen=True):
    """Something the shop sells, in one or more variants."""

    id: str
    name: str
    variants: tuple[Variant, ...]


class Item(Value, frozen=True):
    """One piece in an order, at the price that was paid. The same `id` may stand twice in an order."""

    id: str
    product: str
    name: str
    options: dict[str, str]
    price: Decimal

    @property
    def label(self) -> str:
        """Name and options: "Water Bottle (1000ml, glass, blue)"."""
        return _label(self.name, self.options)


class Shipment(Value, frozen=True):
    """A parcel; `items` are item ids. Days that nobody knows are None."""

    items: tuple[str, ...]
    tracking: tuple[str, ...] = ()
    carrier: str = ""
    shipped_on: date | None = None
    expected_on: date | None = None
    delivered_on: date | None = None


class Payment(Value, frozen=True):
    """Money that moved (or will): paid to the shop or refunded by it, through the payment method `method`."""

    kind: Literal["payment", "refund"]
    amount: Decimal
    method: str


class Swap(Value, frozen=True):
    """One item id for another."""

    old: str
    new: str


class Order(Value, frozen=True):
    """An order, always with whose it is (`customer`). `can` lists what the shop's rules allow right now."""

    number: str
    customer: str
    state: State
    items: tuple[Item, ...]
    address: ShopAddress
    payments: tuple[Payment, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    placed_on: date | None = None
    expected_on: date | None = None
    cancel_reason: str = ""
    returned: tuple[str, ...] = ()
    refund_to: str = ""
    swapped: tuple[Swap, ...] = ()
    difference: Decimal = Decimal("0.00")
    difference_by: str = ""
    can: tuple[Action, ...] = ()

    @property
    def total(self) -> Decimal:
        """What its items cost together."""
        return sum((item.price for item in self.items), Decimal("0.00"))


def _label(name: str, options: dict[str, str]) -> str:
    return f"{name} ({', '.join(options.values())})" if options else name
