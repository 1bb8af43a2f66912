"""A process of its own that aligns recordings: the decoder holds the interpreter's lock for most of a second.

It also keeps a file that breaks a decoder from breaking the bot. Requests come on standard input and answers go to
standard output, each with its length before it; the end of the input, as when the bot is killed, ends the process.
"""

from __future__ import annotations

import select
import sys
from typing import BinaryIO

import msgspec

from adapters.pronunciation.protocol import Heard, Task

IDLE = 300.0
"""Seconds without work after which it gives its memory back."""


def read(stream: BinaryIO) -> bytes:
    """One message; empty at the end."""
    head = stream.read(4)
    return stream.read(int.from_bytes(head)) if len(head) == 4 else b""


def main() -> None:
    """Answer until the input ends, or nobody asked for long."""
    from adapters.pronunciation.aligning import Aligner  # noqa: PLC0415 - an extra; only this process needs it

    aligner: Aligner | None = None
    while select.select([sys.stdin], [], [], IDLE)[0]:
        body = read(sys.stdin.buffer)
        if not body:
            return
        try:
            aligner = aligner or Aligner()
            heard = aligner.hear(msgspec.msgpack.decode(body, type=Task))
        except ImportError:
            heard = Heard(problem="missing")
        answer = msgspec.msgpack.encode(heard)
        sys.stdout.buffer.write(len(answer).to_bytes(4) + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
