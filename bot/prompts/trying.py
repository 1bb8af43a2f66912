"""Runs the tests of prompts: against recorded answers or a live model, and against the last version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from bot.errors import FrontdeskError, PromptMisused
from bot.messages import Value
from bot.ports.llm import Answer, Ask, Llm
from bot.prompts.cases import Case, cases_of
from bot.prompts.expecting import check, leak, parsed
from bot.prompts.library import Versions
from bot.prompts.private import visible
from bot.prompts.prompt import Prompt
from bot.prompts.prompts import Prompts
from bot.prompts.recordings import Recorded, Recordings, digest, path_of, read_recordings, write_recordings
from bot.prompts.rendering import Rendered

JUDGE = "judge/answer"

Compared = Literal["", "worse", "better"]


class Result(Value, frozen=True):
    """One case in one version. `wrong` says what is wrong with the answer; `missing` why there is none."""

    case: str
    wrong: tuple[str, ...] = ()
    missing: str = ""
    answer: str = ""
    model: str = ""
    weak: str = ""
    compared: Compared = ""

    @property
    def ok(self) -> bool:
        """Whether everything is as expected."""
        return not self.wrong and not self.missing


class Tried(Value, frozen=True):
    """All cases of one version; `before` is the version that it was compared with, or 0."""

    prompt: str
    before: int
    results: tuple[Result, ...]

    @property
    def failed(self) -> bool:
        """Whether it may not go on like this: a case fails or got worse, and not for a reason that is known."""
        return any((not result.ok and not result.weak) or result.compared == "worse" for result in self.results)


class Trial:
    """A run over prompts. With a `model`, answers are asked for anew and recorded; without, they are replayed."""

    def __init__(self, prompts: Prompts, *, model: Llm | None = None) -> None:
        self._prompts, self._model = prompts, model
        self._path, self._recordings = Path(), Recordings()
        self._judged: set[str] = set()

    async def run(self, names: Sequence[str] = ()) -> list[Tried]:
        """Try the versions that somebody gets, or could; raises PromptError for cases that can't be read."""
        for name in names:
            self._prompts.versions(name)
        found = {name: cases for name, cases in cases_of(self._prompts.library).items() if cases}
        wanted = [name for name in found if not names or name in names]
        return [tried for name in wanted for tried in await self._one(self._prompts.versions(name), found[name])]

    async def _one(self, versions: Versions, cases: Sequence[Case]) -> list[Tried]:
        self._path = path_of(versions)
        self._recordings, self._judged = read_recordings(self._path), set()
        current = [version for version in sorted(versions.known) if version >= versions.main]
        tried = [await self._version(versions, version, cases) for version in current]
        if self._model is not None:
            kept = set(versions.known) | {self._recordings.before(versions.main)}
            self._recordings.prune({case.name for case in cases}, kept, self._judged)
            write_recordings(self._path, self._recordings)
        return tried

    async def _version(self, versions: Versions, version: int, cases: Sequence[Case]) -> Tried:
        before = self._recordings.before(version)
        results = []
        for case in cases:
            result = await self._case(versions.known[version], case)
            earlier = await self._earlier(versions, before, case)
            if earlier is not None and not result.missing and earlier != result.ok:
                compared: Compared = "worse" if earlier else "better"
                result = Result(
                    case=result.case,
                    wrong=result.wrong,
                    answer=result.answer,
                    model=result.model,
                    weak=result.weak,
                    compared=compared,
                )
            results.append(result)
        return Tried(prompt=versions.known[version].id, before=before, results=tuple(results))

    async def _case(self, prompt: Prompt, case: Case) -> Result:
        try:
            rendered = await self._prompts.fill(
                prompt, case.values, history=case.history, room=case.room, language=case.language
            )
        except PromptMisused as problem:
            return Result(case=case.name, missing=str(problem), weak=case.weak)
        recorded = await self._answer(prompt, case, rendered.ask())
        if isinstance(recorded, str):
            return Result(case=case.name, missing=recorded, weak=case.weak)
        answer = visible(recorded.answer)
        wrong = await self._wrong(case, prompt, answer, rendered)
        return Result(case=case.name, wrong=wrong, answer=answer, model=recorded.model, weak=case.weak)

    async def _answer(self, prompt: Prompt, case: Case, ask: Ask) -> Recorded | str:
        """The answer to a case, or why there is none."""
        asked = digest(ask)
        if self._model is None:
            recorded = self._recordings.answer(case.name, prompt.version)
            if recorded is None:
                return "no answer is recorded: python run.py test-prompts --live"
            if recorded.asked != asked:
                return "the answer was recorded for another text; raise the version and record anew with --live"
            return recorded
        try:
            answer = await self._model.complete(ask)
        except FrontdeskError as problem:
            return f"the model gave no answer ({type(problem).__name__})"
        recorded = Recorded(asked=asked, answer=answer.text, model=_who(answer))
        self._recordings.keep(case.name, prompt.version, recorded)
        # At once: whoever breaks off a long run keeps what was paid for.
        write_recordings(self._path, self._recordings)
        return recorded

    async def _wrong(self, case: Case, prompt: Prompt, answer: str, rendered: Rendered | None) -> tuple[str, ...]:
        wrong = [problem for expected in case.expect if (problem := check(expected, answer, prompt.schema))]
        for expected in case.expect:
            if expected.judged and (problem := await self._judge(case, answer, expected.judged)):
                wrong.append(problem)
        system = [line.text for line in rendered.lines if line.role == "system"] if rendered is not None else []
        if not case.may_leak and (told := leak(answer, "\n".join(system))):
            wrong.append(f'gives the instructions away: "{told}"')
        return tuple(wrong)

    async def _judge(self, case: Case, answer: str, wanted: str) -> str:
        """What the judge has against an answer."""
        asked_for = case.values.get("question", "")
        question = asked_for if isinstance(asked_for, str) else getattr(asked_for, "text", "")
        values: dict[str, object] = {"question": question, "answer": answer, "criterion": wanted}
        main = self._prompts.versions(JUDGE)
        ask = (await self._prompts.fill(main.known[main.main], values)).ask()
        key = digest(ask)
        self._judged.add(key)
        verdict = self._recordings.verdicts.get(key)
        if verdict is None and self._model is not None:
            try:
                said = await self._model.complete(ask)
            except FrontdeskError as problem:
                return f"the judge gave no answer ({type(problem).__name__})"
            verdict = self._recordings.verdicts[key] = Recorded(asked=key, answer=said.text, model=_who(said))
        if verdict is None:
            return f"nobody has judged whether it {wanted[:1].lower()}{wanted[1:].rstrip('.')}; record with --live"
        try:
            found = parsed(visible(verdict.answer))
            passes = json.dumps(found["passes"]) == "true"
        except (ValueError, KeyError, TypeError):
            return "the judge's verdict can't be read"
        return "" if passes else f"judged: not so: {wanted} ({found.get('why', '')})"

    async def _earlier(self, versions: Versions, before: int, case: Case) -> bool | None:
        """Whether the recorded answer of an earlier version is as expected; None where there is none."""
        recorded = self._recordings.answer(case.name, before)
        if recorded is None:
            return None
        prompt = versions.known.get(before, versions.known[versions.main])
        return not await self._wrong(case, prompt, visible(recorded.answer), None)


