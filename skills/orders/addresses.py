"""Reads a postal address that was typed in one line or several. Knows no orders, and no streets."""

from __future__ import annotations

import re

from msgspec.structs import replace

from bot.ports import ShopAddress
from skills.orders.identity import Visit

_POSTCODE = r"(?P<postcode>[A-Za-z]{0,2}-?\d[A-Za-z\d]{0,7}(?:[ -]\d[A-Za-z\d]{1,3})?)"
_STATE_POSTCODE = re.compile(rf"(?:(?P<city>[^\d]+?)\s+)??(?:(?P<state>[A-Za-z]{{2}})\s+)?{_POSTCODE}")
_POSTCODE_CITY = re.compile(r"(?P<postcode>\d{4,6})\s+(?P<city>[^\d]+)")
_HINT = "I need street, city, state and postcode, such as: 12 Elm Street, Boston, MA 02110."
_HELP = (
    'One line is fine, as on a parcel; the commas tell me what is what. If you\'d rather leave it, say "never mind".'
)
_FEWEST_PARTS = 2


async def address_meant(visit: Visit, question: str, known: ShopAddress) -> ShopAddress:
    """A new address, asked for; the country stays as `known` has it unless another is named."""
    address: ShopAddress = await visit.turn.ask(
        f"{question} Please write street, city, state and postcode, with commas.",
        like=address_in,
        help=_HELP,
    )
    return address if address.country else replace(address, country=known.country)


def address_in(text: str) -> ShopAddress:
    """The address in a text; its country is empty when none is named. ValueError with a hint when a part is missing."""
    parts = [part.strip(" .") for part in re.split(r"[,;\n]+", text) if part.strip(" .")]
    country = ""
    if len(parts) > _FEWEST_PARTS and not re.search(r"\d", parts[-1]) and re.search(r"\d", parts[-2]):
        country = parts.pop()
    if len(parts) < _FEWEST_PARTS:
        raise ValueError(_HINT)
    last = parts.pop()
    found = _POSTCODE_CITY.fullmatch(last) or _STATE_POSTCODE.fullmatch(last)
    if found is None:
        raise ValueError(_HINT)
    named = found.groupdict()
    state, city = named.get("state") or "", (named.get("city") or "").strip()
    if not state and not city and len(parts) > _FEWEST_PARTS and re.fullmatch(r"[A-Za-z]{2}", parts[-1]):
        state = parts.pop()
    if not city and len(parts) >= _FEWEST_PARTS:
        city = parts.pop()
    if not city or not parts:
        raise ValueError(_HINT)
    return ShopAddress(
        line1=parts[0],
        line2=", ".join(parts[1:]),
        city=city,
        state=state.upper(),
        postcode=named["postcode"].upper(),
        country=country,
    )
