"""Grades one folder: builds it, runs the stages in a cell, says what is wrong, writes grade.json.

    python3 -m tests.course.grade LAB DIR [--stage=NAME] [--hint=1|2|3] [--once] [--json=FILE]

Exit status: 0 full marks, 1 less, 2 the command line, 3 a fault of the grader's own.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.course.build import ROOT, Tree
from tests.course.submission import OwnFault, Report, grade
from tests.course.tell import tell_hint, tell_report
from tests.course.trial import stages
from tests.course.variants import variant_of, warn_without_variants

FULL, LESS, USAGE, OWN_FAULT = 0, 1, 2, 3


def write_json(report: Report, file: Path) -> None:
    """Beside it first, then in its place: never half a report."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(json.dumps(report.as_json(), indent=1) + "\n")
    new.replace(file)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], epilog=__doc__.rpartition("\n\n")[2]
    )
    parser.add_argument("lab", type=int, choices=range(5), metavar="LAB", help="0 to 4")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the student's folder")
    parser.add_argument("--stage", default="", help="only this stage")
    parser.add_argument("--seed", default="", help="of the student's own variant")
    parser.add_argument(
        "--hint",
        type=int,
        default=0,
        choices=(1, 2, 3),
        help="a question, the place, nearly the code",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="no second try, and stop at the first failure",
    )
    parser.add_argument(
        "--json", type=Path, help="where the result goes (DIR/grade.json)"
    )
    parser.add_argument(
        "--chart",
        type=Path,
        help="write when each client of a crowd was done, for a chart",
    )
    parser.add_argument(
        "--budget", type=float, default=50, help="seconds for all stages (50)"
    )
    parser.add_argument(
        "--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS
    )
    parser.add_argument("--no-progress", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def check(asked: argparse.Namespace) -> str:
    """What is wrong with the command line; empty if nothing is."""
    if not asked.folder.is_dir():
        return f"{asked.folder} is not a folder. make start LAB={asked.lab} DIR={asked.folder} makes one."
    names = [stage.name for stage in stages(asked.lab)]
    if asked.stage and asked.stage not in names:
        return f"lab {asked.lab} has no stage {asked.stage}. It has {', '.join(names)}."
    return ""


def main() -> int:
    asked = arguments()
    wrong = check(asked)
    if wrong:
        print(f"grade: {wrong}", file=sys.stderr)
        return USAGE
    file = asked.json or asked.folder / "grade.json"
    try:
        file.unlink(missing_ok=True)
        tree = Tree(asked.build)
        report = grade(
            asked.lab,
            asked.folder,
            asked.stage,
            asked.once,
            asked.budget,
            asked.chart is not None,
            tree,
            variant_of(asked.lab, asked.seed),
        )
        if asked.chart:
            asked.chart.write_text(json.dumps(report.crowd))
        write_json(report, file)
    except (
        OwnFault,
        OSError,
        ValueError,
        KeyError,
        subprocess.SubprocessError,
    ) as fault:
        print(
            f"grade: a fault of the grader's own, not yours: {fault}", file=sys.stderr
        )
        return OWN_FAULT
    warn_without_variants(asked.lab, asked.seed)
    tell_report(report, with_progress=not asked.no_progress)
    tell_hint(report, asked.hint)
    return FULL if report.score == report.max else LESS


if __name__ == "__main__":
    sys.exit(main())