def told(tried: Sequence[Tried], *, answers: bool = False) -> str:
    """The results as text; with `answers`, also what was answered where all is well."""
    lines: list[str] = []
    for one in tried:
        lines.append(one.prompt + (f"   (compared with @{one.before})" if one.before else ""))
        for result in one.results:
            lines.append(f"  {_mark(result):<7} {result.case}")
            lines += [f"          {problem}" for problem in (*result.wrong, result.missing) if problem]
            if result.weak and not result.ok:
                lines.append(f"          known: {result.weak}")
            if result.answer and (answers or not result.ok):
                lines += [f"          | {line}" for line in result.answer.splitlines()]
        lines.append("")
    return "\n".join([*lines, _summed(tried)])


def _mark(result: Result) -> str:
    if result.compared == "worse":
        return "WORSE"
    if not result.ok:
        return "weak" if result.weak else "FAILED"
    return "better" if result.compared == "better" else "ok"


def _summed(tried: Sequence[Tried]) -> str:
    results = [result for one in tried for result in one.results]
    if not results:
        return "There are no cases: write <name>.cases.yaml beside a prompt, see docs/prompts.md."
    good = sum(result.ok for result in results)
    worse = sum(result.compared == "worse" for result in results)
    better = sum(result.compared == "better" for result in results)
    models = sorted({result.model for result in results if result.model})
    compared = f", {worse} worse and {better} better than in the version before" if worse or better else ""
    return f"{good} of {len(results)} cases as expected{compared}. Answers by {', '.join(models) or 'nobody'}."


def _who(answer: Answer) -> str:
    return answer.model or answer.provider or answer.rung
