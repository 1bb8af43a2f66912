"""Writes a new skill with its passing test. Knows where skills live, and no skill."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from bot.errors import StartError

TEMPLATES = Path(__file__).parent
FILES = {
    "skills/{name}/__init__.py": "package.txt",
    "skills/{name}/skill.py": "skill.txt",
    "tests/skills/{name}/test_skill.py": "test.txt",
}


def new_skill(name: str, root: Path) -> list[Path]:
    """Write the files of a skill called `name` below `root`; they are there when this returns.

    Raises StartError, having written nothing, when the name can't be used or is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name) or keyword.iskeyword(name):
        raise StartError(f"A skill's name is one word of a-z, 0-9 and _, like `opening_hours`; {name!r} is not.")
    files = {root / place.format(name=name): TEMPLATES / template for place, template in FILES.items()}
    for file in files:
        if file.exists():
            raise StartError(f"{file.relative_to(root)} is there already; choose another name.")
    for file, template in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        text = template.read_text(encoding="utf-8")
        file.write_text(text.replace("NAME", name).replace("WORDS", name.replace("_", " ")), encoding="utf-8")
    return list(files)
