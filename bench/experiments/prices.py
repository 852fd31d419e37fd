"""prices: what this machine charges, measured before all that it is used to predict."""

import random
from collections.abc import Iterator
from pathlib import Path
from dataclasses import replace
from statistics import fmean, linear_regression, median

from bench.experiments.charges import CORES
from bench.experiments.experiment import Conclusion, Experiment, Options, labs_of
from bench.measure import rig
from bench.judge.prices import Price, Prices, price
from bench.measure.labs import Lab
from bench.measure.switches import measure_slice, measure_switches
from bench.measure.runs import START_S, Generator, Measured, Run, burst
from bench.tell.charts import write_csv
from bench.tell.summary import table
from bench.tell.units import words

SITE = "the site"  # stands for a folder that is made when it is needed
LINES = {"sleep": {1: 100, 20: 10}, "burn": {1: 100, 20: 10}}  # ms: clients in a line
ALONE = {"sleep": 2, "burn": 1}  # ms that a client alone asks for
CROWDS = (1, 10, 100, 1000)
WAITING, WAITING_MS = (10, 100), 5  # crowds whose clients all wait side by side
REPEATS, QUICK_REPEATS = 5, 2
REQUESTS = {  # of each service that the generator speaks: the price's name
    "desk, echo hello": (("desk",), "echo hello"),
    "desk, 4000 bytes": (("desk",), "bytes 4000"),
    "http, 1 KiB": (("http", SITE), "/"),
    "files, 1 KiB": (("files", SITE), "/"),
}
ASKING = 500  # clients, each of whom asks once
FEW, FEW_MS = 10, 200  # clients who come and go, and for how long
ALONE_EACH, QUICK_ALONE_EACH = 3, 2  # clients alone in each repeat
POOL, PAIR = 10, 2  # workers of a pool; and of one that is as busy as one can be
NULL, LINE_OF_TWO = "null", "line-of-two"
SLICES = 3  # measurements of one
IDLE_RATE, IDLE_MS = 400, 200
GROUP = "prices: what this machine charges"


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Each repeat takes all prices in a new order."""
    shuffle = random.Random(f"prices {options.seed}").shuffle
    repeats = options.repeats or (QUICK_REPEATS if options.is_quick else REPEATS)
    runs = []
    for repeat in range(1, repeats + 1):
        of_repeat = [*plan_lines(labs, repeat), *plan_crowds(labs, options, repeat)]
        of_repeat += plan_requests(labs, options, repeat)
        alone = QUICK_ALONE_EACH if options.is_quick else ALONE_EACH
        for lab in labs:
            of_repeat += plan_alone(lab, alone, repeat)
            of_repeat += [plan_few(lab, repeat)] * options.is_alone
        if options.null:
            of_repeat.append(plan_idle(options.null, repeat))
        shuffle(of_repeat)
        runs += of_repeat
    return runs


def plan_lines(labs: list[Lab], repeat: int) -> Iterator[Run]:
    """A line before one worker, for each kind of work, short and long."""
    for lab in [each for each in labs if each.clerks(POOL) == 1][:1]:
        for work, lines in LINES.items():
            for ms, clients in lines.items():
                scene = f"line-{work}-{ms}"
                takes = clients * ms / 1000
                yield plan_run(lab, scene, clients, f"{work} {ms}", repeat, takes)
    for lab in [each for each in labs if each.has_pool][:1]:
        run = plan_run(lab, LINE_OF_TWO, 100, "sleep 1", repeat, 0.1 / PAIR)
        yield replace(run, flags={"threads": PAIR})


def plan_requests(labs: list[Lab], options: Options, repeat: int) -> Iterator[Run]:
    """A line of clients before one worker, each with one short request.

    Where all experiments are made, only those that one of them needs.
    """
    for lab in [each for each in labs if each.clerks(POOL) == 1][:1]:
        for name, (service, say) in REQUESTS.items():
            if SITE in service and not options.is_alone:
                continue
            run = plan_run(lab, request_scene(name), ASKING, say, repeat, ASKING * 1e-4)
            words = [str(rig.site()) if each == SITE else each for each in service]
            yield replace(run, service=tuple(words))


def plan_few(lab: Lab, repeat: int) -> Run:
    """A few clients at a time, each with a connection of its own, as many as can come."""
    flags = {"requests": 1, "say": "echo hello", "duration": f"{FEW_MS}ms"}
    run = plan_run(lab, "few", FEW, "echo hello", repeat, FEW_MS / 1000)
    generators = rig.sharing(FEW, flags)
    is_so = {"is_counted": True, "counts_others": True}
    return replace(run, generators=generators, flags={"threads": FEW}, **is_so)


def request_scene(name: str) -> str:
    """A request's name as it may stand in a file's."""
    return f"request-{name.replace(', ', '-').replace(' ', '-')}"


def plan_alone(lab: Lab, each: int, repeat: int) -> Iterator[Run]:
    """Clients who meet an idle server."""
    for work, ms in ALONE.items():
        for number in range(each * (repeat - 1) + 1, each * repeat + 1):
            yield plan_run(lab, f"alone-{work}", 1, f"{work} {ms}", number, ms / 1000)


def plan_idle(null: Lab, repeat: int) -> Run:
    """Clients who come one after the other to a server that has nothing to do."""
    flags = {"rate": IDLE_RATE, "duration": f"{IDLE_MS}ms", "say": "echo hello"}
    return Run(
        experiment="prices",
        group=GROUP,
        scene="idle",
        lab=null,
        generators=(Generator("rate", flags),),
        repeat=repeat,
        expected_s=START_S + IDLE_MS / 1000,
        effect_s=0.1,
    )


def plan_crowds(labs: list[Lab], options: Options, repeat: int) -> Iterator[Run]:
    """Crowds who ask for no work: what is left is the machine's."""
    for lab in [*labs, *filter(None, [options.null])]:
        for clients in CROWDS:
            takes = clients * 1e-4
            yield plan_run(lab, "crowd", clients, "echo hello", repeat, takes)
    for lab in labs:
        for clients in WAITING:
            if lab.clerks(POOL) >= clients:
                takes, say = WAITING_MS / 1000, f"sleep {WAITING_MS}"
                yield plan_run(lab, "crowd-waits", clients, say, repeat, takes)


