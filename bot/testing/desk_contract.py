"""What every desk must pass. Subclass DeskContract, play one agent at your helpdesk, and let pytest run it:

    class TestMyDesk(DeskContract):
        def make(self, folder: Path) -> Office:
            return MyOffice(folder)

This file has what every desk does, whatever it can do. The checks are `async def`: tests/conftest.py shows how to run
those.
"""

# ruff: noqa: S101  # asserting is what a conformance suite does

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from bot.channel import Entry
from bot.desk import AgentClosed, AgentReplied, AgentTook, DeskEvent, Ref
from bot.errors import SendError
from bot.testing.channel_kit import HOSTILE, soon
from bot.testing.desk_kit import DeskSuite, Shift
from bot.testing.desk_proofs import DeskProofContract


class TellingContract(DeskSuite):
    """What the bot tells a helpdesk arrives there once, however often it is told."""

    async def test_a_case_brings_what_an_agent_needs(self, tmp_path: Path) -> None:
        """The summary and the person's words are there when the case is opened."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            shown = "\n".join(await shift.office.shows(ref))
            assert "The lamp came with a cracked shade." in shown
            assert "My lamp is broken (c1)" in shown
            assert await shift.office.is_open(ref)

    async def test_a_case_is_opened_once_per_key(self, tmp_path: Path) -> None:
        """The same key gives the same case, also at the same moment and after a restart."""
        async with self.opened(tmp_path) as shift:
            case = shift.case()
            refs = await asyncio.gather(*(shift.desk.open(case, "key-1") for _ in range(3)))
            await shift.restart()
            refs.append(await shift.desk.open(case, "key-1"))
            assert len(set(refs)) == 1
            assert await shift.office.tickets() == 1

    async def test_other_keys_are_other_cases(self, tmp_path: Path) -> None:
        """Two handoffs are two cases, even of one conversation."""
        async with self.opened(tmp_path) as shift:
            refs = [await shift.open("key-1"), await shift.open("key-2"), await shift.open("key-3", "c2")]
            assert len(set(refs)) == 3
            assert await shift.office.tickets() == 3

    async def test_a_line_is_added_once_per_key(self, tmp_path: Path) -> None:
        """Appending again with the same key, after a restart too, adds nothing; lines keep their order."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            entries = [shift.core.say("c1", "user", f"line number {number}") for number in range(1, 4)]
            for entry in entries:
                await shift.desk.append(ref, entry, f"key-of-{entry.seq}")
            await shift.desk.append(ref, entries[0], f"key-of-{entries[0].seq}")
            await shift.restart()
            await shift.desk.append(ref, entries[1], f"key-of-{entries[1].seq}")
            shown = "\n".join(await shift.office.shows(ref))
            assert [shown.count(f"line number {number}") for number in range(1, 4)] == [1, 1, 1]
            assert shown.index("line number 1") < shown.index("line number 2") < shown.index("line number 3")

    async def test_a_note_is_added_once_per_key(self, tmp_path: Path) -> None:
        """The same note with the same key is one note; the same words with another key are two."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            for key in ("n1", "n1", "n2"):
                await shift.desk.note(ref, "not delivered", key)
            await shift.restart()
            await shift.desk.note(ref, "not delivered", "n2")
            assert "\n".join(await shift.office.shows(ref)).count("not delivered") == 2

    async def test_a_case_is_closed_once(self, tmp_path: Path) -> None:
        """Closing twice, and after a restart, is like closing once."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.desk.close(ref, "the person came back", "k1")
            shown = await shift.office.shows(ref)
            await shift.desk.close(ref, "the person came back", "k1")
            await shift.restart()
            await shift.desk.close(ref, "the person came back", "k1")
            assert not await shift.office.is_open(ref)
            assert await shift.office.shows(ref) == shown

    async def test_a_restart_keeps_everything(self, tmp_path: Path) -> None:
        """Another process finds the case, its lines, its notes and its events."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.append(ref, "it is blue", "a1")
            await shift.desk.note(ref, "a private thing", "n1")
            await shift.office.says(ref, "I see")
            shown, fetched = await shift.office.shows(ref), await shift.desk.fetch(ref, "")
            await shift.restart()
            assert await shift.office.shows(ref) == shown
            assert await shift.desk.fetch(ref, "") == fetched
            assert await shift.office.is_open(ref)

    async def test_a_helpdesk_that_fails_ends_in_a_send_error(self, tmp_path: Path) -> None:
        """Nothing but Rejected, RateLimited, NotSent and UnknownOutcome comes out, and the next try does it once."""
        async with self.opened(tmp_path) as shift:
            ref, line = await shift.open(), shift.core.say("c1", "user", "are you there?")
            calls: Sequence[Callable[[], Awaitable[object]]] = [
                lambda: shift.desk.open(shift.case("c9"), "key-9"),
                lambda: shift.desk.append(ref, line, "a1"),
                lambda: shift.desk.note(ref, "a note of ours", "n1"),
                lambda: shift.desk.close(ref, "gone", "k1"),
            ]
            for call in calls:
                if not await shift.office.break_off():
                    pytest.skip(f"nothing between {shift.desk.name} and its agents can fail")
                with pytest.raises(SendError):
                    await call()
                await shift.office.mend()
                await call()
            shown = "\n".join(await shift.office.shows(ref))
            assert (shown.count("are you there?"), shown.count("a note of ours")) == (1, 1)
            assert await shift.office.tickets() == 2

    async def test_an_unknown_case_is_refused(self, tmp_path: Path) -> None:
        """A ref that the helpdesk never gave ends in a SendError, and makes nothing."""
        async with self.opened(tmp_path) as shift:
            await shift.open()
            for id in ("999999", "", "-1", "../1", "x" * 5_000, "٣", "\ud800", "1 OR 1=1"):
                entry, ref = shift.core.say("c1", "user", "hello"), Ref(id=id)
                with pytest.raises(SendError):
                    await shift.desk.append(ref, entry, "a1")
                with pytest.raises(SendError):
                    await shift.desk.note(ref, "a note", "n1")
                with pytest.raises(SendError):
                    await shift.desk.close(ref, "gone", "k1")
            assert await shift.office.tickets() == 1

    async def test_hostile_words_raise_nothing_else(self, tmp_path: Path) -> None:
        """Whatever people write is shown or refused, and the next line still arrives."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            for number, (what, text) in enumerate(HOSTILE.items()):
                try:
                    await _tells_everything(shift, ref, text, str(number))
                except SendError:
                    pass
                except Exception as error:
                    raise AssertionError(f"{what}: {error!r}") from error
            await shift.append(ref, "still there?", "the last")
            assert "still there?" in "\n".join(await shift.office.shows(ref))


