"""Writes a shop in the form of the public db.json, so that whole states can be compared."""

from __future__ import annotations

from typing import Any

from adapters.orders.database import Stock
from bot.ports import Customer, Order, PaymentMethod, Product, ShopAddress, State

Json = dict[str, Any]


def dump_stock(stock: Stock) -> Json:
    """The shop in the form of db.json, with every order and customer as they are now."""
    owned: dict[str, list[str]] = {}
    for order in stock.orders:
        owned.setdefault(order.customer, []).append(order.number)
    return {
        "products": {product.id: _product_row(product) for product in stock.products},
        "users": {customer.id: _user_row(customer, owned.get(customer.id, [])) for customer in stock.customers},
        "orders": {order.number: _order_row(order) for order in stock.orders},
    }


def _address_row(address: ShopAddress) -> Json:
    return {
        "address1": address.line1,
        "address2": address.line2,
        "city": address.city,
        "country": address.country,
        "state": address.state,
        "zip": address.postcode,
    }


def _method_row(method: PaymentMethod) -> Json:
    row: Json = {"source": method.kind, "id": method.id}
    if method.last_four:
        row |= {"brand": method.brand, "last_four": method.last_four}
    if method.balance is not None:
        row["balance"] = float(method.balance)
    return row


def _user_row(customer: Customer, orders: list[str]) -> Json:
    return {
        "user_id": customer.id,
        "name": {"first_name": customer.first_name, "last_name": customer.last_name},
        "address": _address_row(customer.address),
        "email": customer.email,
        "payment_methods": {method.id: _method_row(method) for method in customer.payment_methods},
        "orders": orders,
    }


def _product_row(product: Product) -> Json:
    variants = {
        each.id: {
            "item_id": each.id,
            "options": each.options,
            "available": each.available,
            "price": float(each.price),
        }
        for each in product.variants
    }
    return {"name": product.name, "product_id": product.id, "variants": variants}


def _order_row(order: Order) -> Json:
    row: Json = {
        "order_id": order.number,
        "user_id": order.customer,
        "address": _address_row(order.address),
        "items": [
            {"name": i.name, "product_id": i.product, "item_id": i.id, "price": float(i.price), "options": i.options}
            for i in order.items
        ],
        "status": "pending (item modified)" if order.state is State.MODIFIED else order.state.value,
        "fulfillments": [
            {"tracking_id": list(parcel.tracking), "item_ids": list(parcel.items)} for parcel in order.shipments
        ],
        "payment_history": [
            {"transaction_type": p.kind, "amount": float(p.amount), "payment_method_id": p.method}
            for p in order.payments
        ],
    }
    if order.cancel_reason:
        row["cancel_reason"] = order.cancel_reason
    if order.returned:
        row |= {"return_items": list(order.returned), "return_payment_method_id": order.refund_to}
    if order.swapped:
        row |= {
            "exchange_items": sorted(swap.old for swap in order.swapped),
            "exchange_new_items": sorted(swap.new for swap in order.swapped),
            "exchange_payment_method_id": order.difference_by,
            "exchange_price_difference": float(order.difference),
        }
    return row
