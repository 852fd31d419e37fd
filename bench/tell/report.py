"""The report: all that was measured on one page, which needs nothing beside it."""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.judge import stamps
from bench.tell.charts import HERE, Chart
from bench.experiments.experiment import Finding, Part
from bench.measure.machine import Fact
from bench.measure.runs import count
from bench.tell.report_drawing import inline_svg
from bench.tell.report_guess import guess_panel
from bench.tell.report_opening import headlines, overview
from bench.tell.summary import HEADINGS, cells, clients_line, complaints

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
<script>
{script}</script>
</body>
</html>
"""
TALL = "-tall"  # how the name of a drawing for a phone ends
MAX_NOTES = 12  # of an experiment, before they are folded
VERDICT_HEADINGS = ("experiment", "gate", "worst run", "limit", "failed")


@dataclass(frozen=True)
class Report:
    """What stands on the page."""

    title: str
    parts: list[Part]
    facts: list[Fact]

    def write(self, folder: Path) -> Path:
        """Write report.html into a folder that has the charts; returns its path."""
        sections = [experiment_section(part, folder) for part in self.in_order()]
        sections += [trust_section(self.parts), machine_section(self.facts)]
        body = [self.opening(), *sections]
        page = PAGE.format(
            title=text(self.title),
            style=(HERE / "report.css").read_text(),
            script=(HERE / "report.js").read_text(),
            body="\n".join(body),
        )
        (folder / "report.html").write_text(page, encoding="utf-8")
        return folder / "report.html"

    def in_order(self) -> list[Part]:
        """Questions with a picture first; what only has numbers comes after them."""
        return sorted(self.parts, key=lambda part: not part.conclusion.charts)

    def opening(self) -> str:
        """The title, what one should take home, where everything is, all at a glance."""
        names = [part.experiment.name for part in self.in_order()] + [
            "trust",
            "machine",
        ]
        links = "".join(f'<li><a href="#{name}">{name}</a></li>' for name in names)
        return (
            f"<header>\n<h1>Why servers queue: predicted and measured</h1>\n"
            f"<p>{text(self.title)}</p>\n{headlines(self.parts)}\n</header>\n"
            f'<nav aria-label="experiments"><ul>{links}</ul></nav>\n'
            f"{overview(self.parts)}"
        )


def text(words: str) -> str:
    """Words as they may stand in HTML."""
    return html.escape(words)


def paragraphs(lines: Iterable[str], kind: str) -> str:
    """A paragraph for each line."""
    return "\n".join(f'<p class="{kind}">{text(line)}</p>' for line in lines)


def experiment_section(part: Part, folder: Path) -> str:
    """Question, charts, what was predicted, and how it was found."""
    name = part.experiment.name
    conclusion = part.conclusion
    captions = {chart.caption for chart in conclusion.charts}
    notes = [note for note in conclusion.notes if note not in captions]
    said = [*notes, clients_line(part.made), *complaints(part.made)]
    return "\n".join(
        [
            f'<section id="{name}">',
            f"<h2><small>{name}</small> {text(sentence(part.experiment.question))}</h2>",
            paragraphs(
                filter(None, [stamps.stamp(conclusion.drawn(part.made))]), "stamp"
            ),
            guess_panel(part),
            *[figure(chart, folder) for chart in conclusion.charts],
            findings_table(conclusion.findings),
            notes_block(said),
            files_line(name, folder),
            "</section>",
        ]
    )


def sentence(question: str) -> str:
    """A question that begins like a sentence."""
    return question[:1].upper() + question[1:]


def figure(chart: Chart, folder: Path) -> str:
    """A chart with what it says: a wide drawing, and a tall one for a phone."""
    wide, tall = drawing(chart, folder), drawing(chart, folder, TALL)
    papers = [paper(chart, wide or f"<pre>{text(chart.text)}</pre>", "wide")]
    if tall:
        papers.append(paper(chart, tall, "tall"))
    return (
        f'<figure id="chart-{chart.name}" class="{"has-tall" if tall else ""}">\n'
        + "\n".join(papers)
        + '\n<p class="sideways">The chart goes on to the right.</p>\n'
        f"<figcaption>{text(chart.caption)}</figcaption>\n</figure>"
    )


def drawing(chart: Chart, folder: Path, kind: str = "") -> str:
    """A chart's drawing of this kind as part of the page, if there is one."""
    file = folder / f"{chart.name}{kind}.svg"
    if not file.exists():
        return ""
    return inline_svg(chart, file.read_text(encoding="utf-8"), folder, kind)


