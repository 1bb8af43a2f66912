"""The demo shop's own SQLite file: customers, products, orders, codes, outbox. Knows no rules and no conversations.

Every method blocks; the adapter calls them on a thread, one at a time. Rows hold the port's values as JSON beside the
columns that are searched.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from bot import Value
from bot.ports import Claim, Customer, Order, Product, Variant

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, phone TEXT NOT NULL,
  name TEXT NOT NULL, postcode TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS customers_phone ON customers (phone) WHERE phone <> '';
CREATE INDEX IF NOT EXISTS customers_name ON customers (name, postcode);
CREATE TABLE IF NOT EXISTS products (id TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS variants (id TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers,
  place INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer, place);
CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY, request BLOB NOT NULL, answer BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS codes (id TEXT PRIMARY KEY, claim TEXT NOT NULL, customer TEXT NOT NULL, code TEXT NOT NULL,
  made_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS codes_claim ON codes (claim, made_at);
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, body TEXT NOT NULL,
  at REAL NOT NULL);
"""


class Stock(Value, frozen=True):
    """Everything that a new shop starts with; orders oldest first for each customer."""

    customers: tuple[Customer, ...]
    products: tuple[Product, ...]
    orders: tuple[Order, ...]


class CodeRow(Value, frozen=True):
    """A one-time code; `customer` is empty when the claim named nobody."""

    id: str
    claim: str
    customer: str
    code: str
    made_at: float
    attempts: int = 0
    used: bool = False


