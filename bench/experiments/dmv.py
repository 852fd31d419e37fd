"""dmv: who waits for whom, when 20 clients come at one instant."""

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
    service_finding,
    service_time,
    share_off,
)
from bench.measure.labs import Lab
from bench.judge.predictions import fifo, slope_over_rank
from bench.measure.records import NS_PER_S, Client, Visit, join
from bench.measure.runs import START_S, Measured, Run, burst
from bench.tell.textcharts import Bar, gantt, gantt_legend, seconds

CLIENTS = 20
POOL = 5
SERVICE_MS = 100
HEAD_MS = 1000
LONE_CLIENTS = 3  # at least, over all repeats
KEY = (  # how far down the line each part of the picture is named
    (0.30, "served", "being served"),
    (0.60, "predicted", "predicted: dashed"),
    (0.75, "waiting", "waiting in line"),
)
SLOPE_LIMIT, CROWD_LIMIT, STEP_LIMIT = 0.02, 0.10, 0.05


@dataclass(frozen=True)
class Scene:
    """The same burst with and without a slow customer at the head of the line."""

    name: str
    chart: str
    title: str
    head_ms: int = SERVICE_MS
    repeats: int = 1
    quick_repeats: int = 1

    @property
    def is_slow(self) -> bool:
        """Does the first in line take longer than the others?"""
        return self.head_ms != SERVICE_MS


ALONE = Scene("alone", "", "")  # what S is measured with
EQUAL = Scene(
    "equal",
    "dmv",
    f"{CLIENTS} clients come at one instant, each with {SERVICE_MS} ms of work",
    repeats=3,
)
SLOW_HEAD = Scene(
    "slow-head",
    "dmv-slow-head",
    f"The same {CLIENTS} clients, but the first in line needs {HEAD_MS / 1000:g} s",
    head_ms=HEAD_MS,
)


@dataclass(frozen=True)
class Place:
    """A client's place in the line, and what came of it, in seconds from the start."""

    rank: int
    client: Client
    visit: Visit | None
    predicted: float
    gave_up: float

    @property
    def begun(self) -> float:
        """When a clerk took the client, or the client gave up."""
        return self._since(self.visit.begun) if self.was_taken else self.gave_up

    @property
    def ended(self) -> float:
        """When the clerk was through with the client."""
        return self._since(self.visit.ended) if self.was_taken else math.nan

    @property
    def done(self) -> float:
        """When the client had its answer; infinity if it got none."""
        return self.client.latency

    @property
    def failed(self) -> float:
        """When a client without an answer was given up; NaN for the others."""
        if self.client.outcome == "ok":
            return math.nan
        return self.ended if self.was_taken else self.gave_up

    @property
    def was_taken(self) -> bool:
        """Did a clerk ever take this client?"""
        return self.visit is not None and self.visit.begun > 0

    def _since(self, stamp: int) -> float:
        return (stamp - self.client.intended) / NS_PER_S


