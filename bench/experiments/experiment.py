"""What an experiment is: a question, the runs that it takes, and what they show."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measure import runs
from bench.tell.charts import Chart
from bench.measure.labs import Lab
from bench.measure.runs import Measured, Run
from bench.tell.textcharts import seconds


@dataclass(frozen=True)
class Options:
    """What the person who runs the bench chose."""

    is_quick: bool
    seed: int
    repeats: int | None
    is_alone: bool = False  # just one experiment: it may take its time
    null: Lab | None = None  # the null server: the floor below every lab


@dataclass(frozen=True)
class Finding:
    """One line of the summary: what was measured, against what was predicted."""

    lab: str
    what: str
    measured: str
    predicted: str
    off: float = math.nan  # the share by which the two differ
    limit: float | None = None  # of off, where the project promises one
    is_ceiling: bool = False  # less is fine
    is_floor: bool = False  # more is fine

    @property
    def is_missed(self) -> bool:
        """Is it further off than promised?"""
        if self.limit is None:
            return False
        beyond = abs(self.off)
        if self.is_ceiling:
            beyond = self.off
        if self.is_floor:
            beyond = -self.off
        return not beyond <= self.limit


@dataclass(frozen=True)
class Conclusion:
    """What an experiment has to show for itself."""

    findings: list[Finding]
    notes: list[str]
    charts: list[Chart]


@dataclass(frozen=True)
class Experiment:
    """A question; which runs it takes, and what to make of those that were made.

    conclude writes the CSVs behind the charts into the folder it is given. After
    an interrupt it gets only the runs that were made until then.
    """

    name: str
    question: str
    plan: Callable[[list[Lab], Options], list[Run]]
    conclude: Callable[[list[Measured], Options, Path], Conclusion]
    perform: Callable[[Run, Path, Path], Measured] = runs.perform  # one run, with load


@dataclass(frozen=True)
class Part:
    """An experiment that was made, and what came out of it."""

    experiment: Experiment
    conclusion: Conclusion
    made: list[Measured]


def share_off(measured: float, predicted: float) -> float:
    """By which share the measured lies above the predicted."""
    return measured / predicted - 1


def service_time(lone: list[Measured], asked: float) -> float:
    """How long a client who comes alone holds a clerk: the median over the repeats.

    Where no such client was served, there is only the time that it asked for.
    """
    held = held_times(lone)
    return median(held) if held else asked


def held_times(lone: list[Measured]) -> list[float]:
    """For each client who came alone and was served, how long it held a clerk."""
    return [made.visits[0].held for made in lone if made.visits and not made.failures]


def service_finding(lone: list[Measured], lab: Lab, what: str, asked: float) -> Finding:
    """The measured S beside the time that was asked for."""
    held = held_times(lone)
    measured = median(held) if held else math.inf
    off = share_off(measured, asked)
    return Finding(lab.name, what, seconds(measured, 4), f"{seconds(asked)} asked", off)


def labs_of(made: list[Measured]) -> list[Lab]:
    """The labs that have been measured, in the order of their names."""
    return sorted({each.run.lab for each in made}, key=lambda lab: lab.number)
