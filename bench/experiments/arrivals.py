"""arrivals: customers who come when they like: latency against offered load.

The generator is an open loop: no answer can hold up the next start. From the
same run stands beside it what a closed loop's clock would have reported.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from bench.tell.charts import Chart, write_csv
from bench.judge.estimates import floor_of, interval, percentile
from bench.experiments.experiment import (
    Conclusion,
    Experiment,
    Finding,
    Options,
    share_off,
)
from bench.measure.labs import Lab
from bench.judge.predictions import (
    deterministic,
    fifo,
    pollaczek_khinchine,
)
from bench.measure.records import NS_PER_S, Client, join
from bench.measure.runs import START_S, Generator, Measured, Run, burst
from bench.tell.textcharts import log_log, seconds

SERVICE_MS = 1
NOMINAL_S = 1.15e-3  # what a service of 1 ms takes with all that belongs to it, about
RARE_TIMES = 100  # so many times longer takes one customer
RARE_PER_MILLE = 10
RARE = RARE_PER_MILLE / 1000
POOL = 2
REPEATS, QUICK_REPEATS = 2, 1
CALIBRATION = "calibration"
CALIBRATION_CLIENTS = 50
SHARES = (0.5, 0.9, 0.95, 0.99)
NAMED_SHARES = (0.5, 0.9, 0.99)  # on the chart
TIMEOUT = "10s"
LONGEST_FACTOR = 10  # a service so many times S was a rare one
SMOOTH = 60  # points of a predicted curve


@dataclass(frozen=True)
class Scene:
    """Who comes to whom, and for how long each load is kept up."""

    name: str
    colour: int
    clerks: int
    loads: dict[float, int]  # offered load, as planned, and for how many ms
    quick_loads: dict[float, int]
    model: str
    words: str
    label: tuple[float, float]  # beside which load the words stand, and how far up
    is_rare: bool = False

    def services(self, service: float) -> list[tuple[float, float]]:
        """How long customers take, and which share of them takes so long."""
        if not self.is_rare:
            return [(service, 1.0)]
        longer = service + (RARE_TIMES - 1) * SERVICE_MS / 1000
        return [(service, 1 - RARE), (longer, RARE)]

    def moment(self, service: float, power: int) -> float:
        """The mean of the service, or that of its square: what the formulas need."""
        return sum(share * time**power for time, share in self.services(service))

    def rate(self, load: float) -> int:
        """Starts per second that make this load."""
        return round(load * self.clerks / self.moment(NOMINAL_S, 1))

    def load(self, rate: float, service: float) -> float:
        """The offered load of this rate: clerks that would be busy, of all."""
        return rate * self.moment(service, 1) / self.clerks

    def long_run(self, rate: float, service: float) -> float:
        """The mean latency that theory expects if this goes on for ever."""
        if self.load(rate, service) >= 1:
            return math.inf
        if self.clerks > 1:
            return service + deterministic(rate, service, self.clerks)
        mean, square = self.moment(service, 1), self.moment(service, 2)
        return mean + pollaczek_khinchine(rate, mean, square)


ONE = Scene(
    "one-clerk",
    1,
    1,
    {0.3: 800, 0.6: 800, 0.8: 800, 0.9: 800},
    {0.5: 500, 0.9: 500},
    "M/D/1",
    "one clerk; all customers alike",
    (0.04, 1.9),
)
TWO = Scene(
    "two-clerks",
    3,
    POOL,
    {0.3: 600, 0.6: 600, 0.8: 600, 0.9: 600},
    {0.5: 400, 0.9: 400},
    f"M/D/{POOL}",
    f"{POOL} clerks and twice the customers",
    (0.3, 0.75),
)
SLOW = Scene(
    "rare",
    7,
    1,
    {0.3: 1500, 0.5: 1500, 0.7: 1500},
    {0.5: 800, 0.7: 1250},
    "M/G/1",
    f"one clerk; 1 % need {RARE_TIMES} times longer",
    (0.04, 12.5),
    is_rare=True,
)
SCENES = (ONE, TWO, SLOW)


@dataclass(frozen=True)
class Point:
    """One load of one scene: its repeats."""

    scene: Scene
    rate: int
    service: float  # S: how long a customer keeps a clerk from the next
    runs: list[Measured]

    @property
    def load(self) -> float:
        """What was offered, by the measured S."""
        return self.scene.load(self.rate, self.service)

    @property
    def means(self) -> list[float]:
        """The mean latency of each repeat; infinite if a customer failed."""
        return [fmean(made.latencies) for made in self.runs]

    @property
    def expected(self) -> list[float]:
        """The same as theory has it for the very arrivals of each repeat."""
        return [fmean(predict(made, self)) for made in self.runs]

    @property
    def long_run(self) -> float:
        """What theory expects in the long run."""
        return self.scene.long_run(self.rate, self.service)

    @property
    def middle(self) -> Measured:
        """The repeat in the middle."""
        ordered = sorted(self.runs, key=lambda made: fmean(made.latencies))
        return ordered[(len(ordered) - 1) // 2]


def predict(made: Measured, point: Point) -> list[float]:
    """Each customer's latency if the line moves as theory says, in order of arrival."""
    pairs = sorted(join(made.clients, made.visits), key=lambda pair: pair[0].intended)
    first = pairs[0][0].intended
    arrivals = [(client.intended - first) / NS_PER_S for client, _ in pairs]
    usual, *longer = [time for time, _ in point.scene.services(point.service)]
    services = [
        longer[0] if longer and visit and visit.held > LONGEST_FACTOR * usual else usual
        for _, visit in pairs
    ]
    done = fifo(services, point.scene.clerks, arrivals)
    return [end - arrival for end, arrival in zip(done, arrivals)]


