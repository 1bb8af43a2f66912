"""One Redis for the tests that don't stop it."""

from __future__ import annotations

from tests.servers import redis

__all__ = ["redis"]
