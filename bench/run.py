#!/usr/bin/env python3
"""The bench: runs experiments on the labs, and draws what was predicted and measured."""

import _signal  # in C, and so at once; Ctrl-C just ends it until something is to clean up

_signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import argparse
import datetime
import os
import platform
import random
import sys
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path[0] = str(SOURCE)  # the packages are named from the root

from bench.experiments import arrivals, backlog, capacity, cost, crowd, dmv
from bench.experiments import knee, models, policies, prices, silent, throughput, work
from bench.experiments.experiment import Experiment, Options, Part
from bench.experiments.prices_list import price_list
from bench.judge import stamps
from bench.judge.prices import Prices
from bench.judge.verdicts import MISSED
from bench.measure import machine, rig, runs
from bench.measure.labs import Lab, find_also, find_labs, find_models, find_null
from bench.measure.processes import INTERRUPTS, BenchError, warn
from bench.measure.progress import Progress
from bench.measure.surroundings import settle_encoding, warn_of_another, warn_of_limits
from bench.measure.runs import Measured, Run, count, duration_s
from bench.tell import exports, summary
from bench.tell.charts import (
    HOW_TO_GET_GNUPLOT,
    Chart,
    draw,
    have_gnuplot,
    keep_scripts,
)
from bench.tell.document import About
from bench.tell.report import Report
from bench.tell.results import discard, link_latest, make_folder, short

MODULES = (
    *(prices, knee, dmv, crowd, work, arrivals, silent, backlog, cost),
    *(throughput, models, policies, capacity),
)
EXPERIMENTS = {module.EXPERIMENT.name: module.EXPERIMENT for module in MODULES}
MISSING = (
    "{} is missing: run make first"
    if platform.system() == "Linux"
    else "the generator {} needs Linux; here the labs, make test and make demo run"
)
AGAIN_SHARE = 0.25  # of the planned time may go into runs that are made again
EXIT_FAILURE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130  # 1 also: a promise missed


@dataclass
class Bench:
    """One bench, from its plan to its summary."""

    experiments: list[Experiment]
    options: Options
    labs: list[Lab]
    load: Path
    folder: Path
    load_average: float  # before it began: what others did on this machine
    label: str = ""  # of the person who started it
    patience: stamps.Patience = field(default_factory=lambda: stamps.Patience(0))
    made: list[Measured] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)  # once it has been concluded

    def plan(self) -> list[Run]:
        """All runs of all experiments, in the order in which they are made."""
        return [
            run
            for experiment in self.experiments
            for run in experiment.plan(self.labs, self.options)
        ]

    def measure(self) -> None:
        """Make the runs one after the other, and tell how far it is."""
        measured = tuple(prices.kernel_prices())
        self.options = replace(self.options, kernel_prices=measured)
        planned = self.plan()
        progress = Progress(seconds_of(planned))
        try:
            for name, runs in groupby(planned, lambda run: run.experiment):
                self.measure_one(EXPERIMENTS[name], list(runs), progress)
        finally:
            progress.clear()

    def measure_one(
        self, experiment: Experiment, runs: list[Run], progress: Progress
    ) -> None:
        """Make the runs of one experiment; what it does not use of its time is the next's."""
        self.patience.left_s += AGAIN_SHARE * seconds_of(runs)
        for run in runs:
            if experiment.is_over(self.of(experiment), self.options):
                continue
            progress.show(run.group, run.step)
            self.made.append(self.make(run))
            progress.passed(run.expected_s)

    def make(self, run: Run) -> Measured:
        """Make a run, and again if it cannot be believed."""
        perform = rig.perform if run.is_counted else runs.perform
        raw = self.folder / "raw"
        return self.patience.make_valid(lambda: perform(run, self.load, raw))

    def conclude(self) -> list[Chart]:
        """Write the summary, and the CSVs behind the charts; returns the charts."""
        self.parts, self.made = [], stamps.leave_out(self.made)
        self.options = replace(
            self.options,
            prices=price_list(
                self.of(prices.EXPERIMENT), Prices(self.options.kernel_prices)
            ),
        )
        sections = [headline(self)]
        for experiment in self.experiments:
            if made := self.of(experiment):
                conclusion = experiment.conclude(made, self.options, self.folder)
                conclusion = conclusion.stamped(made)
                self.parts.append(Part(experiment, conclusion, made))
                sections.append(summary.section(experiment, conclusion, made))
        stamps.write(self.made, self.folder)
        charts = [chart for part in self.parts for chart in part.conclusion.charts]
        keep_scripts(charts, self.folder)
        self.summary.write_text("\n\n".join(sections) + "\n")
        link_latest(self.folder)
        return charts

    def of(self, experiment: Experiment) -> list[Measured]:
        """The runs of one experiment."""
        return [each for each in self.made if each.run.experiment == experiment.name]

    @property
    def missed(self) -> int:
        """How many promises were not kept."""
        findings = [f for part in self.parts for f in part.conclusion.findings]
        return sum(finding.verdict == MISSED for finding in findings)

    def publish(self) -> Path:
        """Write the exports, and the report with the charts that have been drawn."""
        facts = machine.describe(SOURCE, self.load)
        add_to(self.summary, summary.machine_section(facts))
        exports.write_all(self.about(facts), self.parts, self.folder)
        return Report(headline(self), self.parts, facts).write(self.folder)

    def about(self, facts: list[machine.Fact]) -> About:
        """What was measured, when and where, for summary.json."""
        size = "quick" if self.options.is_quick else "full"
        return About(headline(self), self.label, size, facts, self.options.prices)

    @property
    def summary(self) -> Path:
        """Where the words and numbers are."""
        return self.folder / "summary.txt"


