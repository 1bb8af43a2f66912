"""The settings of tools (section `tools`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.settings import Section


class ToolSettings(Section):
    """Who answers, and how much may be asked.

    `models` are the tools that a language model answers unless the caller says otherwise. `rate` is calls a minute for
    each token, `together` engines at work at once in a process, `waiting` calls that may wait for one. `trusted` are
    origins that files may be fetched from and webhooks sent to although they are not public ("http://10.0.0.5:8080").
    """

    models: tuple[str, ...] = ()
    rate: Annotated[int, Field(ge=1, le=100_000)] = 120
    together: Annotated[int, Field(ge=1, le=64)] = 2
    waiting: Annotated[int, Field(ge=0, le=10_000)] = 32
    seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    max_upload: Annotated[int, Field(ge=1024, le=8 * 1024 * 1024)] = 5 * 1024 * 1024
    keep_results: Annotated[float, Field(ge=60)] = 24 * 3600.0
    keep_usage: Annotated[float, Field(ge=3600)] = 90 * 24 * 3600.0
    lease: Annotated[float, Field(ge=0.5, le=300)] = 10.0
    trusted: tuple[str, ...] = ()
