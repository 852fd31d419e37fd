"""Grades one submission: builds it, runs the stages in a cell, finds the causes."""

import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.course import cell as cells
from tests.course.build import BuildFailed, Tree, build, furnish
from tests.course.causes import Evidence, cause_of
from tests.course.patience import patience_for
from tests.course.trial import Order, stages

BUDGET_S = 50  # for all stages of one submission
SILENCE_S = 30.0  # the inner part has to say something that often


class OwnFault(Exception):
    """The grader could not do its work."""


@dataclass
class Report:
    """What came out of one submission."""

    lab: int
    folder: str
    results: list[dict] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    provisional: bool = False
    once: bool = False
    warnings: str = ""
    seconds: float = 0.0
    crowd: list[float] = field(default_factory=list)  # for the chart

    @property
    def score(self) -> int:
        return sum(result["points"] for result in self.results)

    @property
    def max(self) -> int:
        return sum(result["max"] for result in self.results)

    def first_failure(self) -> dict | None:
        return next(
            (one for one in self.results if not one["passed"] and one["ran"]), None
        )

    def as_json(self) -> dict:
        kept = (
            "name",
            "points",
            "max",
            "passed",
            "strict",
            "ran",
            "seconds",
            "tries",
            "said",
            "cause",
        )
        return {
            "schema": 1,
            "lab": self.lab,
            "score": self.score,
            "max": 100,
            "provisional": self.provisional,
            "limits_missing": self.missing,
            "stages": [{name: one[name] for name in kept} for one in self.results],
        }


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)


def sources(room: Path) -> str:
    texts = [
        path.read_text(errors="replace") for path in sorted((room / "src").glob("*.c"))
    ]
    return without_comments("\n".join(texts))


def evidence_of(lab: int, raw: dict, source: str) -> Evidence:
    """The last server that was looked at is the one that failed."""
    look = raw["looks"][-1] if raw["looks"] else {}
    return Evidence(
        lab=lab,
        stage=raw["name"],
        said=raw["said"],
        state=look.get("state", ""),
        signal=look.get("signal", ""),
        status=look.get("status"),
        is_busy=look.get("is_busy", False),
        errors=look.get("errors", ""),
        output=look.get("output", ""),
        threads="\n".join(look.get("threads", [])),
        source=source,
        alarms="FALSE_ALARM" in look.get("environment", {}),
    )


def finish(lab: int, raw: list[dict], source: str, broke: str, only: str) -> list[dict]:
    """The results of all stages, with points and causes; what was not proved scores 0."""
    by_name = {one["name"]: one for one in raw}
    results = []
    for stage in stages(lab):
        if only and stage.name != only:
            continue
        nothing = {"ran": False, "passed": False, "tries": 0, "seconds": 0, "looks": []}
        one = by_name.get(stage.name) or {**nothing, "said": broke or "not tried"}
        cause = (
            cause_of(evidence_of(lab, one, source))
            if one["said"] and one["ran"]
            else None
        )
        one.update(
            name=stage.name,
            title=stage.title,
            points=stage.points if one["passed"] else 0,
            max=stage.points,
            strict=stage.strict,
            read=stage.read,
            cause=f"{cause.name}: {cause.words}" if cause else "",
        )
        results.append(one)
    return results


def not_built(lab: int, why: str) -> list[dict]:
    """A build that fails is a stage of its own."""
    said = f"it does not build:\n{why}"
    return [
        {
            "name": "build", "title": "builds", "points": 0, "max": 100, "passed": False,
            "strict": False, "ran": True, "seconds": 0, "tries": 1, "said": said, "cause": "",
            "read": "", "looks": [],
        }
    ]  # fmt: skip


def read_results(
    pipe: int, child: subprocess.Popen, end: float
) -> tuple[list[dict], str]:
    """The lines that the inner part writes, and why there are no more."""
    raw, buffer = [], b""
    last = time.monotonic()
    while True:
        now = time.monotonic()
        wait = min(last + SILENCE_S, end) - now
        if wait <= 0:
            return raw, "not proved: the time for this submission was over"
        if not select.select([pipe], [], [], wait)[0]:
            continue
        data = os.read(pipe, 65536)
        if not data:
            child.wait()
            return raw, "not proved: the grader was ended while your server ran"
        last = now
        buffer += data
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            one = json.loads(line)
            if one["name"] == "end":
                return raw, ""
            raw.append(one)


def run_stages(cell: cells.Cell, order: Order) -> tuple[list[dict], str]:
    """Run the inner part in the cell; returns what it said and why it broke off."""
    reading, writing = os.pipe()
    spared = set(cells.children()) if not cell.has_own_processes else set()
    order.room, order.pipe = str(cells.inside(cell)), writing
    python = [cells.python(), "-s", "-E", "-B", "-m", "tests.course.trial"]
    child = subprocess.Popen(
        [*cell.command, *python, json.dumps(order.__dict__)],
        cwd=cell.folder,
        pass_fds=[writing],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    os.close(writing)
    try:
        raw, broke = read_results(reading, child, time.monotonic() + order.budget + 25)
        if broke.endswith("ran"):
            errors = child.stderr.read(20000).decode("utf-8", "replace")
            if re.search(r"^(Traceback|bwrap:|setpriv:|prlimit:)", errors, re.M):
                raise OwnFault(errors)
    finally:
        os.close(reading)
        child.kill()
        child.wait()
        child.stderr.close()
        cells.sweep(cell, spared)
    return raw, broke


def grade(
    lab: int,
    folder: Path,
    only: str = "",
    once: bool = False,
    budget: float = BUDGET_S,
    chart: bool = False,
    tree: Tree = Tree(),
    variant: dict[str, str] | None = None,
) -> Report:
    """Grade one folder."""
    begin = time.monotonic()
    report = Report(lab, str(folder), provisional=once or bool(only), once=once)
    room = Path(tempfile.mkdtemp(prefix="grade-"))
    beside = None
    try:
        try:
            names = furnish(lab, folder, room, tree)
            cell = cells.open_cell(room)
            report.missing = cell.missing
            report.warnings, beside = build(cell, lab, names)
        except BuildFailed as why:
            report.results = not_built(lab, str(why))
            return report
        own = [path.name for path in (room / "src").iterdir()]
        order = Order(
            lab, "", 0, own, patience_for(lab, tree), only, once, budget, chart
        )
        order.variant = variant or {}
        raw, broke = run_stages(cell, order)
        report.crowd = next((x["seconds"] for x in raw if x["name"] == "chart"), [])
        report.results = finish(lab, raw, sources(room), broke, only)
        if once and report.first_failure():
            report.results = [
                one for one in report.results if one["passed"] or one["ran"]
            ]
    finally:
        if beside is not None:
            beside.kill()
            beside.wait()
        shutil.rmtree(room, ignore_errors=True)
        report.seconds = time.monotonic() - begin
    return report
