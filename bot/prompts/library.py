"""All prompts of some folders, read at once: `<task>/<name>.md` and what stands beside it. Fills nothing in.

answer/shop.md               what everybody gets
answer/shop.de.md            the same, in German
answer/shop@4.md             another version: an older one to go back to, or a newer one with a `share`
answer/shop.examples.yaml    examples; shop@4.examples.yaml for another version's own
answer/shop.cases.yaml       its tests, and shop.recorded.json their recorded answers (see cases.py)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from bot.context.measure import Count
from bot.errors import PromptMisused
from bot.messages import Value
from bot.prompts.prompt import Prompt
from bot.prompts.reading import Reader, sample
from bot.prompts.rendering import Filling
from bot.prompts.template import Templates
from bot.services import short
from bot.settings import did_you_mean

_FILE = re.compile(
    r"(?P<name>[a-z][a-z0-9_-]*)(?:@(?P<version>[1-9][0-9]*))?(?:\.(?P<language>[A-Za-z]{2,3}(?:-\w+)*))?\.md"
)
_BESIDE = re.compile(r"[a-z][a-z0-9_-]*(@[1-9][0-9]*)?\.(examples\.yaml|cases\.yaml|recorded\.json)")
_TASK = re.compile(r"[a-z][a-z0-9_]*")
_ROOMY = 1_000_000


class Versions(Value, frozen=True):
    """One prompt in its versions. `main` is the one in the file without a version in its name."""

    name: str
    main: int
    known: Mapping[int, Prompt]
    folder: str

    @property
    def shares(self) -> dict[int, float]:
        """The versions that some people get, with their percentages; the rest is the main one's."""
        return {version: prompt.share for version, prompt in sorted(self.known.items()) if prompt.share is not None}


Library = Mapping[str, Versions]


def read_library(folders: Sequence[Path], templates: Templates, count: Count) -> tuple[dict[str, Versions], list[str]]:
    """The prompts, by name, and every mistake in them. A later folder's prompt takes an earlier one's place."""
    library: dict[str, Versions] = {}
    problems: list[str] = []
    for folder in folders:
        for task in sorted(folder.iterdir()) if folder.is_dir() else ():
            if task.name.startswith(".") or not task.is_dir():
                continue
            if not _TASK.fullmatch(task.name):
                problems.append(f"{short(str(task))}: a folder here is named after a task: small letters, digits and _")
                continue
            library |= _Task(task, templates, count, problems).read()
    return library, problems


