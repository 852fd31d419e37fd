"""Stamps: what follows from the gates: another try, a repeat left out, a word on a chart."""

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.judge.gates import GATES, Gate, gauge, judge
from bench.measure.runs import Measured, count
from bench.tell.charts import write_csv

MAX_NAMED = 5  # runs that the summary names
MAX_TRIES = 5
FEWEST_VALID = 3  # repeats without which a point is not to be trusted


@dataclass
class Patience:
    """How much time may still go into runs that are made again.

    On a machine that is never quiet every run fails, and more tries would make
    the bench longer for nothing.
    """

    left_s: float

    def make_valid(self, make: Callable[[], Measured]) -> Measured:
        """Make a run until it passes its gates: the first that does is kept.

        Never the best of several, for that would be choosing. If none passes,
        the last is kept, with its faults.
        """
        failed: list[Measured] = []
        begun = time.monotonic()
        while (made := judge(make())).faults:
            is_last = len(failed) + 1 == MAX_TRIES
            if is_last or made.run.expected_s > self.left_s:
                break
            took, begun = time.monotonic() - begun, time.monotonic()
            self.left_s -= max(took, made.run.expected_s)
            failed.append(without_records(made))
        tries = len(failed) + 1
        return dataclasses.replace(made, tries=tries, failed_tries=tuple(failed))


def without_records(made: Measured) -> Measured:
    """What is remembered of a try that failed: what its gates found."""
    empty = {"clients": [], "visits": [], "others": {}}
    return dataclasses.replace(made, gauged=gauge(made), **empty)


# ---- Which repeats are believed ----


def setting(made: Measured) -> tuple:
    """What all repeats of a point have in common."""
    run = made.run
    given = tuple(sorted((name, str(value)) for name, value in run.flags.items()))
    return run.experiment, run.scene, run.lab.name, run.clients, given


def leave_out(made: Iterable[Measured]) -> list[Measured]:
    """The same runs; an invalid one is marked where three valid repeats remain."""
    runs = list(made)
    valid = Counter(setting(each) for each in runs if not each.faults)
    return [
        dataclasses.replace(each, is_left_out=True)
        if each.faults and valid[setting(each)] >= FEWEST_VALID
        else each
        for each in runs
    ]


def believed(made: Iterable[Measured]) -> list[Measured]:
    """The runs that count."""
    return [each for each in made if not each.is_left_out]


def hollow(made: Iterable[Measured]) -> list[Measured]:
    """The runs that are left out, and drawn so that one can see through them."""
    return [each for each in made if each.is_left_out]


def sound(made: Iterable[Measured]) -> list[Measured]:
    """The runs that a price may be read from: no client failed; if one of its setting
    has passed its gates, it has.
    """
    runs = [each for each in made if not each.failures]
    valid = {setting(each) for each in runs if not each.faults}
    return [e for e in runs if not e.faults or setting(e) not in valid]


# ---- Words on a chart ----


def stamp(made: Iterable[Measured]) -> str:
    """What stands in red on a chart of these runs: nothing, or what not to trust."""
    untrusted = [each for each in made if each.faults and not each.is_left_out]
    if not untrusted:
        return ""
    points = list(dict.fromkeys(point_words(each) for each in untrusted))
    causes = Counter(fault.gate for each in untrusted for fault in each.faults)
    more = f" and {len(points) - 1} more" * (len(points) > 1)
    why = CAUSES[causes.most_common(1)[0][0]]
    return f"Do not trust {points[0]}{more}: {why}."


def point_words(made: Measured) -> str:
    """A point of a chart."""
    crowd = f" with {count(made.run.clients, 'client')}" if made.run.clients else ""
    return f"{made.run.lab.title}, {made.run.scene}{crowd}"


CAUSES = {
    "sends late": "the generator was late",
    "generator busy": "the generator was too busy",
    "Little's law off": "the records of client and server do not agree",
    "records lost": "records are missing",
    "CPU taken by others": "other programs had the processor",
}


def grey_line(made: Iterable[Measured]) -> str:
    """What stands in grey: how many repeats were left out, and why."""
    runs = list(made)
    left_out = [each for each in runs if each.is_left_out]
    if not left_out:
        return ""
    worst = Counter(str(fault) for each in left_out for fault in each.faults)
    said = f"{len(left_out)} of {count(len(runs), 'run')} left out"
    return f"{said}: {worst.most_common(1)[0][0]}"


# ---- The gates over all runs ----


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


def trust_lines(made: list[Measured], drawn: list[Measured]) -> list[str]:
    """For the summary: the gates, every try, and every run that failed one.

    Only runs that a chart shows are stamped.
    """
    again = [each for each in made if each.tries > 1]
    passed = "; ".join(
        f"{each.gate} {each.worst} (limit {each.limit})"
        for each in gate_summaries(made)
    )
    lines = [f"Gates, worst of {count(len(made), 'run')}: {passed}."]
    if again:
        tries = sum(each.tries for each in again)
        lines.append(
            f"{count(len(again), 'run')} failed a gate and took {tries} tries; the"
            " first that passed is kept (gates.csv lists all)."
        )
    lines += [line for line in (stamp(drawn), grey_line(made)) if line]
    invalid = [f"  {each.run.name}: {reasons(each)}" for each in made if each.faults]
    lines += invalid[:MAX_NAMED]
    if len(invalid) > MAX_NAMED:
        lines.append(f"  and {len(invalid) - MAX_NAMED} more: gates.csv has them all")
    return lines


def write(made: list[Measured], folder: Path) -> None:
    """Each try of each run, and each gate, as a CSV."""
    rows = [
        [each.run.name, number, gate, float(value), float(limit), int(gate in failed)]
        for kept in made
        for number, each in enumerate((*kept.failed_tries, kept), 1)
        for failed in [{fault.gate for fault in each.faults}]
        for gate, (value, limit) in gauge(each).items()
    ]
    write_csv(folder / "gates.csv", "run,try,gate,value,limit,failed", rows)


def reasons(made: Measured) -> str:
    """All faults of one run."""
    return "; ".join(str(fault) for fault in made.faults)
