"""Every error that Frontdesk raises, in one tree. Vendor errors are wrapped into these once, at the edge.

FrontdeskError
├── StartError               something is wrong before the first message: say what, where and the fix
│   ├── SettingsError            one or more settings are wrong; lists all of them
│   ├── PluginError              a plugin could not be loaded
│   ├── PortMissing              a handler asks for a port that nobody provides
│   └── PromptError              one or more files of prompts are wrong; lists all of them
├── StoreError               the database refused
│   ├── Fenced                   another worker owns this lane now; nothing was written
│   └── StoreUnavailable         full, locked or gone; the platform should deliver again
├── SendError                a message did not surely arrive
│   ├── Rejected                 the platform said no, for good: it was surely not sent
│   ├── RateLimited              the platform said later: it was surely not sent
│   ├── NotSent                  the platform was not reached: it was surely not sent
│   └── UnknownOutcome           it may have been sent: reconcile before trying again
├── DialogError              a handler broke a rule of durable dialogs
│   ├── Misuse                   turn.* was used in a way that can't be replayed
│   └── CodeChanged              the journal no longer fits the handler's code
├── StepFailed               a step failed for good, live and on replay alike
├── AskTimeout               nobody answered in time
├── Interrupted              an at-most-once step was cut off; its outcome is unknown
├── ModelError               an attempt at a language model failed; the class says what follows
│   ├── ModelBusy                overloaded, limited, broken or not reached: another attempt may work
│   ├── QuotaSpent               no credit left at this provider
│   ├── AuthFailed               the key is wrong: an operator has to act
│   ├── BadInquiry               the provider can't take this request; another one may
│   ├── ContentRefused           a filter refused the words, and will again
│   └── StreamBroken             the answer stopped in the middle
├── NoAnswer                 no model, cache or engine could answer in time
├── Misfit                   a model's JSON did not fit what was asked for
├── ToolError                a tool gave no answer; the text is a sentence for whoever called it
│   ├── UnknownTool              there is no tool of this name
│   ├── BadArguments             what was given is wrong, or can't be read; lists all of it
│   ├── ToolMissing              the package behind an engine is not installed, or not the one that was measured
│   └── ToolBusy                 too much is asked at once, or it took too long: try again later
├── PromptMisused            a prompt that is not there, or values that it can't take
└── Refused                  a port says no for a reason that a person should hear
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal


class FrontdeskError(Exception):
    """Something that Frontdesk itself raises."""


class StartError(FrontdeskError):
    """The bot can't start; the text says what is wrong and how to mend it."""


class SettingsError(StartError):
    """One or more settings are wrong; `problems` has a line for each, with the key and the fix."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("Settings need attention:\n" + "\n".join(f"  - {problem}" for problem in problems))


class PluginError(StartError):
    """A plugin could not be loaded; the text names its file, the line and the fix."""


class PortMissing(StartError):
    """A handler asks for a port that no adapter provides."""


class PromptError(StartError):
    """One or more files of prompts are wrong; `problems` has a line for each, with file, line and fix."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("Prompts need attention:\n" + "\n".join(f"  - {problem}" for problem in problems))


class StoreError(FrontdeskError):
    """The database refused."""


class Fenced(StoreError):
    """Another worker owns the lane now, or the turn was already committed; nothing was written."""


class StoreUnavailable(StoreError):
    """The database is full, locked or gone; whoever delivers should deliver again later."""


class SendError(FrontdeskError):
    """A message did not surely arrive."""


class Rejected(SendError):
    """The platform refused for good; it was surely not sent.

    With `silence` ("opted_out", "blocked") nothing more can be sent to this person.
    """

    def __init__(self, problem: str, *, silence: Literal["", "opted_out", "blocked"] = "") -> None:
        self.silence = silence
        super().__init__(problem)


class RateLimited(SendError):
    """The platform wants us to wait `retry_after` seconds; it was surely not sent.

    `account` says that the whole account has to, not only this conversation.
    """

    def __init__(self, retry_after: float, *, account: bool = False) -> None:
        self.retry_after, self.account = retry_after, account
        super().__init__(f"retry after {retry_after:g} s")


class NotSent(SendError):
    """The platform was not reached; it was surely not sent and may be tried again."""


class UnknownOutcome(SendError):
    """It may or may not have been sent (time-out, reset, 5xx): reconcile before trying again."""


