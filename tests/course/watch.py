"""Grades a folder at each save, and shows the first stage that fails. Ctrl-C ends it.

    python3 -m tests.course.watch LAB DIR       or: make watch, in the student's folder

It tries each stage once, so a verdict is there in seconds and provisional; make grade tries again.
"""

import argparse
import ctypes
import os
import select
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.course.build import ROOT, Tree
from tests.course.submission import OwnFault, Report, grade
from tests.course.tell import lesson, row
from tests.course.variants import variant_of

IN_CLOSE_WRITE, IN_MOVED_TO, IN_DELETE = 0x8, 0x80, 0x200
SETTLE_S = 0.05  # an editor writes a file in several steps
LOOK_S = 0.2  # where there is no inotify
EVENT = struct.calcsize("iIII")


def stamp(folder: Path) -> list[tuple]:
    """What the sources look like: changes with each save."""
    found = []
    for path in sorted([*folder.glob("*.c"), *folder.glob("*.h")]):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((path.name, status.st_mtime_ns, status.st_size, status.st_ino))
    return found


def open_inotify(folder: Path) -> int:
    """A descriptor that is readable when a file in folder was saved; -1 where there is none."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        watcher = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE
        if (
            watcher == -1
            or libc.inotify_add_watch(watcher, os.fsencode(folder), mask) == -1
        ):
            return -1
        return watcher
    except (OSError, AttributeError):
        return -1


def drain(watcher: int) -> None:
    try:
        while os.read(watcher, 64 * EVENT):
            continue
    except BlockingIOError:
        return


def saves(folder: Path) -> Iterator[None]:
    """Yields now, and then after each save."""
    watcher = open_inotify(folder)
    seen: list[tuple] = []
    while True:
        now = stamp(folder)
        if now != seen:
            time.sleep(SETTLE_S)
            if stamp(folder) == now:
                seen = now
                yield
            continue
        if watcher == -1:
            time.sleep(LOOK_S)
        else:
            select.select([watcher], [], [], 5)
            drain(watcher)


def tell(report: Report, clock: str) -> None:
    """The stages that pass in one line; the first that fails in full."""
    passed = [one["name"] for one in report.results if one["passed"]]
    points = (
        f"{report.score} points so far"
        if report.first_failure()
        else f"{report.score} of 100"
    )
    print(
        f"{clock}  {points}, in {report.seconds:.1f} s: {' '.join(passed) or 'nothing passes yet'}"
    )
    first = report.first_failure()
    if first is None:
        print("All stages have passed once. make grade makes it final.")
    else:
        print(row(first))
        print(lesson(first))
    sys.stdout.flush()


def shown(reports: list[Report]) -> str:
    """What this sitting has shown, for its end."""
    if not reports:
        return "Nothing was graded."
    begin, end = (
        {one["name"] for one in report.results if one["passed"]}
        for report in (reports[0], reports[-1])
    )
    new = [one["name"] for one in reports[-1].results if one["name"] in end - begin]
    words = f"{len(reports)} saves were graded; {len(begin)} stages passed at first, {len(end)} at the end"
    return words + (f". New: {', '.join(new)}." if new else ".")


def watch(lab: int, folder: Path, tree: Tree, most: int, seed: str) -> None:
    reports: list[Report] = []
    try:
        for _ in saves(folder):
            variant = variant_of(lab, seed)
            report = grade(lab, folder, once=True, tree=tree, variant=variant)
            reports.append(report)
            tell(report, time.strftime("%H:%M:%S"))
            if most and len(reports) == most:
                break
    except KeyboardInterrupt:
        print()
    print(shown(reports))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], epilog=__doc__.rpartition("\n\n")[2]
    )
    parser.add_argument("lab", type=int, choices=range(5), metavar="LAB", help="0 to 4")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the student's folder")
    parser.add_argument("--seed", default="", help="of the student's own variant")
    parser.add_argument(
        "--saves", type=int, default=0, help="end after so many (0: never)"
    )
    parser.add_argument(
        "--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS
    )
    asked = parser.parse_args()
    if not asked.folder.is_dir():
        print(
            f"watch: {asked.folder} is not a folder. make start LAB={asked.lab} DIR={asked.folder} makes one.",
            file=sys.stderr,
        )
        return 2
    try:
        watch(asked.lab, asked.folder, Tree(asked.build), asked.saves, asked.seed)
    except (OwnFault, OSError) as fault:
        print(
            f"watch: a fault of the grader's own, not yours: {fault}", file=sys.stderr
        )
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
