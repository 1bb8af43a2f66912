"""Reads the public retail shop (db.json) into the port's values. Does not know the rules."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from adapters.orders.database import Stock
from bot import StartError
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

_STATES = {"pending (item modified)": State.MODIFIED}
_CENT = Decimal("0.01")


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Address(_Row):
    address1: str
    address2: str
    city: str
    country: str
    state: str
    zip: str

    def value(self) -> ShopAddress:
        return ShopAddress(
            line1=self.address1,
            line2=self.address2,
            city=self.city,
            state=self.state,
            postcode=self.zip,
            country=self.country,
        )


class _Method(_Row):
    source: str
    id: str
    brand: str = ""
    last_four: str = ""
    balance: float | None = None


class _Name(_Row):
    first_name: str
    last_name: str


class _User(_Row):
    user_id: str
    name: _Name
    address: _Address
    email: str
    payment_methods: dict[str, _Method]
    orders: list[str]


class _Variant(_Row):
    item_id: str
    options: dict[str, str]
    available: bool
    price: float


class _Product(_Row):
    name: str
    product_id: str
    variants: dict[str, _Variant]


class _Item(_Row):
    name: str
    product_id: str
    item_id: str
    price: float
    options: dict[str, str]


class _Parcel(_Row):
    tracking_id: list[str]
    item_ids: list[str]


class _Payment(_Row):
    transaction_type: str
    amount: float
    payment_method_id: str


class _Order(_Row):
    order_id: str
    user_id: str
    address: _Address
    items: list[_Item]
    status: str
    fulfillments: list[_Parcel]
    payment_history: list[_Payment]
    cancel_reason: str = ""
    return_items: list[str] = []
    return_payment_method_id: str = ""
    exchange_items: list[str] = []
    exchange_new_items: list[str] = []
    exchange_payment_method_id: str = ""
    exchange_price_difference: float = 0.0


class _Shop(_Row):
    products: dict[str, _Product]
    users: dict[str, _User]
    orders: dict[str, _Order] = Field(default_factory=dict)


def load_stock(folder: Path) -> Stock:
    """The public shop, from `folder`/db.json. Each customer's orders stay in the order of their list."""
    try:
        shop = _Shop.model_validate_json((folder / "db.json").read_bytes())
    except (OSError, ValueError) as wrong:
        raise StartError(f"The shop in {folder} can't be read: {wrong}; it needs the public retail db.json") from wrong
    listed = [number for user in shop.users.values() for number in user.orders]
    others = [number for number in shop.orders if number not in set(listed)]
    return Stock(
        customers=tuple(_customer(user) for user in shop.users.values()),
        products=tuple(_product(product) for product in shop.products.values()),
        orders=tuple(_order(shop.orders[number]) for number in [*listed, *others]),
    )


def _money(amount: float) -> Decimal:
    return Decimal(str(amount)).quantize(_CENT)


def _customer(user: _User) -> Customer:
    return Customer(
        id=user.user_id,
        first_name=user.name.first_name,
        last_name=user.name.last_name,
        email=user.email,
        address=user.address.value(),
        payment_methods=tuple(
            PaymentMethod(
                id=each.id,
                kind=each.source,
                brand=each.brand,
                last_four=each.last_four,
                balance=None if each.balance is None else _money(each.balance),
            )
            for each in user.payment_methods.values()
        ),
    )


def _product(product: _Product) -> Product:
    return Product(
        id=product.product_id,
        name=product.name,
        variants=tuple(
            Variant(
                id=each.item_id,
                product=product.product_id,
                name=product.name,
                options=each.options,
                price=_money(each.price),
                available=each.available,
            )
            for each in product.variants.values()
        ),
    )


def _order(order: _Order) -> Order:
    return Order(
        number=order.order_id,
        customer=order.user_id,
        state=_STATES.get(order.status) or State(order.status),
        items=tuple(
            Item(id=i.item_id, product=i.product_id, name=i.name, options=i.options, price=_money(i.price))
            for i in order.items
        ),
        address=order.address.value(),
        payments=tuple(
            Payment(
                kind="refund" if p.transaction_type == "refund" else "payment",
                amount=_money(p.amount),
                method=p.payment_method_id,
            )
            for p in order.payment_history
        ),
        shipments=tuple(
            Shipment(items=tuple(parcel.item_ids), tracking=tuple(parcel.tracking_id)) for parcel in order.fulfillments
        ),
        cancel_reason=order.cancel_reason,
        returned=tuple(order.return_items),
        refund_to=order.return_payment_method_id,
        swapped=tuple(
            Swap(old=old, new=new) for old, new in zip(order.exchange_items, order.exchange_new_items, strict=True)
        ),
        difference=_money(order.exchange_price_difference),
        difference_by=order.exchange_payment_method_id,
    )
