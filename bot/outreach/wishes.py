"""Who wants no broadcasts, wherever they write: a wish counts for all that is surely the same person.

Surely is: a platform vouches for the same phone number or e-mail address, in the same tenant. Rare, so by units of
work.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, text

from bot.outreach.segments import OUT
from bot.people import Person

_SAME = text("""
SELECT DISTINCT p.id FROM people p JOIN lanes l ON l.person = p.id
WHERE p.verified <> 0 AND l.tenant = :tenant AND p.id <> :id
  AND (p.phone <> '' AND p.phone = :phone OR p.email <> '' AND lower(p.email) = lower(:email))""")

_REMEMBER = text("""
INSERT INTO facts (person, key, value) VALUES (:person, :key, :value)
ON CONFLICT (person, key) DO UPDATE SET value = excluded.value""")


def spread(connection: Connection, person: Person, tenant: str, wish: str) -> int:
    """Let a wish ("off" or "on") count for the same person elsewhere; for how many others of our people that is."""
    if not person.verified or not (person.phone or person.email):
        return 0
    wanted = {"tenant": tenant, "id": person.id, "phone": person.phone, "email": person.email}
    same = connection.execute(_SAME, wanted).scalars().all()
    value = msgspec.json.encode(wish)
    for other in same:
        connection.execute(_REMEMBER, {"person": other, "key": OUT, "value": value})
    return len(same)