class HearingContract(DeskSuite):
    """What agents do reaches the core: every public word, once it can be stored, and nothing else."""

    async def test_an_answer_reaches_the_core(self, tmp_path: Path) -> None:
        """Word for word, with the case it belongs to and who said it."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.office.says(ref, "Grüße, a new lamp is on its way 🙂")
            (said,) = [event for event in shift.core.events(ref) if isinstance(event, AgentReplied)]
            assert said.text == "Grüße, a new lamp is on its way 🙂"
            assert said.event_id
            assert said.agent.id
            assert said.agent.name

    async def test_events_belong_to_their_case_and_have_their_own_ids(self, tmp_path: Path) -> None:
        """Two agents' words in two cases, the same words twice, and words after a restart: all different events."""
        async with self.opened(tmp_path) as shift:
            first, second = await shift.open("key-1", "c1"), await shift.open("key-2", "c2")
            await shift.office.says(first, "hello")
            await shift.office.says(first, "hello")
            await shift.office.says(second, "hello")
            await shift.restart()
            await shift.office.says(second, "hello")
            assert await soon(lambda: len(shift.core.replies(second)) == 2)
            assert shift.core.replies(first) == ["hello", "hello"]
            ids = [event.event_id for event in shift.core.stored]
            assert len(set(ids)) == len(ids)
            assert {event.ref for event in shift.core.stored} == {first, second}

    async def test_only_public_words_of_people_are_answers(self, tmp_path: Path) -> None:
        """Notes of ours and of agents, and everything that we appended, never become an AgentReplied."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.desk.note(ref, "a note of ours", "n1")
            await shift.office.says(ref, "one moment")
            await shift.office.notes(ref, "difficult customer")
            for source in ("user", "bot", "agent", "system"):
                await shift.append(ref, f"a line by the {source}", f"key-{source}", source=source)
            await shift.office.later()
            await shift.office.says(ref, "thank you")
            fetched, _ = await shift.desk.fetch(ref, "")
            assert shift.core.replies(ref) == ["one moment", "thank you"]
            assert [event.text for event in fetched if isinstance(event, AgentReplied)] == ["one moment", "thank you"]

    async def test_what_we_do_is_not_told_back(self, tmp_path: Path) -> None:
        """Opening, appending, noting, signalling and closing on our side are no events of an agent."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.append(ref, "hello?", "a1")
            await shift.desk.note(ref, "a note", "n1")
            await shift.desk.signal(ref, typing=True)
            await shift.desk.close(ref, "the person came back", "k1")
            await shift.office.later()
            assert shift.core.offered == []
            assert (await shift.desk.fetch(ref, ""))[0] == []

    async def test_closing_reaches_the_core(self, tmp_path: Path) -> None:
        """The agent is done: one AgentClosed, behind what they said."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.office.says(ref, "goodbye")
            await shift.office.closes(ref)
            kinds = [type(event) for event in shift.core.events(ref) if not isinstance(event, AgentTook)]
            assert kinds == [AgentReplied, AgentClosed]
            assert not await shift.office.is_open(ref)

    async def test_what_the_core_could_not_store_comes_again(self, tmp_path: Path) -> None:
        """With a full disk nothing is lost: the events come again, in order, and count once."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.office.says(ref, "one moment")
            shift.core.deaf = True
            speaking = asyncio.ensure_future(_both(shift, ref))
            assert await soon(lambda: shift.core.refused > 0)
            assert shift.core.replies(ref) == ["one moment"]
            shift.core.deaf = False
            assert await soon(lambda: _heard(shift, ref, 3))
            await asyncio.gather(speaking, return_exceptions=True)
            assert shift.core.replies(ref) == ["one moment", "first", "second"]

    async def test_what_was_not_stored_before_a_restart_comes_again(self, tmp_path: Path) -> None:
        """An agent's words outlive a process that could not pass them on."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.office.says(ref, "one moment")
            shift.core.deaf = True
            speaking = asyncio.ensure_future(shift.office.says(ref, "are you still there?"))
            assert await soon(lambda: shift.core.refused > 0)
            speaking.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.wait({speaking}, timeout=0.2)
            speaking.cancel()
            await shift.desk.stop()
            await shift.office.disconnect()
            shift.core.deaf = False
            shift.desk = await shift.office.build()
            await shift.start()
            await asyncio.gather(speaking, return_exceptions=True)
            assert await soon(lambda: _heard(shift, ref, 2))
            assert shift.core.replies(ref) == ["one moment", "are you still there?"]

    async def test_hostile_words_of_an_agent_do_no_harm(self, tmp_path: Path) -> None:
        """Each is taken or refused by the helpdesk; what is taken can be written as JSON, and the next still comes."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            taken = [text for text in HOSTILE.values() if await shift.office.says(ref, text)]
            assert await shift.office.says(ref, "the last")
            assert len(shift.core.replies(ref)) == len(taken) + 1
            assert shift.core.replies(ref)[-1] == "the last"
            for event in shift.core.events(ref):
                assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event

    async def test_fetch_yields_what_was_told(self, tmp_path: Path) -> None:
        """From the beginning it is everything; from a cursor it is what came after, and only of that case."""
        async with self.opened(tmp_path) as shift:
            ref, other = await shift.open("key-1", "c1"), await shift.open("key-2", "c2")
            assert (await shift.desk.fetch(ref, ""))[0] == []
            await shift.office.says(ref, "first")
            await shift.office.says(other, "elsewhere")
            events, cursor = await shift.desk.fetch(ref, "")
            assert events == shift.core.events(ref)
            assert "first" in _words(events)
            again, cursor = await shift.desk.fetch(ref, cursor)
            assert again == []
            await shift.office.says(ref, "second")
            news, _ = await shift.desk.fetch(ref, cursor)
            assert _words(news) == ["second"]
            assert [event.event_id for event in news] == [
                event.event_id for event in shift.core.events(ref)[-len(news) :]
            ]
            assert (await shift.desk.fetch(ref, ""))[0] == shift.core.events(ref)

    async def test_fetch_has_what_the_core_never_heard(self, tmp_path: Path) -> None:
        """A lost webhook loses no answer: it can be fetched, as the very event that was not taken."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.office.says(ref, "one moment")
            shift.core.deaf = True
            speaking = asyncio.ensure_future(shift.office.says(ref, "can you hear me?"))

            async def there() -> bool:
                return "can you hear me?" in _words((await shift.desk.fetch(ref, ""))[0])

            fetched = await soon(there)
            shift.core.deaf = False
            await soon(lambda: _heard(shift, ref, 2))
            await asyncio.gather(speaking, return_exceptions=True)
            assert fetched
            assert (await shift.desk.fetch(ref, ""))[0] == shift.core.events(ref)


class DeskContract(TellingContract, HearingContract, DeskProofContract):
    """Everything."""


def _words(events: list[DeskEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, AgentReplied)]


async def _both(shift: Shift, ref: Ref) -> None:
    """The agent says two things, whether or not the first one gets through."""
    first = asyncio.ensure_future(shift.office.says(ref, "first"))
    await asyncio.wait({first}, timeout=0.2)
    await shift.office.says(ref, "second")
    await first


async def _heard(shift: Shift, ref: Ref, count: int) -> bool:
    await shift.office.later()
    return len(shift.core.replies(ref)) >= count


async def _tells_everything(shift: Shift, ref: Ref, text: str, key: str) -> None:
    await shift.append(ref, text, f"a{key}")
    await shift.desk.note(ref, text, f"n{key}")
    plain = shift.case(f"hostile-{key}")
    person = replace(plain.person, name=text[:200], email=text[:200])
    line = Entry(seq=99, source="user", at=0.0, text=text)
    case = replace(plain, person=person, reason=text, summary=text, transcript=(line,), facts={text[:50]: text})
    other = await shift.desk.open(case, f"hostile-{key}")
    await shift.desk.close(other, text, f"k{key}")
