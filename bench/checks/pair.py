"""The A/A test: is a server told from a slower one, and never from itself?

Each trial compares two servers by intervals from repeats in shuffled order: a
server with itself, and with one that takes 10 % longer. Equal ones must overlap
in 95 of 100 trials, the slower one must be found in 90.
"""

import argparse
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from bench.judge import stamps
from bench.judge.estimates import interval
from bench.measure.labs import Lab, find_labs
from bench.measure.progress import Progress
from bench.measure.runs import START_S, Run, burst, perform

SOURCE = Path(__file__).resolve().parents[2]
CLIENTS, SERVICE_MS, SLOWER_MS = 3, 10, 11
REPEATS = 5
MAX_INVENTED, LEAST_FOUND = 0.05, 0.90
SIDES = {"a": SERVICE_MS, "the same": SERVICE_MS, "slower": SLOWER_MS}


@dataclass
class Tally:
    """How the trials went."""

    trials: int = 0
    invented: int = 0
    found: int = 0
    runs: int = 0
    invalid: int = 0

    def count(self, means: dict[str, list[float]]) -> None:
        """Take one more trial in."""
        first = interval(means["a"])
        self.trials += 1
        self.invented += not first.overlaps(interval(means["the same"]))
        self.found += not first.overlaps(interval(means["slower"]))

    @property
    def is_good(self) -> bool:
        """Is the bench as sharp as promised, and no sharper?"""
        return (
            self.invented <= MAX_INVENTED * self.trials
            and self.found >= LEAST_FOUND * self.trials
        )


def plan_trial(lab: Lab, number: int, shuffle: random.Random) -> list[tuple[str, Run]]:
    """All repeats of all sides, in a new order."""
    runs = [
        (side, plan_run(lab, f"{number}-{side.replace(' ', '-')}", ms, repeat))
        for side, ms in SIDES.items()
        for repeat in range(1, REPEATS + 1)
    ]
    shuffle.shuffle(runs)
    return runs


def plan_run(lab: Lab, scene: str, service_ms: int, repeat: int) -> Run:
    """One burst on a fresh server."""
    generators = burst(CLIENTS, f"sleep {service_ms}")
    takes = START_S + CLIENTS * service_ms / 1000
    return Run("pair", "pair", scene, lab, generators, repeat, takes)


def make_trial(
    runs: list[tuple[str, Run]],
    load: Path,
    raw: Path,
    patience: stamps.Patience,
    tally: Tally,
) -> dict[str, list[float]]:
    """The mean latency of each repeat, by side."""
    means: dict[str, list[float]] = {side: [] for side in SIDES}
    for side, run in runs:
        made = patience.make_valid(lambda: perform(run, load, raw))
        means[side].append(fmean(made.latencies))
        tally.runs += 1
        tally.invalid += bool(made.faults)
    return means


def check(build: Path, trials: int, seed: int) -> bool:
    """Make all trials."""
    lab, numbers, tally = find_labs(SOURCE, build)[0], random.Random(seed), Tally()
    plans = [plan_trial(lab, number, numbers) for number in range(trials)]
    expected_s = sum(run.expected_s for plan in plans for _, run in plan)
    progress = Progress(expected_s)
    patience = stamps.Patience(expected_s)
    try:
        for number, plan in enumerate(plans, 1):
            progress.show("A/A", f"trial {number} of {trials}")
            with tempfile.TemporaryDirectory() as raw:
                load = build / "bench" / "load"
                tally.count(make_trial(plan, load, Path(raw), patience, tally))
            progress.passed(sum(run.expected_s for _, run in plan))
    finally:
        progress.clear()
    tell(tally, seed)
    return tally.is_good


def tell(tally: Tally, seed: int) -> None:
    """Say how it went."""
    print(f"{tally.trials} trials of {REPEATS} repeats a side, seed {seed}:")
    print(f"  a server and itself were told apart {tally.invented} times", end="")
    print(f" (at most {MAX_INVENTED:.0%} may be)")
    print(f"  a server and one 10 % slower were told apart {tally.found} times", end="")
    print(f" (at least {LEAST_FOUND:.0%} must be)")
    if tally.invalid:
        print(f"  {tally.invalid} of {tally.runs} runs are INVALID: others had the CPU")


def run(given: argparse.Namespace) -> bool:
    """Is the bench as sharp as promised, and no sharper?"""
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    return check(given.build, given.trials, seed)
