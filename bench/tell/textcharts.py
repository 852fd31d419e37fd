"""Charts for a terminal, where gnuplot is missing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.tell.units import seconds

WIDTH = 60
HEIGHT = 16
MARKS = "1234567890"


@dataclass(frozen=True)
class Bar:
    """One client of a Gantt chart: waits until begun, is served until ended."""

    begun: float
    ended: float
    predicted: float


def gantt(title: str, bars: Sequence[Bar], longest: float) -> str:
    """A line for each client: dots wait, hashes are served, a bar is predicted."""
    scale = WIDTH / longest
    lines = [title]
    for rank, bar in enumerate(bars, 1):
        begun, ended = round(bar.begun * scale), round(bar.ended * scale)
        cells = list(f"{'.' * begun}{'#' * max(1, ended - begun)}".ljust(WIDTH + 1))
        cells[min(WIDTH, round(bar.predicted * scale))] = "|"
        lines.append(f"{rank:4} {''.join(cells).rstrip()}")
    return "\n".join(lines)


def gantt_legend(longest: float) -> str:
    """What the signs of the Gantt charts mean, and how wide they are."""
    width = f"the whole width is {longest:.2f} s"
    return f"     . waits   # is served   | predicted to be done   ({width})"


def log_log(title: str, series: dict[str, list[tuple[float, float]]]) -> str:
    """Curves on two logarithmic axes, each with a digit of its own."""
    points = [point for curve in series.values() for point in curve]
    points = [(x, y) for x, y in points if math.isfinite(y)]
    if not points:
        return f"{title}\n(nobody was served)"
    xs, ys = [math.log10(x) for x, _ in points], [math.log10(y) for _, y in points]
    left, right = min(xs), max(max(xs), min(xs) + 1)
    bottom, top = math.floor(min(ys)), math.ceil(max(ys))
    grid = [[" "] * (WIDTH + 1) for _ in range(HEIGHT + 1)]
    for mark, curve in zip(MARKS, series.values()):
        for x, y in curve:
            if math.isfinite(y):
                row = round((top - math.log10(y)) / max(1, top - bottom) * HEIGHT)
                grid[row][round((math.log10(x) - left) / (right - left) * WIDTH)] = mark
    return "\n".join(
        [title, *framed(grid, top, bottom), bottom_axis(left, right), *key(series)]
    )


def framed(grid: list[list[str]], top: int, bottom: int) -> list[str]:
    """The grid with its left axis; each power of ten has a label."""
    rows = {
        round((top - power) / max(1, top - bottom) * HEIGHT): power
        for power in range(bottom, top + 1)
    }
    return [
        f"{seconds(10.0 ** rows[row]) if row in rows else '':>7} |{''.join(cells).rstrip()}"
        for row, cells in enumerate(grid)
    ]


def bottom_axis(left: float, right: float) -> str:
    """The number of clients at both ends."""
    ends = f"{10**left:.0f}", f"{10**right:.0f} clients"
    return (
        f"        +{'-' * WIDTH}\n         {ends[0]}{ends[1]:>{WIDTH - len(ends[0])}}"
    )


def key(series: dict[str, list[tuple[float, float]]]) -> list[str]:
    """Which digit is which curve."""
    lines = [f"         {mark}  {name}" for mark, name in zip(MARKS, series)]
    return [*lines, "         where curves meet, the last of them is seen"]
