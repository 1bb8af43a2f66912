"""The table of capabilities in the documentation is what the proofs say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bot.channel import Capabilities
from bot.desk import DeskCapabilities
from bot.testing.capabilities import MEANINGS, Proofs
from bot.testing.channel_proofs import NO_ABILITY

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "bot.testing.capabilities"]


def test_the_page_is_what_the_command_makes() -> None:
    """Make it again with `python -m bot.testing.capabilities > docs/capabilities.md`."""
    made = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    assert (ROOT / "docs" / "capabilities.md").read_text(encoding="utf-8") == made.stdout


def test_a_failing_proof_makes_no_page(tmp_path: Path) -> None:
    """No table is better than one that is not true."""
    (tmp_path / "test_one.py").write_text("def test_proves_buttons():\n    assert not 'shown'\n", encoding="utf-8")
    made = subprocess.run([*COMMAND, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stdout) == (1, "")


def test_every_capability_has_a_meaning() -> None:
    """A new capability gets a row, with a sentence."""
    fields = {*Capabilities.__struct_fields__, *DeskCapabilities.__struct_fields__} - set(NO_ABILITY)
    assert fields == set(MEANINGS)


def test_numbers_and_dashes_can_be_told_apart() -> None:
    """0 and 1 are numbers and not answers; what nobody proved is a dash."""
    proofs = Proofs(
        {("channel", "a", "max_text"): 1600, ("channel", "a", "media"): False, ("channel", "b", "media"): True}
    )
    assert proofs.table("channel")[2:] == [
        f"| `max_text` | 1,600 | – | {MEANINGS['max_text']} |",
        f"| `media` | – | yes | {MEANINGS['media']} |",
    ]