@dataclass(frozen=True)
class Panel:
    """One lab in one scene: the repeats of its burst, and its clients alone."""

    lab: Lab
    scene: Scene
    lone: list[Measured]
    bursts: list[Measured]

    @property
    def service(self) -> float:
        """S, as a client alone has it."""
        return service_time(self.lone, SERVICE_MS / 1000)

    @property
    def clerks(self) -> float:
        """How many clients this lab serves at once."""
        return self.lab.clerks(POOL)

    @property
    def last(self) -> float:
        """When the last client was done: the median over the repeats."""
        return median(max(burst.latencies) for burst in self.bursts)

    @property
    def shown(self) -> list[Place]:
        """The line in the repeat that is in the middle of all, by its end."""
        ordered = sorted(self.bursts, key=lambda burst: max(burst.latencies))
        return line_up(ordered[(len(ordered) - 1) // 2], self)

    @property
    def predicted_last(self) -> float:
        """When theory expects the last client to be done."""
        return max(place.predicted for place in self.shown)

    @property
    def caption(self) -> str:
        """What is seen, in words."""
        pool = f" ({POOL} workers)" if self.lab.has_pool else ""
        return f"{self.lab.title}{pool}: {self.outcome}"

    @property
    def outcome(self) -> str:
        """How the client fared whom this scene is about."""
        failed = sum(not math.isnan(place.failed) for place in self.shown)
        if failed:
            return f"{failed} of {CLIENTS} failed"
        if self.scene.is_slow:
            return f"second in line {done_text(self.shown[1])}"
        return f"last one {done_text(max(self.shown, key=lambda place: place.done))}"


def done_text(place: Place) -> str:
    """When a client was done, and when it should have been."""
    return f"done after {place.done:.2f} s (predicted {place.predicted:.2f} s)"


def line_up(burst: Measured, panel: Panel) -> list[Place]:
    """The clients of one burst in the order of the line, with what was predicted."""
    pairs = join(burst.clients, burst.visits)
    extra = (panel.scene.head_ms - SERVICE_MS) / 1000
    services = [panel.service + extra * (client.i == 0) for client, _ in pairs]
    return [
        Place(rank, client, visit, predicted, gave_up(client, burst.run))
        for rank, ((client, visit), predicted) in enumerate(
            zip(pairs, fifo(services, panel.clerks)), 1
        )
    ]


def gave_up(client: Client, run: Run) -> float:
    """When a client that nobody served was rid of its hope."""
    if client.outcome == "timeout":
        return run.timeout_s
    reached = max(client.done, client.first_byte, client.connected, client.started)
    return max(0, reached - client.intended) / NS_PER_S


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes the labs in a new order: clients alone, then the bursts."""
    shuffle = random.Random(f"dmv {options.seed}").shuffle
    runs = []
    for repeat in range(1, repeats(EQUAL, options) + 1):
        order = list(labs)
        shuffle(order)
        for lab in order:
            runs += plan_lab(lab, repeat, options)
    return runs


def repeats(scene: Scene, options: Options) -> int:
    """How often the burst of a scene is sent."""
    chosen = scene.quick_repeats if options.is_quick else scene.repeats
    return options.repeats or chosen


def plan_lab(lab: Lab, repeat: int, options: Options) -> list[Run]:
    """One lab in one repeat."""
    most = repeats(EQUAL, options)
    group = f"dmv, repeat {repeat} of {most}"
    lone = math.ceil(LONE_CLIENTS / most)
    numbers = range(lone * (repeat - 1) + 1, lone * repeat + 1)
    runs = [plan_run(lab, group, ALONE, 1, number) for number in numbers]
    scenes = [s for s in (EQUAL, SLOW_HEAD) if repeat <= repeats(s, options)]
    return runs + [plan_run(lab, group, scene, CLIENTS, repeat) for scene in scenes]


def plan_run(lab: Lab, group: str, scene: Scene, clients: int, repeat: int) -> Run:
    """One burst of a scene on one lab."""
    services = [scene.head_ms / 1000] + [SERVICE_MS / 1000] * (clients - 1)
    return Run(
        experiment="dmv",
        group=group,
        scene=scene.name,
        lab=lab,
        generators=burst(
            clients,
            f"sleep {SERVICE_MS}",
            head=f"sleep {scene.head_ms}" if scene.is_slow else None,
        ),
        flags={"threads": POOL},
        repeat=repeat,
        expected_s=START_S + max(fifo(services, lab.clerks(POOL))),
    )


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """A chart for each scene, and how far theory was off."""
    findings, charts = [], []
    for scene in (EQUAL, SLOW_HEAD):
        if panels := make_panels(made, scene):
            findings += [finding for panel in panels for finding in findings_of(panel)]
            charts.append(make_chart(panels, scene, folder))
    return Conclusion(findings, notes(options), charts)


def notes(options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        "Predictions use each lab's own service time S: how long a client who comes"
        f" alone holds a clerk, the median of at least {LONE_CLIENTS}.",
        f"The slow customer is predicted to take S + {HEAD_MS - SERVICE_MS} ms. Figures"
        " are medians over the repeats; a chart shows the repeat in the middle.",
    ]
    if options.is_quick and not options.repeats:
        less = EQUAL.repeats - EQUAL.quick_repeats
        lines.append(
            f"QUICK left out {less} of {EQUAL.repeats} repeats of equal clients."
        )
    return lines


def make_panels(made: list[Measured], scene: Scene) -> list[Panel]:
    """A panel for each lab that this scene was played on."""
    panels = []
    for lab in labs_of(made):
        of_lab = [each for each in made if each.run.lab == lab]
        lone = [each for each in of_lab if each.run.scene == ALONE.name]
        bursts = [each for each in of_lab if each.run.scene == scene.name]
        if bursts:
            panels.append(Panel(lab, scene, lone, bursts))
    return panels


def findings_of(panel: Panel) -> list[Finding]:
    """What the summary says of one lab in one scene."""
    if panel.scene.is_slow:
        return [second_finding(panel), last_finding(panel, "slow head: last done")]
    service = service_finding(panel.lone, panel.lab, "S", SERVICE_MS / 1000)
    if panel.clerks == 1:
        return [service, slope_finding(panel), last_finding(panel, "last done")]
    if panel.clerks >= CLIENTS:
        return [service, last_finding(panel, "last done", CROWD_LIMIT)]
    return [service, steps_finding(panel)]


def time_finding(
    panel: Panel, what: str, measured: float, predicted: float, **promise
) -> Finding:
    """Two times side by side."""
    off = share_off(measured, predicted)
    return Finding(
        panel.lab.name,
        what,
        seconds(measured, 4),
        seconds(predicted, 4),
        off,
        **promise,
    )


def last_finding(panel: Panel, what: str, ceiling: float | None = None) -> Finding:
    """When the last client was done."""
    return time_finding(
        panel, what, panel.last, panel.predicted_last, limit=ceiling, is_ceiling=True
    )


def second_finding(panel: Panel) -> Finding:
    """When the client behind the slow customer was done."""
    lines = [line_up(burst, panel) for burst in panel.bursts]
    measured = median(line[1].done for line in lines)
    return time_finding(
        panel, "slow head: second done", measured, panel.shown[1].predicted
    )


def slope_finding(panel: Panel) -> Finding:
    """One clerk: by how much each further rank is done later, against S."""
    slopes = [
        slope_over_rank(burst.latencies) if not burst.failures else math.inf
        for burst in panel.bursts
    ]
    return time_finding(
        panel, "slope over rank", median(slopes), panel.service, limit=SLOPE_LIMIT
    )


def steps_finding(panel: Panel) -> Finding:
    """A pool: when each round of clients was done; off is that of the worst round."""
    rounds = range(POOL - 1, CLIENTS, POOL)
    lines = [sorted(burst.latencies) for burst in panel.bursts]
    measured = [median(line[rank] for line in lines) for rank in rounds]
    predicted = [panel.shown[rank].predicted for rank in rounds]
    off = max((share_off(*pair) for pair in zip(measured, predicted)), key=abs)
    return Finding(
        panel.lab.name,
        f"steps, {POOL} workers",
        ", ".join(seconds(step) for step in measured),
        ", ".join(seconds(step) for step in predicted),
        off,
        STEP_LIMIT,
    )


def make_chart(panels: list[Panel], scene: Scene, folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    header = (
        "panel,number,lab,rank,client,port,worker,connected_s,begun_s,ended_s,done_s"
    )
    rows = [
        bar_row(n, panel.lab, place)
        for n, panel in enumerate(panels, 1)
        for place in panel.shown
    ]
    write_csv(
        folder / f"{scene.chart}.csv", f"{header},predicted_s,failed_s,outcome", rows
    )
    write_csv(
        folder / f"{scene.chart}-words.csv",
        "panel,number,rank,x_s,kind,words",
        words(panels),
    )
    drawn = text_chart(panels, scene)
    said = " ".join(f"{panel.caption}." for panel in panels)
    return Chart(scene.chart, "dmv", scene.title, drawn, caption=said)


def bar_row(number: int, lab: Lab, place: Place) -> list:
    """One client for the CSV."""
    client, visit = place.client, place.visit
    connected = (
        (client.connected - client.intended) / NS_PER_S
        if client.connected
        else math.nan
    )
    return [
        number,
        lab.number,
        lab.name,
        place.rank,
        client.i,
        client.port,
        visit.worker if visit else 0,
        connected,
        place.begun,
        place.ended,
        place.done,
        place.predicted,
        place.failed,
        client.outcome,
    ]


def words(panels: list[Panel]) -> list[list]:
    """The captions, and on the panel that waits most what its colours mean."""
    rows = [
        [n, p.lab.number, 0, 0.0, "caption", p.caption] for n, p in enumerate(panels, 1)
    ]
    most = max(panels, key=lambda panel: sum(place.begun for place in panel.shown))
    line = most.shown
    for share, kind, meaning in KEY:
        place = line[int(share * len(line))]
        x = place.begun / 2 if kind == "waiting" else place.predicted
        row = [panels.index(most) + 1, most.lab.number, place.rank, x, kind, meaning]
        rows.append(row)
    return rows


def text_chart(panels: list[Panel], scene: Scene) -> str:
    """The same for a terminal."""
    places = [place for panel in panels for place in panel.shown]
    ends = [
        end
        for p in places
        for end in (p.begun, p.ended, p.predicted)
        if math.isfinite(end)
    ]
    longest = max(ends)
    drawn = [
        gantt(panel.caption, [bar(place) for place in panel.shown], longest)
        for panel in panels
    ]
    return "\n\n".join([scene.title, *drawn, gantt_legend(longest)])


def bar(place: Place) -> Bar:
    """One client for a terminal."""
    ended = place.ended if place.was_taken else place.begun
    return Bar(place.begun, ended, place.predicted)


EXPERIMENT = Experiment(
    "dmv", "who waits for whom, when all come at one instant?", plan, conclude
)
