"""The author's kit: the real bot in a test, fakes that live on the other side of the wire, and conformance suites."""

from bot.testing.clock import VirtualClock
from bot.testing.fakes import FakeChannel, FakeDesk, Helpdesk, Platform
from bot.testing.kit import Bot
from bot.testing.models import FakeLlm, calling
from bot.testing.survival import survives
from bot.testing.user import User

__all__ = [
    "Bot",
    "FakeChannel",
    "FakeDesk",
    "FakeLlm",
    "Helpdesk",
    "Platform",
    "User",
    "VirtualClock",
    "calling",
    "survives",
]
