"""prices: from runs to what this machine charges."""

from collections.abc import Iterator
from statistics import fmean, linear_regression, median

from bench.experiments.experiment import labs_of
from bench.judge.stamps import sound
from bench.judge.prices import CROWD, FREE, LINE_CPU, Price, Prices, price
from bench.measure.labs import Lab
from bench.measure.records import NS_PER_S
from bench.measure.runs import Measured

LINES = {"sleep": {1: 100, 20: 10}, "burn": {1: 100, 20: 10}}  # ms: clients in a line
ALONE = {"sleep": 2, "burn": 1}  # ms that a client alone asks for
CROWDS = (1, 10, 100, 1000)
WAITING, WAITING_MS = (10, 100, 1000), 5  # crowds whose clients all wait side by side
ASKING = 500  # clients, each of whom asks once
POOL, PAIR = 10, 2  # workers of a pool; and of one that is as busy as one can be
LINE_OF_TWO, LINE_OF_TEN = "line-of-two", "line-of-ten"
SITE = "the site"  # stands for a folder that is made when it is needed
REQUESTS = {  # of each service that the generator speaks: the price's name
    "desk, 4000 bytes": (("desk",), "bytes 4000"),
    "http, 1 KiB": (("http", SITE), "/"),
    "files, 1 KiB": (("files", SITE), "/"),
}


def price_list(made: list[Measured], known: Prices = FREE) -> Prices:
    """The known list, with all prices that these runs can tell in place of older ones."""
    made = sound(made)
    found = known.renewed([*line_prices(made), *beside_prices(made)])
    found = found.renewed([*alone_prices(made, found)])
    found = found.renewed([*waiting_prices(made, found)])
    more = [*asking_prices(made), *idle_prices(made), *crowd_prices(made)]
    more += [*cpu_prices(made), *line_cpu_prices(made)]
    return found.renewed([*more, *few_prices(made), *request_prices(made)])


def request_scene(name: str) -> str:
    """A request's name as it may stand in a file's."""
    return f"request-{name.replace(', ', '-').replace(' ', '-')}"


def line_prices(made: list[Measured]) -> Iterator[Price]:
    """By how much a line is slower than its work: the slope of completion over rank.

    Without work the generator is too slow for that: the last of two crowds are compared.
    """
    for work, lines in LINES.items():
        for ms in lines:
            runs = of_scene(made, f"line-{work}-{ms}")
            slopes = [slope(each) - ms / 1000 for each in runs]
            if slopes:
                what = f"{work} in a line, beyond its time"
                yield price(what, slopes, at=ms / 1000)
    runs = [each for each in of_scene(made, "crowd") if each.run.lab.clerks(POOL) == 1]
    many, most = CROWDS[-2:]
    small = [max(each.latencies) for each in runs if each.run.clients == many]
    large = [max(each.latencies) for each in runs if each.run.clients == most]
    if small and large:
        each_s = [(last - median(small)) / (most - many) for last in large]
        yield price("echo in a line, beyond its time", each_s)


def beside_prices(made: list[Measured]) -> Iterator[Price]:
    """The same where workers share one line: they hinder each other."""
    names = {LINE_OF_TWO: (PAIR, "another"), LINE_OF_TEN: (POOL, "nine others")}
    for scene, (workers, others) in names.items():
        runs = of_scene(made, scene)
        if slopes := [workers * slope(each) - 0.001 for each in runs]:
            yield price(f"sleep 1 ms beside {others}, beyond its time", slopes)


def asking_prices(made: list[Measured]) -> Iterator[Price]:
    """The generator's own: when it has started a crowd, and when it has asked for all."""
    runs = [*of_scene(made, "line-sleep-1"), *of_scene(made, LINE_OF_TEN)]
    runs = [each for each in runs if each.run.generators[0].mode == "burst"]
    for clients in sorted({each.run.clients for each in runs}):
        crowds = [each.clients for each in runs if each.run.clients == clients]
        for what, stamp in (("started", "started"), ("asked", "sent")):
            last = [
                max(getattr(one, stamp) - one.intended for one in crowd) / NS_PER_S
                for crowd in crowds
            ]
            yield price(f"crowd, until all have {what}", last, at=clients)


def waiting_prices(made: list[Measured], known: Prices) -> Iterator[Price]:
    """How much later the last of a crowd is done than one alone, if all wait at once."""
    runs = of_scene(made, "crowd-waits")
    what = "crowd that waits, beyond one alone"
    service = known.service("sleep", WAITING_MS / 1000)
    for lab in labs_of(runs):
        one = service + known.alone("sleep", lab.name)
        for clients in WAITING:
            if crowds := of_size(runs, lab, clients):
                lasts = [max(each.latencies) - one for each in crowds]
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
            lasts = [max(each.latencies) for each in of_size(crowds, lab, clients)]
            if lasts:
                more = {"server": lab.name, "at": clients}
                yield price(CROWD, lasts, **more)


def cpu_prices(made: list[Measured]) -> Iterator[Price]:
    """CPU time for each of the largest crowd, beyond what starting costs."""
    crowds = of_scene(made, "crowd")
    few, many = CROWDS[0], CROWDS[-1]
    for lab in labs_of(crowds):
        small = [server_cpu(each) for each in of_size(crowds, lab, few)]
        large = [server_cpu(each) for each in of_size(crowds, lab, many)]
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


def line_cpu_prices(made: list[Measured]) -> Iterator[Price]:
    """CPU time of server and generator for each in a line who computes, beyond the work.

    A line's time has pauses in it, which a machine that is full does not have.
    """
    runs = of_scene(made, "line-burn-1")
    for lab in labs_of(runs)[:1]:
        one = of_size(of_scene(made, "crowd"), lab, CROWDS[0])
        if one:
            start = median(all_cpu(each) for each in one)
            extra = [
                (all_cpu(each) - start) / (each.run.clients - 1) - 0.001
                for each in runs
            ]
            yield price(LINE_CPU, extra, server=lab.name)


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


def all_cpu(made: Measured) -> float:
    """Of a server and its generators."""
    return server_cpu(made) + sum(made.generator_cpu_s.values())


def server_cpu(made: Measured) -> float:
    """User and system time of a server."""
    return made.server.ru_utime + made.server.ru_stime if made.server else 0.0


def slope(made: Measured) -> float:
    """By how much each further one is done later; the first is left out: it is alone."""
    first = min(client.intended for client in made.clients)
    times = sorted((client.done - first) / NS_PER_S for client in made.clients)[1:]
    return linear_regression(range(len(times)), times).slope


def of_size(made: list[Measured], lab: Lab, clients: int) -> list[Measured]:
    """The runs of one lab with so many clients."""
    return [e for e in made if (e.run.lab, e.run.clients) == (lab, clients)]


def of_scene(made: list[Measured], scene: str) -> list[Measured]:
    """The runs of one price."""
    return [each for each in made if each.run.scene == scene]
