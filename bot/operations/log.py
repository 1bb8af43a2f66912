"""Logging: key=value with colours on a terminal, JSON elsewhere; never the text of messages, never a secret.

Everybody else just calls `structlog.get_logger()`; only the command line calls `configure`.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Collection
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from bot.services import short
from bot.settings import LogSettings

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
HIDDEN = "[hidden]"
SHORTEST_SECRET = 6  # shorter values (a test's "x") would tear holes into every line


class Redactor:
    """Hides secrets by their value, wherever in an event they stand. The set may grow later."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = secrets
        self._known = -1
        self._words: list[str] = []
        self._pattern: re.Pattern[str] | None = None

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        """The structlog processor."""
        if len(self._secrets) != self._known:
            self._known = len(self._secrets)
            long = (secret for secret in self._secrets if len(secret) >= SHORTEST_SECRET)
            words = self._words = sorted(long, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, words))) if words else None
        if self._pattern is not None and self._suspects(event):
            for key, value in event.items():
                event[key] = self._clean(value)
        return event

    def _suspects(self, event: EventDict) -> bool:
        """Whether there may be one in it. Hardly any line has one, and a pattern is slow at finding nothing."""
        plain = []
        for value in event.values():
            if isinstance(value, str):
                plain.append(value)
            elif not isinstance(value, (bool, int, float, type(None))):
                return True
        together = "\n".join(plain)
        return any(word in together for word in self._words)

    def _clean(self, value: object) -> object:
        if self._pattern is None or isinstance(value, (bool, int, float, type(None))):
            return value
        if isinstance(value, str):
            return self._pattern.sub(HIDDEN, value)
        if isinstance(value, dict):
            return {self._clean(key): self._clean(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(inner) for inner in value]
        return self._pattern.sub(HIDDEN, str(value))


class _Forward(logging.Handler):
    """Gives the libraries' records to structlog, so that they are formed and cleaned like ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Forward one record."""
        logger = structlog.get_logger(record.name)
        logger.log(record.levelno, "library", logger=record.name, say=record.getMessage(), exc_info=record.exc_info)


def configure(settings: LogSettings, secrets: Collection[str], stream: TextIO | None = None) -> None:
    """Set up logging for this process; `secrets` is looked at again whenever it has grown."""
    stream = stream or sys.stderr
    on_terminal = stream.isatty()
    as_text = settings.format == "text" or (settings.format == "auto" and on_terminal)
    last: Processor = structlog.dev.ConsoleRenderer(colors=on_terminal, pad_event_to=24) if as_text else _as_json
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if as_text else "iso", utc=not as_text),
            _failure,
            Redactor(secrets),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[settings.level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(logging.WARNING)


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode("utf-8", "replace")


def _failure(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """An exception as its kind and its path through the code. Its words may quote a person, so they are masked."""
    given: Any = event.pop("exc_info", None)
    if not given:
        return event
    error: BaseException | None
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exc_info()[1]
    if error is not None:
        event["error"] = f"{type(error).__name__}: {masked(str(error))}"
        event["at"] = " < ".join(_frames(error.__traceback__))
    return event


def _frames(trace: TracebackType | None) -> list[str]:
    """The innermost frames first, eight at most."""
    frames = traceback.extract_tb(trace)[::-1][:8]
    return [f"{short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def masked(words: str) -> str:
    """Without what may be somebody's own words: quoted parts, addresses, numbers of four digits and more."""
    words = re.sub(r"'[^']*'|\"[^\"]*\"|«[^»]*(?:»|\Z)|“[^”]*(?:”|\Z)", "'…'", words)
    words = re.sub(r"(?<![^\s@])[^\s@]++@[^\s@]+", "…@…", words)
    return re.sub(r"\d{4,}", "…", words)[:300]