# ---- The plan ----


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes all loads of all scenes in a new order, other arrivals each."""
    numbers = random.Random(f"arrivals {options.seed}")
    repeats = options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)
    runs = []
    for repeat in range(1, repeats + 1):
        group = f"arrivals, repeat {repeat} of {repeats}"
        of_repeat = []
        for scene in SCENES:
            if lab := lab_for(scene, labs):
                of_repeat += plan_scene(scene, lab, group, repeat, numbers, options)
        if options.null:
            of_repeat.append(plan_floor(options.null, group, repeat, numbers))
        numbers.shuffle(of_repeat)
        runs += of_repeat
    return runs


def lab_for(scene: Scene, labs: list[Lab]) -> Lab | None:
    """The first lab with so many clerks."""
    found = [lab for lab in labs if lab.clerks(POOL) == scene.clerks]
    return found[0] if found else None


def plan_scene(
    scene: Scene,
    lab: Lab,
    group: str,
    repeat: int,
    numbers: random.Random,
    options: Options,
) -> list[Run]:
    """The loads of a scene in one repeat, and the burst that S is measured with."""
    say = f"sleep {SERVICE_MS}"
    loads = scene.quick_loads if options.is_quick else scene.loads
    runs = [
        plan_run(
            scene.name,
            lab,
            group,
            rate_generator(scene, load, span_ms, numbers),
            repeat,
            span_ms / 1000,
        )
        for load, span_ms in loads.items()
    ]
    calibration = burst(CALIBRATION_CLIENTS, say)[0]
    takes = CALIBRATION_CLIENTS * NOMINAL_S / scene.clerks
    name = f"{CALIBRATION}-{scene.name}"
    return [*runs, plan_run(name, lab, group, calibration, repeat, takes)]


def rate_generator(
    scene: Scene, load: float, span_ms: int, numbers: random.Random
) -> Generator:
    """Customers who come at random at the rate that makes this load."""
    expected = scene.rate(load) * span_ms / 1000
    seed = choose_seed(numbers, expected) if scene.is_rare else new_seed(numbers)
    flags = {
        "rate": scene.rate(load),
        "arrivals": "poisson",
        "duration": f"{span_ms}ms",
        "say": f"sleep {SERVICE_MS}",
        "timeout": TIMEOUT,
        "seed": seed,
    }
    if scene.is_rare:
        flags |= {
            "rare": f"sleep {SERVICE_MS * RARE_TIMES}",
            "rare-per-mille": RARE_PER_MILLE,
        }
    return Generator("rate", flags)


def new_seed(numbers: random.Random) -> int:
    """Any seed that load takes."""
    return numbers.randrange(2**31)


def choose_seed(numbers: random.Random, customers: float) -> int:
    """A seed with as many rare customers as there should be: 1 %, not 0 or 3.

    That makes a short run more like a long one: a stratified sample.
    """
    while True:
        seed = new_seed(numbers)
        if count_rare(seed, round(customers)) == round(RARE * customers):
            return seed


def count_rare(seed: int, customers: int) -> int:
    """How many of the first customers load makes rare: its splitmix64, again."""
    state, mask, rare = ~seed % 2**64, 2**64 - 1, 0
    for _ in range(customers):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        rare += (z ^ (z >> 31)) % 1000 < RARE_PER_MILLE
    return rare


def plan_floor(null: Lab, group: str, repeat: int, numbers: random.Random) -> Run:
    """The null server under the highest rate of all."""
    rate = max(scene.rate(load) for scene in SCENES for load in scene.loads)
    flags = {
        "rate": rate,
        "arrivals": "poisson",
        "duration": "300ms",
        "say": f"sleep {SERVICE_MS}",
        "seed": new_seed(numbers),
    }
    return plan_run("floor", null, group, Generator("rate", flags), repeat, 0.3)


def plan_run(
    scene: str, lab: Lab, group: str, generator: Generator, repeat: int, takes: float
) -> Run:
    """One run; its scene is told from the others by its rate."""
    rate = generator.flags.get("rate")
    return Run(
        experiment="arrivals",
        group=group,
        scene=f"{scene}-{rate}" if rate else scene,
        lab=lab,
        generators=(generator,),
        repeat=repeat,
        expected_s=START_S + takes,
        flags={"threads": POOL},
    )


# ---- The conclusion ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """Latency against load, and the pair of clocks."""
    points = [point for scene in SCENES for point in make_points(scene, made)]
    if not points:
        return Conclusion([], [], [])
    findings = [finding for point in points for finding in findings_of(point)]
    charts = [make_chart(points, folder)]
    pair = choose_pair(points)
    if pair:
        charts.append(make_pair_chart(pair, folder))
    return Conclusion(findings, notes(points, made, options), charts)


def make_points(scene: Scene, made: list[Measured]) -> list[Point]:
    """A point for each load of a scene."""
    rated = [
        each
        for each in made
        if each.clients and each.run.scene.rpartition("-")[0] == scene.name
    ]
    rates = sorted({each.run.generators[0].flags["rate"] for each in rated})
    service = measured_service(scene, made)
    return [
        Point(
            scene,
            rate,
            service,
            [each for each in rated if each.run.generators[0].flags["rate"] == rate],
        )
        for rate in rates
    ]


def measured_service(scene: Scene, made: list[Measured]) -> float:
    """S as a busy clerk has it: from one customer of a burst to the clerk's next.

    Where others take the CPU the bench is late now and then, hence the median.
    """
    name = f"{CALIBRATION}-{scene.name}"
    bursts = [sorted(each.latencies) for each in made if each.run.scene == name]
    steps = [
        later - earlier
        for done in bursts
        for earlier, later in zip(done, done[scene.clerks :])
        if math.isfinite(later)
    ]
    return median(steps) if steps else NOMINAL_S


def findings_of(point: Point) -> list[Finding]:
    """Mean latency at one load."""
    expected = median(point.expected)
    return [
        Finding(
            point.runs[0].run.lab.name,
            f"{point.scene.name}: mean at {point.load:.0%}",
            str(interval(point.means)),
            f"{seconds(expected)} for these arrivals,"
            f" {seconds(point.long_run)} in the long run",
            share_off(median(point.means), expected),
        )
    ]


def notes(points: list[Point], made: list[Measured], options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        "Customers come at random (Poisson) and wait for nobody. Latency counts from the"
        " intended start. S is measured in a burst: from one answer to the clerk's"
        f" next, the median ({', '.join(service_words(points))}).",
        "In the long run: M/D/1 and Pollaczek-Khinchine exactly, M/D/c by Cosmetatos. A short"
        " run is not the long run: it has its share of rare customers, and theory is computed for the very arrivals of"
        " each run, too, customer by customer (Lindley); off is measured against that.",
    ]
    floors = [fmean(each.latencies) for each in made if each.run.lab.number == 0]
    if floors:
        lines.append(
            f"Floor: the null server answers in {seconds(median(floors))} on average"
            " at the highest rate of all."
        )
    if pair := choose_pair(points):
        lines.append(pair_caption(pair))
    if options.is_quick:
        lines.append("QUICK left out loads, and time at each.")
    return lines


def service_words(points: list[Point]) -> list[str]:
    """S of each scene."""
    services = {point.scene.name: point.service for point in points}
    return [f"{name} {seconds(service)}" for name, service in services.items()]


# ---- The chart of latency against load ----


def make_chart(points: list[Point], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    header = "number,scene,rate,load,mean_s,least_s,most_s,expected_s,long_run_s,failed"
    write_csv(folder / "arrivals.csv", header, [point_row(point) for point in points])
    header = "number,load,predicted_s"
    write_csv(folder / "arrivals-predicted.csv", header, curve_rows(points))
    header = "number,load,y_s,words"
    write_csv(folder / "arrivals-words.csv", header, word_rows(points))
    curves = {
        scene.words: [
            (p.load * 100, median(p.means)) for p in points if p.scene == scene
        ]
        for scene in SCENES
    }
    title = "Customers who come at random: how long they take"
    return Chart(
        "arrivals",
        "arrivals",
        title,
        log_log(f"{title} (the axis is offered load in percent)", curves),
        {"note": "clerks that would be busy, of all"},
        caption=caption(points),
        scenes=tuple(each.run.scene for point in points for each in point.runs),
    )


def caption(points: list[Point]) -> str:
    """The highest load of each scene, against theory."""
    said = []
    for scene in SCENES:
        of_scene = [point for point in points if point.scene == scene]
        if of_scene:
            last = of_scene[-1]
            said.append(
                f"{scene.words}: at {last.load:.0%} load {seconds(median(last.means))} on"
                f" average (theory: {seconds(median(last.expected))} for these arrivals,"
                f" {seconds(last.long_run)} in the long run)"
            )
    return sentence("; ".join(said))


def sentence(words: str) -> str:
    """Words with a capital and a full stop."""
    return f"{words[:1].upper()}{words[1:]}."


def point_row(point: Point) -> list:
    """One point for the CSV."""
    return [
        point.scene.colour,
        point.scene.name,
        point.rate,
        point.load,
        median(point.means),
        min(point.means),
        max(point.means),
        median(point.expected),
        point.long_run,
        sum(each.failures.total() for each in point.runs),
    ]


def curve_rows(points: list[Point]) -> list[list]:
    """Each formula from an idle clerk to a nearly busy one."""
    rows = []
    for scene in SCENES:
        of_scene = [point for point in points if point.scene == scene]
        if not of_scene:
            continue
        service = of_scene[0].service
        for step in range(1, SMOOTH):
            load = 0.97 * step / SMOOTH
            rate = load * scene.clerks / scene.moment(service, 1)
            rows.append([scene.colour, load, scene.long_run(rate, service)])
    return rows


def word_rows(points: list[Point]) -> list[list]:
    """What stands beside each curve."""
    rows = []
    for scene in SCENES:
        of_scene = [point for point in points if point.scene == scene]
        if not of_scene:
            continue
        point = of_scene[0]
        load, factor = scene.label
        rate = load * scene.clerks / scene.moment(point.service, 1)
        y = factor * scene.long_run(rate, point.service)
        rows.append([scene.colour, load, y, f"{scene.words} ({scene.model})"])
    return rows


# ---- The pair: two clocks, one run ----


@dataclass(frozen=True)
class Pair:
    """One run read by two clocks."""

    point: Point
    made: Measured

    @property
    def lived(self) -> list[float]:
        """From the intended start: what the customers lived through."""
        return sorted(self.made.latencies)

    @property
    def naive(self) -> list[float]:
        """What a closed loop's clock would have read in this very run.

        It starts when the request is really sent, which in a closed loop is not
        before the answer to the one before.
        """
        return sorted(naive_latencies(self.made.clients))


def naive_latencies(clients: list[Client]) -> list[float]:
    """From the answer before, or the start if that is later, to the answer."""
    answered = sorted(
        (client for client in clients if client.outcome == "ok"),
        key=lambda client: client.done,
    )
    before = [0] + [client.done for client in answered]
    return [
        (client.done - max(client.started, previous)) / NS_PER_S
        for client, previous in zip(answered, before)
    ]


def choose_pair(points: list[Point]) -> Pair | None:
    """The scene with rare slow customers at its highest load."""
    rare = [point for point in points if point.scene.is_rare]
    return Pair(rare[-1], rare[-1].middle) if rare else None


def clock_words(values: list[float], limit: float) -> str:
    """The percentiles that so many samples can defend."""
    return ", ".join(
        f"p{100 * share:g} {percentile(values, share, limit)}" for share in SHARES
    )


def pair_caption(pair: Pair) -> str:
    """What either clock says of the same run."""
    limit = pair.made.run.timeout_s
    return (
        f"One run, two clocks, {len(pair.lived)} customers at {pair.point.load:.0%} load:"
        f" a closed loop would have reported {clock_words(pair.naive, limit)};"
        f" the customers lived through {clock_words(pair.lived, limit)}."
    )


def make_pair_chart(pair: Pair, folder: Path) -> Chart:
    """Write what the chart of two clocks is drawn from."""
    clocks = {"lived": pair.lived, "naive": pair.naive}
    rows = [
        [number, clock, share, 1 / (1 - share), value]
        for number, (clock, values) in enumerate(clocks.items(), 1)
        for share, value in shares_of(values)
    ]
    header = "number,clock,share,one_in,latency_s"
    write_csv(folder / "arrivals-clocks.csv", header, rows)
    header = "number,one_in,latency_s,words"
    write_csv(folder / "arrivals-clocks-words.csv", header, pair_words(pair, clocks))
    title = "One run, two clocks: what a closed loop would have reported"
    return Chart(
        "arrivals-clocks",
        "clocks",
        title,
        log_log(
            f"{title} (the axis is 1 in so many customers)",
            {
                clock: [(1 / (1 - share), value) for share, value in shares_of(values)]
                for clock, values in clocks.items()
            },
        ),
        {"note": f"{pair.point.scene.words}, {pair.point.load:.0%} load"},
        caption=pair_caption(pair),
        scenes=(pair.made.run.scene,),
    )


def shares_of(values: list[float]) -> list[tuple[float, float]]:
    """Each sample with the share that it completes, as far as so many can defend."""
    count = len(values)
    return [
        (rank / count, value)
        for rank, value in enumerate(values[:-1], 1)
        if rank <= count / 2 or count >= floor_of((rank - 1) / count)
    ]


def pair_words(pair: Pair, clocks: dict[str, list[float]]) -> list[list]:
    """The percentiles that can be defended, beside their curves."""
    rows = []
    for number, values in enumerate(clocks.values(), 1):
        for share in SHARES:
            at = percentile(values, share, pair.made.run.timeout_s)
            if at.is_defended and share in NAMED_SHARES:
                words = f"p{100 * share:g}  {at}"
                rows.append([number, 1 / (1 - share), at.value, words])
    return rows


EXPERIMENT = Experiment(
    "arrivals",
    "how long do customers take who come at random, from an idle clerk to a busy one?",
    plan,
    conclude,
)
