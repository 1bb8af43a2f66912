"""Reads one file of a prompt: text in, a Prompt out, and each mistake with file, line and fix. Touches no disk."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field

from bot.ports.models import Params
from bot.prompts import frontmatter
from bot.prompts.frontmatter import FrontMatter, Lines, VariantMatter
from bot.prompts.prompt import QUESTION, BodyPart, Example, Hints, PartName, Prompt, Variable
from bot.prompts.template import Templates, Wrong
from bot.settings import did_you_mean

PARTS: tuple[PartName, ...] = typing.get_args(PartName)
PLACES = ("examples", "history")
"""Parts without words of their own: they say where something is put."""

_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t]*$", re.MULTILINE)
_VARIABLE = re.compile(r"[a-z][a-z0-9_]*")


class ExampleMatter(BaseModel):
    """An example in its file."""

    model_config = ConfigDict(extra="forbid")

    said: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class ExamplesFile(BaseModel):
    """The file of examples beside a prompt."""

    model_config = ConfigDict(extra="forbid")

    examples: tuple[ExampleMatter, ...]


class Reader:
    """Reads files; what is wrong with them is in `problems`."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self.problems: list[str] = []

    def prompt(self, name: str, file: str, text: str) -> Prompt | None:
        """A prompt's own file."""
        matter, body, first = frontmatter.split(text)
        if not first:
            self._say(file, 1, "a prompt begins with its front matter: `---`, `version: 1`, `changed: ...`, `---`")
            return None
        known, lines = frontmatter.read(matter, FrontMatter, file, self.problems)
        parts = self._parts(body, first, file)
        if known is None or parts is None:
            return None
        prompt = Prompt(
            name=name,
            version=known.version,
            changed=known.changed,
            file=file,
            body=parts,
            variables=tuple(self._variables(known, lines, file)),
            sections=known.sections,
            hints=_hints(known),
            schema=known.answer,
            reasoning=known.reasoning,
            language=known.language.lower(),
            share=known.share,
            most_examples=known.examples.most,
            like=known.examples.like,
        )
        self._sections(prompt, lines)
        self._names(prompt, parts, file, whole=True)
        return prompt

    def variant(self, prompt: Prompt, language: str, file: str, text: str) -> Prompt:
        """The prompt with its body in another language."""
        matter, body, first = frontmatter.split(text)
        if not first:
            self._say(
                file, 1, f"begins with front matter that says whose it is: `---`, `version: {prompt.version}`, `---`"
            )
            return prompt
        known, lines = frontmatter.read(matter, VariantMatter, file, self.problems)
        parts = self._parts(body, first, file)
        if known is None or parts is None:
            return prompt
        if known.version != prompt.version:
            line = lines.get("version", 2)
            self._say(
                file, line, f"version: is {known.version}, but {prompt.file} is {prompt.version}; translate it anew"
            )
        if [part.name for part in parts] != [part.name for part in prompt.body]:
            wanted = ", ".join(f"# {part.name}" for part in prompt.body)
            self._say(file, first, f"should have the same parts as {prompt.file}, in order: {wanted}")
        self._names(prompt, parts, file, whole=False)
        return replace(prompt, variants={**prompt.variants, language.lower(): parts})

    def examples(self, file: str, text: str) -> tuple[Example, ...]:
        """The file of examples."""
        known, _ = frontmatter.read(text, ExamplesFile, file, self.problems, first=1)
        return tuple(Example(said=one.said, answer=one.answer) for one in known.examples) if known else ()

    # --- inside

    def _say(self, file: str, line: int, what: str) -> None:
        self.problems.append(f"{file} line {line}: {what}")

    def _parts(self, body: str, first: int, file: str) -> tuple[BodyPart, ...] | None:
        """The body, cut at its headings before anything is filled in: no value can begin a part."""
        before = len(self.problems)
        cuts = list(_HEADING.finditer(body))
        head = body[: cuts[0].start()] if cuts else body
        if head.strip():
            line = first + head[: len(head) - len(head.lstrip())].count("\n")
            self._say(file, line, "stands before the first part; put `# instructions` above it")
        parts: list[BodyPart] = []
        ends = [*(cut.start() for cut in cuts[1:]), len(body)] if cuts else []
        for cut, end in zip(cuts, ends, strict=True):
            line = first + body[: cut.start()].count("\n")
            name, text = cut[1], body[cut.end() + 1 : end]
            if name not in PARTS:
                hint = did_you_mean(name, PARTS) or f"; there is {', '.join(PARTS)}"
                self._say(file, line, f"# {name}: there is no such part{hint}. Headings inside a part begin with ##")
            elif any(part.name == name for part in parts):
                self._say(file, line, f"# {name}: stands there already; keep one")
            else:
                if name in PLACES and text.strip():
                    self._say(file, line + 1, f"# {name} has no words of its own: it says where they are put")
                parts.append(BodyPart(name=typing.cast(PartName, name), text=text, line=line + 1))
        order = [PARTS.index(part.name) for part in parts]
        if order != sorted(order):
            self._say(file, first, f"the parts should be in this order: {', '.join(f'# {part}' for part in PARTS)}")
        if not cuts and not head.strip():
            self._say(file, first, "there is no text; write at least `# instructions` and what to do")
        elif not any(part.name in ("instructions", "question") for part in parts) and len(self.problems) == before:
            self._say(file, first, "there is neither `# instructions` nor `# question`: the model would read nothing")
        return tuple(parts) if len(self.problems) == before else None

    def _variables(self, known: FrontMatter, lines: Lines, file: str) -> list[Variable]:
        found = []
        for name, variable in known.variables.items():
            line = lines.get(f"variables.{name}", 2)
            if not _VARIABLE.fullmatch(name):
                self._say(file, line, f"variables.{name}: names are small letters, digits and _")
            default, kind = variable.default, variable.type
            fits = {"number": isinstance(default, float | int), "flag": isinstance(default, bool)}
            if default is not None and not fits.get(kind, isinstance(default, str)):
                wanted = {"number": "a number", "flag": "true or false"}.get(kind, "text; put it in quotes")
                self._say(file, line, f"variables.{name}.default: should be {wanted}")
            needed = "default" not in variable.model_fields_set
            found.append(Variable(name=name, kind=kind, default=default, needed=needed, line=line))
        return found

    def _sections(self, prompt: Prompt, lines: Lines) -> None:
        """Budgets and examples are of something that is there."""
        known = [variable.name for variable in prompt.variables if variable.kind in ("said", "sources")]
        known += [part.name for part in prompt.body if part.name != QUESTION]
        for name in prompt.sections:
            if name not in known:
                line = lines.get(f"sections.{name}", 2)
                self._say(
                    prompt.file, line, f"sections.{name}: is no part and no said or sources{did_you_mean(name, known)}"
                )
        names = [variable.name for variable in prompt.variables]
        if any(part.name == "examples" for part in prompt.body) and prompt.like not in names:
            line = lines.get("examples.like", lines.get("examples", 2))
            self._say(
                prompt.file, line, f"examples.like: {prompt.like} is no variable{did_you_mean(prompt.like, names)}"
            )
        for variable in prompt.variables:
            if variable.name == QUESTION and variable.kind != "said":
                self._say(prompt.file, variable.line, f"variables.{QUESTION}.type: should be said: a person said it")

    def _names(self, prompt: Prompt, parts: Sequence[BodyPart], file: str, *, whole: bool) -> None:
        """Every name in the body is declared, and everything that is declared stands in the body."""
        declared = {variable.name: variable for variable in prompt.variables}
        used: set[str] = set()
        for part in parts:
            names = self._templates.names(part.text)
            if isinstance(names, Wrong):
                self._say(
                    file, part.line + names.line - 1, f"{names.what}; docs/prompts.md shows what a template can do"
                )
                return
            used |= names.keys()
            for name, line in names.items():
                if name not in declared:
                    hint = did_you_mean(name, declared) or "; declare it under variables"
                    self._say(file, part.line + line - 1, f"{{{{ {name} }}}} is no variable of this prompt{hint}")
                elif part.name in ("role", "instructions") and declared[name].kind in ("said", "sources"):
                    where = part.line + line - 1
                    self._say(
                        file,
                        where,
                        f"{{{{ {name} }}}} is what others said; put it into # question, not into # {part.name}",
                    )
        for name, variable in declared.items():
            if whole and name not in used and name != prompt.like:
                self._say(file, variable.line, f"variables.{name}: is not used; remove it, or write {{{{ {name} }}}}")


def _hints(known: FrontMatter) -> Hints:
    model = known.model
    params = Params(
        max_tokens=model.max_tokens,
        temperature=model.temperature,
        top_p=model.top_p,
        seed=model.seed,
        stop=model.stop,
    )
    return Hints(needs=model.needs, quality=model.quality, deadline=model.deadline, cache=model.cache, params=params)


def sample(prompt: Prompt, *, full: bool) -> Mapping[str, object]:
    """Values to try a prompt with: everything there, or only what is needed."""
    texts: dict[str, object] = {"text": "text", "number": 1.0, "said": "text", "sources": "text"}
    values: dict[str, object] = {}
    for variable in prompt.variables:
        if variable.kind == "flag":
            values[variable.name] = full
        elif full or variable.needed:
            values[variable.name] = texts[variable.kind]
    return values
