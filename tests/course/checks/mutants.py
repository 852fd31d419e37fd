"""Mutants of the functions that students write: each is one small change, and must lose points.

    python3 -m tests.course.checks.mutants [--most=1000] [--seed=1] [--jobs=2] [--lab=2]

What was tried is kept in build/course/mutants.csv, so a run that was broken off goes on. A mutant
that gets 100 points is a gap, unless equivalent.txt lists it with a reason.
"""

import argparse
import csv
import hashlib
import random
import re
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tests.course import cell
from tests.course.build import ROOT, Tree
from tests.course.cut import Blank, Swap, find
from tests.course.handout import HANDOUTS
from tests.course.patience import patience_for
from tests.course.reference import lay
from tests.course.submission import grade

KEPT = ROOT / "build/course/mutants.csv"
COURSE = ROOT / "tests/course"
EQUIVALENT = Path(__file__).resolve().parent / "equivalent.txt"
MAX_SURVIVORS = 0.02
MAX_S = 60


@dataclass(frozen=True)
class Mutant:
    """One change in one file."""

    lab: int
    file: str  # in the student's folder
    function: str
    kind: str
    old: str  # the line as it was
    new: str
    begin: int  # in the file
    end: int
    text: str  # what stands there instead

    @property
    def key(self) -> str:
        return f"lab{self.lab} {self.function} {self.kind}: {self.old} -> {self.new}"


def negate(match: re.Match) -> str:
    return f"{match[1]} (!({match[2]}))"


# A variable or a number; not a constant by name, and not true or false.
NUMBER = re.compile(r"(?<=[<>=] )(?!true\b|false\b|[A-Z_]+\b)(\w+)(?=[;)])")
RULES = [
    ("condition negated", re.compile(r"\b(if|while) \((.+)\)(?=$|\s*\{?$)"), negate),
    ("while to if", re.compile(r"\bwhile \("), lambda _: "if ("),
    ("one more", NUMBER, lambda m: f"{m[1]} + 1"),
    ("one less", NUMBER, lambda m: f"{m[1]} - 1"),
    ("comparison", re.compile(r" (<|>=|>|<=) "), lambda m: {"<": " <= ", "<=": " < ", ">": " >= ", ">=": " > "}[m[1]]),
    ("equality", re.compile(r" (==|!=) "), lambda m: {"==": " != ", "!=": " == "}[m[1]]),
    ("plus to minus", re.compile(r"\+\+|--"), lambda m: {"++": "--", "--": "++"}[m[0]]),
    ("arguments swapped", re.compile(r"\b(\w+)\(([^(),]+), ([^(),]+)\)"), lambda m: f"{m[1]}({m[3]}, {m[2]})"),
    ("and to or", re.compile(r" (&&|\|\|) "), lambda m: {"&&": " || ", "||": " && "}[m[1]]),
    ("zero", re.compile(r"(?<=return )(-?\w+)(?=;)"), lambda m: "0" if m[1] != "0" else "-1"),
    ("broadcast to signal", re.compile(r"pthread_cond_broadcast"), lambda _: "pthread_cond_signal"),
]  # fmt: skip
STATEMENT = re.compile(
    r"^\s+(?!return\b|(?:int|bool|char|size_t|ssize_t|enum|struct|const|pthread_t)\b)[\w*][^{}]*;$"
)


def of_line(line: str) -> list[tuple[str, str]]:
    """The mutants of one line: (kind, new line)."""
    found = []
    for kind, pattern, change in RULES:
        for match in pattern.finditer(line):
            found.append(
                (kind, line[: match.start()] + change(match) + line[match.end() :])
            )
    if STATEMENT.match(line) and line.count("(") == line.count(")"):
        kind = "lock or unlock dropped" if "mutex" in line else "statement dropped"
        found.append((kind, re.match(r"\s*", line)[0] + ";"))
    return [(kind, new) for kind, new in found if new != line]


def of_function(
    lab: int, name: str, text: str, function: str, tail: str
) -> list[Mutant]:
    """All mutants of a function, or of what follows tail in it."""
    span = find(text, function)
    at = text.index(tail, span.brace) if tail else span.brace
    at = text.index("\n", text.index(";", at) if tail else at) + 1
    mutants = []
    for line in text[at : span.end].splitlines(keepends=True):
        bare = line.rstrip("\n")
        if not bare.lstrip().startswith(("/*", "*")):
            for kind, new in of_line(bare):
                mutants.append(
                    Mutant(
                        lab,
                        name,
                        function,
                        kind,
                        bare.strip(),
                        new.strip(),
                        at,
                        at + len(bare),
                        new,
                    )
                )
        at += len(line)
    return mutants


