"""Grades a class: one folder in, one JSON out, on GNU parallel; then a CSV and pages.

    python3 -m tests.course.classes LAB SUBMISSIONS [--jobs=N] [--out=DIR]

SUBMISSIONS holds a folder for each student. What was graded and has not changed is not graded
again, so a run that was broken off goes on. Exit status: 0 all graded, 2 the command line, 3 some
could not be graded.
"""

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.course.build import ROOT, Tree
from tests.course.pages import chart, class_page, first_failure, student_page
from tests.course.patience import patience_for
from tests.course.reference import grade_reference
from tests.course.trial import stages

TIMEOUT_S = 180
NAME = re.compile(r"[A-Za-z0-9][\w.@+-]*")  # what is a file's name and a command's word


def students(folder: Path) -> list[str]:
    """The folders that hold a source, by name."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and any(path.glob("*.c"))
    )


def newest(folder: Path) -> float:
    times = [
        path.lstat().st_mtime for path in [*folder.glob("*.c"), *folder.glob("*.h")]
    ]
    return max(times, default=0.0)


def is_current(submission: Path, result: Path) -> bool:
    """Was this submission graded as it is now?"""
    return result.exists() and result.stat().st_mtime > newest(submission)


def run_parallel(asked: argparse.Namespace, names: list[str]) -> None:
    """Grade these students' folders, so many at once."""
    command = [
        *(
            "parallel",
            "--jobs",
            str(asked.jobs),
            "--joblog",
            str(asked.out / "jobs.log"),
            "--plain",
        ),
        *(["--bar"] if sys.stderr.isatty() else []),
        *(
            "--timeout",
            str(TIMEOUT_S),
            "--will-cite",
            "--quote",
            "--results",
            str(asked.out / "text/{1}"),
        ),
        *(
            sys.executable,
            "-m",
            "tests.course.grade",
            str(asked.lab),
            f"{asked.submissions}/{{1}}",
        ),
        *(
            f"--json={asked.out}/json/{{1}}.json",
            f"--chart={asked.out}/json/{{1}}.times",
        ),
        *([f"--seed={asked.seed}-{{1}}"] if asked.seed else []),
        *("--no-progress", f"--build={asked.build}"),
        *(":::", *names),
    ]
    print(
        f"{len(names)} submissions to grade, {asked.jobs} at once; the log is {asked.out}/jobs.log",
        flush=True,
    )
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def read_json(file: Path) -> dict | None:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return None


def write_csv(lab: int, results: dict[str, dict], file: Path) -> None:
    """One row for each student; Canvas reads SIS Login ID, Moodle reads ID number."""
    names = ["build", *(stage.name for stage in stages(lab))]
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(
            [
                "Student",
                "SIS Login ID",
                "ID number",
                f"Lab {lab}",
                "Maximum",
                "First failure",
                "Cause",
                *names,
            ]
        )
        for name, result in sorted(results.items()):
            first = first_failure(result)
            points = {one["name"]: one["points"] for one in result["stages"]}
            words = (
                [first["name"], first["cause"].partition(":")[0]] if first else ["", ""]
            )
            rows.writerow(
                [
                    name,
                    name,
                    name,
                    result["score"],
                    result["max"],
                    *words,
                    *(points.get(one, 0) for one in names),
                ]
            )


def reference_times(lab: int, tree: Tree, file: Path) -> list[float]:
    """The reference's crowd, once for a class."""
    kept = read_json(file)
    if kept is None and not (ROOT / "tests/course/factors.json").exists():
        kept = grade_reference(lab, tree, chart=True).crowd
        file.write_text(json.dumps(kept))
    return kept or []


def write_pages(
    asked: argparse.Namespace,
    results: dict[str, dict],
    faults: list[str],
    times: list[float],
) -> None:
    for name, result in results.items():
        text = asked.out / f"text/{name}"
        words = text.read_text(errors="replace") if text.exists() else ""
        drawn = chart(read_json(asked.out / f"json/{name}.times") or [], times)
        (asked.out / f"students/{name}.html").write_text(
            student_page(name, result, words, drawn)
        )
    (asked.out / "index.html").write_text(class_page(asked.lab, results, faults))


def grade_class(asked: argparse.Namespace) -> int:
    names = students(asked.submissions)
    odd = [name for name in names if not NAME.fullmatch(name)]
    if odd:
        print(
            f"class: {', '.join(odd[:3])}: letters, digits and . _ @ + - are accepted in a folder's name",
            file=sys.stderr,
        )
        return 2
    for part in "json", "text", "students":
        (asked.out / part).mkdir(parents=True, exist_ok=True)
    tree = Tree(asked.build)
    patience_for(asked.lab, tree)
    times = reference_times(asked.lab, tree, asked.out / "reference.times")
    left = [
        name
        for name in names
        if not is_current(asked.submissions / name, asked.out / f"json/{name}.json")
    ]
    if left:
        run_parallel(asked, left)
    results = {name: read_json(asked.out / f"json/{name}.json") for name in names}
    faults = [name for name, result in results.items() if result is None]
    results = {name: result for name, result in results.items() if result is not None}
    write_csv(asked.lab, results, asked.out / "class.csv")
    write_pages(asked, results, faults, times)
    full = sum(result["score"] == 100 for result in results.values())
    print(
        f"{len(results)} graded, {full} with full marks; {asked.out}/index.html, {asked.out}/class.csv"
    )
    if faults:
        print(
            f"not graded: {', '.join(faults)}; the same command tries them again",
            file=sys.stderr,
        )
    return 3 if faults else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], epilog=__doc__.rpartition("\n\n")[2]
    )
    parser.add_argument("lab", type=int, choices=range(5), metavar="LAB")
    parser.add_argument(
        "submissions",
        type=Path,
        metavar="SUBMISSIONS",
        help="a folder for each student",
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="so many at once"
    )
    parser.add_argument(
        "--seed", default="", help="a word: the student NAME has the variant WORD-NAME"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "results/class")
    parser.add_argument(
        "--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS
    )
    asked = parser.parse_args()
    if not asked.submissions.is_dir() or not students(asked.submissions):
        print(
            f"class: {asked.submissions} holds no folder with a .c in it",
            file=sys.stderr,
        )
        return 2
    if asked.jobs < 1:
        print(f"class: --jobs={asked.jobs}: 1 or more is accepted", file=sys.stderr)
        return 2
    if not shutil.which("parallel"):
        print(
            "class: GNU parallel is not here. On Debian: apt-get install parallel",
            file=sys.stderr,
        )
        return 3
    asked.submissions, asked.out = asked.submissions.resolve(), asked.out.resolve()
    return grade_class(asked)


if __name__ == "__main__":
    sys.exit(main())