def plan_run(
    lab: Lab, scene: str, clients: int, say: str, repeat: int, takes: float
) -> Run:
    """One burst on a fresh server."""
    return Run(
        experiment="prices",
        group=GROUP,
        scene=scene,
        lab=lab,
        generators=burst(clients, say),
        flags={"threads": POOL},
        repeat=repeat,
        expected_s=START_S + takes,
        effect_s=takes,
    )


# ---- From runs to prices ----


def price_list(made: list[Measured], known: tuple[Price, ...] = ()) -> Prices:
    """All prices that these runs can tell, and those that are known."""
    made = [each for each in made if not each.failures]
    lines = [*line_prices(made)]
    alone = [*alone_prices(made, Prices(tuple(lines)))]
    waiting = waiting_prices(made, Prices((*lines, *alone)))
    listed = [*known, *lines, *alone, *waiting]
    listed += [*idle_prices(made), *crowd_prices(made), *cpu_prices(made)]
    listed += [*few_prices(made), *request_prices(made)]
    return Prices(tuple(listed))


def kernel_prices() -> Iterator[Price]:
    """What the kernel charges for letting another thread run."""
    yield price("context switch", measure_switches(is_apart=False))
    if CORES > 1:
        yield price("wake-up of another core", measure_switches(is_apart=True))
    yield price("time slice", [measure_slice() for _ in range(SLICES)])


def line_prices(made: list[Measured]) -> Iterator[Price]:
    """By how much a line is slower than its work: the slope of completion over rank.

    Without work the generator is too slow for that: the last of two crowds are compared.
    """
    for work, lines in LINES.items():
        for ms in lines:
            runs = of_scene(made, f"line-{work}-{ms}")
            slopes = [slope(each.latencies) - ms / 1000 for each in runs]
            if slopes:
                what = f"{work} in a line, beyond its time"
                yield price(what, slopes, at=ms / 1000)
    of_two = of_scene(made, LINE_OF_TWO)
    if slopes := [PAIR * slope(each.latencies) - 0.001 for each in of_two]:
        yield price("sleep 1 ms beside another, beyond its time", slopes)
    runs = [each for each in of_scene(made, "crowd") if each.run.lab.clerks(POOL) == 1]
    many, most = CROWDS[-2:]
    small = [max(each.latencies) for each in runs if each.run.clients == many]
    large = [max(each.latencies) for each in runs if each.run.clients == most]
    if small and large:
        each_s = [(last - median(small)) / (most - many) for last in large]
        yield price("echo in a line, beyond its time", each_s)


def waiting_prices(made: list[Measured], known: Prices) -> Iterator[Price]:
    """How much later the last of a crowd is done than one alone, if all wait at once."""
    runs = of_scene(made, "crowd-waits")
    what = "crowd that waits, beyond one alone"
    service = known.service("sleep", WAITING_MS / 1000)
    for lab in labs_of(runs):
        one = service + known.alone("sleep", lab.name)
        for clients in WAITING:
            of_size = [e for e in runs if (e.run.lab, e.run.clients) == (lab, clients)]
            if of_size:
                lasts = [max(each.latencies) - one for each in of_size]
                yield price(what, lasts, server=lab.name, at=clients)


