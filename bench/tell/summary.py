"""The summary: measured against predicted as an aligned table, and what failed."""

import math
from collections import Counter

from bench.experiments.experiment import Conclusion, Experiment, Finding
from bench.judge.stamps import trust_lines
from bench.judge.verdicts import MISSED
from bench.measure.machine import Fact
from bench.measure.runs import Measured, count

HEADINGS = ["lab", "what", "measured", "predicted", "off", "promised"]


def section(
    experiment: Experiment, conclusion: Conclusion, made: list[Measured]
) -> str:
    """All about one experiment: question, table, notes, failures."""
    lines = [f"{experiment.name}: {experiment.question}", ""]
    lines += table([HEADINGS] + [cells(finding) for finding in conclusion.findings])
    lines += [
        "",
        *captions(conclusion),
        *conclusion.notes,
        clients_line(made),
        *trust_lines(made, conclusion.drawn(made)),
    ]
    lines += complaints(made)
    return "\n".join(lines)


def captions(conclusion: Conclusion) -> list[str]:
    """What the charts show, in words, where the notes do not say it."""
    return [
        f"{chart.name}: {chart.caption}"
        for chart in conclusion.charts
        if chart.caption and chart.caption not in conclusion.notes
    ]


def machine_section(facts: list[Fact]) -> str:
    """What it was measured on."""
    return "\n".join(["machine:", *table([[f.name, f.value] for f in facts])])


def cells(finding: Finding) -> list[str]:
    """A finding as the table shows it."""
    return [
        finding.lab,
        finding.what,
        finding.measured_words,
        finding.predicted_words,
        off_text(finding.off),
        promise_text(finding),
    ]


def off_text(off: float) -> str:
    """A difference in percent, or as a factor where that says more."""
    if not math.isfinite(off):
        return ""
    return f"{off:+.1%}" if off < 1 else f"x {off + 1:.3g}"


def promise_text(finding: Finding) -> str:
    """The promise, and whether it was kept."""
    verdict = finding.verdict
    if finding.promise is None:
        return ""
    said = verdict.upper() if verdict == MISSED else verdict
    return f"{finding.promise.words}: {said}"


def table(rows: list[list[str]]) -> list[str]:
    """Rows in columns as wide as their widest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in rows
    ]


def clients_line(made: list[Measured]) -> str:
    """How many clients there were, and what became of those who failed."""
    failures = sum((each.failures for each in made), Counter())
    total = sum(each.attempts for each in made)
    lived = f"{count(len(made), 'run')}, {count(total, 'client')}"
    if not failures:
        return f"{lived}: all were answered."
    named = ", ".join(
        f"{number} {outcome}" for outcome, number in failures.most_common()
    )
    return f"{lived}: {failures.total()} FAILED ({named}); a failure counts as infinitely late."


def complaints(made: list[Measured]) -> list[str]:
    """What servers complained of, each complaint once."""
    said = Counter(line for each in made for line in each.complaints)
    return [f"In {count(number, 'run')}: {line}" for line, number in said.most_common()]