class _Task:
    """The folder of one task."""

    def __init__(self, folder: Path, templates: Templates, count: Count, problems: list[str]) -> None:
        self._folder, self._problems, self._count = folder, problems, count
        self._reader = Reader(templates)
        self._reader.problems = problems
        self._templates = templates
        self._bodies: dict[tuple[str, str], Path] = {}
        self._variants: list[tuple[str, str, str, Path]] = []

    def read(self) -> dict[str, Versions]:
        for path in sorted(self._folder.iterdir()):
            if path.name.startswith(".") or _BESIDE.fullmatch(path.name):
                continue
            found = _FILE.fullmatch(path.name)
            if found is None:
                self._problems.append(
                    f"{short(str(path))}: is no prompt; its name should be like shop.md or shop@4.de.md"
                )
            elif found["language"]:
                self._variants.append((found["name"], found["version"] or "", found["language"], path))
            else:
                self._bodies[found["name"], found["version"] or ""] = path
        self._strays()
        names = sorted({name for name, _ in self._bodies})
        return {versions.name: versions for name in names if (versions := self._versions(name)) is not None}

    def _strays(self) -> None:
        """Files beside a prompt that is not there."""
        names = {name for name, _ in self._bodies}
        for name, version, _, path in self._variants:
            if (name, version) not in self._bodies:
                body = f"{name}@{version}.md" if version else f"{name}.md"
                self._problems.append(f"{short(str(path))}: translates {body}, which is not there")
        for path in sorted(self._folder.iterdir()):
            name = path.name.partition(".")[0].partition("@")[0]
            if _BESIDE.fullmatch(path.name) and name not in names:
                hint = did_you_mean(name, names)
                self._problems.append(f"{short(str(path))}: belongs to {name}.md, which is not there{hint}")

    def _versions(self, name: str) -> Versions | None:
        main: Prompt | None = None
        known: dict[int, Prompt] = {}
        for (other, version), path in sorted(self._bodies.items()):
            prompt = self._prompt(name, version, path) if other == name else None
            if prompt is None:
                continue
            if prompt.version in known:
                self._say(prompt, f"version: {known[prompt.version].file} is version {prompt.version} too; raise one")
                continue
            known[prompt.version] = prompt
            if version:
                if int(version) != prompt.version:
                    self._say(prompt, f"version: is {prompt.version}, but the file's name says {version}")
            else:
                main = prompt
                if prompt.share is not None:
                    self._say(prompt, "share: this file gets whatever others leave; give the share to the other one")
        if main is None:
            if (name, "") not in self._bodies:
                self._problems.append(f"{short(str(self._folder))}: {name}@...md needs a {name}.md, for everybody else")
            return None
        versions = Versions(name=main.name, main=main.version, known=known, folder=str(self._folder))
        if sum(versions.shares.values()) > 100:
            self._say(
                main, f"share: the shares of its versions come to {sum(versions.shares.values()):g}, more than 100"
            )
        return versions

    def _prompt(self, name: str, version: str, path: Path) -> Prompt | None:
        """One version with its languages and examples, tried out."""
        text = self._text(path)
        before = len(self._problems)
        prompt = (
            self._reader.prompt(f"{self._folder.name}/{name}", short(str(path)), text) if text is not None else None
        )
        if prompt is None:
            return None
        for other, of, language, variant in self._variants:
            translated = self._text(variant) if (other, of) == (name, version) else None
            if translated is not None:
                prompt = self._reader.variant(prompt, language, short(str(variant)), translated)
        own, shared = (self._folder / f"{one}.examples.yaml" for one in (f"{name}@{version}", name))
        file = own if version and own.is_file() else shared
        wants = any(part.name == "examples" for part in prompt.body)
        written = self._text(file) if file.is_file() else None
        if written is not None and wants:
            prompt = replace(prompt, examples=self._reader.examples(short(str(file)), written))
        elif wants:
            self._say(prompt, f"# examples: there are none; write them into {short(str(shared))}, or remove the part")
        elif written is not None and file == own:
            self._say(prompt, f"{own.name} is never shown; say where with `# examples`")
        if len(self._problems) == before:
            self._try(prompt)
        return prompt

    def _try(self, prompt: Prompt) -> None:
        """Fill it in once with everything and once with as little as can be, in all its languages."""
        for language in ("", *prompt.variants):
            for full in (True, False):
                filling = Filling(prompt, self._templates, self._count, language)
                try:
                    rendered = filling.render(sample(prompt, full=full), room=_ROOMY)
                except PromptMisused as problem:
                    if str(problem) not in self._problems:
                        self._problems.append(str(problem))
                    return
                for part in ("role", "instructions"):
                    most = prompt.sections.get(part)
                    cost = self._count(rendered.lines[0].text) if rendered.lines else 0
                    if most is not None and cost > most:
                        self._say(prompt, f"sections.{part}: the system line has {cost} tokens, more than {most}")
                        return

    def _say(self, prompt: Prompt, what: str) -> None:
        # The key that the sentence begins with may stand in the front matter.
        key = what.partition(":")[0].rpartition(".")[2]
        path = Path(prompt.file)
        self._problems.append(f"{prompt.file} line {_line_of(key, self._text(path) or '')}: {what}")

    def _text(self, path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8").replace("\r\n", "\n").removeprefix("\ufeff")
        except UnicodeDecodeError:
            self._problems.append(f"{short(str(path))}: is not UTF-8 text; save it as UTF-8")
        except OSError as error:
            self._problems.append(f"{short(str(path))}: can't be read ({error.strerror or error})")
        return None


def _line_of(key: str, text: str) -> int:
    """The line on which a key (or a part) first stands."""
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(rf"\s*{re.escape(key)}\b", line):
            return number
    return 1
