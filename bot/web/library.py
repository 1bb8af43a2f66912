"""What aiohttp itself says of requests: for what strangers wrote wrong a line and no traceback. Knows no route."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping

import structlog
from aiohttp import web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

STRANGERS = (HttpProcessingError, ClientPayloadError, web.RequestPayloadError)
"""What aiohttp raises where bytes are not what they say they are: a broken Content-Encoding, a body cut short."""

QUIET = 60.0
"""Seconds between two lines about the same kind; how many there were stands in the next one."""

log = structlog.get_logger()


class LibraryLog(logging.Logger):
    """aiohttp's logger. Whatever is not a stranger's fault goes where its own would have gone."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        super().__init__("aiohttp.server")
        self.parent = logging.getLogger()
        self._steady = steady
        self._told: dict[str, tuple[float, int]] = {}

    def exception(
        self,
        msg: object,
        *args: object,
        exc_info: object = True,
        stack_info: bool = False,
        stacklevel: int = 1,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Log an exception, which aiohttp gives or is just handling."""
        error = exc_info if isinstance(exc_info, BaseException) else sys.exc_info()[1]
        if not isinstance(error, STRANGERS):
            self.error(msg, *args, exc_info=error or True)
            return
        kind = type(error.__cause__ or error).__name__
        until, times = self._told.get(kind, (0.0, 0))
        if self._steady() < until:
            self._told[kind] = (until, times + 1)
            return
        self._told[kind] = (self._steady() + QUIET, 0)
        log.warning("request_unreadable", kind=kind, more_before=times)
