"""Makes the tree that students get: the suite without the labs' sources, solutions and gallery.

    python3 -m tests.course.handouts OUT

What they build on is there as sources where no lab leaves them blank, else as objects, for this
machine's processor and C library. Patience scales by a yardstick, times factors that are fixed
here from the reference.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tests.course.build import ROOT, Tree
from tests.course.cut import Drift
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
    "tests/course/hunt",
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


def copy_objects(out: Path, tree: Tree, blanks: set[str]) -> int:
    """The objects of what is not shipped as a source, without the servers themselves."""
    count = 0
    for name in sorted(blanks):
        built = (tree.build / "obj" / name).with_suffix(".o")
        if Path(name).name == "server.c" or not built.exists():
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


def make(out: Path, tree: Tree) -> int:
    blanks = written_by_students()
    copy_tree(out, blanks)
    copy_hand_outs(out)
    count = copy_objects(out, tree, blanks)
    (out / "tests/course/factors.json").write_text(
        json.dumps(factors(tree), indent=1) + "\n"
    )
    (out / "given/README.md").write_text(
        f"Objects that the labs are linked with, where a lab leaves the source blank.\n"
        f"Built on {platform.system()} {platform.machine()} with {' '.join(platform.libc_ver())}; they link nowhere else.\n"
    )
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="new, or empty")
    parser.add_argument(
        "--build", type=Path, default=ROOT / "build", help=argparse.SUPPRESS
    )
    asked = parser.parse_args()
    if asked.out.exists() and any(asked.out.iterdir()):
        print(f"handouts: {asked.out} is there already and not empty", file=sys.stderr)
        return 2
    try:
        asked.out.mkdir(parents=True, exist_ok=True)
        count = make(asked.out, Tree(asked.build))
    except (OSError, Drift, subprocess.SubprocessError) as why:
        print(f"handouts: {why}", file=sys.stderr)
        return 3
    print(f"{asked.out}: five hand-outs, {count} objects for {platform.machine()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
