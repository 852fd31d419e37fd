"""Prices: what this machine charges for what theory thinks is free.

They are measured apart, before the experiments, and never fitted to what they predict.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.judge.estimates import interval


CROWD = "crowd without work"
LINE_CPU = "burn in a line, CPU time beyond its work"


@dataclass(frozen=True)
class Price:
    """One measured price with its interval; at is the size that it was measured at."""

    what: str
    value: float
    low: float
    high: float
    unit: str = "s"
    server: str = ""
    at: float = 0

    @property
    def name(self) -> str:
        """All that tells it from the others."""
        at = f"{self.at:g}" if self.at else ""
        return ", ".join(part for part in (self.what, at, self.server) if part)


def price(what: str, repeats: Sequence[float], **more) -> Price:
    """A price from its repeats: their median, and the interval for it."""
    found = interval(repeats)
    return Price(what, found.middle, found.low, found.high, **more)


@dataclass(frozen=True)
class Prices:
    """The price list of this machine. What is not on it costs nothing."""

    listed: tuple[Price, ...] = ()

    def renewed(self, newer: Sequence[Price]) -> "Prices":
        """The list with newer prices in place of those of the same name."""
        names = {each.name for each in newer}
        kept = [each for each in self.listed if each.name not in names]
        return Prices((*kept, *newer))

    def one(self, what: str, server: str = "") -> float:
        """A price that has just one size."""
        return dict(self.curve(what, server)).get(0, 0.0)

    def curve(self, what: str, server: str = "") -> list[tuple[float, float]]:
        """The sizes that a price was measured at, each with its value."""
        return self.curves.get((what, server), [])

    @cached_property
    def curves(self) -> dict[tuple[str, str], list[tuple[float, float]]]:
        """The same of all prices: a curve of a chart asks for them a million times."""
        found: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for each in sorted(self.listed, key=lambda price: (price.at, price.value)):
            found.setdefault((each.what, each.server), []).append((each.at, each.value))
        return found

    def between(self, what: str, at: float, server: str = "") -> float:
        """A price at any size: a straight line between the measured ones around it."""
        return interpolate(self.curve(what, server), at)

    @property
    def servers(self) -> set[str]:
        """Those whose CPU time for a connection is known; the null server does no work."""
        what = "connection: CPU of the server"
        return {each.server for each in self.listed if each.what == what} - {"null"}

    # ---- What the formulas of predictions.py ask for ----

    def service(self, work: str, asked: float) -> float:
        """How long a client keeps a worker in a line; work is sleep, burn or echo."""
        return asked + self.between(f"{work} in a line, beyond its time", asked)

    @property
    def beside(self) -> float:
        """The same for 1 ms of waiting, where two workers share one line."""
        two = self.one("sleep 1 ms beside another, beyond its time")
        return 0.001 + two if two else self.service("sleep", 0.001)

    @property
    def hindered(self) -> float:
        """By how much a round of ten workers is longer than a turn of one."""
        ten = self.one("sleep 1 ms beside nine others, beyond its time")
        return max(0.0, 0.001 + ten - self.service("sleep", 0.001)) if ten else 0.0

    def started(self, clients: float) -> float:
        """When the generator has started so many who come at one instant."""
        return self.from_nothing("crowd, until all have started", clients)

    def asked(self, clients: float) -> float:
        """When it has asked for all of them: it starts all before it asks for any."""
        return self.from_nothing("crowd, until all have asked", clients)

    def from_nothing(self, what: str, at: float) -> float:
        """A price at any size; for nobody it is nothing."""
        return interpolate([(0.0, 0.0), *self.curve(what)], at)

    def alone(self, work: str, server: str) -> float:
        """What the first client of a worker pays besides: cold caches, wake-ups."""
        return self.one(f"{work} alone, beyond a line's", server)

    def crowds(self, server: str) -> list[tuple[float, float]]:
        """How much later the last of a crowd is done than one alone, without any work."""
        curve = self.curve(CROWD, server)
        return [(at, value - curve[0][1]) for at, value in curve]

    def crowd(self, clients: float, server: str) -> float:
        """The same of one size."""
        return interpolate(self.crowds(server), clients)

    def waiting_crowds(self, server: str) -> list[tuple[float, float]]:
        """The crowds of clients who wait: the first go while the last still wait.

        So a small crowd costs less, by what its clients do at their end; a larger one
        more, for all its threads are there at once, and each must wake up.
        """
        waits = dict(self.curve("crowd that waits, beyond one alone", server))
        return sorted((dict(self.crowds(server)) | waits).items())

    def cold(self, clients: float, server: str) -> float:
        """What the first of a crowd cost more than those who come after them.

        The smallest crowd that was measured, less what as many of the next size cost.
        """
        curve = self.curve(CROWD, server)
        if len(curve) < 3:
            return 0.0
        (one, at_one), (few, at_few), (many, at_many) = curve[:3]
        warm = (at_many - at_few) / (many - few)
        more = at_few - at_one - warm * (few - one)
        return interpolate([(one, 0.0), (few, max(0.0, more))], clients)

    def cpu(self, server: str) -> float:
        """CPU time of the server for a connection on which nothing is asked."""
        return self.one("connection: CPU of the server", server)

    def computing_cpu(self, server: str) -> float:
        """CPU time of server and generator for a client who computes, beyond the work.

        It was measured in a line of one server; the others' differs by the connection.
        """
        of_line = [each for each in self.listed if each.what == LINE_CPU]
        if not of_line:
            return self.cpu(server) + self.generator_cpu
        own = self.cpu(server) - self.cpu(of_line[0].server)
        return of_line[0].value + own

    def visit(self, server: str, request: str) -> float:
        """CPU time of the server for a client who connects, asks once and goes.

        What the model charges for a connection with an answer of one byte while few
        come at a time, and what this request takes more, which is not the model's.
        """
        few = self.one("connection, few at a time: CPU of the server", server)
        return few + self.one(f"{request}: CPU beyond one byte's") if few else math.nan

    def request(self, name: str) -> float:
        """CPU time of the server that has one thread for a connection with a request."""
        return self.one(f"request, {name}: CPU of the server")

    @property
    def generator_cpu(self) -> float:
        """CPU time of the generator for a client."""
        return self.one("client: CPU of the generator")

    def scaled(self, factor: float) -> "Prices":
        """The same list with everything so many times as expensive: for tests."""
        return Prices(
            tuple(dataclasses.replace(p, value=p.value * factor) for p in self.listed)
        )


FREE = Prices()


def interpolate(curve: Sequence[tuple[float, float]], at: float) -> float:
    """A curve of a few points at any place; beyond its ends it stays as it was there."""
    if not curve:
        return 0.0
    if len(curve) == 1:
        return curve[0][1]
    right = next((i for i, (x, _) in enumerate(curve) if x >= at), len(curve) - 1)
    (x0, y0), (x1, y1) = curve[max(right, 1) - 1], curve[max(right, 1)]
    return y0 + (y1 - y0) * (min(max(at, x0), x1) - x0) / (x1 - x0)
