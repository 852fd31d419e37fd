"""arrivals: all models at the same fixed rates, beside nginx.

100 % of the machine is what nginx (without it: the last lab) answers here in a closed
loop, one request for each connection; the generator shares the cores in both.
"""

import math
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from bench.experiments.charges import CORES
from bench.experiments.experiment import Finding, Options, labs_of
from bench.judge.estimates import percentile
from bench.judge.predictions import deterministic
from bench.judge.stamps import believed
from bench.measure import rig
from bench.measure.labs import Lab
from bench.measure.runs import START_S, Generator, Measured, Run
from bench.measure.yardsticks import Yardstick, find_yardsticks
from bench.tell.charts import Chart, write_csv
from bench.tell.summary import table
from bench.tell.units import seconds

SCENE, CAPACITY = "fixed-rate", "capacity"
SHARES = (0.5, 0.8, 0.9)
LASTS_MS, QUICK_LASTS_MS, CAPACITY_MS = 1500, 500, 800
REPEATS, QUICK_REPEATS = 3, 1
USERS, WORKERS = 64, 16
UNABLE = ("events",)  # it speaks echo only
MARK = "nginx"
LEGEND = "50, 80, 90 % of what nginx can; filled: mean; hollow: p99; x: over 0.5 s"
TIMEOUT = "500ms"  # who waits so long has a server that cannot keep up: it failed