def paper(chart: Chart, picture: str, kind: str) -> str:
    """What a chart is drawn on."""
    return (
        f'<div class="paper {kind}" tabindex="0" role="group"'
        f' aria-label="{text(chart.title)}">\n{picture}\n</div>'
    )


def findings_table(findings: list[Finding]) -> str:
    """A row for each finding, if there are any."""
    if not findings:
        return ""
    table = whole_table(HEADINGS, map(finding_row, findings))
    return f"<h3>Measured against predicted</h3>\n{table}"


def notes_block(said: list[str]) -> str:
    """What else is to be said; a long list is folded."""
    notes = paragraphs(said, "notes")
    if len(said) <= MAX_NOTES:
        return notes
    return f"<details><summary>{len(said)} lines</summary>\n{notes}\n</details>"


def whole_table(headings: Iterable[str], rows: Iterable[str]) -> str:
    """A table; on a phone, where it has no head, each cell says what it is."""
    heads = "".join(f'<th scope="col">{head}</th>' for head in headings)
    lines = "\n".join(f"<tr>{row}</tr>" for row in rows)
    head, body = f"<thead><tr>{heads}</tr></thead>", f"<tbody>\n{lines}\n</tbody>"
    return f"<table>\n{head}\n{body}\n</table>"


def finding_row(finding: Finding) -> str:
    """The cells of one finding."""
    kinds = [""] * (len(HEADINGS) - 1) + [promise_kind(finding)]
    return "".join(
        table_cell(head, words, kind)
        for head, words, kind in zip(HEADINGS, cells(finding), kinds)
    )


def promise_kind(finding: Finding) -> str:
    """How the cell with the promise looks."""
    return finding.verdict or ""


def table_cell(head: str, words: str, kind: str = "") -> str:
    """One cell."""
    look = f' class="{kind}"' if kind else ""
    return f'<td data-of="{head}"{look}>{text(words)}</td>'


def files_line(name: str, folder: Path) -> str:
    """Links to the numbers behind an experiment's charts."""
    files = sorted(file.name for file in folder.glob(f"{name}*.csv"))
    links = ", ".join(f'<a href="{file}">{file}</a>' for file in files)
    return f'<p class="files">The numbers: {links}. Each client: folder raw.</p>'


def trust_section(parts: list[Part]) -> str:
    """May all this be believed? What each gate found, and what it allows."""
    rows = [
        gate_row(part.experiment.name, summary)
        for part in parts
        if part.made
        for summary in stamps.gate_summaries(part.made)
    ]
    return (
        '<section id="trust">\n<h2><small>trust</small> May this be believed?</h2>\n'
        "<p>Every run must pass every gate. One that does not is made again, up to five"
        " times, and the first that passes is kept, never the best. A repeat that fails"
        " all the same is left out and drawn hollow while three valid ones remain; with"
        " fewer, its chart says in red what not to trust.</p>\n"
        f"{whole_table(VERDICT_HEADINGS, rows)}\n"
        '<p class="files">Each run and gate: <a href="gates.csv">gates.csv</a>.</p>\n'
        "</section>"
    )


def gate_row(experiment: str, summary: stamps.GateSummary) -> str:
    """The cells of one gate in one experiment."""
    failed = f"{summary.failed} of {count(summary.runs, 'run')}"
    words = [experiment, summary.gate, summary.worst, summary.limit, failed]
    kinds = ["", "", "", "", "missed" if summary.failed else "kept"]
    return "".join(map(table_cell, VERDICT_HEADINGS, words, kinds))


def machine_section(facts: list[Fact]) -> str:
    """What it was measured on."""
    rows = [table_cell("what", f.name) + table_cell("value", f.value) for f in facts]
    return (
        '<section id="machine">\n'
        "<h2><small>machine</small> What was this measured on?</h2>\n"
        f"{whole_table(('what', 'value'), rows)}\n</section>"
    )
