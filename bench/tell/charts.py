"""Charts: a CSV, a gnuplot file, and how the two become SVG and PNG."""

import contextlib
import csv
import json
import math
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure.processes import BenchError, started, warn

HERE = Path(__file__).parent
ADD_STYLE = '  sed "s|<desc>|$(cat dark.css)<desc>|" {0} >{0}.new && mv {0}.new {0}'
LABELS_APART = 0.34  # in powers of ten: less, and two labels overlap
FORMATS = ("svg", "tall", "png")  # tall: an SVG for a phone
DARK = {  # what stands for a colour where the reader wants a dark page
    "#ffffff": "rgb( 17,  20,  24)",
    "rgb( 51,  51,  51)": "rgb(226, 230, 235)",
    "rgb(  0,   0,   0)": "rgb(255, 255, 255)",
    "black": "rgb(255, 255, 255)",
    "rgb(102, 102, 102)": "rgb(160, 168, 176)",
    "rgb(196, 196, 196)": "rgb( 62,  68,  76)",
    "rgb(201, 201, 201)": "rgb( 70,  76,  84)",
    "rgb(216, 216, 216)": "rgb( 58,  64,  72)",
    "rgb(238, 238, 238)": "rgb( 40,  45,  52)",
    "rgb(163,  71,   0)": "rgb(240, 128,  60)",
    "rgb(  0, 114, 178)": "rgb( 90, 176, 235)",
    "rgb(  0, 115,  79)": "rgb( 60, 200, 150)",
    "rgb(160,  64, 122)": "rgb(225, 145, 195)",
    "rgb(128,  88,   0)": "rgb(230, 170,  40)",
    "rgb( 31, 111, 158)": "rgb(110, 190, 240)",
    "rgb(117,  91,   0)": "rgb(200, 170,  70)",
    "rgb(192,   0,   0)": "rgb(255, 120, 110)",
    "rgb( 91,  75, 138)": "rgb(165, 150, 225)",  # from here on the models'
    "rgb( 47, 127, 134)": "rgb( 90, 190, 200)",
    "rgb(122,  74,  43)": "rgb(210, 155, 115)",
    "rgb( 63, 107,  42)": "rgb(135, 190, 110)",
    "rgb(138,  47,  75)": "rgb(230, 130, 160)",
    "rgb( 74,  74,  74)": "rgb(180, 180, 180)",
    "rgb(153,  88,  42)": "rgb(225, 150,  95)",
    "rgb(176,  18, 110)": "rgb(240, 110, 185)",
}
HOW_TO_GET_GNUPLOT = (
    "no gnuplot, so the charts are text; for SVG and PNG: apt install gnuplot-nox"
    " (dnf install gnuplot, brew install gnuplot)"
)


@dataclass(frozen=True)
class Chart:
    """A picture: script.gp draws name.csv, and whatever else the script names."""

    name: str
    script: str
    title: str
    text: str  # the same for a terminal
    settings: dict[str, str | float] = field(default_factory=dict)
    caption: str = ""  # what it shows, in words, with numbers from its CSV
    scenes: tuple[str, ...] = ()  # of the runs that it shows; none: all

    def shows(self, scene: str) -> bool:
        """Is it drawn from runs of this scene?"""
        return not self.scenes or scene in self.scenes

    def command(self, form: str) -> list[str]:
        """How gnuplot draws it, in the folder of the results."""
        settings = {
            "name": self.name,
            "form": form,
            "title": self.title,
        } | self.settings
        given = "; ".join(f"{key}={quote(value)}" for key, value in settings.items())
        return ["gnuplot", "-e", given, f"{self.script}.gp"]


def quote(value: str | float) -> str:
    """A value as gnuplot writes it, which for text and numbers is as JSON does."""
    return json.dumps(value, ensure_ascii=False)


def have_gnuplot() -> bool:
    """Can charts be drawn here?"""
    return shutil.which("gnuplot") is not None


def write_csv(path: Path, header: str, rows: Iterable[Iterable]) -> None:
    """A CSV with a header; what is not a finite number is NaN for gnuplot."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows([cell(value) for value in row] for row in rows)


def cell(value: object) -> object:
    """A value as it stands in a CSV: floats with six digits."""
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else "NaN"
    return value


def spread_labels(heights: list[float], apart: float = LABELS_APART) -> list[float]:
    """Heights near the given ones, in the same order, none too close to the next."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    result = list(heights)
    for _ in range(200):
        for low, high in zip(order, order[1:]):
            push = max(0, apart - (result[high] - result[low])) / 2
            result[low] -= push
            result[high] += push
    return result


def in_the_dark() -> str:
    """The style sheet of an SVG that swaps its colours where the reader wants it dark."""
    rules = [
        f"[{what}='{colour}']{{{what}:{dark}}}"
        for light, dark in DARK.items()
        for colour in dict.fromkeys((light, light.replace(" ", "")))
        for what in ("fill", "stroke", "color")
    ]
    rules.append(f"feFlood{{flood-color:{DARK['#ffffff']}}}")  # behind words
    return f"<style>@media(prefers-color-scheme:dark){{{''.join(rules)}}}</style>"


def keep_scripts(charts: list[Chart], folder: Path) -> None:
    """Put what redraws the charts beside their CSVs, with the commands."""
    for script in {"style"} | {chart.script for chart in charts}:
        shutil.copy(next(HERE.parent.glob(f"*/{script}.gp")), folder)
    lines = ["#!/bin/sh -e", "# Draws the charts again from the CSVs beside it."]
    lines += ['cd "$(dirname "$0")"']
    lines += [shlex.join(chart.command(form)) for chart in charts for form in FORMATS]
    lines += ["for svg in *.svg; do", ADD_STYLE.format('"$svg"'), "done"]
    (folder / "dark.css").write_text(in_the_dark())
    (folder / "redraw.sh").write_text("\n".join(lines) + "\n")


def draw(chart: Chart, folder: Path) -> None:
    """Draw one chart in all its formats, side by side."""
    with contextlib.ExitStack() as stack:
        drawn = [
            (form, stack.enter_context(started(chart.command(form), folder)))
            for form in FORMATS
        ]
        for _, gnuplot in drawn:
            gnuplot.child.wait()
    for form, gnuplot in drawn:
        if gnuplot.status != 0 and form == "png":
            (folder / f"{chart.name}.png").unlink(missing_ok=True)
            warn(f"no {chart.name}.png, only SVG: {gnuplot.reason}")
        elif gnuplot.status != 0:
            for half_drawn in ("", "-tall"):
                (folder / f"{chart.name}{half_drawn}.svg").unlink(missing_ok=True)
            raise BenchError(f"cannot draw {chart.name}: {gnuplot.reason}")
    for file in folder.glob(f"{chart.name}*.svg"):
        svg = file.read_text()
        if "prefers-color-scheme" not in svg:
            file.write_text(svg.replace("<desc>", f"{in_the_dark()}<desc>", 1))