def plan_models(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes all servers at all rates, in a new order."""
    marks = find_yardsticks(len(labs) + len(options.models) + 1)
    marks = [each for each in marks if each.name == MARK]
    able = [each for each in options.models if each.name not in UNABLE]
    if not able or options.null is None:
        return []
    capacity = measure_capacity((marks or labs)[-1], options.null.program)
    repeats = QUICK_REPEATS if options.is_quick else REPEATS
    shuffle = random.Random(f"arrivals of models {options.seed}").shuffle
    runs = []
    for repeat in range(1, (options.repeats or repeats) + 1):
        of_repeat = [
            plan_rate(server, share, capacity, repeat, options)
            for server in [*labs, *able, *marks]
            for share in SHARES
        ]
        shuffle(of_repeat)
        runs += of_repeat
    return runs


def measure_capacity(server: Lab | Yardstick, null: Path) -> float:
    """What 100 % is: answers per second, measured now, for the rates depend on it."""
    flags = {"speak": "http", "requests": 1, "say": "/", "duration": f"{CAPACITY_MS}ms"}
    run = plan_run(server, CAPACITY, rig.sharing(USERS, flags), 0, CAPACITY_MS)
    with tempfile.TemporaryDirectory(prefix="bench-capacity-") as folder:
        return rig.perform(run, null.with_name("load"), Path(folder)).rate


def plan_rate(
    server: Lab | Yardstick,
    share: float,
    capacity: float,
    repeat: int,
    options: Options,
) -> Run:
    """One server at one rate; the same arrivals for all servers of a repeat.

    One generator would be too busy for that: some share the rate, each at random.
    """
    lasts_ms = QUICK_LASTS_MS if options.is_quick else LASTS_MS
    flags = {
        "speak": "http",
        "rate": round(share * capacity / rig.GENERATORS),
        "arrivals": "poisson",
        "duration": f"{lasts_ms}ms",
        "say": "/",
        "timeout": TIMEOUT,
    }
    numbers = range(1, rig.GENERATORS + 1)
    generators = tuple(
        Generator("rate", flags | {"seed": 10 * repeat + n}, f"clients-{n}")
        for n in numbers
    )
    scene = f"{SCENE}-{round(100 * share)}"
    return plan_run(server, scene, generators, repeat, lasts_ms)


def plan_run(
    server: Lab | Yardstick,
    scene: str,
    generators: tuple[Generator, ...],
    repeat: int,
    lasts_ms: int,
) -> Run:
    """A run of which only sums and latencies are kept."""
    return Run(
        experiment="arrivals",
        group=f"arrivals at fixed rates, repeat {repeat}",
        scene=scene,
        lab=server,
        generators=generators,
        flags={"threads": WORKERS},
        service=("http", str(rig.site())),
        repeat=repeat,
        expected_s=START_S + 0.25 + lasts_ms / 1000,
        is_counted=True,
        counts_others=True,
        fills_machine=True,
    )


# ---- The conclusion ----


@dataclass(frozen=True)
class Kept:
    """One server at one share of the machine: the repeats."""

    server: Lab | Yardstick
    share: float
    runs: list[Measured]

    @property
    def rate(self) -> int:
        """Starts per second."""
        return sum(each.flags["rate"] for each in self.runs[0].run.generators)

    @property
    def means(self) -> list[float]:
        """The mean latency of each repeat; infinite if one failed."""
        return [fmean(made.latencies) for made in self.runs]

    @property
    def p99s(self) -> list[float]:
        """p99 of each repeat."""
        return [percentile(made.latencies, 0.99, 10).value for made in self.runs]

    @property
    def fails(self) -> bool:
        """Did more than one in a hundred get no answer in time?"""
        return math.isinf(median(self.p99s))

    @property
    def late(self) -> float:
        """How late the generators started: of 100 clients one was later."""
        return median(made.gauged["sends late"][0] for made in self.runs)

    @property
    def ideal(self) -> float:
        """The mean of M/D/c, if the machine were its cores and nothing else."""
        service = CORES * self.share / self.rate
        return service + deterministic(self.rate, service, CORES)


def make_kept(made: list[Measured]) -> list[Kept]:
    """Server by server, from the lowest rate to the highest."""
    rated = [each for each in believed(made) if each.run.scene.startswith(SCENE)]
    all_kept = []
    for server in labs_of(rated):
        for share in SHARES:
            scene = f"{SCENE}-{round(100 * share)}"
            runs = [e for e in rated if (e.run.lab, e.run.scene) == (server, scene)]
            if runs:
                all_kept.append(Kept(server, share, runs))
    return all_kept


def findings_of_models(kept: list[Kept]) -> list[Finding]:
    """The mean, against a queue of cores, and p99."""
    found = []
    for each in kept:
        at = f"{each.share:.0%} of the machine ({each.rate}/s)"
        found.append(Finding(each.server.name, f"mean at {at}", each.means, each.ideal))
        found.append(Finding(each.server.name, f"p99 at {at}", each.p99s))
    return found


def lateness(kept: list[Kept]) -> str:
    """How late the generators were before the servers that kept up, in words."""
    told = []
    for share in SHARES:
        late = [each.late for each in kept if each.share == share and not each.fails]
        told += [f"at {share:.0%} by {seconds(median(late))}"] * bool(late)
    return (
        "The generators wait for a core, too: of 100 clients one was started late"
        f" {', '.join(told)} or more, which is in these times."
    )


def make_models_chart(kept: list[Kept], folder: Path) -> Chart:
    """A row for each server, a mark for each rate."""
    names = list(dict.fromkeys(each.server.title for each in kept))
    rows = [
        [
            names.index(each.server.title) + 0.25 * (SHARES.index(each.share) - 1),
            each.server.number,
            each.server.title,
            SHARES.index(each.share) + 1,
            median(each.means),
            median(each.p99s),
            each.ideal,
            int(each.fails),
        ]
        for each in kept
    ]
    header = "row,number,name,load,mean_s,p99_s,ideal_s,fails"
    write_csv(folder / "arrivals-models.csv", header, rows)
    title = "All models at the same rates: mean and p99"
    cells = [
        [row[2], f"{SHARES[row[3] - 1]:.0%}", seconds(row[4]), seconds(row[5])]
        for row in rows
    ]
    last = [each for each in kept if each.share == SHARES[-1]]
    best = min(last, key=lambda each: median(each.p99s))
    caption = (
        f"At {SHARES[-1]:.0%} of the machine ({best.rate}/s) the lowest p99 is"
        f" {seconds(median(best.p99s))}, of {best.server.title}; a queue of {CORES} cores"
        f" would take {seconds(best.ideal)} on average. {lateness(kept)}"
    )
    return Chart(
        "arrivals-models",
        "arrivals-models",
        title,
        "\n".join([title, *table(cells)]),
        {"legend": LEGEND},
        caption=caption,
        scenes=tuple(each.run.scene for kept_ in kept for each in kept_.runs),
    )
