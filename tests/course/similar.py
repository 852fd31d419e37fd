"""Compares what students wrote, pair by pair, with Debian's similarity-tester (sim_c).

    python3 -m tests.course.similar LAB SUBMISSIONS [--least=70]

Only the functions that the hand-out leaves blank are compared, and what is in the hand-out itself
does not count. It says who to look at, not who has copied: the reference is public.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.course.classes import students
from tests.course.cut import Blank, Drift, find, functions
from tests.course.handout import HANDOUTS

SIM = ["sim_c", "-p", "-e", "-s", "-r", "12"]
FOUND = re.compile(r"^(\S+) consists for (\d+) % of (\S+) material", re.M)


def written(lab: int, folder: Path) -> str:
    """What the student wrote: the blanks, and functions that the hand-out does not have."""
    parts = []
    given = {step.function for step in HANDOUTS[lab].steps if isinstance(step, Blank)}
    for file in sorted(folder.glob("*.c")):
        text = file.read_text(errors="replace")
        for name in functions(text) if lab else [None]:
            if name is None:
                parts.append(text)
            elif name in given or file.name not in {
                Path(one).name for one in HANDOUTS[lab].files()
            }:
                try:
                    span = find(text, name)
                except Drift:
                    continue
                parts.append(text[span.begin : span.end])
    return "\n\n".join(parts) + "\n"


def pairs(lab: int, folder: Path, least: int) -> list[tuple[int, str, str]]:
    """(percent, one, other), most alike first; each pair once."""
    with tempfile.TemporaryDirectory() as room:
        for name in students(folder):
            (Path(room) / f"{name}.c").write_text(written(lab, folder / name))
        files = sorted(path.name for path in Path(room).glob("*.c"))
        done = subprocess.run([*SIM, *files], cwd=room, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(done.stderr.strip() or "sim_c failed")
    best: dict[tuple[str, str], int] = {}
    for one, percent, other in FOUND.findall(done.stdout):
        first, second = sorted((one.removesuffix(".c"), other.removesuffix(".c")))
        best[first, second] = max(int(percent), best.get((first, second), 0))
    found = [(percent, *names) for names, percent in best.items() if percent >= least]
    return sorted(found, key=lambda row: (-row[0], row[1:]))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], epilog=__doc__.rpartition("\n\n")[2]
    )
    parser.add_argument("lab", type=int, choices=range(5), metavar="LAB")
    parser.add_argument("submissions", type=Path, metavar="SUBMISSIONS")
    parser.add_argument(
        "--least",
        type=int,
        default=70,
        help="per cent from which a pair is listed (70)",
    )
    asked = parser.parse_args()
    if not asked.submissions.is_dir() or len(students(asked.submissions)) < 2:
        print(
            f"similar: {asked.submissions} holds fewer than two folders with a .c in them",
            file=sys.stderr,
        )
        return 2
    if not shutil.which("sim_c"):
        print(
            "similar: sim_c is not here. On Debian: apt-get install similarity-tester",
            file=sys.stderr,
        )
        return 3
    try:
        found = pairs(asked.lab, asked.submissions, asked.least)
    except OSError as why:
        print(f"similar: {why}", file=sys.stderr)
        return 3
    for percent, one, other in found:
        print(f"{percent:3} %  {one}  {other}")
    print(
        f"{len(found)} pairs with {asked.least} % or more in common, of {len(students(asked.submissions))} students"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
