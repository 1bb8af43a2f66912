"""The command line asks a running bot through its home folder."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bot.errors import FrontdeskError
from bot.web import Control, ask_running
from bot.web.control import socket_path


async def explain(turn: str) -> str:
    if turn == "none":
        raise FrontdeskError("There is no such turn.")
    return f"about {turn}"


async def test_a_running_bot_answers(tmp_path: Path) -> None:
    control = Control(tmp_path, {"explain": explain})
    await control.start()
    try:
        assert await ask_running(tmp_path, "explain", "c1.2 é") == "about c1.2 é"
        with pytest.raises(FrontdeskError, match=r"There is no such turn\."):
            await ask_running(tmp_path, "explain", "none")
        with pytest.raises(FrontdeskError, match="does not know this command"):
            await ask_running(tmp_path, "dance")
        assert socket_path(tmp_path).stat().st_mode & 0o777 == 0o600
    finally:
        await control.stop()
    assert await ask_running(tmp_path, "explain", "c1.2") is None


async def test_a_bot_that_never_started_leaves_the_socket_of_the_other_alone(tmp_path: Path) -> None:
    running, refused = Control(tmp_path, {"explain": explain}), Control(tmp_path, {})
    await running.start()
    await refused.stop()
    assert await ask_running(tmp_path, "explain", "x") == "about x"
    await running.stop()


async def test_of_several_processes_with_one_home_the_first_answers_until_its_end(tmp_path: Path) -> None:
    async def says(name: str) -> str:
        return name

    first, second, third = (Control(tmp_path, {"who": lambda _, name=name: says(name)}) for name in "abc")
    await first.start()
    await second.start()
    assert await ask_running(tmp_path, "who") == "a"
    await second.stop()
    assert await ask_running(tmp_path, "who") == "a", "a stop must not take the other one's socket away"
    await second.start()
    await first.stop()
    assert await ask_running(tmp_path, "who") is None
    await third.start()
    assert await ask_running(tmp_path, "who") == "c"
    await second.stop()
    assert await ask_running(tmp_path, "who") == "c"
    await third.stop()


async def test_a_socket_left_by_a_kill_is_nobody_and_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(socket_path(tmp_path)))
    assert await ask_running(tmp_path, "explain", "c1.2") is None
    control = Control(tmp_path, {"explain": explain})
    await control.start()
    assert await ask_running(tmp_path, "explain", "c1.2") == "about c1.2"
    await control.stop()


async def test_a_home_with_a_very_long_path_works_too(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    home.mkdir()
    control = Control(home, {"explain": explain})
    await control.start()
    assert await ask_running(home, "explain", "x") == "about x"
    await control.stop()