def seconds_of(runs: list[Run]) -> float:
    """How long they take, if no run is made again."""
    return sum(run.expected_s for run in runs)


def headline(bench: Bench) -> str:
    """When, where and how this was measured."""
    when = datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
    size = "quick" if bench.options.is_quick else "full"
    machine = f"{platform.system()} {platform.release()}, {os.cpu_count()} cores"
    before = f"load average before {bench.load_average:.1f}"
    return f"Bench of {when}, {size}, seed {bench.options.seed}; {machine}, {before}"


def present(charts: list[Chart], bench: Bench) -> None:
    """Draw the charts, print the summary, and say where everything is."""
    if have_gnuplot():
        add_to(bench.summary, draw_all(charts, bench.folder))
    else:
        for chart in charts:
            add_to(bench.summary, chart.text)
        add_to(bench.summary, HOW_TO_GET_GNUPLOT)
    report = bench.publish()
    print(bench.summary.read_text())
    print(f"The report, for a browser: {short(report)}")
    print(f"All of it is in {short(bench.folder)}, and in latest beside it.")


def draw_all(charts: list[Chart], folder: Path) -> str:
    """Draw the charts, and say which."""
    for chart in charts:
        draw(chart, folder)
    names = ", ".join(chart.name for chart in charts)
    return f"Charts, each as .svg and .png: {names}"


def add_to(file: Path, text: str) -> None:
    """One more paragraph."""
    with file.open("a") as opened:
        opened.write(f"\n{text}\n")


def keep(bench: Bench | None) -> str:
    """After an early end: write down what was measured; says in words what was kept."""
    if bench is None:
        return ""
    if not bench.made:
        discard(bench.folder)
        return "; nothing was measured"
    kept = f"; {count(len(bench.made), 'run')} kept in {short(bench.folder)}"
    try:
        bench.conclude()
        bench.publish()
    except (OSError, BenchError) as error:
        return f"{kept}, without a summary: {error}"
    return kept


@dataclass(frozen=True)
class Arguments:
    """The command line, checked."""

    experiments: list[Experiment]
    options: Options
    build: Path
    results: Path
    label: str = ""
    is_strict: bool = False
    also: tuple[str, ...] = ()


