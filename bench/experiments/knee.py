"""knee: up to which rate does a lab keep p99 below a limit? make knee LAB=3 LIMIT=100ms"""

import math
import random
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from bench.experiments.experiment import Conclusion, Experiment, Finding, Options
from bench.judge.estimates import percentile
from bench.judge.predictions import fifo
from bench.judge.prices import Prices
from bench.measure.labs import Lab
from bench.measure.records import NS_PER_S
from bench.measure.runs import START_S, Generator, Measured, Run
from bench.tell.charts import Chart, write_csv
from bench.tell.textcharts import log_log
from bench.tell.units import seconds

POOL, SERVICE_MS = 4, 5
MAX_CLERKS = 64  # where there is one for everybody, cores end before clerks do
STEPS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2)  # of capacity
LASTS_S, QUICK_LASTS_S = 3.0, 1.5
SHARE = 0.99
MAX_SEED = 2**31
BESIDES, NULL = "idle server, a client alone", "null"


def clerks(lab: Lab) -> float:
    """How many are served at once."""
    return min(lab.clerks(POOL), MAX_CLERKS)


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """One rate after the other, from an idle server to more than it can do."""
    chosen = [lab for lab in labs if lab.name.startswith(f"lab{options.lab}-")]
    return [plan_run(lab, step, options) for lab in chosen for step in STEPS]


def plan_run(lab: Lab, step: float, options: Options) -> Run:
    """Customers who come at random at this share of what the clerks can do."""
    lasts_s = QUICK_LASTS_S if options.is_quick else LASTS_S
    rate = round(step * clerks(lab) * 1000 / SERVICE_MS)
    flags = {
        "rate": rate,
        "arrivals": "poisson",
        "duration": f"{lasts_s * 1000:.0f}ms",
        "say": f"sleep {SERVICE_MS}",
        "timeout": "10s",
        "seed": random.Random(f"knee {step}").randrange(MAX_SEED),
    }
    return Run(
        experiment="knee",
        group="knee",
        scene=f"rate-{rate}",
        lab=lab,
        generators=(Generator("rate", flags),),
        repeat=1,
        expected_s=START_S + lasts_s,
        flags={"threads": POOL, "queue": 10_000},
        effect_s=options.limit_s,
    )


@dataclass(frozen=True)
class Step:
    """One rate: what p99 was, and what theory says of the very arrivals."""

    made: Measured
    prices: Prices

    @property
    def rate(self) -> int:
        """Customers per second, as planned."""
        return self.made.run.generators[0].flags["rate"]

    @property
    def p99(self) -> float:
        """What was measured; infinite where too many failed."""
        made = self.made
        return percentile(made.latencies, SHARE, made.run.timeout_s).value

    @property
    def mean(self) -> float:
        """The mean latency."""
        return fmean(self.made.latencies)

    def line(self, service: float, besides: float) -> float:
        """p99 by Lindley's recursion on these arrivals."""
        intended = sorted(client.intended for client in self.made.clients)
        come = [(each - intended[0]) / NS_PER_S for each in intended]
        ends = fifo([service] * len(come), clerks(self.made.run.lab), come)
        waits = [end - at + besides for end, at in zip(ends, come)]
        return percentile(waits, SHARE, math.inf).value

    @property
    def ideal(self) -> float:
        """If this machine charged nothing."""
        return self.line(SERVICE_MS / 1000, 0.0)

    @property
    def predicted(self) -> float:
        """With what it charges."""
        service = self.prices.service("sleep", SERVICE_MS / 1000)
        return self.line(service, self.prices.one(BESIDES, NULL))


def is_over(made: list[Measured], options: Options) -> bool:
    """Has p99 left its limit?"""
    return bool(made) and not Step(made[-1], options.prices).p99 <= options.limit_s


def last_within(rates: list[tuple[int, float]], limit_s: float) -> float:
    """The highest rate before p99 leaves its limit for the first time."""
    kept = math.nan
    for rate, p99 in rates:
        if not p99 <= limit_s:
            break
        kept = rate
    return kept


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """The knee, measured and predicted."""
    steps = [Step(each, options.prices) for each in made]
    if not steps:
        return Conclusion([], [f"There is no lab {options.lab}."], [])
    limit = seconds(options.limit_s)
    knees = [
        last_within([(step.rate, of(step)) for step in steps], options.limit_s)
        for of in (lambda s: s.p99, lambda s: s.ideal, lambda s: s.predicted)
    ]
    lab = steps[0].made.run.lab
    what = f"highest rate with p99 within {limit}"
    finding = Finding(lab.name, what, [knees[0]], knees[1], knees[2], unit="/s")
    said = [
        f"Each customer needs {SERVICE_MS} ms of {clerks(lab):g} clerks. The rate was"
        f" raised until p99 left {limit}: {finding.measured_words}; predicted for the very"
        f" arrivals {finding.predicted_words}."
    ]
    return Conclusion([finding], said, [make_chart(steps, options, said[0], folder)])


def make_chart(
    steps: list[Step], options: Options, caption: str, folder: Path
) -> Chart:
    """Write what the chart is drawn from."""
    lab = steps[0].made.run.lab
    rows = [
        [lab.number, each.rate, each.mean, each.p99, each.ideal, each.predicted]
        for each in steps
    ]
    header = "number,rate,mean_s,p99_s,ideal_s,predicted_s"
    write_csv(folder / "knee.csv", header, rows)
    title = f"{lab.title}: up to which rate is p99 within {seconds(options.limit_s)}?"
    series = {"p99": [(each.rate, each.p99) for each in steps]}
    return Chart(
        "knee",
        "knee",
        title,
        log_log(f"{title} (the axis is customers per second)", series),
        {"limit_s": options.limit_s},
        caption=caption,
        scenes=tuple(each.made.run.scene for each in steps),
    )


EXPERIMENT = Experiment(
    "knee",
    "up to which rate does a lab keep p99 within a limit?",
    plan,
    conclude,
    is_over,
    is_on_request=True,
)
