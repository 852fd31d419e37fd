"""A chart as a part of the page: its inks follow the page, its marks can be asked."""

import csv
import html
import re
from collections.abc import Iterator
from pathlib import Path

from bench.tell.charts import Chart
from bench.tell.units import seconds

REFERENCE = re.compile(r"""(\bid=['"]|href=['"]#|url\(['"]?#)""")
FIRST_TAG = re.compile(r"<svg\b[^>]*>")
COLOUR = re.compile(
    r"rgb\(\s*(\d+),\s*(\d+),\s*(\d+)\s*\)|#([0-9A-Fa-f]{6})\b|(?<=[\"'])black\b"
)
TEXT = re.compile(r"<g [^>]*>\s*<text\b", re.S)
GROUP = re.compile(r'<g id="(?:[\w-]+-)?gnuplot_plot_(\d+)[a-z]?"[^>]*>')
SHAPE = re.compile(r"<(?:path|rect|polygon)\b[^>]*?/>", re.S)

# What style.gp draws with, and the name under which report.css has it.
INKS = {
    "ffffff": "paper",
    "000000": "ink",
    "333333": "ink",
    "c9c9c9": "grey",
    "c4c4c4": "faint",
    "c00000": "alarm",
    "d55e00": "lab1",
    "0072b2": "lab2",
    "009e73": "lab3",
    "cc79a7": "lab4",
    "e69f00": "lab5",
    "56b4e9": "lab6",
    "8c6d00": "lab7",
    "a34700": "text-lab1",
    "00734f": "text-lab3",
    "a0407a": "text-lab4",
    "805800": "text-lab5",
    "1f6f9e": "text-lab6",
    "755b00": "text-lab7",
    "666666": "soft",
    "d8d8d8": "faint",
    "eeeeee": "tint",
}


def inline_svg(chart: Chart, svg: str, folder: Path, kind: str = "") -> str:
    """A drawing as a part of the page: its names must differ from other drawings'."""
    opened = FIRST_TAG.search(svg)
    label = f'role="img" aria-label="{html.escape(chart.title)}"'
    drawing = f"{opened[0][:-1].rstrip()} {label}>{svg[opened.end():]}"
    drawing = re.sub(r"<(title|desc|style)>.*?</\1>\s*", "", drawing, flags=re.S)
    drawing = with_marks(drawing, chart, folder)
    drawing = TEXT.sub(lambda found: inked(found[0], "text-"), drawing)
    return REFERENCE.sub(rf"\g<1>{chart.name}{kind}-", inked(drawing)).strip()


def inked(drawing: str, kind: str = "") -> str:
    """Its colours as names, so that the page can choose another for each."""

    def named(found: re.Match) -> str:
        code = found[4] or "000000"
        if found[1]:
            code = "".join(f"{int(found[i]):02x}" for i in (1, 2, 3))
        name = INKS.get(code.lower())
        if name is None:
            return found[0]
        is_lab = name.startswith("lab")
        return f"var(--{kind if is_lab else ''}{name})"

    return COLOUR.sub(named, drawing)


# ---- Marks that say what they are ----


def with_marks(drawing: str, chart: Chart, folder: Path) -> str:
    """The same, with a title on each bar of a client, where it can be found for sure.

    gnuplot draws the bars of a plot in the order of the rows. If there are more
    or fewer bars than rows, nothing is said rather than something wrong.
    """
    rows = read_rows(folder / f"{chart.name}.csv")
    if not rows or not {"rank", "begun_s", "ended_s"} <= rows[0].keys():
        return drawing
    groups = list(GROUP.finditer(drawing))
    for group in reversed(groups[:2]):  # those who wait, those who are served
        end = drawing.find("</g>", drawing.find("</g>", group.end()))
        following = [other.start() for other in groups if other.start() > group.end()]
        end = min([end, *following])
        drawing = (
            drawing[: group.end()]
            + named_bars(drawing[group.end() : end], rows)
            + drawing[end:]
        )
    return drawing


def named_bars(shapes: str, rows: list[dict[str, str]]) -> str:
    """Each bar with the words of its row."""
    if len(SHAPE.findall(shapes)) != len(rows):
        return shapes
    said: Iterator[str] = map(mark_words, rows)
    return SHAPE.sub(
        lambda bar: f'<g class="mark">{bar[0]}<title>{html.escape(next(said))}</title></g>',
        shapes,
    )


def mark_words(row: dict[str, str]) -> str:
    """Client, waited, served: what a bar stands for."""
    begun, ended = float(row["begun_s"]), float(row["ended_s"])
    if ended != ended:  # not a number: it was not served
        return f"number {row['rank']} in line: not served"
    return (
        f"number {row['rank']} in line: waited {seconds(begun)},"
        f" served in {seconds(ended - begun)}, done at {seconds(ended)}"
    )


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a chart's CSV; none if it has no such file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
