"""Grades the submissions and compares with what the table expects.

    python3 -m tests.course.checks.run_table [--jobs=N] [WORD ...]       WORD: a lab (lab2) or a name
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.course import cell
from tests.course.build import Tree
from tests.course.checks.submissions import ALL, CAUSE_BY_LUCK, RACES, SOME, Submission
from tests.course.patience import patience_for
from tests.course.submission import Report, grade


def first_failure(report: Report) -> tuple[str, str]:
    """The first stage without its points, and the cause that was named."""
    for one in report.results:
        if not one["passed"]:
            return one["name"], one["cause"]
    return "", ""


def wrong(submission: Submission, report: Report) -> str:
    """How the report differs from the table; empty if it does not."""
    stage, cause = first_failure(report)
    points = report.score
    if submission.name in RACES and stage and points <= submission.points:
        points, stage = submission.points, submission.stage
    if (points, stage) != (submission.points, submission.stage):
        return f"{points} points, first failure {stage or 'none'}; expected {submission.points}, {submission.stage or 'none'}"
    if submission.name in ("empty", "reference") and report.warnings:
        return f"the compiler warns: {report.warnings.splitlines()[0]}"
    if not submission.cause and cause:
        return f"silence was expected, and the cause named is {cause}"
    if not cause and submission.name in CAUSE_BY_LUCK:
        return ""
    if submission.cause and not cause.startswith(submission.cause):
        return f"the cause named is {cause or 'none'}; expected {submission.cause}"
    return ""


def try_one(submission: Submission) -> tuple[Submission, Report, str]:
    with tempfile.TemporaryDirectory() as folder:
        submission.lay(Path(folder))
        report = grade(submission.lab, Path(folder), variant=submission.variant)
    return submission, report, wrong(submission, report)


def chosen(words: list[str], some: bool) -> list[Submission]:
    def fits(one: Submission) -> bool:
        if some and one.name not in SOME | {"reference", "empty"}:
            return False
        return not words or any(word in f"lab{one.lab} {one.name}" for word in words)

    return [one for one in ALL if fits(one)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--some", action="store_true", help="a few of each lab, for CI")
    parser.add_argument(
        "--show", action="store_true", help="the evidence of each failure, too"
    )
    asked = parser.parse_args()
    submissions = chosen(asked.words, asked.some)
    if not submissions:
        print(f"no submission has one of the words {' '.join(asked.words)}")
        return 2
    mistakes = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        labs = sorted({one.lab for one in submissions})
        list(pool.map(lambda lab: patience_for(lab, Tree()), labs))
        for submission, report, difference in pool.map(try_one, submissions):
            mistakes += bool(difference)
            mark = "WRONG" if difference else "ok   "
            print(
                f"{mark} lab{submission.lab} {submission.name}: {submission.what}; {report.score} points, {report.seconds:.1f} s"
            )
            if difference:
                print(f"      {difference}")
            if asked.show:
                for one in report.results:
                    if one["ran"] and not one["passed"]:
                        print(
                            "      --",
                            one["name"],
                            "|",
                            one["said"],
                            "|",
                            one["cause"][:40],
                        )
                        for look in one["looks"]:
                            print(
                                "        ",
                                look["state"],
                                look["words"],
                                look["threads"],
                            )
            sys.stdout.flush()
    left = cell.left_running()
    if left:
        print(f"WRONG {len(left)} processes are left: {', '.join(left[:5])}")
    print(f"{len(submissions) - mistakes} of {len(submissions)} as the table says")
    return 1 if mistakes or left else 0


if __name__ == "__main__":
    sys.exit(main())
