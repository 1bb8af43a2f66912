"""The process that workers are forked from, so that one starts in a fraction of a second: the imports are done.

Reads one JSON order per line from its standard input and says on its standard output what became of its children:
"born TOKEN PID", "ready PID", "gone PID STATUS", and after a SIGUSR1 to one of them "vitals PID TASKS SQLITE BLOCKS":
tasks of asyncio, bytes that SQLite holds, blocks of Python's. When its input ends, it goes, and all of them with it.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import sys
import traceback
from typing import NoReturn

import msgspec
import uvloop  # noqa: F401 - these only so that the children have them

import benchmarks.plugin  # noqa: F401
import bot.redis.buckets
import bot.redis.bus
import bot.store.postgres
import bot.store.sqlite  # noqa: F401
from bot.app import App
from bot.operations import log, serving
from bot.settings import LogSettings, Settings

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class Order(msgspec.Struct):
    """A worker to start."""

    token: str
    options: dict[str, str]
    log: str


def tell(*words: object) -> None:
    """Say a line, in one short write, so that those of several processes don't mix."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def work(order: Order) -> None:
    """Be a worker until told to stop."""
    settings = Settings.load(options=order.options)
    log.configure(settings.own(LogSettings, "log"), settings.secrets)
    app = App.build(settings, builtins=["benchmarks.plugin"], entry_points=False)

    async def ready() -> None:
        loop = asyncio.get_running_loop()

        def count() -> None:
            tell("vitals", os.getpid(), len(asyncio.all_tasks(loop)), _sqlite_bytes(), sys.getallocatedblocks())

        signal.signal(signal.SIGUSR1, lambda *_: loop.call_soon_threadsafe(count))
        tell("ready", os.getpid())

    serving.run(serving.serve(app, ready))


def _sqlite_bytes() -> int:
    """What SQLite has allocated, its page caches above all; 0 where its library can't be asked."""
    try:
        library = ctypes.CDLL("libsqlite3.so.0")
    except OSError:
        return 0
    library.sqlite3_memory_used.restype = ctypes.c_int64
    return int(library.sqlite3_memory_used())


def _child(order: Order) -> NoReturn:
    status = 1
    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        errors = os.open(order.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(errors, 2)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        work(order)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _reap(*_: object) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        tell("gone", pid, os.waitstatus_to_exitcode(status))


def main() -> None:
    """Fork whatever is ordered."""
    signal.signal(signal.SIGCHLD, _reap)
    # What is here stays as it is: a child that counted all of it would have to copy it first.
    gc.collect()
    gc.freeze()
    tell("open")
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=Order)
        pid = os.fork()
        if not pid:
            _child(order)
        tell("born", order.token, pid)


if __name__ == "__main__":
    main()
