"""What every store must do with edits and deletes of messages that still wait for their turn.

A part of the conformance suite in store_contract.py.
"""

# ruff: noqa: S101  # asserting is what a conformance suite does

from __future__ import annotations

from pathlib import Path

from bot.messages import Command, Content, Deleted, Edited, Media, Message, Sender, Text
from bot.store.amending import GATHERING
from bot.store.contract import Claim, Store
from bot.testing.store_kit import NOW, StoreSuite, but, message, result, said, take

PHOTO = Media(url="/f/1")


def named(event_id: str, content: str | Content, platform_id: str) -> Message:
    """A message that the platform has a name for."""
    return but(message(event_id, content), platform_id=platform_id)


async def ended(store: Store, claim: Claim) -> Claim:
    """End a turn; the next one of its lane."""
    following = (await store.commit(result(claim))).next
    assert following is not None
    return following


class EditContract(StoreSuite):
    """A message that waits is answered as it stands by then; one that is at work stays what it was."""

    async def test_an_edit_reaches_a_message_that_waits(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(named("e1", "one", "p1"), NOW)
            await store.put(named("e2", Text(text="two", media=(PHOTO,)), "p2"), NOW)
            await store.put(named("e3", Command(name="three"), "p3"), NOW)
            await store.put(message("x1", Edited(target="p2", text="zwei \ud800")), NOW)
            await store.put(message("x2", Edited(target="p3", text="/drei")), NOW)
            first = await take(store)
            second = await ended(store, first)
            third = await ended(store, second)
            edit = await ended(store, third)
            assert first.message.content == Text(text="one")
            assert second.message.content == Text(text="zwei \ufffd", media=(PHOTO,))
            assert (second.message.event_id, second.message.platform_id) == ("e2", "p2")
            assert third.message.text == "/drei"
            assert edit.message.content == Edited(target="p2", text="zwei \ufffd", settled=True)
            assert await said(store) == ["user: one", "user: zwei \ufffd", "user: /drei"]

    async def test_a_delete_empties_a_message_that_waits(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(named("e1", "one", "p1"), NOW)
            await store.put(message("x1", Deleted(target="p1")), NOW)
            await store.put(message("x2", Edited(target="p1", text="never mind")), NOW)
            first = await take(store)
            assert first.message.content == Deleted(target="p1", settled=True)
            assert (await ended(store, first)).message.content == Deleted(target="p1", settled=True)
            assert await said(store) == ["user: never mind"]

    async def test_what_is_at_work_or_was_stays_what_it_was(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(named("e1", "one", "p1"), NOW)
            await store.put(named("e2", "two", "p2"), NOW)
            second = await ended(store, await take(store))
            await store.put(message("x1", Edited(target="p1", text="eins")), NOW)
            await store.put(message("x2", Edited(target="p2", text="zwei")), NOW)
            assert await store.retry(second, NOW)
            await store.put(message("x3", Edited(target="p2", text="zwo")), NOW)
            again = await take(store)
            assert again.message.text == "two", "its handler may have begun"
            edit = await ended(store, again)
            assert edit.message.content == Edited(target="p1", text="eins")
            assert await said(store) == ["user: one", "user: two", "user: eins", "user: zwei", "user: zwo"]

    async def test_an_old_edit_that_comes_again_changes_nothing(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(named("e1", "one", "p1"), NOW)
            await store.put(message("x1", Edited(target="p1", text="two")), NOW)
            await store.put(message("x2", Edited(target="p1", text="three")), NOW)
            assert (await store.put(message("x1", Edited(target="p1", text="two")), NOW)).duplicate
            assert (await take(store)).message.text == "three"

    async def test_only_the_same_conversation_and_a_known_name_count(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(message("e1", "no name"), NOW)
            await store.put(but(message("e2", "elsewhere", chat="2"), platform_id="p1"), NOW)
            await store.put(message("x1", Edited(target="p1", text="mine")), NOW)
            await store.put(message("x2", Edited(target="", text="nothing")), NOW)
            claims = await store.claim("worker", 10, 30.0, NOW)
            assert sorted(claim.message.text for claim in claims) == ["elsewhere", "no name"]

    async def test_an_edit_with_nothing_before_it_is_a_turn_like_any_other(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            accepted, claim = await store.take(message("x1", Edited(target="p1", text="one")), "worker", 30.0, NOW)
            assert (accepted.seq, claim is not None) == (1, True)

    async def test_the_parts_of_a_group_become_one_message(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            photos = [Media(url=f"/f/{n}") for n in range(3)]
            for n, words in enumerate(("look", "", "and here")):
                part = but(named(f"e{n}", Text(text=words, media=(photos[n],)), f"p{n}"), group="g1")
                accepted, claim = await store.take(part, "worker", 30.0, NOW)
                assert claim is None, "the other parts are on their way"
                assert (await store.put(part, NOW)).seq == accepted.seq, "a part that comes again is no other part"
            assert await store.claim("worker", 10, 30.0, NOW) == []
            (first,) = await store.claim("worker", 10, 30.0, NOW + GATHERING + 0.1)
            assert first.message.content == Text(text="look\nand here", media=tuple(photos))
            assert (first.message.event_id, first.message.platform_id) == ("e0", "p0")
            assert (await ended(store, first)).message.content == Edited(target="p0", text="", settled=True)
            assert await said(store) == ["user: look\nand here"]

    async def test_a_group_is_of_one_sender_and_what_is_at_work_gets_nothing_more(self, tmp_path: Path) -> None:
        async with self.opened(tmp_path) as store:
            await store.put(but(named("e1", "one", "p1"), group="g1"), NOW)
            await store.put(but(named("e2", "two", "p2"), group="g2"), NOW)
            await store.put(but(named("e3", "three", "p3"), group="g1", sender=Sender(id="somebody else")), NOW)
            (first,) = await store.claim("worker", 10, 30.0, NOW + GATHERING + 0.1)
            await store.put(but(named("e4", "four", "p4"), group="g1"), NOW)
            found = [first, second := await ended(store, first), third := await ended(store, second)]
            found.append(await ended(store, third))
            assert [claim.message.text for claim in found] == ["one", "two", "three", "four"]
