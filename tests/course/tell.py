"""The words that a student reads."""

import json
import textwrap
from pathlib import Path

from tests.course.trial import stages

WIDTH = 96
LABEL = 12
PROGRESS = Path(__file__).resolve().parents[2] / "build/course/progress.json"


def labelled(label: str, text: str) -> str:
    """A label and its lines, side by side."""
    lines = []
    for part in text.splitlines() or [""]:
        lines += textwrap.wrap(part, WIDTH - LABEL - 6) or [""]
    rows = [
        f"      {label if n == 0 else '':<{LABEL}}{line}"
        for n, line in enumerate(lines)
    ]
    return "\n".join(rows)


def server_words(look: dict) -> str:
    return "\n".join([look["state"], *(look["words"] or ["it said nothing"])])


def lesson(one: dict) -> str:
    """The five things that a failure says."""
    parts = [labelled("seen", one["said"])]
    look = one["looks"][-1] if one["looks"] else None
    if look:
        parts.append(labelled("the server", server_words(look)))
        if look["threads"]:
            parts.append(labelled("its threads", "\n".join(look["threads"])))
    if one["cause"]:
        parts.append(labelled("likely", one["cause"]))
    if one["read"]:
        parts.append(labelled("read", one["read"]))
    return "\n".join(parts)


def row(one: dict) -> str:
    mark = "ok  " if one["passed"] else "FAIL" if one["ran"] else "-   "
    words = one["title"] if one["ran"] else one["said"]
    return f"  {mark} {one['points']:3}/{one['max']:<3} {one['name']:<9} {words}"


def progress(report) -> str:
    """Stages green for each lab, in one line; remembered beside the build."""
    try:
        known = json.loads(PROGRESS.read_text())
    except (OSError, ValueError):
        known = {}
    full = [
        len(stages(lab))
        if (Path(__file__).parent / f"stages/lab{lab}.py").exists()
        else 0
        for lab in range(5)
    ]
    if not report.provisional:
        known[str(report.lab)] = sum(one["passed"] for one in report.results)
        try:
            PROGRESS.parent.mkdir(parents=True, exist_ok=True)
            PROGRESS.write_text(json.dumps(known))
        except OSError:
            pass  # a tree that may not be written: the line is shown all the same
    parts = [f"lab {lab} {known.get(str(lab), 0)}/{full[lab]}" for lab in range(5)]
    return "Stages so far: " + ", ".join(parts)


def tell_report(report, with_progress: bool = True) -> None:
    """The table of stages; the first failure in full."""
    print(f"lab {report.lab}: {report.folder}")
    first = report.first_failure()
    for one in report.results:
        print(row(one))
        if one is first:
            print(lesson(one))
        elif not one["passed"] and one["ran"]:
            print(labelled("", one["said"].splitlines()[0]))
    if report.warnings:
        lines = [line for line in report.warnings.splitlines() if "warning:" in line]
        print(
            f"  The compiler warns {len(lines)} times; first: {lines[0] if lines else ''}"
        )
    for limit in report.missing:
        print(f"  Not limited on this machine: {limit}")
    word = " (provisional: tried once; make grade tries again)" if report.once else ""
    print(f"{report.score} of {report.max} points in {report.seconds:.1f} s{word}")
    if with_progress:
        print(progress(report))


def tell_hint(report, depth: int) -> None:
    """A question; the place; nearly the code; and how to ask for the next."""
    first = report.first_failure()
    if first is None or first["name"] == "build":
        if depth > 0:
            why = "read the compiler's first error." if first else "nothing failed."
            print(f"No hint: {why}")
        return
    stage = next(one for one in stages(report.lab) if one.name == first["name"])
    if depth > 0:
        print(f"Hint {depth} for {stage.name}:")
        print(textwrap.indent(stage.hints[depth - 1], "    "))
    if first["ran"] and depth < len(stage.hints):
        print(
            f"Stuck? make grade LAB={report.lab} DIR={report.folder} STAGE={stage.name} HINT={depth + 1}"
        )