class ShopFile:
    """One SQLite file (or ":memory:") with a shop in it."""

    def __init__(self, path: str | Path) -> None:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @property
    def empty(self) -> bool:
        """Whether nothing has been put in yet."""
        return self._db.execute("SELECT 1 FROM customers LIMIT 1").fetchone() is None

    def fill(self, stock: Stock) -> None:
        """Put a whole shop in, in one transaction."""
        with self.transaction():
            self._db.executemany("INSERT INTO customers VALUES (?,?,?,?,?,?)", map(_customer_row, stock.customers))
            variants = (variant for product in stock.products for variant in product.variants)
            self._db.executemany("INSERT INTO products VALUES (?,?)", _rows(stock.products))
            self._db.executemany("INSERT INTO variants VALUES (?,?)", _rows(variants))
            self._db.executemany(
                "INSERT INTO orders VALUES (?,?,?,?)",
                ((o.number, o.customer, place, msgspec.json.encode(o)) for place, o in enumerate(stock.orders)),
            )

    def everything(self) -> Stock:
        """The whole shop as it is now, in the order in which it was put in."""
        return Stock(
            customers=tuple(_many(self._db.execute("SELECT data FROM customers ORDER BY rowid"), Customer)),
            products=tuple(_many(self._db.execute("SELECT data FROM products ORDER BY rowid"), Product)),
            orders=tuple(_many(self._db.execute("SELECT data FROM orders ORDER BY place"), Order)),
        )

    def customer(self, id: str) -> Customer | None:
        """By the shop's own id."""
        return self._load(Customer, "SELECT data FROM customers WHERE id = ?", id)

    def claimed(self, claim: Claim) -> Customer | None:
        """The one customer whom the claim names; None when it names nobody, or several."""
        for sql, values in (
            ("email = ?", (fold(claim.email),)),
            ("phone = ?", (phone_key(claim.phone),)),
            ("name = ? AND postcode = ?", (fold(claim.name), fold(claim.postcode))),
        ):
            if all(values):
                rows = self._db.execute(f"SELECT data FROM customers WHERE {sql} LIMIT 2", values)  # noqa: S608  constants
                found = list(_many(rows, Customer))
                if len(found) == 1:
                    return found[0]
        return None

    def order(self, number: str) -> Order | None:
        """By number as people write it, whoever's it is."""
        return self._load(Order, "SELECT data FROM orders WHERE number = ?", number_key(number))

    def orders_of(self, customer: str, limit: int) -> list[Order]:
        """A customer's orders, newest first."""
        rows = self._db.execute(
            "SELECT data FROM orders WHERE customer = ? ORDER BY place DESC LIMIT ?", (customer, limit)
        )
        return list(_many(rows, Order))

    def product(self, id: str) -> Product | None:
        """By product id."""
        return self._load(Product, "SELECT data FROM products WHERE id = ?", id)

    def variant(self, id: str) -> Variant | None:
        """By item id."""
        return self._load(Variant, "SELECT data FROM variants WHERE id = ?", id)

    def save(self, order: Order | None, customer: Customer | None) -> None:
        """Write back what changed."""
        if order is not None:
            self._db.execute("UPDATE orders SET data = ? WHERE number = ?", (msgspec.json.encode(order), order.number))
        if customer is not None:
            id, *columns = _customer_row(customer)
            self._db.execute(
                "UPDATE customers SET email = ?, phone = ?, name = ?, postcode = ?, data = ? WHERE id = ?",
                (*columns, id),
            )

    def answered(self, key: str) -> tuple[bytes, bytes] | None:
        """The request and the answer that were stored under the key."""
        row: tuple[bytes, bytes] | None = self._db.execute(
            "SELECT request, answer FROM done WHERE key = ?", (key,)
        ).fetchone()
        return row

    def remember(self, key: str, request: bytes, answer: bytes) -> None:
        """Store what was asked and answered under the key."""
        self._db.execute("INSERT INTO done VALUES (?,?,?)", (key, request, answer))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add_code(self, row: CodeRow, recipient: str, body: str) -> None:
        """Store a code and, when there is somebody to send it to, put the message in the outbox."""
        values = (row.id, row.claim, row.customer, row.code, row.made_at, row.attempts, row.used)
        self._db.execute("INSERT INTO codes VALUES (?,?,?,?,?,?,?)", values)
        self._db.execute(
            "INSERT INTO outbox (recipient, body, at) SELECT ?, ?, ? WHERE ? <> ''",
            (recipient, body, row.made_at, recipient),
        )

    def code(self, id: str) -> CodeRow | None:
        """The code of that id."""
        columns = "id, claim, customer, code, made_at, attempts, used"
        row = self._db.execute(f"SELECT {columns} FROM codes WHERE id = ?", (id,)).fetchone()  # noqa: S608  constants
        return None if row is None else CodeRow(**dict(zip(columns.split(", "), (*row[:6], bool(row[6])), strict=True)))

    def codes_since(self, claim: str, at: float) -> int:
        """How many codes were asked for by this claim since then."""
        found = self._db.execute("SELECT count(*) FROM codes WHERE claim = ? AND made_at > ?", (claim, at)).fetchone()
        return int(found[0])

    def try_code(self, id: str, *, used: bool) -> None:
        """Count one attempt; a used code is dead."""
        self._db.execute("UPDATE codes SET attempts = attempts + 1, used = ? WHERE id = ?", (used, id))

    def outbox(self) -> list[tuple[str, str]]:
        """What the shop has sent: recipient and body, oldest first."""
        return [(str(to), str(body)) for to, body in self._db.execute("SELECT recipient, body FROM outbox ORDER BY id")]

    def _load(self, type_: type[T], sql: str, key: str) -> T | None:
        row = self._db.execute(sql, (key,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=type_)


def fold(text: str) -> str:
    """Text as it is compared: no accents, no case, single spaces."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(char for char in plain if not unicodedata.combining(char)).casefold().split())


def phone_key(phone: str) -> str:
    """A phone number as it is compared: its last ten digits, so that a country code may be left out."""
    return re.sub(r"\D", "", phone)[-10:]


def number_key(number: str) -> str:
    """An order number as it is stored: "w 261-1340" and "2611340" are "#W2611340"."""
    bare = re.sub(r"[^A-Z0-9]", "", number.upper())
    return f"#{bare}" if bare.startswith("W") else f"#W{bare}"


def _customer_row(customer: Customer) -> tuple[str, str, str, str, str, bytes]:
    return (
        customer.id,
        fold(customer.email),
        phone_key(customer.phone),
        fold(f"{customer.first_name} {customer.last_name}"),
        fold(customer.address.postcode),
        msgspec.json.encode(customer),
    )


def _rows(values: Iterable[Product | Variant]) -> Iterator[tuple[str, bytes]]:
    return ((value.id, msgspec.json.encode(value)) for value in values)


def _many(rows: Iterable[tuple[bytes]], type_: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(type_)
    return (decoder.decode(row[0]) for row in rows)
