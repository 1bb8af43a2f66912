"""A crowd writes at once: many conversations over HTTP, one message each, to the real program.

Run: `python -m benchmarks.crowd [--people 10000] [--together 1000]`. Every message must be accepted (202) or told to
come again (429, 503 with Retry-After), and everything that was accepted must be answered.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.processes import machine, table
from benchmarks.program import Program

ECHO = '''"""Says what was said."""
from bot import Skill, Turn
skill = Skill("echo", "Says what you said.")

@skill.pattern(r"^echo (?P<what>.*)$")
async def echo(turn: Turn) -> None:
    await turn.say("You said {what}.", what=turn.slot("what") or "")
'''

PATIENCE = 300.0
WAIT = 20


@dataclass
class Crowd:
    """What became of everybody."""

    people: int
    statuses: Counter[str] = field(default_factory=Counter)
    conversations: dict[int, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    answered: int = 0
    accepting: float = 0.0
    answering: float = 0.0


async def crowd(url: str, people: int, together: int) -> Crowd:
    """Everybody writes once, `together` connections at a time, and then waits for the answer."""
    result, gate = Crowd(people), asyncio.Semaphore(together)
    connector = aiohttp.TCPConnector(limit=together)
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        began = time.perf_counter()
        await asyncio.gather(*(_write(session, url, number, result, gate) for number in range(people)))
        result.accepting = time.perf_counter() - began
        waiting = list(result.conversations.items())
        await asyncio.gather(*(_read(session, url, number, id, result, gate) for number, id in waiting))
        result.answering = time.perf_counter() - began
    return result


async def _write(session: aiohttp.ClientSession, url: str, number: int, result: Crowd, gate: asyncio.Semaphore) -> None:
    """Say one thing; when told to come again, do so, as every platform does."""
    said = {"text": f"echo number {number}", "client_id": f"a crowd of people, and I am number {number:06}"}
    for _ in range(20):
        async with gate:
            try:
                async with session.post(f"{url}/channels/web/messages", json=said) as response:
                    status, after = response.status, response.headers.get("Retry-After")
                    body = await response.json()
            except (aiohttp.ClientError, OSError) as problem:
                # Turned away before the program saw it (a full backlog): nothing was promised.
                status, after, body = 0, "0.2", {}
                result.statuses[type(problem).__name__] += 1
        if status:
            result.statuses[str(status)] += 1
        if status == 202:
            result.conversations[number] = body["conversation"]
            return
        if status not in (0, 429, 503) or not after:
            result.wrong.append(f"{number}: {status} {body}, Retry-After {after}")
            return
        await asyncio.sleep(float(after))


async def _read(
    session: aiohttp.ClientSession, url: str, number: int, id: str, result: Crowd, gate: asyncio.Semaphore
) -> None:
    query: dict[str, str | int] = {"conversation": id, "after": 1, "wait": WAIT}
    deadline = time.perf_counter() + PATIENCE
    while time.perf_counter() < deadline:
        async with gate, session.get(f"{url}/channels/web/messages", params=query) as response:
            page = await response.json()
        if texts := [line["text"] for line in page.get("messages", [])]:
            if texts == [f"You said number {number}."]:
                result.answered += 1
            else:
                result.wrong.append(f"{number}: answered {texts}")
            return
    result.wrong.append(f"{number}: accepted, and never answered")


def report(result: Crowd) -> str:
    """The figures, as Markdown."""
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(result.statuses.items()))
    rows = [
        ("conversations at once", f"{result.people:,}"),
        ("answers to the POSTs", statuses),
        ("accepted", f"{len(result.conversations):,}"),
        ("accepted and answered rightly", f"{result.answered:,}"),
        ("all accepted after", f"{result.accepting:.1f} s"),
        ("all answered after", f"{result.answering:.1f} s ({result.answered / result.answering:,.0f} a second)"),
        ("violations", str(len(result.wrong))),
    ]
    return table(("", ""), rows)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--together", type=int, default=1_000, help="connections at a time")
    options = parser.parse_args()
    print(machine())
    with (
        tempfile.TemporaryDirectory() as home,
        Program(Path(home) / "home", {"echo": ECHO}, environ={"FRONTDESK_LOG__LEVEL": "warning"}) as program,
    ):
        result = asyncio.run(crowd(program.url, options.people, options.together))
        print(report(result))
    for line in result.wrong[:20]:
        print(line)
    raise SystemExit(1 if result.wrong or result.answered != options.people else 0)


if __name__ == "__main__":
    main()