class DialogError(FrontdeskError):
    """A handler broke a rule of durable dialogs."""


class Misuse(DialogError):
    """`turn.*` was used in a way that can't be replayed; the text names the rule."""


class CodeChanged(DialogError):
    """The journal no longer fits the handler's code."""


class StepFailed(FrontdeskError):
    """The step `name` failed for good; raised alike the first time and on every replay."""

    def __init__(self, name: str, message: str) -> None:
        self.name, self.message = name, message
        super().__init__(f"{name}: {message}")


class AskTimeout(FrontdeskError):
    """Nobody answered the question before its deadline."""


class Interrupted(FrontdeskError):
    """An at-most-once step was cut off by a crash; nobody knows whether it happened."""


class Refused(FrontdeskError):
    """A port says no for a reason that the person should hear; the text is a sentence to say."""


class ModelError(FrontdeskError):
    """An attempt failed; the class says what follows from it. The text names no key and no person's words."""


class ModelBusy(ModelError):
    """Overloaded, rate limited or broken for now (429, 5xx, no connection, time-out): another attempt may work.

    `retry_after` is how many seconds the provider asked us to wait, or None.
    """

    def __init__(self, problem: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(problem)


class QuotaSpent(ModelError):
    """The account has no credit left: none of its models will answer until somebody pays."""


class AuthFailed(ModelError):
    """The key is wrong or may not use the model: an operator has to act."""


class BadInquiry(ModelError):
    """The provider can't take this very request (400, 404, 422): another model may.

    `too_long` says that it does not fit the context; `no_such_model` that the provider does not have the model.
    """

    def __init__(self, problem: str, *, too_long: bool = False, no_such_model: bool = False) -> None:
        self.too_long, self.no_such_model = too_long, no_such_model
        super().__init__(problem)


class ContentRefused(ModelError):
    """The provider's filter refused the words: the same words will be refused again."""


class StreamBroken(ModelError):
    """The answer stopped in the middle, or a piece of it could not be read."""


class NoAnswer(FrontdeskError):
    """No model, cache or engine could answer in time; `sentence` is an honest one for the person.

    `spent` says that a budget stands in the way, `refused` that a filter refused the words, `person` that a human agent
    should take over. A handler that lets it pass ends with the sentence.
    """

    def __init__(
        self, problem: str, *, sentence: str, spent: bool = False, refused: bool = False, person: bool = False
    ) -> None:
        self.sentence, self.spent, self.refused, self.person = sentence, spent, refused, person
        super().__init__(problem)


class Misfit(FrontdeskError):
    """A model's JSON did not fit what was asked for, after one attempt to mend it; the text says where."""


class NotForModels(FrontdeskError):
    """A file is of a kind that models can't be given; the text says which they can."""


class ToolError(FrontdeskError):
    """A tool gave no answer. The text never repeats what it was given (but for ToolRefused), so it may be logged."""


class UnknownTool(ToolError):
    """There is no tool of this name; the text names the nearest one."""


class BadArguments(ToolError):
    """What a tool was given is wrong; `problems` has a line for each mistake.

    With `unreadable` the arguments are of the right form, and what they carry is not: a picture that is none, a word
    that the engine does not know.
    """

    def __init__(self, problems: Sequence[str], *, unreadable: bool = False) -> None:
        self.problems, self.unreadable = tuple(problems), unreadable
        super().__init__(" ".join(problems))


class ToolMissing(ToolError):
    """The package behind an engine is not installed, or is not the one that was measured; the text names the fix."""


class ToolRefused(ToolError):
    """A skill's tool says no; the text is a sentence for whoever called, and may have somebody's words in it."""


class ToolBusy(ToolError):
    """Too much is asked at once, or it took too long; `retry_after` is in seconds."""

    def __init__(self, problem: str, *, retry_after: float = 5.0) -> None:
        self.retry_after = retry_after
        super().__init__(problem)


class PromptMisused(FrontdeskError):
    """A prompt was asked for that is not there, or with values or room that it can't take; the text names it."""


class Cancelled(asyncio.CancelledError):
    """The person said "cancel" at a question; clean up with steps and says, then return."""


class Evicted(asyncio.CancelledError):
    """The engine takes a waiting handler out of memory; it will be replayed when needed. Never catch it."""
