"""What an experiment is: a question, the runs that it takes, and what they show."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.judge import stamps
from bench.judge.estimates import Interval, interval
from bench.judge.prices import FREE, Price, Prices
from bench.judge.verdicts import Promise
from bench.measure.labs import Lab
from bench.measure.runs import Measured, Run
from bench.tell.charts import Chart
from bench.tell.units import words


MORE_IS_BETTER = ("/s", "MiB/s", "%")  # units


@dataclass(frozen=True)
class Options:
    """What the person who runs the bench chose, and what is known beforehand."""

    is_quick: bool
    seed: int
    repeats: int | None
    is_alone: bool = False  # just one experiment: it may take its time
    null: Lab | None = None  # the null server: the floor below every lab
    models: tuple[Lab, ...] = ()  # of bench/models: for experiments that ask for them
    lab: str = "3"  # knee: which
    limit_s: float = 0.1  # knee: what p99 may be
    kernel_prices: tuple[Price, ...] = ()  # measured without any server
    prices: Prices = FREE  # what this machine charges; free until it is measured


@dataclass(frozen=True)
class Finding:
    """One line of the summary: what was measured, against two predictions."""

    lab: str
    what: str
    runs: Sequence[float]  # one number for each repeat
    ideal: float = math.nan  # by the service time alone
    predicted: float = math.nan  # and with what this machine charges
    unit: str = "s"
    clients: int = 0
    promise: Promise | None = None
    is_bound: bool = False  # predicted is what it can be at most
    remark: str = ""  # of the prediction

    @property
    def interval(self) -> Interval:
        """The median of the repeats, and how far they lie apart."""
        return interval(self.runs)

    @property
    def value(self) -> float:
        """The median of the repeats."""
        return self.interval.middle

    @property
    def expected(self) -> float:
        """The better of the two predictions, if there is one."""
        return self.ideal if math.isnan(self.predicted) else self.predicted

    @property
    def off(self) -> float:
        """The share by which the measured lies above the predicted."""
        return share_off(self.value, self.expected) if self.expected else math.nan

    @property
    def better(self) -> str:
        """Whether less of it is better, or more."""
        is_floor = self.promise is not None and math.isinf(self.promise.high)
        return "more" if is_floor or self.unit in MORE_IS_BETTER else "less"

    @property
    def verdict(self) -> str | None:
        """Whether the promise was kept; None if nothing was promised."""
        return self.promise.judge(self.interval) if self.promise else None

    @property
    def measured_words(self) -> str:
        """The measured for people."""
        return self.interval.words(lambda value: words(value, self.unit))

    @property
    def predicted_words(self) -> str:
        """The predictions for people: the ideal first, where they differ."""
        both = [each for each in (self.ideal, self.predicted) if not math.isnan(each)]
        said = list(dict.fromkeys(words(each, self.unit) for each in both))
        limit = "at most " if self.is_bound else ""
        remark = f" ({self.remark})" if self.remark else ""
        return f"{limit}{' -> '.join(said)}{remark}" if said else self.remark


@dataclass(frozen=True)
class Conclusion:
    """What an experiment has to show for itself."""

    findings: list[Finding]
    notes: list[str]
    charts: list[Chart]

    def drawn(self, made: Sequence[Measured]) -> list[Measured]:
        """Those runs that one of the charts shows; prices, for example, are none of them."""
        return [e for e in made if any(c.shows(e.run.scene) for c in self.charts)]

    def stamped(self, made: Sequence[Measured]) -> "Conclusion":
        """The same with what is to be said of the runs of each chart, red or grey."""
        charts = []
        for chart in self.charts:
            shown = [each for each in made if chart.shows(each.run.scene)]
            said = {"stamp": stamps.stamp(shown), "left_out": stamps.grey_line(shown)}
            said = {name: text for name, text in said.items() if text}
            charts.append(replace(chart, settings=chart.settings | said))
        return replace(self, charts=charts)


@dataclass(frozen=True)
class Experiment:
    """A question; which runs it takes, and what to make of those that were made.

    conclude writes the CSVs behind the charts into the folder it is given. After
    an interrupt it gets only the runs that were made until then. is_over may say of
    the runs made so far that no more of the plan is needed.
    """

    name: str
    question: str
    plan: Callable[[list[Lab], Options], list[Run]]
    conclude: Callable[[list[Measured], Options, Path], Conclusion]
    is_over: Callable[[list[Measured], Options], bool] = lambda made, options: False
    is_on_request: bool = False  # not one of those that are made if none is named
    is_apart: bool = False  # it measures what prices it needs


@dataclass(frozen=True)
class Part:
    """An experiment that was made, and what came out of it."""

    experiment: Experiment
    conclusion: Conclusion
    made: list[Measured]


def share_off(measured: float, predicted: float) -> float:
    """By which share the measured lies above the predicted."""
    return measured / predicted - 1 if predicted else math.nan


def labs_of(made: list[Measured]) -> list[Lab]:
    """The labs that have been measured, in the order of their names."""
    return sorted({each.run.lab for each in made}, key=lambda lab: lab.number)
