"""kill -9 at random moments, in the middle of conversations; then count what was lost, doubled or mixed up.

    .venv/bin/python benchmarks/kills.py [--kills 50] [--conversations 200] [--drop 0.05] [--seed N]

Real server processes on a real disk. The platform delivers a webhook again, with the same event id, until it was
acknowledged, and now and then once more. It can be asked whether it has a reply; a share of the replies it takes and
hangs up before saying so. Exit code 1 when anything was violated.

`--break reconcile` takes the read-back away, so that whatever is uncertain is sent blindly: the checker must then find
replies that were said twice.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import aiohttp
import msgspec

from benchmarks.fakes import KeepingPlatform
from benchmarks.history import VIOLATIONS, Record, Verdict, check
from benchmarks.people import Line, Script, script
from benchmarks.plugin import PATH, SECRET, Envelope, Event, signature
from benchmarks.processes import ROOT, ServerProcess, free_port, machine, table

SEND_TIMEOUT = 1.0
PATIENCE = 60.0
"""Seconds that a person waits for a reply before the run is called unfinished."""

AGAIN = 0.05
"""The share of acknowledged webhooks that the platform delivers once more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to be. `during_start` is the share of kills that hit a server while it starts."""

    seed: int
    kills: int = 50
    conversations: int = 200
    orders: int = 2
    drop: float = 0.05
    delay: float = 0.15
    reconcile: bool = True
    during_start: float = 0.15
    longest_life: float = 1.2
    longest_pause: float = 0.5


@dataclass(slots=True)
class Outcome:
    """What a run was."""

    verdict: Verdict
    seconds: float
    dropped: int
    looked: int
    integrity: str
    drain: float = 0.0
    problems: list[str] = field(default_factory=list)


class Storm:
    """One run: a server that dies again and again, and people who don't notice."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan, self._folder = plan, folder
        self._chance = random.Random(plan.seed)
        self._port = free_port()
        self._home, self._ledger = folder / "home", folder / "ledger"
        self._ledger.touch()
        self._platform = KeepingPlatform(random.Random(plan.seed + 1), drop=plan.drop, delay=plan.delay)
        self._killed = 0
        self._wake = asyncio.Condition()
        self.history: list[Record] = []

    async def run(self) -> Outcome:
        """Everything, from the first start to the verdict."""
        began = time.time()
        await self._platform.start()
        timeout = aiohttp.ClientTimeout(total=5.0)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
            chances = [random.Random(self._chance.random()) for _ in range(self._plan.conversations)]
            scripts = [script(number, chance, orders=self._plan.orders) for number, chance in enumerate(chances)]
            talks = [
                asyncio.create_task(self._person(session, number, written, chance))
                for number, (written, chance) in enumerate(zip(scripts, chances, strict=True))
            ]
            killing = asyncio.create_task(self._kill_again_and_again())
            try:
                server = await killing
                stormed = time.time()
                await asyncio.gather(*talks)
                drain = time.time() - stormed
                await asyncio.sleep(1.0)  # whatever might be said twice has its chance
            finally:
                for task in (killing, *talks):
                    task.cancel()
            await server.stop()
        await self._platform.stop()
        self.history += [
            Record(op="shown", at=arrived.at, chat=arrived.post.channel, event=arrived.post.id, text=arrived.post.text)
            for arrived in self._platform.arrived
        ]
        verdict = check(self.history, self._ledger.read_text().splitlines())
        return Outcome(
            verdict=verdict,
            seconds=time.time() - began,
            dropped=self._platform.dropped,
            looked=self._platform.looked,
            integrity=_integrity(self._home / "frontdesk.db"),
            drain=drain,
        )

    def write(self, file: Path) -> None:
        """Keep the history, in order of time."""
        ordered = sorted(self.history, key=lambda record: record.at)
        file.write_bytes(b"\n".join(msgspec.json.encode(record) for record in ordered) + b"\n")

    # --- the server

    async def _spawn(self) -> ServerProcess:
        settings = {
            "server.home": str(self._home),
            "bench.ledger": str(self._ledger),
            "bench.send_timeout": str(SEND_TIMEOUT),
            "bench.reconcile": str(self._plan.reconcile).lower(),
            "log.level": "warning",
        }
        options = ["--port", str(self._port), "--sink", self._platform.url, "--home", str(self._home)]
        for key, value in settings.items():
            options += ["--set", f"{key}={value}"]
        return await ServerProcess.spawn("frontdesk", *options, python=sys.executable, log=self._folder / "server.log")

    async def _kill_again_and_again(self) -> ServerProcess:
        start = 1.0
        while self._killed < self._plan.kills:
            server = await self._spawn()
            spawned = time.time()
            try:
                if self._chance.random() < self._plan.during_start:
                    await asyncio.sleep(self._chance.uniform(0.1, start))
                else:
                    await server.ready()
                    start = time.time() - spawned
                    self._note("ready")
                    await asyncio.sleep(self._chance.uniform(0.02, self._plan.longest_life))
                if not server.running:
                    raise RuntimeError("the server ended by itself; see server.log")
            finally:
                self._note("killed")
                await server.kill()
            self._killed += 1
            async with self._wake:
                self._wake.notify_all()
        server = await self._spawn()
        await server.ready()
        self._note("ready")
        return server

    # --- the people

    async def _person(
        self, session: aiohttp.ClientSession, number: int, written: Script, chance: random.Random
    ) -> None:
        """Begin when it is this one's turn, so that the last are still talking when the last kill comes."""
        self._note("script", chat=written.chat, expected=written.expected, steps=written.steps)
        begins = number * self._plan.kills * 0.97 // self._plan.conversations
        async with self._wake:
            await self._wake.wait_for(lambda: self._killed >= begins)
        await asyncio.sleep(chance.uniform(0, self._plan.longest_pause))
        due: list[str] = []
        for place, line in enumerate(written.lines):
            await self._say(session, written.chat, place, line, chance)
            due += line.replies
            if not line.waits:
                continue
            if not await self._platform.shows(written.chat, due, PATIENCE):
                return
            await asyncio.sleep(chance.uniform(0, self._plan.longest_pause))
        self._note("finished", chat=written.chat)

    async def _say(
        self, session: aiohttp.ClientSession, chat: str, place: int, line: Line, chance: random.Random
    ) -> None:
        """Deliver one message until it is acknowledged."""
        token = self._platform.button(chat, line.text) if line.press else ""
        event_id = f"Ev{chat}.{place}"
        event = Event(channel=chat, user=f"U{chat}", ts=f"{time.time():.6f}", text=line.text, pressed=token)
        body = msgspec.json.encode(Envelope(event_id=event_id, event=event))
        while not await self._deliver(session, chat, event_id, body):  # noqa: ASYNC110 - a platform only tries again
            await asyncio.sleep(chance.uniform(0.05, 0.4))
        if chance.random() < AGAIN:
            await self._deliver(session, chat, event_id, body)

    async def _deliver(self, session: aiohttp.ClientSession, chat: str, event_id: str, body: bytes) -> bool:
        stamp = str(int(time.time()))
        headers = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(SECRET.encode(), stamp.encode(), body),
        }
        self._note("sent", chat=chat, event=event_id)
        try:
            async with session.post(f"http://127.0.0.1:{self._port}{PATH}", data=body, headers=headers) as response:
                if response.status != 200:
                    return False
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        self._note("acknowledged", chat=chat, event=event_id)
        return True

    def _note(
        self, op: str, *, chat: str = "", event: str = "", expected: Sequence[str] = (), steps: Sequence[str] = ()
    ) -> None:
        fields = {"op": op, "at": time.time(), "chat": chat, "event": event, "expected": expected, "steps": steps}
        self.history.append(msgspec.convert(fields, Record))


