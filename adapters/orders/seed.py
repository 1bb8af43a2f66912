"""Makes the demo shop: customers, products and orders in every state, the same ones for the same seed.

Only the days differ: they count back from the day on which the shop is made, so that "when does it come?" has a
sensible answer. Everybody in it is invented; addresses end in example.com and phone numbers are 555-01xx.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import product as combinations
from random import Random

from msgspec.structs import replace

from adapters.orders.catalogue import CATALOGUE, CITIES, FIRST_NAMES, LAST_NAMES, STREETS
from adapters.orders.database import Stock
from bot.ports import (
    Customer,
    Item,
    Order,
    Payment,
    PaymentMethod,
    Product,
    Shipment,
    ShopAddress,
    State,
    Swap,
    Variant,
)

CUSTOMERS = 520
ORDERS = 2100
DEMO_EMAIL = "sam.rivers@example.com"
SIGN_IN_HINT = f"(Demo: {DEMO_EMAIL} has orders of every kind.)"
_CARRIERS = (("UPS", "1Z{:09d}US"), ("FedEx", "{:012d}"), ("USPS", "9400{:012d}"))
_SHARES = {
    State.PENDING: 24,
    State.MODIFIED: 4,
    State.PROCESSED: 20,
    State.DELIVERED: 36,
    State.CANCELLED: 8,
    State.RETURN_REQUESTED: 5,
    State.EXCHANGE_REQUESTED: 3,
}
# The demo customer's orders, oldest first: state, days since it was placed, pieces. Scenario tests lean on these.
_SAM = (
    ("#W1000101", State.CANCELLED, 60, 1),
    ("#W1000118", State.DELIVERED, 34, 3),
    ("#W1000126", State.RETURN_REQUESTED, 25, 2),
    ("#W1000137", State.DELIVERED, 9, 2),
    ("#W1000145", State.PROCESSED, 3, 2),
    ("#W1000159", State.PENDING, 1, 3),
)


def seeded_stock(today: date, seed: int = 2024) -> Stock:
    """The whole shop, as if it had been running until `today`."""
    random = Random(seed)
    products = _products(random)
    sam = _demo_customer()
    customers = [sam, *_customers(random)]
    maker = _OrderMaker(random, products, today)
    orders = [maker.order(number, sam, state, ago, pieces) for number, state, ago, pieces in _SAM]
    number = 1002000
    for _ in range(ORDERS - len(_SAM)):
        number += random.randint(3, 60)
        state = random.choices(list(_SHARES), list(_SHARES.values()))[0]
        customer = random.choice(customers[1:])
        orders.append(
            maker.order(f"#W{number}", customer, state, _age(random, state), random.choice((1, 1, 1, 2, 2, 3, 4)))
        )
    orders.sort(key=lambda order: (order.placed_on or today, order.number))
    return Stock(customers=tuple(customers), products=products, orders=tuple(orders))


def _age(random: Random, state: State) -> int:
    match state:
        case State.PENDING | State.MODIFIED:
            return random.randint(0, 2)
        case State.PROCESSED:
            return random.randint(1, 5)
        case _:
            return random.randint(7, 200)


def _products(random: Random) -> tuple[Product, ...]:
    made = []
    for place, (name, price, options) in enumerate(CATALOGUE):
        every = list(combinations(*options.values()))
        chosen = sorted(random.sample(every, min(len(every), 12)))
        variants = tuple(
            Variant(
                id=str(5_000_000 + place * 100 + row),
                product=str(7_000 + place),
                name=name,
                options=dict(zip(options, values, strict=True)),
                price=Decimal(price) + Decimal(random.randint(-8, 8)) * Decimal(price) // 100,
                available=row < 2 or random.random() < 0.85,
            )
            for row, values in enumerate(chosen)
        )
        made.append(Product(id=str(7_000 + place), name=name, variants=variants))
    return tuple(made)


def _demo_customer() -> Customer:
    return Customer(
        id="sam_rivers_1001",
        first_name="Sam",
        last_name="Rivers",
        email=DEMO_EMAIL,
        phone="+12125550100",
        address=ShopAddress(line1="12 Harbor Street", city="New York", state="NY", postcode="10004", country="USA"),
        payment_methods=(
            PaymentMethod(id="card_1001", kind="credit_card", brand="visa", last_four="4242"),
            PaymentMethod(id="paypal_1001", kind="paypal"),
            PaymentMethod(id="gift_1001", kind="gift_card", balance=Decimal("75.00")),
        ),
    )


def _customers(random: Random) -> list[Customer]:
    made, seen = [], set()
    for row in range(2, CUSTOMERS + 1):
        first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
        city, state, _, postcode = random.choice(CITIES)
        phone = f"+1{CITIES[row % len(CITIES)][2]}55501{row // len(CITIES):02d}"
        email = f"{first}.{last}@example.com".lower()
        if email in seen or email == DEMO_EMAIL:
            email = f"{first}.{last}{row}@example.com".lower()
        seen.add(email)
        address = ShopAddress(
            line1=f"{random.randint(1, 980)} {random.choice(STREETS)}",
            line2=random.choice(("", "", f"Apt {random.randint(1, 40)}")),
            city=city,
            state=state,
            postcode=f"{postcode}{random.randint(10, 89)}",
            country="USA",
        )
        made.append(
            Customer(
                id=f"{first}_{last}_{1000 + row}".lower(),
                first_name=first,
                last_name=last,
                email=email,
                phone=phone,
                address=address,
                payment_methods=_methods(random, 1000 + row),
            )
        )
    return made


def _methods(random: Random, id: int) -> tuple[PaymentMethod, ...]:
    brand = random.choice(("visa", "mastercard"))
    card = PaymentMethod(id=f"card_{id}", kind="credit_card", brand=brand, last_four=f"{random.randint(0, 9999):04d}")
    paypal = PaymentMethod(id=f"paypal_{id}", kind="paypal")
    gift = PaymentMethod(id=f"gift_{id}", kind="gift_card", balance=Decimal(random.randint(0, 30000)) / 100)
    return random.choice(((card,), (card, paypal), (paypal, gift), (card, gift), (card, paypal, gift)))


class _OrderMaker:
    """Makes one believable order after another."""

    def __init__(self, random: Random, products: tuple[Product, ...], today: date) -> None:
        self._random, self._products, self._today = random, products, today

    def order(self, number: str, customer: Customer, state: State, ago: int, pieces: int) -> Order:
        """An order placed `ago` days before today that has come as far as `state`."""
        items = tuple(self._item() for _ in range(pieces))
        placed = self._today - timedelta(days=ago)
        method = customer.payment_methods[0]
        order = Order(
            number=number,
            customer=customer.id,
            state=state,
            items=items,
            address=customer.address,
            placed_on=placed,
            expected_on=placed + timedelta(days=self._random.randint(5, 7)),
        )
        order = replace(order, payments=(Payment(kind="payment", amount=order.total, method=method.id),))
        return self._advanced(order, customer)

    def _item(self) -> Item:
        product = self._random.choice(self._products)
        variant = self._random.choice([each for each in product.variants if each.available])
        return Item(id=variant.id, product=product.id, name=product.name, options=variant.options, price=variant.price)

    def _advanced(self, order: Order, customer: Customer) -> Order:
        first = order.items[0]
        match order.state:
            case State.CANCELLED:
                reason = self._random.choice(("no longer needed", "ordered by mistake"))
                refund = Payment(kind="refund", amount=order.total, method=order.payments[0].method)
                return replace(order, cancel_reason=reason, payments=(*order.payments, refund))
            case State.PROCESSED:
                return replace(order, shipments=(self._parcel(order, delivered=False),))
            case State.DELIVERED:
                return replace(order, shipments=(self._parcel(order, delivered=True),))
            case State.RETURN_REQUESTED:
                parcels = (self._parcel(order, delivered=True),)
                return replace(order, shipments=parcels, returned=(first.id,), refund_to=order.payments[0].method)
            case State.EXCHANGE_REQUESTED:
                other = self._other(first)
                return replace(
                    order,
                    shipments=(self._parcel(order, delivered=True),),
                    swapped=(Swap(old=first.id, new=other.id),),
                    difference=other.price - first.price,
                    difference_by=customer.payment_methods[0].id,
                )
            case _:
                return order

    def _other(self, item: Item) -> Variant:
        product = next(each for each in self._products if each.id == item.product)
        return next(each for each in product.variants if each.available and each.id != item.id)

    def _parcel(self, order: Order, *, delivered: bool) -> Shipment:
        placed, expected = order.placed_on or self._today, order.expected_on or self._today
        carrier, form = self._random.choice(_CARRIERS)
        number = form.format(self._random.randint(1, 10**9 - 1))
        items = tuple(item.id for item in order.items)
        age = (self._today - placed).days
        if not delivered and age < 2:
            return Shipment(items=items)
        late = self._random.choice((0, 0, 0, -1, 1))
        return Shipment(
            items=items,
            tracking=(number,),
            carrier=carrier,
            shipped_on=placed + timedelta(days=2),
            expected_on=order.expected_on,
            delivered_on=min(expected + timedelta(days=late), self._today) if delivered else None,
        )
