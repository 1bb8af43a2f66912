"""What `python run.py chat` sets about the terminal."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from bot import Section
from channels.terminal.profiles import profile


def _known(name: str) -> str:
    return profile(name).name


class TerminalSettings(Section):
    """Settings under `terminal:`: who talks, and which channel is rehearsed."""

    person: str = "you"
    channel: Annotated[str, AfterValidator(_known)] = "web"
