"""Whether we may write to somebody: what they said about it, and what follows. Knows no platform's words for it.

Nothing is sent to who opted out until they opt in again; to who blocked us, until they write. The store holds every
send to it, whoever speaks.
"""

from __future__ import annotations

from bot.messages import Consent, Due
from bot.phrases import Phrases
from bot.store.contract import DeskCall
from bot.turns.work import Work


def consents(work: Work, phrases: Phrases) -> bool:
    """Whether the message is about that; then it is dealt with, and nobody answers it."""
    content, silence = work.message.content, work.conversation.silence
    if not isinstance(content, Consent):
        if silence == "blocked" and not isinstance(content, Due):
            work.silence("")  # who has blocked us can't write
        return False
    if content.on:
        _on(work, content, phrases)
    elif silence in ("", "blocked") and silence != content.why:
        _off(work, content, phrases)
    else:
        work.trace.decided = "wants to hear nothing, as before"
    return True


def _on(work: Work, content: Consent, phrases: Phrases) -> None:
    silence = work.conversation.silence
    if not silence or (silence == "opted_out" and content.why == "blocked"):
        work.trace.decided = "may be written to, as before" if not silence else "let us in again, but has opted out"
        return
    work.trace.decided = "may be written to again"
    work.silence("", content.word)
    _tell_agent(work, "They want to hear from us again, so your messages are delivered.")
    if content.why == "opted_out" and work.channel.capabilities.confirms_consent:
        work.notice(f"opted_in.{work.claim.n}", phrases.opted_in)


def _off(work: Work, content: Consent, phrases: Phrases) -> None:
    opted_out = content.why == "opted_out"
    work.trace.decided = "opted out" if opted_out else "blocked the bot"
    work.silence(content.why, content.word)
    did = "opted out" if opted_out else "blocked us"
    _tell_agent(work, f"They have {did}: nothing is delivered to them from now on.")
    if opted_out and work.channel.capabilities.confirms_consent:
        work.notice(f"opted_out.{work.claim.n}", phrases.opted_out, always=True)


def _tell_agent(work: Work, text: str) -> None:
    """Whoever talks to them should know that they talk to nobody."""
    case = work.conversation.case
    if case and work.conversation.owner != "bot":
        work.call(f"{case}:consent.{work.claim.n}", DeskCall(kind="note", case=case, text=text))
