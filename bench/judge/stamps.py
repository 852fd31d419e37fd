"""Stamps: what the gates found, said on charts and in the summary."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.judge.gates import GATES, Gate, gauge, judge
from bench.measure.runs import Measured, count
from bench.tell.charts import write_csv

MAX_NAMED = 5  # runs that the summary names


@dataclass
class Patience:
    """How much time may still go into runs that are made again.

    On a machine that is never quiet every run fails, and a second time would
    double the bench for nothing.
    """

    left_s: float

    def make_valid(self, make: Callable[[], Measured]) -> Measured:
        """Make a run; if it fails a gate, make it once more and keep that one."""
        made = judge(make())
        if not made.faults or made.run.expected_s > self.left_s:
            return made
        self.left_s -= made.run.expected_s
        return dataclasses.replace(judge(make()), tries=2)


def stamp(made: Iterable[Measured]) -> str:
    """What stands on a chart of these runs: nothing, or INVALID and the reasons."""
    runs = list(made)
    invalid = [each for each in runs if each.faults]
    if not invalid:
        return ""
    reasons = Counter(fault.gate for each in invalid for fault in each.faults)
    named = ", ".join(f"{gate} {number} ×" for gate, number in reasons.most_common())
    return f"INVALID: {len(invalid)} of {count(len(runs), 'run')} ({named})"


@dataclass(frozen=True)
class GateSummary:
    """What one gate found in all runs of an experiment, for the trust panel."""

    gate: str
    worst: str
    limit: str  # of the run that came closest to it, or was furthest beyond
    failed: int
    runs: int


def gate_summaries(made: list[Measured]) -> list[GateSummary]:
    """One for each gate."""
    return [gate_summary(gate, made) for gate in GATES]


def gate_summary(gate: Gate, made: list[Measured]) -> GateSummary:
    """The run in which this gate was nearest to its limit, or beyond it."""
    pairs = [gauge(each)[gate.name] for each in made]
    worst, limit = max(pairs, key=lambda pair: (pair[0] - pair[1], pair[0]))
    failed = sum(not value <= most for value, most in pairs)
    return GateSummary(
        gate.name, gate.write(worst), gate.write(limit), failed, len(made)
    )


def trust_lines(made: list[Measured]) -> list[str]:
    """For the summary: the gates, and every run that failed one."""
    invalid: list[str] = []
    again = sum(each.tries > 1 for each in made)
    no_time = sum(bool(each.faults) and each.tries == 1 for each in made)
    passed = "; ".join(
        f"{each.gate} {each.worst} (limit {each.limit})"
        for each in gate_summaries(made)
    )
    lines = [f"Gates, worst of {count(len(made), 'run')}: {passed}."]
    if again:
        lines.append(f"{count(again, 'run')} failed a gate and had to be made again.")
    if no_time:
        lines.append(
            f"{count(no_time, 'run')} failed a gate, with no time left to make more"
            " of them again."
        )
    if mark := stamp(made):
        invalid = [
            f"  {each.run.name}: {reasons(each)}" for each in made if each.faults
        ]
        lines += [f"{mark}:", *invalid[:MAX_NAMED]]
    if len(invalid) > MAX_NAMED:
        lines.append(f"  and {len(invalid) - MAX_NAMED} more: gates.csv has them all")
    return lines


def write(made: list[Measured], folder: Path) -> None:
    """Each run and each gate, as a CSV."""
    rows = [
        [
            each.run.name,
            gate,
            float(value),
            float(limit),
            int(gate in {fault.gate for fault in each.faults}),
            each.tries,
        ]
        for each in made
        for gate, (value, limit) in gauge(each).items()
    ]
    write_csv(folder / "gates.csv", "run,gate,value,limit,failed,tries", rows)


def reasons(made: Measured) -> str:
    """All faults of one run."""
    return "; ".join(str(fault) for fault in made.faults)
