"""The report's opening: four sentences for anybody, and one overview of all labs."""

import html
import math
from dataclasses import dataclass

from bench.experiments.experiment import Finding, Part
from bench.tell.units import words

MAX_SENTENCES = 4
DECADE = 10.0


@dataclass(frozen=True)
class Sentence:
    """A big number and what it is, with the experiment that found it."""

    number: str
    said: str
    experiment: str


@dataclass(frozen=True)
class Column:
    """One of the overview's questions: which finding of which experiment answers it."""

    heading: str
    below: str
    experiment: str
    what: str  # how the finding's name begins


COLUMNS = (
    Column("waits", "the last of 20 is served after", "work", "waits: last"),
    Column("computes", "the last of 20 is served after", "work", "computes: last"),
    Column("under attack", "nobody is served for", "silent", "silent: nobody served"),
)


class Findings:
    """All that was found, by experiment, lab and the beginning of its name."""

    def __init__(self, parts: list[Part]) -> None:
        self.all = [
            (part.experiment.name, finding)
            for part in parts
            for finding in part.conclusion.findings
        ]

    def find(self, experiment: str, lab: str, what: str) -> Finding | None:
        """The first such finding that has a number; lab may be a beginning, too."""
        for name, finding in self.all:
            is_it = name == experiment and finding.what.startswith(what)
            if is_it and finding.lab.startswith(lab) and not math.isnan(finding.value):
                return finding
        return None

    def labs(self) -> list[str]:
        """The labs that the overview can show, in order."""
        shown = {
            finding.lab
            for name, finding in self.all
            for column in COLUMNS
            if name == column.experiment and finding.what.startswith(column.what)
        }
        return sorted(shown)


# ---- Four sentences ----


def sentences(parts: list[Part]) -> list[Sentence]:
    """What a person who knows nothing of servers should take home."""
    found = Findings(parts)
    made = [
        behind_a_slow_one(found),
        with_a_clerk_each(found),
        when_clerks_compute(found),
        under_attack(found),
        a_thousand_at_once(found),
    ]
    return [each for each in made if each][:MAX_SENTENCES]


def number(finding: Finding) -> str:
    """The median for people."""
    if math.isinf(finding.value):
        return "never"
    return words(finding.value, finding.unit)


def behind_a_slow_one(found: Findings) -> Sentence | None:
    """The DMV problem."""
    second = found.find("dmv", "lab1", "slow head: second")
    if not second:
        return None
    return Sentence(
        number(second),
        "is how long the second in line takes if there is one clerk and the first"
        " customer is slow. All behind them wait, too.",
        "dmv",
    )


def with_a_clerk_each(found: Findings) -> Sentence | None:
    """What threads are for."""
    second = found.find("dmv", "lab2", "slow head: second")
    if not second:
        return None
    return Sentence(
        number(second),
        "is how long the same customer takes if each has a clerk (a thread): nobody"
        " waits for the slow one.",
        "dmv",
    )


def when_clerks_compute(found: Findings) -> Sentence | None:
    """What threads are not for."""
    ratio = found.find("work", "lab2", "computes: mean /")
    if not ratio:
        return None
    return Sentence(
        f"× {ratio.value:.2g}",
        "as long as with a few clerks does it take on average with one for each, when"
        " the work is computing. More clerks are not more computers.",
        "work",
    )


def under_attack(found: Findings) -> Sentence | None:
    """What deadlines are for."""
    pool = found.find("silent", "lab3", "silent: nobody served")
    limited = found.find("silent", "lab4", "silent: nobody served")
    if not pool or not limited:
        return None
    return Sentence(
        f"{number(pool)} → {number(limited)}",
        "is how long silent customers stop all service, without a deadline (as long as"
        " they like) and with one.",
        "silent",
    )


