"""silent: clients who keep clerks waiting, and what a good client sees of it."""

import math
import random
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.tell.charts import Chart, write_csv
from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    labs_of,
)
from bench.judge.prices import FREE, Prices
from bench.judge.stamps import believed
from bench.judge.verdicts import within
from bench.measure.labs import Lab
from bench.judge.predictions import held_up
from bench.measure.records import NS_PER_S, Client
from bench.measure.runs import START_S, Generator, Measured, Run
from bench.tell.units import seconds

POOL = 4
SLOW_CLIENTS = 8
PROBES_PER_S = 100
GAP_MS = 50  # from one byte of a dribble to the next
IN_TIME_S = 0.05  # a probe that is answered so soon was well served
PLACES = 1000  # in a pool's queue: no probe is turned away
REPEATS, QUICK_REPEATS = 3, 1
GOOD_LIMIT = 0.05
KINDS = {"silent": "silent", "dribble": "dribbling"}


@dataclass(frozen=True)
class Times:
    """The course of a run, in ms."""

    come: int  # when the slow ones come
    stay: int  # for how long they would stay
    probe: int  # for how long a good client comes, regularly
    patience: int  # of a lab with timeouts


FULL = Times(come=300, stay=800, probe=1300, patience=200)
QUICK = Times(come=200, stay=450, probe=800, patience=110)


