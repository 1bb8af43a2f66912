"""Starts one peer: `python -m benchmarks.peers.serve NAME --port N --sink URL --home DIR`, in the peers' environment.

Each is imported only when it is asked for, so that none carries another.
"""

from __future__ import annotations

import argparse
import importlib
import os
import threading
from pathlib import Path
from types import ModuleType


def leave_with_parent() -> None:
    """End when whoever started us has ended, however: their end of our standard input closes then."""

    def wait() -> None:
        os.read(0, 1)  # not sys.stdin: its lock would be held when the interpreter shuts down
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Read the options and serve."""
    leave_with_parent()
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("name")
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--sink", required=True)
    options.add_argument("--home", type=Path, required=True)
    options.add_argument("--core", type=int, default=-1, help="run on this core only")
    options.add_argument("--bystanders", type=int, default=0, help="so many listeners that never match")
    chosen = options.parse_args()
    os.dup2(2, 1)  # what they print goes to the log: nobody reads our standard output
    if chosen.core >= 0:
        os.sched_setaffinity(0, {chosen.core})
    port, sink, home = chosen.port, chosen.sink, chosen.home
    match chosen.name:
        case "bolt":
            _peer("bolt").serve(port, sink, chosen.bystanders)
        case "ptb" | "ptb-concurrent":
            _peer("ptb").serve(port, sink, concurrent=chosen.name == "ptb-concurrent")
        case "nonebot":
            _peer("nonebot_telegram").serve(port, sink, driver="~fastapi+~aiohttp")
        case "nonebot-httpx":
            _peer("nonebot_telegram").serve(port, sink, driver="~fastapi+~httpx+~websockets")
        case "agents":
            _peer("agents").serve(port, sink, home)
        case "opsdroid":
            _peer("opsdroid_slack").serve(port, sink, home)
        case unknown:
            options.error(f"no such peer: {unknown}")


def _peer(name: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.peers.{name}")


if __name__ == "__main__":
    main()