def a_thousand_at_once(found: Findings) -> Sentence | None:
    """A crowd, where one of the others is not known."""
    last = [found.find("crowd", lab, "waits: last of 1000") for lab in ("lab1", "lab2")]
    if not all(last):
        return None
    return Sentence(
        f"{number(last[0])} → {number(last[1])}",
        "is how long the last of 1,000 takes with one clerk, and with one for each.",
        "crowd",
    )


def headlines(parts: list[Part]) -> str:
    """The sentences as the page's first words."""
    made = sentences(parts)
    if not made:
        return ""
    items = "\n".join(
        f'<li><a href="#{each.experiment}"><b>{html.escape(each.number)}</b>'
        f" <span>{html.escape(each.said)}</span></a></li>"
        for each in made
    )
    return f'<ol class="headlines">\n{items}\n</ol>'


# ---- The overview ----


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis of seconds, the same for every bar."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Where a value lies, from 0 to 1; what never ends lies at the end."""
        if math.isinf(value):
            return 1.0
        if value <= self.low:
            return 0.0
        return min(1.0, math.log(value / self.low) / math.log(self.high / self.low))


def choose_axis(values: list[float]) -> Axis:
    """Whole decades around all values that are more than nothing."""
    finite = [value for value in values if 0 < value < math.inf]
    if not finite:
        return Axis(0.01, 1.0)
    low = DECADE ** math.floor(math.log10(min(finite)) - 1e-9)
    high = DECADE ** math.ceil(math.log10(max(finite)) + 1e-9)
    return Axis(low, high)


def overview(parts: list[Part]) -> str:
    """Labs x questions, each cell a bar on one axis and a link to its section."""
    found = Findings(parts)
    cells = {
        (lab, column): found.find(column.experiment, lab, column.what)
        for lab in found.labs()
        for column in COLUMNS
    }
    known = [finding for finding in cells.values() if finding]
    if not known:
        return ""
    values = [value for each in known for value in (each.value, each.expected)]
    axis = choose_axis(values)
    heads = "".join(
        f'<div role="columnheader"><b>{column.heading}</b> {column.below}</div>'
        for column in COLUMNS
    )
    rows = "\n".join(
        overview_row(lab, [(c, cells[lab, c]) for c in COLUMNS], axis)
        for lab in found.labs()
    )
    ends = f"{words(axis.low, 's')} to {words(axis.high, 's')}"
    return (
        '<section id="overview" aria-label="Overview">\n'
        "<h2>How long does a customer wait?</h2>\n"
        f'<div class="overview" role="table">\n<div role="row">'
        f'<div role="columnheader"></div>{heads}</div>\n{rows}\n</div>\n'
        f'<p class="notes">All bars have one axis, from {ends}; each step of ten is as'
        " wide as the next. The mark is what was predicted. Each bar leads to its"
        " experiment.</p>\n</section>"
    )


def overview_row(
    lab: str, cells: list[tuple[Column, Finding | None]], axis: Axis
) -> str:
    """One lab."""
    title = html.escape(lab.replace("-", " ", 1).replace("-", " "))
    bars = "".join(overview_cell(lab, column, cell, axis) for column, cell in cells)
    return f'<div role="row"><div role="rowheader">{title}</div>{bars}</div>'


def overview_cell(lab: str, column: Column, finding: Finding | None, axis: Axis) -> str:
    """One bar, with its number and what was predicted."""
    if finding is None:
        return '<div role="cell" class="unknown">not measured</div>'
    value, expected = finding.value, finding.expected
    mark = (
        ""
        if math.isnan(expected)
        else f'<i style="left: {100 * axis.share(expected):.1f}%"></i>'
    )
    told = f"{column.heading}: {number(finding)}, predicted {finding.predicted_words}"
    return (
        f'<div role="cell"><a href="#{column.experiment}" class="{lab[:4]}"'
        f' title="{html.escape(told)}"><small>{column.heading}</small>'
        f"<b>{html.escape(number(finding))}</b>"
        f'<span class="track"><span style="width: {100 * axis.share(value):.1f}%">'
        f"</span>{mark}</span></a></div>"
    )
