"""opsdroid's echo with its Slack connector on the Events API. Runs in the peers' environment.

Its Slack connector verifies no signature; that is how it is shipped, and the table says so.
"""

from __future__ import annotations

import functools
from pathlib import Path

from opsdroid.cli import start  # noqa: F401 - installs the translation that the rest expects
from opsdroid.connector.slack import connector
from opsdroid.core import OpsDroid
from opsdroid.events import Message
from opsdroid.logging import configure_logging
from opsdroid.matchers import match_regex
from opsdroid.skill import Skill

PATH = "/connector/slack"


class Echo(Skill):
    """Says what was said."""

    @match_regex(r"^say")
    async def answer(self, message: Message) -> None:
        """One reply."""
        await message.respond("echo: " + message.text)


def serve(port: int, sink: str, home: Path) -> None:
    """What `opsdroid start` does with a configuration file; its usual log."""
    # The connector has no setting for the address of the platform.
    connector.AsyncWebClient = functools.partial(connector.AsyncWebClient, base_url=f"{sink}/api/")
    config = {
        "logging": {"path": str(home / "opsdroid.log")},
        "web": {"host": "127.0.0.1", "port": port},
        "module-path": str(home),
        "connectors": {"slack": {"bot-token": "xoxb-invented", "socket-mode": False}},
        "skills": {"echo": {"module": "benchmarks.peers.opsdroid_slack"}},
    }
    home.mkdir(parents=True, exist_ok=True)
    configure_logging(config["logging"])
    with OpsDroid(config=config) as bot:
        bot.run()
