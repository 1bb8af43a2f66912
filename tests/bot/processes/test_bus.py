"""The bus of one process, which is also what every other bus does for its own process."""

from __future__ import annotations

from structlog.testing import capture_logs

from bot.processes.bus import LocalBus


async def test_whoever_subscribed_hears_it_at_once_and_nobody_else() -> None:
    bus = LocalBus()
    first: list[bytes] = []
    second: list[bytes] = []
    bus.subscribe("a", first.append)
    bus.subscribe("a", second.append)
    bus.subscribe("b", second.append)
    bus.publish("a", b"1")
    bus.publish("c", b"2")
    assert (first, second) == ([b"1"], [b"1"])


async def test_who_unsubscribes_hears_no_more_even_while_it_is_told() -> None:
    bus = LocalBus()
    heard: list[bytes] = []

    def once(body: bytes) -> None:
        heard.append(body)
        away()

    away = bus.subscribe("a", once)
    bus.subscribe("a", heard.append)
    bus.publish("a", b"1")
    bus.publish("a", b"2")
    away()
    assert heard == [b"1", b"1", b"2"]


async def test_a_listener_that_fails_keeps_nobody_else_from_hearing() -> None:
    bus = LocalBus()
    heard: list[bytes] = []

    def fails(body: bytes) -> None:
        raise ValueError("no")

    bus.subscribe("a", fails)
    bus.subscribe("a", heard.append)
    with capture_logs() as logs:
        bus.publish("a", b"1")
    assert heard == [b"1"]
    assert [(entry["event"], entry["topic"]) for entry in logs] == [("news_failed", "a")]
