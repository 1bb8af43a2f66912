"""What is wrong with a form that somebody is about to send, told before it is stored. Changes nothing.

The type behind the form says it, where the handler that asked waits in this process's memory; elsewhere the fields say
it as they were shown, and what only the type refuses is said by the turn. Knows the store only to look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import structlog

from bot.clock import Clock
from bot.dialog.fields import problems
from bot.dialog.forms import FormLike
from bot.dialog.journal import load
from bot.messages import Message, Submitted
from bot.people import conversation_id
from bot.replies import Form
from bot.store.database import Database
from bot.store.lookback import state_of

log = structlog.get_logger()

Open = Callable[[str, str], FormLike | None]
"""The form that is open in a conversation under a token, where it is in memory."""


async def check(message: Message, opened: Open, database: Database, clock: Clock) -> Mapping[str, str]:
    """The problems by the names of fields, as plain sentences; none for a form that is not open any more."""
    content = message.content
    if not isinstance(content, Submitted):
        return {}
    conversation = conversation_id(message.tenant, message.address)
    like = opened(conversation, content.token)
    if like is None:
        form = await _asked(database, conversation, content.token)
        return problems(form, content.values, clock.now()) if form is not None else {}
    try:
        return like.problems(content.values, clock.now())
    except Exception:
        # A mistake in the author's own type: it belongs to the turn, which knows what to do about it.
        log.exception("form_not_checked", conversation=conversation)
        return {}


async def _asked(database: Database, conversation: str, token: str) -> Form | None:
    """The form as the waiting question shows it."""
    try:
        lane = load(await state_of(database, conversation))
    except msgspec.MsgspecError:
        return None
    pending = lane.top.pending if lane.top else None
    form = pending.prompt.form if pending else None
    return form if form is not None and form.token == token else None
