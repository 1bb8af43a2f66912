"""Folders of prompts for tests: written from texts, loaded, or complained about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.clock import Clock, SystemClock
from bot.errors import PromptError
from bot.processes.bus import Bus
from bot.prompts import Prompts, Records

PLAIN = """---
version: 1
changed: The first one.
variables:
  shop: {type: text, default: our shop}
  knowledge: {type: sources, default: null}
  question: {type: said}
---
# role

You are the front desk of {{ shop }}.

# instructions

Be brief.

# history

# question

{% if knowledge %}
Found:
{{ knowledge }}
{% endif %}
{{ question }}
"""


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """The folder with these files in it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def loaded(
    folder: Path,
    files: Mapping[str, str],
    *,
    clock: Clock | None = None,
    records: Records | None = None,
    bus: Bus | None = None,
) -> Prompts:
    """The prompts of these files."""
    prompts = Prompts(clock or SystemClock(), records=records, bus=bus)
    prompts.load([written(folder, files)])
    return prompts


def problems(folder: Path, files: Mapping[str, str]) -> list[str]:
    """What is wrong with these files, with the folder's own path left out."""
    prompts = Prompts(SystemClock())
    try:
        prompts.load([written(folder, files)])
    except PromptError as wrong:
        return [problem.replace(f"{folder}/", "") for problem in wrong.problems]
    return []
