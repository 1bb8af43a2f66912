"""What stands on the terminal: lines above, and one line with the status and the prompt. Knows no conversation."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.text import Text

GONE = (OSError, ValueError)
"""What writing raises once nobody can see it: the line was cut, or the stream is closed."""

_CLEAR_LINE = "\r\x1b[K"


class Screen:
    """Prints above the prompt. Without a terminal (a pipe, a file) there are only lines."""

    def __init__(self, out: TextIO, prompt: str) -> None:
        self._console = Console(file=out, highlight=False, soft_wrap=True, emoji=False, markup=False)
        self._out = out
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")  # a terminal without emoji shows a question mark, not a traceback
        self._prompt = prompt
        self._status = ""
        self._asking = False

    @property
    def interactive(self) -> bool:
        """Whether somebody looks at it."""
        return self._console.is_terminal

    def show(self, text: Text) -> None:
        """Print lines; the prompt comes back below them. Raises one of GONE when there is no terminal any more."""
        self._clear()
        self._console.print(text)
        self._redraw()

    def status(self, text: str) -> None:
        """Show something fleeting before the prompt; "" takes it away. A terminal that is gone shows nothing."""
        with suppress(*GONE):
            if self.interactive and text != self._status:
                self._clear()
                self._status = text
                self._redraw()

    def ask(self) -> None:
        """Show the prompt from now on."""
        self._asking = True
        self._redraw()

    def close(self) -> None:
        """Leave the terminal with the cursor on a fresh line."""
        self._status = ""
        with suppress(*GONE):
            self._clear()
        self._asking = False

    def _clear(self) -> None:
        if self.interactive and (self._asking or self._status):
            self._out.write(_CLEAR_LINE)

    def _redraw(self) -> None:
        if self.interactive:
            line = Text()
            if self._status:
                room = max(10, self._console.width - len(self._prompt) - 4)
                line.append(self._status[-room:] + "  ", style="dim")
            if self._asking:
                line.append(self._prompt, style="bold")
            self._console.print(line, end="")
        self._out.flush()
