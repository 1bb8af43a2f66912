"""The part of the store's conformance suite about messages and turns. Run it through store_contract.StoreContract."""

# ruff: noqa: S101  # asserting is what a conformance suite does

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.channel import Accepted
from bot.errors import Fenced
from bot.messages import Media, Message, Sender, Text
from bot.store.contract import Claim, OwnerChange
from bot.testing.store_kit import CHAT, NOW, StoreSuite, answer, but, message, reply, result, take


class InboxContract(StoreSuite):
    """Messages are stored once, in order, and never refused for what they say."""

    async def test_a_message_is_stored_and_claimed_as_it_was(self, tmp_path: Path) -> None:
        sent = message(
            "e1", Text(text="ünïcödé 🦆", media=(Media(url="/f/1", size=3),)), sender=Sender(id="u", name="Ann")
        )
        async with self.opened(tmp_path) as store:
            assert await store.put(sent, NOW) == Accepted(conversation=CHAT, seq=1)
            claim = await take(store)
        assert (claim.n, claim.seq, claim.attempts, claim.rev, claim.state) == (1, 1, 1, 0, b"")
        assert claim.message == sent
        assert claim.conversation.address == sent.address
        assert claim.conversation.person.name == "Ann"

    async def test_the_same_event_answers_the_same_and_changes_nothing(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e0"), NOW)
            first = await store.put(message("e1"), NOW)
            again = await store.put(message("e1", "other words"), NOW + 5)
            elsewhere = await store.put(message("e1", chat="2"), NOW)
            assert (again.conversation, again.seq, again.duplicate) == (first.conversation, first.seq, True)
            assert (elsewhere.conversation, elsewhere.seq, elsewhere.duplicate) == (first.conversation, first.seq, True)
            assert (await store.put(message("e2"), NOW)).seq == first.seq + 1
            assert len(await store.claim("worker", 10, 30.0, NOW)) == 1

    async def test_event_ids_are_apart_for_each_tenant_and_account(self, tmp_path: Path) -> None:
        one = message("e1")
        other = Message(event_id="e1", address=one.address, sender=one.sender, content=one.content, at=NOW, tenant="t2")
        async with self.opened(tmp_path) as store:
            assert not (await store.put(one, NOW)).duplicate
            assert not (await store.put(other, NOW)).duplicate

    async def test_numbers_have_no_gaps_when_many_write_at_once(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            puts = [store.put(message(f"e{i % 300}", f"{i}", chat=str(i % 4)), NOW) for i in range(400)]
            accepted = await asyncio.gather(*puts)
            assert sum(each.duplicate for each in accepted) == 100
            seen: dict[str, list[int]] = {}
            while claims := await store.claim("worker", 10, 30.0, NOW):
                for claim in claims:
                    following: Claim | None = claim
                    while following is not None:
                        seen.setdefault(following.conversation.id, []).append(following.n)
                        following = (await store.commit(result(following))).next
        assert {tuple(numbers) for numbers in seen.values()} == {tuple(range(1, 76))}
        assert len(seen) == 4

    async def test_strange_text_is_kept_or_mended_and_never_refused(self, tmp_path: Path) -> None:
        strange = "nul \x00 lone \ud800 end"
        odd = message("e\ud800", strange, sender=Sender(id="u\udfff", name="\ud800"))
        async with self.opened(tmp_path) as store:
            assert not (await store.put(odd, NOW)).duplicate
            assert (await store.put(odd, NOW)).duplicate
            assert not (await store.put(message("e\ud801", "\x00"), NOW)).duplicate
            claim = await take(store)
            assert claim.message.text == "nul \x00 lone \ufffd end"
            committed = await store.commit(result(claim, reply("a", strange)))
            await store.mark_failed(committed.rows[0], "failed", strange)
            found = [entry.text for entry in await store.history(CHAT)]
        assert found == ["nul \x00 lone \ufffd end", "\x00"]

    async def test_a_million_characters_are_stored(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1", "x" * 1_000_000), NOW)
            assert len((await take(store)).message.text) == 1_000_000

    async def test_people_are_remembered_by_what_is_given(self, tmp_path: Path) -> None:
        def said_by(event: str, sender: Sender) -> Message:
            return message(event, sender=sender)

        async with self.opened(tmp_path) as store:
            await store.put(said_by("e1", Sender(id="u", name="Ann", phone="+1", verified=True)), NOW)
            await store.put(said_by("e2", Sender(id="u", language="de")), NOW)
            await store.put(said_by("e3", Sender(id="u", name="Anne", phone="+666")), NOW)
            person = (await take(store)).conversation.person
        assert (person.name, person.language, person.phone, person.verified) == ("Anne", "de", "+1", True)

    async def test_a_turn_belongs_to_whoever_said_it(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1", sender=Sender(id="a", name="Ann")), NOW)
            await store.put(message("e2", sender=Sender(id="b", name="Bob")), NOW)
            first = await take(store)
            second = (await store.commit(result(first))).next
            assert second is not None
            assert (first.conversation.person.name, second.conversation.person.name) == ("Ann", "Bob")

    async def test_everything_is_there_after_a_restart(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await answer(store, "e1", reply("a"))
            await store.put(message("e2"), NOW)
        async with self.opened(tmp_path) as store:
            assert (await store.put(message("e2"), NOW)).duplicate
            assert [row.outgoing.key for row in await store.unsent()] == ["a"]
            assert (await take(store)).n == 2


class LaneContract(StoreSuite):
    """Turns of a conversation go one after another, to one worker at a time."""

    async def test_a_claimed_turn_is_not_given_twice(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            await store.put(message("e2"), NOW)
            first = await take(store)
            assert await store.claim("other", 5, 30.0, NOW + 29) == []
            again = await take(store, NOW + 31)
            assert (again.n, again.attempts, again.epoch) == (1, 2, first.epoch + 1)

    async def test_the_oldest_lane_comes_first(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            for chat in ("3", "1", "2"):
                await store.put(message(f"e{chat}", chat=chat), NOW + float(chat))
            claims = await store.claim("worker", 2, 30.0, NOW + 9)
            assert [claim.conversation.address.chat for claim in claims] == ["1", "2"]

    async def test_tenants_take_turns(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            for number in range(20):
                await store.put(but(message(f"e{number}", chat=f"{number}"), tenant="big"), NOW)
            await store.put(but(message("a", chat="a"), tenant="small"), NOW + 5)
            await store.put(but(message("b", chat="b"), tenant="tiny"), NOW + 5)
            claims = await store.claim("worker", 4, 30.0, NOW + 9)
            assert sorted(claim.conversation.tenant for claim in claims) == ["big", "big", "small", "tiny"]
            rest = await store.claim("worker", 100, 30.0, NOW + 9)
            assert len(rest) == 18

    async def test_a_name_is_held_by_one_worker(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            assert await store.hold("polling", "a", 30.0, NOW)
            assert not await store.hold("polling", "b", 30.0, NOW + 29)
            assert await store.hold("other", "b", 30.0, NOW)
            assert await store.hold("polling", "a", 30.0, NOW + 20)
            assert not await store.hold("polling", "b", 30.0, NOW + 49)
            assert await store.hold("polling", "b", 30.0, NOW + 51)
            assert not await store.hold("polling", "a", 30.0, NOW + 52)
            await store.let_go("polling", "a")
            assert not await store.hold("polling", "a", 30.0, NOW + 53)
            await store.let_go("polling", "b")
            assert await store.hold("polling", "a", 30.0, NOW + 53)

    async def test_a_late_commit_writes_nothing(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            late = await take(store)
            current = await take(store, NOW + 31)
            with pytest.raises(Fenced):
                await store.commit(result(late, reply("late")))
            assert await store.unsent() == []
            await store.commit(result(current, reply("good")))
            with pytest.raises(Fenced):
                await store.commit(result(current, reply("twice")))
            assert [row.outgoing.key for row in await store.unsent()] == ["good"]

    async def test_a_flush_in_the_middle_keeps_the_turn_and_its_rev_counts(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            claim = await take(store)
            flushed = await store.commit(result(claim, reply("a"), done=False))
            assert (flushed.rev, flushed.next) == (1, None)
            with pytest.raises(Fenced):
                await store.commit(result(claim, reply("b")))
            done = await store.commit(result(claim, reply("a"), reply("b"), rev=flushed.rev))
            assert [row.outgoing.key for row in done.rows] == ["b"]
            assert await store.claim("worker", 1, 30.0, NOW + 99) == []

    async def test_a_turn_is_read_again_while_it_is_ours(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            claim = await take(store)
            assert await store.reread(claim) == claim
            await store.commit(but(result(claim, done=False), state=b"{}"))
            assert await store.reread(claim) == but(claim, rev=1, state=b"{}")
            later = await take(store, NOW + 31)
            assert await store.reread(claim) is None
            await store.commit(result(later))
            assert await store.reread(later) is None

    async def test_the_next_turn_comes_with_the_commit_or_is_free(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            for event in ("e1", "e2", "e3"):
                await store.put(message(event), NOW)
            first = await take(store)
            second = (await store.commit(result(first))).next
            assert second is not None
            assert (second.n, second.attempts, second.epoch) == (2, 1, first.epoch)
            assert await store.claim("other", 1, 30.0, NOW) == []
            free = await store.commit(but(result(second), keep=False))
            assert free.next is None
            assert (await take(store)).n == 3

    async def test_attempts_count_claims_of_this_turn_only(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            await store.put(message("e2"), NOW)
            claim = await take(store)
            assert await store.retry(claim, NOW, pause=10.0)
            with pytest.raises(Fenced):
                await store.commit(result(claim))
            assert await store.renew([claim], 30.0, NOW) == [False]
            assert await store.claim("worker", 1, 30.0, NOW + 9) == []
            assert await store.next_due() == NOW + 10
            claim = await take(store, NOW + 10)
            assert claim.attempts == 2
            assert await store.retry(claim, NOW + 10, counts=False)
            assert not await store.retry(claim, NOW + 10)
            claim = await take(store, NOW + 10)
            assert claim.attempts == 2
            following = (await store.commit(result(claim))).next
            assert following is not None
            assert following.attempts == 1

    async def test_a_renewed_turn_stays(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            await store.put(message("e2", chat="2"), NOW)
            claims = await store.claim("worker", 2, 30.0, NOW)
            assert await store.renew([], 30.0, NOW + 20) == []
            assert await store.renew(claims, 30.0, NOW + 20) == [True, True]
            assert await store.claim("other", 1, 30.0, NOW + 40) == []
            (late,) = await store.claim("other", 1, 30.0, NOW + 51)
            kept = [claim.conversation != late.conversation for claim in claims]
            assert await store.renew(claims, 30.0, NOW + 52) == kept

    async def test_a_parked_turn_is_kept_and_the_lane_goes_on(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1", "poison"), NOW)
            await store.put(message("e2"), NOW)
            claim = await take(store)
            done = await store.commit(but(result(claim, reply("sorry")), parked="ZeroDivisionError"))
            assert done.next is not None
            (letter,) = await store.dead_letters()
            assert (letter.n, letter.error, letter.message.text) == (1, "ZeroDivisionError", "poison")

    async def test_state_comes_back_with_the_next_turn(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            await store.commit(but(result(await take(store)), state=b'{"a":1}'))
            await store.put(message("e2"), NOW)
            claim = await take(store)
            assert claim.state == b'{"a":1}'
            await store.commit(result(claim))
            await store.put(message("e3"), NOW)
            assert (await take(store)).state == b'{"a":1}'

    async def test_the_owner_changes_by_compare_and_set(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1"), NOW)
            await store.put(message("e2"), NOW)
            claim = await take(store)
            change = OwnerChange(expected=0, owner="requested", case="k1")
            following = (await store.commit(but(result(claim), owner=change))).next
            assert following is not None
            assert (following.conversation.owner, following.conversation.owner_version) == ("requested", 1)
            assert following.conversation.case == "k1"
            with pytest.raises(Fenced):
                await store.commit(but(result(following, reply("x")), owner=change))
            with pytest.raises(Fenced):
                await store.commit(but(result(following, reply("x")), owner_version=0))
            assert await store.unsent() == []
            found = await store.conversation(CHAT)
            assert found == following.conversation
