"""The gates at work: each is made to fail by a real cause, and only by that.

Four processes that burn the CPU beside a run must make it INVALID, and the same
run without them must not be; a null server must be too near to its own floor,
and a server with 5 ms of work must not; a real run with 5 % of its rows deleted
must break Little's law.
"""

import argparse
import contextlib
import dataclasses
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.judge import gates, stamps
from bench.measure.labs import find_labs, find_null
from bench.measure.processes import started
from bench.measure.runs import Generator, Measured, Run, burst, perform

SOURCE = Path(__file__).resolve().parents[2]
BURNERS = 4
BURNER = [sys.executable, "-c", "while True: pass"]
RATE = {"rate": 500, "duration": "2s", "say": "sleep 1"}
DELETE_EACH = 20  # of the rows: 5 %
CROWD, SERVICE_MS = 20, 5
QUIET_TRIES = 5  # others may disturb a quiet run; not every one of so many


@dataclasses.dataclass
class Checks:
    """What was expected, and whether it came true."""

    folder: Path
    build: Path
    failed: int = 0

    def expect(self, is_so: bool, claim: str, detail: object = "") -> None:
        """Print one line, and remember a failure."""
        self.failed += not is_so
        print(
            f"{'ok    ' if is_so else 'FAILED'} {claim}{f': {detail}' * bool(detail)}"
        )

    def make(self, lab, generators: tuple, scene: str) -> Measured:
        """One run, judged."""
        run = Run("check", "check", scene, lab, generators, 1, 2.0)
        return gates.judge(perform(run, self.build / "bench" / "load", self.folder))


def check_burners(checks: Checks) -> Measured:
    """A quiet run passes, the same run beside burners does not; returns the quiet one."""
    lab = find_labs(SOURCE, checks.build)[0]
    generators = (Generator("rate", RATE),)
    with contextlib.ExitStack() as stack:
        for _ in range(BURNERS):
            stack.enter_context(started(BURNER))
        beside = checks.make(lab, generators, "burners")
    faults = {fault.gate for fault in beside.faults}
    named = stamps.reasons(beside)
    claim = f"{BURNERS} burners beside a run make its sends late"
    checks.expect("sends late" in faults, claim, named)
    checks.expect(
        "CPU taken by others" in faults, "and are seen to take the CPU", named
    )
    quiet = beside
    for _ in range(QUIET_TRIES):
        quiet = checks.make(lab, generators, "quiet")
        if not quiet.faults:
            break
    checks.expect(not quiet.faults, "a quiet run passes", stamps.reasons(quiet))
    return quiet


def check_law(checks: Checks, made: Measured) -> None:
    """Rows that are deleted on either side are missed."""
    clients = [each for each in made.clients if each.i % DELETE_EACH]
    visits = made.visits[len(made.visits) // DELETE_EACH :]
    for what, broken in (
        ("records", dataclasses.replace(made, clients=clients)),
        ("rows of the trace", dataclasses.replace(made, visits=visits)),
    ):
        off = gates.law_off(broken)
        claim = f"Little's law misses 5 % of the {what}"
        checks.expect(off > gates.LAW_OFF, claim, f"off by {off:.2%}")


def check_floor(checks: Checks) -> None:
    """The null server is near its own floor, a server with work is not."""
    null, lab = find_null(checks.build), find_labs(SOURCE, checks.build)[0]
    crowd = burst(CROWD, f"sleep {SERVICE_MS}")
    floor, again, server = [
        min(median(checks.make(each, crowd, "floor").latencies) for _ in range(3))
        for each in (null, null, lab)
    ]
    near, far = again / floor, server / floor
    checks.expect(
        gates.is_near_floor(again, floor),
        "a null server is too near to the floor",
        f"{near:.2f} times",
    )
    checks.expect(
        not gates.is_near_floor(server, floor),
        f"a server with {SERVICE_MS} ms of work is not",
        f"{far:.0f} times",
    )


def run(given: argparse.Namespace) -> bool:
    """Does each gate fail for its cause, and only then?"""
    with tempfile.TemporaryDirectory() as folder:
        checks = Checks(Path(folder), given.build)
        check_law(checks, check_burners(checks))
        check_floor(checks)
    return checks.failed == 0
