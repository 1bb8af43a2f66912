"""The tables of what was measured. Pure: knows targets and figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.peers.target import Target
from benchmarks.processes import table

median = statistics.median


LOAD = ["turns/s", "x bare", "x slack-bolt", "CPU us/turn", "x bare", "x slack-bolt", "of its core", "lost"]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of paired ratios; none where a whole round brought nothing."""
    if not all(theirs):
        return "-"
    return f"{median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}"


def full(targets: Mapping[str, Target]) -> str:
    """At full load: turns a second and their price. What has its core to less than 90% waits for something."""
    rows = []
    for target in targets.values():
        entry = target.entry
        row = [entry.title, "yes" if entry.durable else "no", entry.check, f"{target.memory():.0f}"]
        rows.append([*row, *_loaded(target, targets)])
    return table(["target", "durable", "checks", "MB", *LOAD], rows)


def slow(targets: Mapping[str, Target], delay: float, in_flight: int) -> str:
    """The same against a platform that takes its time."""
    rows = [[target.entry.title, *_loaded(target, targets)] for target in targets.values()]
    return table([f"answers take {delay * 1e3:.0f} ms, {in_flight} in flight", *LOAD], rows)


def paced(targets: Mapping[str, Target], rate: float, overloaded: Mapping[str, float]) -> str:
    """Latencies at a steady load."""
    bare = targets.get("bare")
    rows = []
    for target in targets.values():
        against = [ratio(target.p50, bare.p50), ratio(target.p99, bare.p99)] if bare else ["-", "-"]
        mine = [f"{median(target.p50):.2f}", f"{median(target.p99):.2f}"]
        rows.append([target.entry.title, *mine, *against, str(target.load.lost)])
    rows += [[title, *["overloaded"] * 2, "-", "-", f"{most:.0f}/s at most"] for title, most in overloaded.items()]
    return table([f"at {rate:.0f} turns/s", "p50 ms", "p99 ms", "x bare p50", "x bare p99", "lost"], rows)


def together(targets: Mapping[str, Target], thinking: float) -> str:
    """What further processes bring."""
    alone = targets["1"]
    rows = [
        [target.entry.title, f"{median(target.rates):,.0f}", ratio(target.rates, alone.rates), str(target.load.lost)]
        for target in targets.values()
    ]
    return table([f"each turn thinks for {thinking * 1e3:.0f} ms", "turns/s", "x one process", "lost"], rows)


def skills(targets: Mapping[str, Target]) -> str:
    """What each further skill costs a turn that it does not answer."""
    rows = []
    for name, few in targets.items():
        kind, _, count = name.rpartition("-")
        many = targets.get(f"{kind}-200")
        if count != "1" or many is None:
            continue
        more = many.entry.bystanders - few.entry.bystanders
        each = [(b - a) / more for a, b in zip(few.cpu, many.cpu, strict=True)]
        spread = f"{min(each):.2f} to {max(each):.2f}"
        rows.append(
            [few.entry.title, f"{median(few.cpu):.0f}", f"{median(many.cpu):.0f}", f"{median(each):.2f}", spread]
        )
    return table(["CPU us/turn with further skills", "1", "200", "us for each further one", "in single rounds"], rows)


def contested(targets: Mapping[str, Target]) -> str:
    """A warning when the bare handler, which never waits at full load, did not get its core to itself."""
    if "bare" not in targets or (share := _share(targets["bare"])) > 0.9:
        return ""
    return f"NOT FOR PUBLICATION: others used the machine, the bare handler got {share:.0%} of its core.\n"


def _share(target: Target) -> float:
    return median(rate * cpu / 1e6 if rate else 0.0 for rate, cpu in zip(target.rates, target.cpu, strict=True))


def _loaded(target: Target, targets: Mapping[str, Target]) -> list[str]:
    others = [targets.get(name) for name in ("bare", "bolt")]
    return [
        f"{median(target.rates):,.0f}",
        *(ratio(target.rates, other.rates) if other else "-" for other in others),
        f"{median(target.cpu):,.0f}",
        *(ratio(target.cpu, other.cpu) if other else "-" for other in others),
        f"{_share(target):.0%}",
        str(target.load.lost),
    ]
