"""How well predictions held in stored results: make accuracy RESULTS=results/latest."""

import argparse
import math
from collections.abc import Iterable, Iterator
from statistics import median

from bench.tell.compare import read
from bench.tell.summary import table

GOOD, FAIR, WORST = 0.05, 0.10, 0.20  # shares off: the median, 95 % of them, all
FAIR_SHARE = 0.95
HEADINGS = ["experiment", "findings", "median off", "within 10 %", "worst", ""]


def off(finding: dict) -> float | None:
    """By which share it was off; nothing where nothing was predicted exactly."""
    expected = (
        finding["predicted"] if finding["predicted"] is not None else finding["ideal"]
    )
    measured = finding["median"]
    if finding["bound"] or not expected or measured is None:
        return None
    return measured / expected - 1


def row(name: str, offs: dict[str, float]) -> list[str]:
    """One experiment's figures, and whether they are what they should be."""
    sizes = [abs(each) for each in offs.values()]
    fair = sum(each <= FAIR for each in sizes) / len(sizes)
    worst = max(offs, key=lambda each: abs(offs[each]))
    is_good = median(sizes) <= GOOD and fair >= FAIR_SHARE and abs(offs[worst]) <= WORST
    return [
        name,
        f"{len(sizes)}",
        f"{median(sizes):.1%}",
        f"{fair:.0%}",
        f"{offs[worst]:+.1%} ({worst})",
        "" if is_good else "not good enough",
    ]


def judged(documents: Iterable[dict]) -> Iterator[tuple[str, dict, float]]:
    """Each finding with a prediction: its name, and what it was off by."""
    for number, document in enumerate(documents):
        for finding in document["findings"]:
            share = off(finding)
            if share is not None and math.isfinite(share):
                where = f" in result {number + 1}" * bool(number)
                yield f"{finding['id']}{where}", finding, share


def collect(documents: Iterable[dict]) -> dict[str, dict[str, float]]:
    """For each experiment, what its findings were off by; several results side by side."""
    found: dict[str, dict[str, float]] = {}
    for name, finding, share in judged(documents):
        found.setdefault(finding["experiment"], {})[name] = share
    return found


def cause(finding: dict) -> str:
    """Where the fault is to be looked for, by the finding's own repeats."""
    shares = [off(finding | {"median": each}) for each in finding["runs"]]
    shares = [each for each in shares if each is not None and math.isfinite(each)]
    if len(shares) < 2:
        return "one run, which has no interval"
    least, most = min(shares), max(shares)
    between = f"{len(shares)} repeats from {least:+.0%} to {most:+.0%}"
    if least <= 0 <= most:
        return f"{between}, the prediction among them: noise"
    return f"{between}, all on one side of it: a price or the formula"


def run(given: argparse.Namespace) -> bool:
    """Print a table; is every experiment as good as is promised?"""
    documents = [read(each) for each in given.results]
    found = collect(documents)
    rows = [row(name, offs) for name, offs in found.items()]
    everything = {
        name: share for offs in found.values() for name, share in offs.items()
    }
    print("\n".join(table([HEADINGS, *rows, row("all", everything)])))
    beyond = [each for each in judged(documents) if abs(each[2]) > FAIR]
    for name, finding, share in sorted(beyond, key=lambda each: -abs(each[2])):
        print(f"  beyond 10 %: {name} {share:+.1%} ({cause(finding)})")
    return all(not cells[-1] for cells in rows)
