"""The peers' environments, made on demand: `python -m benchmarks.peers.install`.

One for each, as somebody who installs it alone has it: nonebot2 brings aiodns, with which an aiohttp session costs
290 us instead of 12, and slack-bolt makes one for each reply. What can't be installed is reported by name.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "var" / "peers"


class NotInstalled(Exception):
    """A peer that this machine can't have, and why."""


def python_of(packages: Sequence[str]) -> Path:
    """The interpreter of an environment with these packages, made when it is not there yet."""
    folder = FOLDER / re.split(r"[\[=<>]", packages[0])[0]
    record, python = folder / "installed.json", folder / "bin" / "python"
    if record.exists() and json.loads(record.read_text()) == list(packages):
        return python
    print(f"installing {' '.join(packages)}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    words = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise NotInstalled(lines[-1] if lines else f"pip ended with {done.returncode}")
    record.write_text(json.dumps(list(packages)))
    return python


def main() -> None:
    """Install all of them."""
    from benchmarks.peers.catalogue import ENTRIES  # noqa: PLC0415 - only this command needs it

    absent = 0
    for packages in sorted({entry.packages for entry in ENTRIES.values() if entry.packages}):
        try:
            python_of(packages)
        except NotInstalled as problem:
            absent += 1
            print(f"absent: {packages[0]}: {problem}")
    sys.exit(1 if absent else 0)


if __name__ == "__main__":
    main()