def all_mutants(lab: int) -> list[Mutant]:
    """Every mutant of what a lab leaves blank."""
    found = []
    for step in HANDOUTS[lab].steps:
        if isinstance(step, Swap):
            continue
        text = (ROOT / step.file).read_text()
        name = "server.c" if step.file.endswith("lab0.c") else Path(step.file).name
        tail = step.after if isinstance(step, Blank) else ""
        found += of_function(lab, name, text, step.function, tail)
    return told_apart(found)


def told_apart(mutants: list[Mutant]) -> list[Mutant]:
    """The same change to a second line that reads the same is another mutant: its kind says so."""
    counts: Counter[str] = Counter()
    distinct = []
    for one in mutants:
        counts[one.key] += 1
        nth = counts[one.key]
        distinct.append(one if nth == 1 else replace(one, kind=f"{one.kind} #{nth}"))
    return distinct


def stamp(lab: int) -> str:
    """Changes when the stages or the lab's code do: what was graded before that counts no more."""
    files = [COURSE / f"stages/lab{lab}.py", COURSE / "stages/shared.py"]
    files += [ROOT / file for file in HANDOUTS[lab].files()]
    return hashlib.sha256(b"".join(map(Path.read_bytes, files))).hexdigest()[:8]


def known(stamps: dict[int, str]) -> dict[str, list[str]]:
    """What was tried with the stages of today."""
    if not KEPT.exists():
        return {}
    with KEPT.open(newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) == 5]
    return {row[0]: row for row in rows if stamps.get(int(row[0][3])) == row[4]}


def try_one(mutant: Mutant) -> list[str]:
    """(key, points, seconds, first failure, stamp)."""
    with tempfile.TemporaryDirectory() as folder:
        lay(mutant.lab, Path(folder))
        file = Path(folder) / mutant.file
        text = file.read_text()
        file.write_text(text[: mutant.begin] + mutant.text + text[mutant.end :])
        report = grade(mutant.lab, Path(folder))
    first = next((one["name"] for one in report.results if not one["passed"]), "")
    seconds = f"{report.seconds:.1f}"
    return [mutant.key, str(report.score), seconds, first, stamp(mutant.lab)]


def equivalents() -> set[str]:
    """The keys in equivalent.txt; a reason stands above each group."""
    lines = EQUIVALENT.read_text().splitlines() if EQUIVALENT.exists() else []
    return {line for line in lines if line and not line.startswith("#")}


def tell(rows: list[list[str]]) -> int:
    listed = equivalents()
    survivors = [row[0] for row in rows if row[1] == "100" and row[0] not in listed]
    slow = [row for row in rows if float(row[2]) > MAX_S]
    alike = sum(row[1] == "100" for row in rows) - len(survivors)
    for key in survivors:
        print(f"100 points: {key}")
    for row in slow:
        print(f"{row[2]} s: {row[0]}")
    share = len(survivors) / max(len(rows), 1)
    print(
        f"{len(rows)} mutants: {len(survivors)} get 100 points ({share:.1%}), {alike} are listed as equivalent, {len(slow)} took over {MAX_S} s"
    )
    return 1 if share > MAX_SURVIVORS or slow else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--lab", type=int, choices=range(5))
    parser.add_argument(
        "--count", action="store_true", help="say how many there are, and end"
    )
    asked = parser.parse_args()
    labs = range(5) if asked.lab is None else [asked.lab]
    mutants = [one for lab in labs for one in all_mutants(lab)]
    if asked.count:
        print(f"{len(mutants)} mutants")
        return 0
    random.Random(asked.seed).shuffle(mutants)
    mutants = mutants[: asked.most]
    for lab in labs:
        patience_for(lab, Tree())
    rows = known({lab: stamp(lab) for lab in labs})
    left = [one for one in mutants if one.key not in rows]
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with KEPT.open("a", newline="") as file, ThreadPoolExecutor(asked.jobs) as pool:
        for number, row in enumerate(pool.map(try_one, left), 1):
            rows[row[0]] = row
            csv.writer(file).writerow(row)
            file.flush()
            print(
                f"{number} of {len(left)}: {row[1]:>3} points, {row[2]} s, {row[0][:90]}",
                flush=True,
            )
    left = cell.left_running()
    if left:
        print(f"{len(left)} processes are left: {', '.join(left[:5])}")
    return tell([rows[one.key] for one in mutants]) or bool(left)


if __name__ == "__main__":
    sys.exit(main())
