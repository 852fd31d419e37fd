"""How well predictions held in stored results: make accuracy RESULTS=results/latest."""

import argparse
import math
from collections.abc import Iterable
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


def collect(documents: Iterable[dict]) -> dict[str, dict[str, float]]:
    """For each experiment, what its findings were off by; several results side by side."""
    found: dict[str, dict[str, float]] = {}
    for number, document in enumerate(documents):
        for finding in document["findings"]:
            share = off(finding)
            if share is not None and math.isfinite(share):
                name = f"{finding['id']}{f' in result {number + 1}' * bool(number)}"
                found.setdefault(finding["experiment"], {})[name] = share
    return found


def run(given: argparse.Namespace) -> bool:
    """Print a table; is every experiment as good as is promised?"""
    found = collect(map(read, given.results))
    rows = [row(name, offs) for name, offs in found.items()]
    everything = {
        name: share for offs in found.values() for name, share in offs.items()
    }
    print("\n".join(table([HEADINGS, *rows, row("all", everything)])))
    beyond = {n: s for n, s in everything.items() if abs(s) > FAIR}
    for name, share in sorted(beyond.items(), key=lambda each: -abs(each[1])):
        print(f"  beyond 10 %: {name} {share:+.1%}")
    return all(not cells[-1] for cells in rows)
