"""Which version of a prompt somebody gets: always the same one, by a hash, without anything being stored. Pure."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b

from bot.prompts.library import Versions
from bot.prompts.prompt import Prompt


def shares(versions: Versions, withdrawn: Collection[int] = ()) -> dict[int, float]:
    """The percentage of people who get each version, in the order of the versions; those with nothing are left out.

    What the tried versions leave is for the main one; where that is withdrawn, for the newest one before it.
    """
    tried = {version: share for version, share in versions.shares.items() if version not in withdrawn and share > 0}
    rest = 100.0 - sum(tried.values())
    if rest > 0:
        ground = _ground(versions, withdrawn)
        tried[ground] = tried.get(ground, 0.0) + rest
    return dict(sorted(tried.items()))


def choose(versions: Versions, person: str, withdrawn: Collection[int] = ()) -> Prompt:
    """The version for a person; who is nobody ("") gets the main one.

    Each version that is tried draws by a hash of its own: when a share grows nobody loses what they have to make room
    for it, but those who come to it; when a version is withdrawn, only its people get another.
    """
    ground = _ground(versions, withdrawn)
    before = 0.0
    for version, share in versions.shares.items() if person else ():
        if before < 100 and _place(versions.name, version, person) < share / (100.0 - before):
            return versions.known[ground if version in withdrawn else version]
        before += share
    return versions.known[ground]


def newest_served(versions: Versions, withdrawn: Collection[int] = ()) -> int:
    """The newest version that anybody gets: what a rollback takes away."""
    return max(shares(versions, withdrawn))


def _ground(versions: Versions, withdrawn: Collection[int]) -> int:
    """The version for everybody who is not trying another one."""
    left = [version for version in versions.known if version not in withdrawn and version <= versions.main]
    return max(left, default=versions.main)


def _place(name: str, version: int, person: str) -> float:
    """Where a person stands between 0 and 1, for this version; elsewhere for another one."""
    digest = blake2b(f"{name}@{version}\x1f{person}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
