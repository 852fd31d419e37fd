#!/usr/bin/env python3
"""Tries everything that can go wrong, and prints the list with results: make test-faults.

Each file of tests is a pytest of its own, and more run side by side than there are CPUs, for
tests mostly wait. Rows that tests outside this folder have are tried by those tests.
"""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

from tests.faults.rows import ROWS, rows_of
from tests.helpers.setting import temporary_files_in_memory

LABS = [folder.name.partition("-")[0] for folder in sorted(ROOT.glob("lab*/"))]
LONGEST = [
    f"test_{word}.py"
    for word in "accepting crowds slow_clients life_cycle leaks".split()
]
HALVES = {"test_accepting.py": ("not lab3- and not lab4-", "lab3- or lab4-")}
JOBS = 3 * (os.cpu_count() or 1)  # tests wait most of their time
WIDTH = len("skipped")


# --- running -------------------------------------------------------------------------------


def jobs() -> list[list[str]]:
    """What each pytest runs: the files of this folder, and the tests elsewhere by their file."""
    names = sorted(file.name for file in HERE.glob("test_*.py"))
    order = {name: number for number, name in enumerate(LONGEST)}
    names.sort(key=lambda name: order.get(name, len(order)))
    elsewhere: dict[str, list[str]] = {}
    for test in sorted({test for row in ROWS.values() for test in row.also_in}):
        elsewhere.setdefault(test.partition("::")[0], []).append(test)
    here = [
        [f"tests/faults/{name}", *(["-k", words] if words else [])]
        for name in names
        for words in HALVES.get(name, [""])
    ]
    return here + list(elsewhere.values())


def run_job(tests: list[str], report: Path) -> bool:
    """Run these tests; what they say is shown at their end. Returns whether all went well."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-o", "junit_family=xunit1"]  # the one with properties
    done = subprocess.run(
        [*command, f"--junitxml={report}", *tests],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    name = tests[0].partition("::")[0]
    if done.returncode == 0:
        print(f"{name}: {done.stdout.splitlines()[-1]}", flush=True)
    else:
        print(f"{name}:\n{done.stdout}", flush=True)
    return done.returncode == 0


# --- results -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """One test of one row."""

    row: str
    test: str  # with its parameters
    lab: str  # "" if it is about no lab
    outcome: str  # "ok", "FAILED" or "skipped"
    reason: str  # why it was skipped
    measured: str  # what it has measured, if anything


def outcome_of(case: ElementTree.Element) -> tuple[str, str]:
    """The outcome of a test, and the reason if it was skipped."""
    if case.find("failure") is not None or case.find("error") is not None:
        return "FAILED", ""
    skipped = case.find("skipped")
    return ("ok", "") if skipped is None else ("skipped", skipped.get("message"))


def read_results(report: Path) -> list[Result]:
    """What a pytest has reported, for each row that a test belongs to."""
    results = []
    for case in ElementTree.parse(report).iter("testcase"):
        name, _, parameters = case.get("name").partition("[")
        test = f"{case.get('classname').replace('.', '/')}.py::{name}"
        lab = re.search(r"\blab\d+", parameters)
        measured = ", ".join(one.get("value") for one in case.iter("property"))
        its_own = rows_of(name)
        for row in its_own + [row for row in ROWS if test in ROWS[row].also_in]:
            results.append(
                Result(
                    row=row,
                    test=test + parameters,
                    lab=lab[0] if lab else "",
                    outcome=outcome_of(case)[0],
                    reason=outcome_of(case)[1],
                    measured=measured if row in its_own[-1:] else "",
                )
            )
    return results


def cell(outcomes: list[str]) -> str:
    """One word for what some tests of a row have shown."""
    for word in ("FAILED", "ok", "skipped"):
        if word in outcomes:
            return word
    return "-"


def cells(row: str, results: list[Result]) -> list[str]:
    """A word for each lab; a test that is about no lab holds for all that have none."""
    by_lab = {
        lab: [one.outcome for one in results if one.lab == lab] for lab in ["", *LABS]
    }
    if by_lab[""] and not any(by_lab[lab] for lab in LABS):
        return [cell(by_lab[""])] * len(LABS)
    words = [cell(by_lab[lab]) for lab in LABS]
    return ["FAILED"] * len(LABS) if "FAILED" in by_lab[""] else words


def notes(row: str, results: list[Result], words: list[str]) -> list[str]:
    """What is to be said about a row: why a lab is missing, what was measured or skipped."""
    missing = [lab for lab, word in zip(LABS, words) if word == "-"]
    where = "nowhere" if missing == LABS else f"not on {', '.join(missing)}"
    lines = [f"{where}: {ROWS[row].why_not}"] if missing and ROWS[row].why_not else []
    lines += [f"{one.lab}: {one.measured}" for one in results if one.measured]
    lines += sorted(
        {f"skipped: {one.reason}" for one in results if one.outcome == "skipped"}
    )
    return lines


def print_table(results: list[Result]) -> list[str]:
    """Print the list. Returns the rows that went wrong or were forgotten."""
    print("\nwhat can go wrong")
    print("     " + "  ".join(f"{lab:<{WIDTH}}" for lab in LABS) + "  what must hold")
    wrong, absent, skipped = [], [], []
    for row in ROWS:
        its_own = [one for one in results if one.row == row]
        words = cells(row, its_own)
        print(
            f"{row:<4} " + "  ".join(f"{word:<{WIDTH}}" for word in words),
            ROWS[row].claim,
            sep="  ",
        )
        for line in notes(row, its_own, words):
            print(" " * 8 + line)
        if "FAILED" in words or ("-" in words and not ROWS[row].why_not):
            wrong.append(row)
        elif set(words) == {"-"}:
            absent.append(row)
        elif "ok" not in words:
            skipped.append(row)
    tried = len(ROWS) - len(wrong) - len(absent) - len(skipped)
    print(
        f"{len(ROWS)} rows: {tried} hold, {len(wrong)} do not, {len(skipped)} skipped, "
        f"{len(absent)} do not apply"
    )
    counts = []
    for word in ("ok", "FAILED", "skipped"):
        tests = {one.test for one in results if one.outcome == word}
        counts.append(f"{len(tests)} {word}")
    print(f"tests: {', '.join(counts)}")
    return wrong


def main() -> int:
    begin = time.monotonic()
    with temporary_files_in_memory() as folder, ThreadPoolExecutor(JOBS) as pool:
        todo = jobs()
        reports = [folder / f"{number}.xml" for number in range(len(todo))]
        all_went_well = all(list(pool.map(run_job, todo, reports)))
        results = [
            one for report in reports if report.exists() for one in read_results(report)
        ]
    wrong = print_table(results)
    if wrong:
        print(f"wrong, or not tried on some lab: {' '.join(wrong)}")
    print(f"took {time.monotonic() - begin:.0f} s")
    return 0 if all_went_well and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