@dataclass(frozen=True)
class SiegedLab:
    """One lab under siege by one kind of client."""

    lab: Lab
    kind: str
    runs: list[Measured]
    prices: Prices = FREE

    @property
    def shown(self) -> "Siege":
        """The repeat in the middle, by how long nobody was served."""
        sieges = sorted(self.sieges, key=lambda siege: siege.dead)
        return sieges[(len(sieges) - 1) // 2]

    @property
    def sieges(self) -> list["Siege"]:
        """Each repeat."""
        return [Siege(made) for made in self.runs]

    @property
    def dead(self) -> float:
        """For how long nobody was served: the median over the repeats."""
        return median(siege.dead for siege in self.sieges)

    @property
    def ideal(self) -> float:
        """The same as theory has it."""
        return median(siege.ideal for siege in self.sieges)

    @property
    def predicted(self) -> float:
        """And until the first of those who waited has an answer, on this machine."""
        return self.ideal + self.prices.one("idle server, a client alone", "null")

    @property
    def available(self) -> float:
        """The share of probes that were answered in time."""
        return median(siege.available for siege in self.sieges)

    @property
    def words(self) -> str:
        """What is seen."""
        return (
            f"{self.lab.title}: {SLOW_CLIENTS} {KINDS[self.kind]} clients stop it for"
            f" {seconds(self.dead)} (predicted {seconds(self.predicted)})"
        )


@dataclass(frozen=True)
class Siege:
    """One run; times in seconds from the first probe."""

    made: Measured

    @property
    def opening(self) -> int:
        """The moment of the first probe."""
        return min(client.intended for client in self.made.clients)

    @property
    def slow(self) -> list[Client]:
        """Those who keep the clerks waiting."""
        return self.made.others["slow"]

    @property
    def begins(self) -> float:
        """When the slow ones are all connected."""
        connected = max(client.connected for client in self.slow)
        return (connected - self.opening) / NS_PER_S

    @property
    def leaves(self) -> float:
        """When they would leave by themselves."""
        return self.begins + self.made.run.generators[1].lasts_s

    @property
    def ideal(self) -> float:
        """For how long nobody is served, in theory."""
        stay = self.leaves - self.begins
        if limit := patience_s(self.made.run):
            return min(stay, held_up(SLOW_CLIENTS, POOL, limit))
        return stay

    @property
    def dead(self) -> float:
        """From when all clerks are held to the first answer to whoever came after that."""
        return min(
            intended + latency - self.begins
            for intended, latency in self.probes()
            if intended >= self.begins
        )

    @property
    def available(self) -> float:
        """The share of probes that were answered in time."""
        late = [client.latency for client in self.made.clients]
        return sum(latency <= IN_TIME_S for latency in late) / len(late)

    def answered_after(self, dead: float) -> float:
        """The same as theory has it, if nobody is served for so long."""
        late = max(0.0, dead - IN_TIME_S)
        return 1 - late / self.made.run.generators[0].lasts_s

    def probes(self) -> list[tuple[float, float]]:
        """When each probe was intended, and how long it took."""
        return [
            ((client.intended - self.opening) / NS_PER_S, client.latency)
            for client in self.made.clients
        ]


def patience_s(run: Run) -> float:
    """How long this lab waits for a slow client; 0 for ever."""
    flag = "idle-timeout"
    if flag not in run.lab.flags:
        return 0.0
    return int(str(run.flags[flag]).removesuffix("ms")) / 1000


# ---- The plan ----


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Both kinds of slow clients against each pool, shuffled in each repeat."""
    shuffle = random.Random(f"silent {options.seed}").shuffle
    repeats = options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)
    times = QUICK if options.is_quick else FULL
    runs = []
    for repeat in range(1, repeats + 1):
        group = f"silent, repeat {repeat} of {repeats}"
        of_repeat = [
            plan_run(lab, group, kind, repeat, times)
            for lab in labs
            if lab.has_pool
            for kind in KINDS
        ]
        shuffle(of_repeat)
        runs += of_repeat
    return runs


def plan_run(lab: Lab, group: str, kind: str, repeat: int, times: Times) -> Run:
    """One siege, with a good client who comes all the time."""
    probe = Generator(
        "probe",
        {"rate": PROBES_PER_S, "duration": f"{times.probe}ms", "timeout": "10s"},
    )
    slow = Generator(
        "slow",
        {
            "kind": kind,
            "clients": SLOW_CLIENTS,
            "duration": f"{times.stay}ms",
            "gap": f"{GAP_MS}ms",
        },
        name="slow",
        after_s=times.come / 1000,
    )
    return Run(
        experiment="silent",
        group=group,
        scene=kind,
        lab=lab,
        generators=(probe, slow),
        repeat=repeat,
        expected_s=START_S + times.probe / 1000,
        effect_s=nobody_served_s(lab, times),
        flags={
            "threads": POOL,
            "queue": PLACES,
            "idle-timeout": f"{times.patience}ms",
            "request-timeout": f"{times.patience}ms",
        },
    )


def nobody_served_s(lab: Lab, times: Times) -> float:
    """For how long nobody is to be served: what the chart shows."""
    stay, limit = times.stay / 1000, times.patience / 1000
    if "idle-timeout" not in lab.flags:
        return stay
    return min(stay, held_up(SLOW_CLIENTS, POOL, limit))


# ---- The conclusion ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A panel for each lab and kind."""
    kept = believed(made)
    panels = [
        SiegedLab(lab, kind, runs, options.prices)
        for kind in KINDS
        for lab in labs_of(kept)
        if (runs := [e for e in kept if e.run.lab == lab and e.run.scene == kind])
    ]
    if not panels:
        return Conclusion([], [], [])
    findings = [finding for panel in panels for finding in findings_of(panel)]
    return Conclusion(findings, notes(options), [make_chart(panels, folder)])


def notes(options: Options) -> list[str]:
    """How the numbers came about."""
    times = QUICK if options.is_quick else FULL
    lines = [
        f"{SLOW_CLIENTS} slow clients come to {POOL} workers and would stay for"
        f" {times.stay} ms. A good client probes {PROBES_PER_S} times a second, and waits"
        f" for no answer before the next. Where there are timeouts, each is"
        f" {times.patience} ms: {SLOW_CLIENTS} clients then hold {POOL} workers for"
        f" {math.ceil(SLOW_CLIENTS / POOL)} times that. Where there are none, until they"
        " leave.",
    ]
    if options.is_quick:
        lines.append("QUICK left out a repeat, and shortened the siege.")
    return lines


def findings_of(panel: SiegedLab) -> list[Finding]:
    """How long nobody was served, and how many probes were answered in time."""
    in_time = seconds(IN_TIME_S)
    return [
        Finding(
            panel.lab.name,
            f"{panel.kind}: nobody served for",
            [siege.dead for siege in panel.sieges],
            panel.ideal,
            panel.predicted,
            clients=SLOW_CLIENTS,
            promise=within(GOOD_LIMIT, panel.predicted),
        ),
        Finding(
            panel.lab.name,
            f"{panel.kind}: probes answered in {in_time}",
            [siege.available for siege in panel.sieges],
            panel.shown.answered_after(panel.ideal),
            panel.shown.answered_after(panel.predicted),
            unit="%",
            clients=SLOW_CLIENTS,
        ),
    ]


def make_chart(panels: list[SiegedLab], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    rows = [
        [n, panel.lab.number, panel.lab.name, panel.kind, begun, latency]
        for n, panel in enumerate(panels, 1)
        for begun, latency in panel.shown.probes()
    ]
    header = "panel,number,lab,kind,intended_s,latency_s"
    write_csv(folder / "silent.csv", header, rows)
    header = "panel,number,begins_s,leaves_s,dead_s,ideal_s,predicted_s,words"
    write_csv(folder / "silent-words.csv", header, word_rows(panels))
    title = f"{SLOW_CLIENTS} slow clients hold {POOL} workers: what a good client lives through"
    return Chart(
        "silent",
        "silent",
        title,
        "\n".join([title, *(text_panel(panel) for panel in panels)]),
        caption=". ".join(panel.words for panel in panels) + ".",
        scenes=tuple(KINDS),
    )


def word_rows(panels: list[SiegedLab]) -> list[list]:
    """The siege as it was and as predicted, and its words."""
    return [
        [
            n,
            panel.lab.number,
            panel.shown.begins,
            panel.shown.leaves,
            panel.shown.dead,
            panel.ideal,
            panel.predicted,
            panel.words,
        ]
        for n, panel in enumerate(panels, 1)
    ]


def text_panel(panel: SiegedLab) -> str:
    """A strip for a terminal: a sign for each probe."""
    signs = [
        "." if latency <= IN_TIME_S else "x" if math.isinf(latency) else "#"
        for _, latency in panel.shown.probes()
    ]
    return f"{panel.words}\n     {''.join(signs[::2])}   (. answered at once, # late)"


EXPERIMENT = Experiment(
    "silent",
    "what do clients who say nothing do to the others, and do timeouts help?",
    plan,
    conclude,
)
