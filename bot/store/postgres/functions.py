"""The functions of functions.sql by the names under which they are installed. Knows what they are called, not what
they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

_TEXT = Path(__file__).with_name("functions.sql").read_text("utf-8")

_DIGEST = blake2b(_TEXT.encode(), digest_size=4).hexdigest()

STATEMENTS = [
    "CREATE OR REPLACE FUNCTION " + part
    for part in _TEXT.replace("@", f"_{_DIGEST}").split("CREATE OR REPLACE FUNCTION ")
][1:]
"""What installs them, one by one."""

NAMES = [statement.split()[4].partition("(")[0] for statement in STATEMENTS]


def call(name: str, count: int) -> str:
    """The statement that calls one with so many values."""
    values = ", ".join(f"${number}" for number in range(1, count + 1))
    return f"SELECT * FROM fd_{name}_{_DIGEST}({values})"  # noqa: S608  # our own names


def call_many(name: str, types: Sequence[str]) -> str:
    """The statement that calls one for each of the rows that are given as columns of these types, in their order."""
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))
    values = ", ".join(f"v{number}" for number in range(1, len(types) + 1))
    # OFFSET 0 keeps the sort below the calls.
    rows = f"SELECT * FROM unnest({arrays}) WITH ORDINALITY AS given ({values}, place) ORDER BY place OFFSET 0"  # noqa: S608  # our own names
    return f"SELECT answer.* FROM ({rows}) given CROSS JOIN LATERAL fd_{name}_{_DIGEST}({values}) answer"  # noqa: S608  # our own names
