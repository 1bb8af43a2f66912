"""How other channels would show a reply, for rehearsing them in a terminal. Knows their limits, not their APIs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from bot import Capabilities, parse, plain


@dataclass(frozen=True, slots=True)
class Profile:
    """A channel to rehearse: what it can do, and how it counts a CommonMark text."""

    name: str
    capabilities: Capabilities
    measure: Callable[[str], int]


def _characters(text: str) -> int:
    return len(plain(parse(text)))


def _utf16_units(text: str) -> int:
    return len(plain(parse(text)).encode("utf-16-le", "surrogatepass")) // 2


# Typing and drafts are the terminal's own; the rest is what the named channel has.
_PROFILES = MappingProxyType(
    {
        "web": Profile(
            "web", Capabilities(buttons=12, markdown=True, cards=True, media=True, typing=True, drafts=True), len
        ),
        "sms": Profile("sms", Capabilities(max_text=1600), _characters),
        "telegram": Profile(
            "telegram",
            Capabilities(max_text=4096, buttons=100, markdown=True, media=True, typing=True, drafts=True),
            _utf16_units,
        ),
        "slack": Profile(
            "slack", Capabilities(max_text=3000, buttons=25, markdown=True, cards=True, media=True), _characters
        ),
    }
)


def profile_names() -> list[str]:
    """What `--channel` accepts, the default first."""
    return list(_PROFILES)


def profile(name: str = "web") -> Profile:
    """The profile of that name; ValueError names the ones there are."""
    found = _PROFILES.get(name)
    if found is None:
        raise ValueError(f"There is no channel profile {name!r}. Choose one of: {', '.join(_PROFILES)}.")
    return found
