"""Makes the tree that students get: the suite without the labs' sources, solutions and gallery.

    python3 -m tests.course.handouts OUT

What they build on is there as sources where no lab leaves them blank, else as objects, for this
machine's processor and C library. Patience scales by a yardstick, times factors that are fixed
here from the reference.
"""

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.course.build import ROOT, Tree
from tests.course.cut import Blank, Drift, Drop
from tests.course.handed import NoHunt, numbers, pack
from tests.course.handout import HANDOUTS
from tests.course.patience import patience_for, remembered, stages_key, yardstick_s
from tests.course.start import files_of

LEFT_OUT = (
    "docs/d-",
    "docs/demos/lab0.c",
    "docs/charts/",
    "tests/gallery/",
    "tests/faults/",
    "tests/fuzz/",
    "tests/units/",
    "tests/course/checks/",
    "tests/course/hunts.py",
    "tests/course/exam.py",
    ".github/",
    ".ci/run",
)
NOT_SHIPPED = ("server.c", "queue.c", "slots.c")


def written_by_students() -> set[str]:
    """The files of the tree in which some lab has a blank."""
    return {file for handout in HANDOUTS.values() for file in handout.files()}


def is_shipped(name: str, blanks: set[str]) -> bool:
    """May students see this file?"""
    if name.startswith(LEFT_OUT) or name in blanks:
        return False
    is_lab_source = name.startswith("lab") and Path(name).name in NOT_SHIPPED
    return not is_lab_source and "solution" not in name


def copy_tree(out: Path, blanks: set[str]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if is_shipped(name, blanks) and (ROOT / name).is_file():
            target = out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
            shutil.copymode(ROOT / name, target)


def without_answers(text: str) -> str:
    """A chapter without the code that students write: what it quotes is named in its fence."""
    blank = {
        f"{step.file}:{step.function}"
        for handout in HANDOUTS.values()
        for step in handout.steps
        if isinstance(step, (Blank, Drop))
    }

    def fence(match: re.Match) -> str:
        what = match[1].removeprefix("c ")
        if what in blank or what == "docs/demos/lab0.c" or what.startswith("diff make"):
            return f"```text\n(yours to write: {what.partition(' ')[2] or what})\n```"
        return match[0]

    return re.sub(r"^```((?:c|diff) \S.*?)\n.*?^```$", fence, text, flags=re.M | re.S)


def hide_answers(out: Path) -> None:
    """In the tree's tutorial, too; and links to what is not there become words."""
    rules = out / "tests/course/course.mk"
    exam = r"^exam:.*\n\t.*\n\.PHONY: exam\n"
    rules.write_text(re.sub(exam, "", rules.read_text(), flags=re.M))
    for chapter in out.glob("docs/*.md"):
        text = without_answers(chapter.read_text())
        text = re.sub(r"\[([^]]+)\]\(d-[\w.-]+\)", r"\1", text)
        chapter.write_text(text)


def copy_objects(out: Path, tree: Tree, blanks: set[str]) -> int:
    """The objects of what is not shipped as a source; the grader links no server of these."""
    count = 0
    servers = {f"{handout.folder}/server.c" for handout in HANDOUTS.values()}
    for name in sorted(blanks | servers):
        built = (tree.build / "obj" / name).with_suffix(".o")
        if not built.exists():
            continue
        target = (out / "given" / name).with_suffix(".o")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["strip", "--strip-debug", "-o", str(target), str(built)], check=True
        )
        count += 1
    return count


def copy_hand_outs(out: Path) -> None:
    for lab in HANDOUTS:
        folder = out / f"tests/course/handouts/lab{lab}"
        folder.mkdir(parents=True)
        for name, text in files_of(lab).items():
            (folder / name).write_text(text)


def copy_hunts(out: Path, wanted: str) -> int:
    """The hunts that are asked for: all, none, or a list of numbers."""
    chosen = numbers() if wanted == "all" else []
    if wanted not in ("all", "none"):
        chosen = [int(number) for number in wanted.split(",")]
    for number in chosen:
        pack(number, out / f"tests/course/handouts/hunts/{number}")
    return len(chosen)


def factors(tree: Tree) -> dict[str, dict[str, float]]:
    """Seconds of the reference, by seconds of the yardstick on the same machine."""
    unit, found = yardstick_s(), {}
    for lab in HANDOUTS:
        patience_for(lab, tree)  # measures, if need be
        seconds = remembered(tree.build / f"course/lab{lab}.json", stages_key(lab))
        found[str(lab)] = {
            name: round(spent / unit, 2) for name, spent in seconds.items()
        }
    return found


def make(out: Path, tree: Tree, hunts: str) -> str:
    """Write the tree; returns what is in it."""
    blanks = written_by_students()
    copy_tree(out, blanks)
    hide_answers(out)
    copy_hand_outs(out)
    hunt_count = copy_hunts(out, hunts)
    count = copy_objects(out, tree, blanks)
    (out / "tests/course/factors.json").write_text(
        json.dumps(factors(tree), indent=1) + "\n"
    )
    (out / "given/README.md").write_text(
        f"Objects that the labs are linked with, where a lab leaves the source blank.\n"
        f"Built on {platform.system()} {platform.machine()} with {' '.join(platform.libc_ver())}; they link nowhere else.\n"
    )
    return (
        f"five hand-outs, {hunt_count} hunts, {count} objects for {platform.machine()}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="new, or empty")
    parser.add_argument(
        "--hunts", default="all", help="all, none, or numbers as 1,4,7 (all)"
    )
    parser.add_argument(
        "--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS
    )
    asked = parser.parse_args()
    if not re.fullmatch(r"all|none|\d+(,\d+)*", asked.hunts):
        parser.error(f"HUNTS={asked.hunts}: all, none, or numbers as 1,4,7")
    if asked.out.exists() and any(asked.out.iterdir()):
        print(f"handouts: {asked.out} is there already and not empty", file=sys.stderr)
        return 2
    try:
        asked.out.mkdir(parents=True, exist_ok=True)
        words = make(asked.out, Tree(asked.build), asked.hunts)
    except (OSError, Drift, NoHunt, subprocess.SubprocessError) as why:
        print(f"handouts: {why}", file=sys.stderr)
        return 3
    print(f"{asked.out}: {words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
