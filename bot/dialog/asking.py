"""How a question is put: to the journal first, then to the person. A form is one question, or one for each field.

Knows the run; the words and kinds of answers come ready made.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from bot.dialog.forms import FormLike, Invalid, Part, title_of
from bot.dialog.journal import UNASKED, Pending, Record, digest
from bot.dialog.likes import Like
from bot.dialog.run import Run
from bot.dialog.scope import Scope
from bot.dialog.stops import Question
from bot.replies import Button, Choice, Reply


def buttons(key: str, choices: tuple[Choice, ...]) -> tuple[Button, ...]:
    """Choices as offered under a reply's key: the same key and place is the same token, for ever (at most 40 bytes)."""
    mark = digest(key)
    return tuple(Button(token=f"{mark}.{i}", label=c.label, value=c.meaning) for i, c in enumerate(choices))


def _for(prompt: Reply, like: Like | None) -> Reply:
    """A question as it is shown for an answer of this kind."""
    return replace(prompt, free=like is not None, share_phone=like.share if like else "")


class Asking:
    """One `turn.ask`: `help` for whoever is stuck, and `timeout` seconds for each of its questions."""

    def __init__(self, run: Run, scope: Scope, *, help: str, timeout: float | None) -> None:
        self._run, self._scope, self._help, self._timeout = run, scope, help, timeout

    async def ask(self, prompt: Reply, like: Like | None, name: str, *, help: str = "") -> Any:
        """Ask one question; `like` None allows only its choices."""
        key = self._scope.key()
        name = name or (like.name if like else "choice")
        entry = self._claim(key, name)
        if entry is None:
            entry = await self._put(key, name, _for(prompt, like), like, help)
        return self._run.settle(entry, like.kind if like else str)

    async def fill_in(self, prompt: Reply, form: FormLike, name: str) -> Any:
        """Show a form; or, where there are none or the person types instead, ask one question after the other."""
        run, key = self._run, self._scope.key()
        name = name or form.name
        entry = self._claim(key, name)
        if entry is None and (run.host.forms or run.replaying):
            like = form.with_token(f"{digest(f'{run.frame.base}:{key}')}.form")
            shown = replace(prompt, form=like.shown(title_of(prompt.text), run.host.phrases.fill_in))
            entry = await self._put(key, name, shown, like, "")
        elif entry is None:
            # The journal says how it was asked, so that a replay does not depend on what the channel can do by then.
            entry = run.record("ask", key, name, outcome="typed", detail=UNASKED)
        filled = run.settle(entry, form.kind)
        if entry.outcome != "typed":
            return filled
        return await self._one_by_one(form, name, prompt if entry.detail == UNASKED else Reply())

    async def _one_by_one(self, form: FormLike, name: str, before: Reply) -> Any:
        answers: dict[str, object] = {}
        parts = form.parts
        while True:
            for part in parts:
                answers[part.field.name] = await self._part(part, name, before)
                before = Reply()
            try:
                return form.build(answers)
            except Invalid as problem:
                before = Reply(text=str(problem))
                parts = tuple(part for part in form.parts if part.field.name in problem.fields) or form.parts

    async def _part(self, part: Part, name: str, before: Reply) -> object:
        """One field's answer. `before` is said in the same breath."""
        await self._run.enter(self._scope)
        text = "\n\n".join(words for words in (before.text, part.prompt) if words)
        prompt = replace(before, text=text, choices=part.choices(self._run.host.phrases.skip))
        return part.chosen(await self.ask(prompt, part.alone(), f"{name}.{part.field.name}", help=part.field.hint))

    def _claim(self, key: str, name: str) -> Record | None:
        entry = self._run.claim("ask", key, name)
        if entry is None and self._run.cancelled:
            self._run.insist()
        return entry

    async def _put(self, key: str, name: str, prompt: Reply, like: Like | None, help: str) -> Record:
        """Ask the person; asked again after a restart, the question keeps its first deadline."""
        run = self._run
        offered = buttons(f"{run.frame.base}:{key}", prompt.choices)
        deadline = run.host.clock.now() + self._timeout if self._timeout is not None else 0.0
        if run.frame.pending:
            deadline = run.frame.pending.deadline
        question = Question(
            key=key, prompt=prompt, buttons=offered, like=like, help=help or self._help, deadline=deadline
        )
        pending = Pending(key=key, name=name, prompt=prompt, buttons=offered, deadline=deadline)
        return await run.ask(question, pending)