def refuse(message: str) -> None:
    """A usage error: one line, and status 2."""
    warn(message)
    sys.exit(EXIT_USAGE)


def parse_arguments(arguments: list[str]) -> Arguments:
    """Read the command line."""
    given = make_parser().parse_args(arguments)
    usual = [name for name, each in EXPERIMENTS.items() if not each.is_on_request]
    names = given.experiment or usual
    for name in names:
        if name not in EXPERIMENTS:
            refuse(f"{name}: unknown experiment; there are {', '.join(EXPERIMENTS)}")
    if given.repeats is not None and given.repeats < 1:
        refuse(f"--repeats={given.repeats}: not a whole number from 1")
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    needs_prices = not all(EXPERIMENTS[name].is_apart for name in names)
    chosen = {*names, *(["prices"] if needs_prices else [])}
    return Arguments(
        [e for name, e in EXPERIMENTS.items() if name in chosen],
        Options(
            given.quick,
            seed,
            given.repeats,
            is_alone=len(set(names)) == 1,
            lab=given.lab,
            limit_s=given.limit,
        ),
        given.build,
        given.results,
        given.label,
        given.strict,
        given.also,
    )


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.error = refuse
    add = parser.add_argument
    add("--quick", action="store_true", help="less of everything, for a lecture")
    add(
        "--experiment",
        nargs="+",
        action="extend",
        metavar="NAME",
        help=f"only these of {', '.join(EXPERIMENTS)}",
    )
    add("--seed", type=int, help="the same seed, the same order of runs")
    add("--repeats", type=int, help="how often each burst is sent")
    add("--also", nargs="+", default=(), metavar="NAME=DIR", help="further servers")
    add("--lab", default="3", help="knee: which lab")
    add("--limit", type=duration, default=0.1, help="knee: what p99 may be (100ms)")
    add("--label", default="", help="a name for these results, for make compare")
    add("--strict", action="store_true", help="exit status 1 if a promise is missed")
    add("--build", type=Path, default=SOURCE / "build", help="where make built")
    add("--results", type=Path, default=SOURCE / "results", help="where to write")
    return parser


def duration(text: str) -> float:
    """A duration with its unit, in seconds."""
    try:
        return duration_s(text)
    except AttributeError as error:
        raise argparse.ArgumentTypeError(f"{text}: not as 100ms or 2s") from error


def prepare(chosen: Arguments) -> Bench:
    """Find the programs, then make a folder for the results."""
    labs = find_labs(SOURCE, chosen.build)
    models = find_models(SOURCE, chosen.build, len(labs) + 1)
    last = len(labs) + len(models) + 1
    labs += [find_also(each, last + n) for n, each in enumerate(chosen.also)]
    load = chosen.build / "bench" / "load"
    if not os.access(load, os.X_OK):
        raise BenchError(MISSING.format(short(load)))
    null = find_null(chosen.build)
    options = replace(chosen.options, null=null, models=tuple(models))
    folder = make_folder(chosen.results.absolute())
    before = os.getloadavg()[0]
    return Bench(chosen.experiments, options, labs, load, folder, before, chosen.label)


def main(arguments: list[str]) -> int:
    """Run the bench; returns its exit status."""
    settle_encoding()
    chosen = parse_arguments(arguments)
    bench = None
    INTERRUPTS.install()
    try:
        bench = prepare(chosen)
        warn_of_limits()
        warn_of_another()
        bench.measure()
        present(bench.conclude(), bench)
        return EXIT_FAILURE if chosen.is_strict and bench.missed else 0
    except KeyboardInterrupt:
        INTERRUPTS.ignore()
        warn(f"interrupted{keep(bench)}")
        return EXIT_INTERRUPTED
    except (OSError, BenchError) as error:
        INTERRUPTS.ignore()
        warn(f"{error}{keep(bench)}")
        return EXIT_FAILURE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