def alone_prices(made: list[Measured], lines: Prices) -> Iterator[Price]:
    """What a client alone pays more than one in a line."""
    for work, ms in ALONE.items():
        runs = of_scene(made, f"alone-{work}")
        for lab in labs_of(runs):
            times = [each.latencies[0] for each in runs if each.run.lab == lab]
            service = lines.service(work, ms / 1000)
            extra = [time - service for time in times]
            yield price(f"{work} alone, beyond a line's", extra, server=lab.name)


def idle_prices(made: list[Measured]) -> Iterator[Price]:
    """How long a client takes who finds a server idle that does no work."""
    runs = of_scene(made, "idle")
    if runs:
        means = [fmean(each.latencies) for each in runs]
        what = "idle server, a client alone"
        yield price(what, means, server=runs[0].run.lab.name)


def crowd_prices(made: list[Measured]) -> Iterator[Price]:
    """When the last of a crowd without work is done."""
    crowds = of_scene(made, "crowd")
    for lab in labs_of(crowds):
        for clients in CROWDS:
            lasts = [
                max(each.latencies)
                for each in crowds
                if each.run.lab == lab and each.run.clients == clients
            ]
            if lasts:
                more = {"server": lab.name, "at": clients}
                yield price("crowd without work", lasts, **more)


def cpu_prices(made: list[Measured]) -> Iterator[Price]:
    """CPU time for each of the largest crowd, beyond what starting costs."""
    crowds = of_scene(made, "crowd")
    few, many = CROWDS[0], CROWDS[-1]
    for lab in labs_of(crowds):
        of_lab = [each for each in crowds if each.run.lab == lab]
        small = [server_cpu(each) for each in of_lab if each.run.clients == few]
        large = [server_cpu(each) for each in of_lab if each.run.clients == many]
        if small and large:
            each_s = [(cpu - median(small)) / (many - few) for cpu in large]
            yield price("connection: CPU of the server", each_s, server=lab.name)
    own = [
        sum(each.generator_cpu_s.values()) / many
        for each in crowds
        if each.run.clients == many
    ]
    if own:
        yield price("client: CPU of the generator", own)


def few_prices(made: list[Measured]) -> Iterator[Price]:
    """CPU time of a lab for a connection with a request, where few come at a time."""
    runs = of_scene(made, "few")
    for lab in labs_of(runs):
        each_s = [e.cpu_each_s for e in runs if e.run.lab == lab and e.answered]
        if each_s:
            what = "connection, few at a time: CPU of the server"
            yield price(what, each_s, server=lab.name)


def request_prices(made: list[Measured]) -> Iterator[Price]:
    """CPU time of lab 1 for a connection and one request, by what is asked for."""
    crowds = of_scene(made, "crowd")
    lone = [each for each in crowds if each.run.clients == CROWDS[0]]
    for name in REQUESTS:
        runs = of_scene(made, request_scene(name))
        start = [server_cpu(e) for e in lone if runs and e.run.lab == runs[0].run.lab]
        if start:
            each_s = [(server_cpu(e) - median(start)) / (ASKING - 1) for e in runs]
            yield price(f"request, {name}: CPU of the server", each_s)


def server_cpu(made: Measured) -> float:
    """User and system time of a server."""
    return made.server.ru_utime + made.server.ru_stime if made.server else 0.0


def slope(latencies: list[float]) -> float:
    """By how much each further rank is later; the first is left out: it is alone."""
    times = sorted(latencies)[1:]
    return linear_regression(range(len(times)), times).slope


def of_scene(made: list[Measured], scene: str) -> list[Measured]:
    """The runs of one price."""
    return [each for each in made if each.run.scene == scene]


# ---- The list for people ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """The list as a CSV and as lines."""
    rows = [
        [each.what, each.server, each.at, each.value, each.low, each.high, each.unit]
        for each in options.prices.listed
    ]
    write_csv(folder / "prices.csv", "what,server,at,value,low,high,unit", rows)
    return Conclusion([], price_lines(options.prices), [])


def derived(prices: Prices) -> Iterator[tuple[str, float]]:
    """Prices that a person asks for, made of two that were measured."""
    many = CROWDS[-1]
    curves = {each.server: 0.0 for each in prices.listed if each.at == many}
    for server in curves:
        curves[server] = prices.crowd(many, server) / (many - 1)
    if NULL in curves:
        yield "one more client in a crowd: connect and accept", curves[NULL]
        for server, each in curves.items():
            if server != NULL:
                yield f"and besides, with {server}", each - curves[NULL]


def price_lines(prices: Prices) -> list[str]:
    """The list as a table."""
    if not prices.listed:
        return ["No prices: nothing was measured."]
    rows = [
        [
            each.name,
            words(each.value, each.unit),
            f"[{words(each.low, each.unit)} to {words(each.high, each.unit)}]",
        ]
        for each in prices.listed
    ]
    rows += [[name, words(value, "s"), ""] for name, value in derived(prices)]
    return ["This machine's price list:", *table(rows)]


EXPERIMENT = Experiment("prices", "what does this machine charge?", plan, conclude)
