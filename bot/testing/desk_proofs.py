"""What a desk announces, it can do: the part of the desks' suite that the table of capabilities is made from.

The checks are named `test_proves_...` and record what they proved; `python -m bot.testing.capabilities` runs them.
"""

# ruff: noqa: S101  # asserting is what a conformance suite does

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.desk import DeskCapabilities
from bot.errors import SendError
from bot.testing.channel_kit import soon
from bot.testing.desk_kit import DeskSuite, Shift

Record = Callable[[str, object], None]

UNPROVEN = ("edits", "attachments", "webhook", "append_budget")
"""Announced for the time being only: nothing in this suite can tell whether they hold."""


class DeskProofContract(DeskSuite):
    """What a desk announces, it can do."""

    async def test_proves_private_notes(self, tmp_path: Path, record_property: Record) -> None:
        """A note is there for agents, and the person never hears of it."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            if shift.desk.capabilities.private_notes:
                await shift.desk.note(ref, "between us", "n1")
                assert "between us" in "\n".join(await shift.office.shows(ref))
                assert shift.core.offered == []
            self._proven(record_property, shift, "private_notes", shift.desk.capabilities.private_notes)

    async def test_proves_typing(self, tmp_path: Path, record_property: Record) -> None:
        """Agents see that the person is typing; where they can't, the signal does no harm."""
        async with self.opened(tmp_path) as shift:
            ref = await shift.open()
            await shift.desk.signal(ref, typing=True)
            if shift.desk.capabilities.typing:
                assert await soon(lambda: shift.office.sees_typing(ref))
                await shift.desk.signal(ref, typing=False)

                async def over() -> bool:
                    return not await shift.office.sees_typing(ref)

                assert await soon(over)
            self._proven(record_property, shift, "typing", shift.desk.capabilities.typing)

    async def test_proves_max_text(self, tmp_path: Path, record_property: Record) -> None:
        """A line and a note of that length arrive whole."""
        async with self.opened(tmp_path) as shift:
            ref, longest = await shift.open(), shift.desk.capabilities.max_text
            line = ("long " * (longest // 5 + 1))[: longest - 4] + " end"
            note = ("more " * (longest // 5 + 1))[: longest - 5] + " over"
            await shift.append(ref, line, "a1")
            await shift.desk.note(ref, note, "n1")
            shown = "\n".join(await shift.office.shows(ref))
            assert line in shown
            assert note in shown
            self._proven(record_property, shift, "max_text", longest)

    async def test_proves_reopen(self, tmp_path: Path, record_property: Record) -> None:
        """A closed case opens with the next line where that is announced, and stays closed elsewhere."""
        async with self.opened(tmp_path) as shift:
            ref, how = await shift.open(), shift.desk.capabilities.reopen
            await shift.desk.close(ref, "the person came back", "k1")
            try:
                await shift.append(ref, "one more thing", "a1")
            except SendError:
                assert how != "on_append"
            assert await shift.office.is_open(ref) == (how == "on_append")
            self._proven(record_property, shift, "reopen", how.replace("_", " "))

    async def test_proves_nothing_of_the_rest(self, tmp_path: Path, record_property: Record) -> None:
        """Every field of DeskCapabilities is proven above, or known to be unproven."""
        proven = {name.removeprefix("test_proves_") for name in dir(self) if name.startswith("test_proves_")}
        assert set(DeskCapabilities.__struct_fields__) - proven == set(UNPROVEN)
        async with self.opened(tmp_path) as shift:
            plain = DeskCapabilities()
            for name in UNPROVEN:
                announced = getattr(shift.desk.capabilities, name) != getattr(plain, name)
                self._proven(record_property, shift, name, "announced, not proven" if announced else False)

    def _proven(self, record: Record, shift: Shift, capability: str, value: object) -> None:
        record("proven", ("desk", self.title or shift.desk.name, capability, value))