def _integrity(database: Path) -> str:
    with contextlib.closing(sqlite3.connect(database)) as raw:
        (answer,) = raw.execute("PRAGMA integrity_check").fetchone()
        return str(answer)


def report(plan: Plan, outcome: Outcome) -> str:
    """The table."""
    counts = outcome.verdict.counts
    rows = [
        ("kills -9", counts["killed"]),
        ("conversations, finished", f"{counts['script']}, {counts['finished']}"),
        ("messages acknowledged (tries)", f"{counts['acknowledged']} ({counts['sent']})"),
        ("replies taken by the platform", counts["shown"]),
        ("of them taken, then hung up on us", outcome.dropped),
        ("looked up after an unknown outcome", outcome.looked),
        ("steps called", counts["step calls"]),
        ("steps cut off and run again with their key (allowed)", counts["steps cut off, run again"]),
        *((f"**{kind}**", f"**{counts[kind]}**") for kind in VIOLATIONS),
        ("database integrity", outcome.integrity),
        ("until all had finished after the last start", f"{outcome.drain:.1f} s"),
    ]
    broken = "" if plan.reconcile else ", reconciling BROKEN on purpose"
    return "\n".join(
        [
            table(["what", "count"], [(name, str(value)) for name, value in rows]),
            "",
            f"seed {plan.seed}, {outcome.seconds:.0f} s{broken}. {machine()}",
        ]
    )


async def storm(plan: Plan, folder: Path) -> tuple[Storm, Outcome]:
    """Run a plan in a folder."""
    run = Storm(plan, folder)
    return run, await run.run()


def main() -> None:
    """Read the options, run, judge."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--conversations", type=int, default=200)
    options.add_argument("--drop", type=float, default=0.05, help="share of replies after which the platform hangs up")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--break", dest="broken", choices=["reconcile"], help="must make the checker find something")
    options.add_argument("--folder", type=Path, default=ROOT / "var", help="where the database lies: a real disk")
    options.add_argument("--history", type=Path, help="keep the history in this file")
    chosen = options.parse_args()
    seed = chosen.seed or random.SystemRandom().randrange(1, 1_000_000)
    print(f"seed {seed}", file=sys.stderr, flush=True)
    plan = Plan(
        seed=seed,
        kills=chosen.kills,
        conversations=chosen.conversations,
        drop=chosen.drop,
        reconcile=chosen.broken != "reconcile",
    )
    chosen.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="kills-", dir=chosen.folder))
    run, outcome = asyncio.run(storm(plan, folder))
    if chosen.history:
        run.write(chosen.history)
    print(report(plan, outcome))
    for line in outcome.verdict.violations[:20]:
        print(line)
    bad = bool(outcome.verdict.violations) or outcome.integrity != "ok"
    if bad:
        run.write(folder / "history.jsonl")
        print(f"kept for a look: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
