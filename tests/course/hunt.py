"""Hands out a broken variant with its symptom, and says whether it was named and mended.

    python3 -m tests.course.hunt                        the list of symptoms, and of names
    python3 -m tests.course.hunt N DIR                  makes DIR: the broken file, the symptom
    python3 -m tests.course.hunt N DIR --name=MISTAKE   is it mended, and is that its name?

Exit status: 0 named and mended, 1 not yet, 2 the command line, 3 a fault of its own.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.course.hunts import HUNTS, NAMES, TUTORIAL, Hunt

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (
    Path(__file__).resolve().parent / "hunts"
)  # in a tree for students: whole folders
MAX_CHANGED = 10
GUARD_S = 6
TRIES = 3  # a race may get through once
NOT_COPIED = shutil.ignore_patterns(
    "results", "docs", ".git", ".pytest_cache", "__pycache__"
)

SHEET = """\
# Hunt {number}

> {symptom}

It shows in `{server}`. Somewhere in {files}, at most {most} lines are not as they should be.

1. **See it.** `make` builds `./server`. Be that customer: `nc 127.0.0.1 9000`, a few terminals.
2. **Name it.** `make hunt`, at the top of the suite, lists the names.
3. **Mend it**, with as few lines as you can, and ask: `make hunt N={number} DIR=... NAME=...`
"""
MAKEFILE = """\
SUITE = {suite}
all: ; @$(MAKE) --no-print-directory -C $(SUITE) hunt N={number} DIR="$(CURDIR)" TRY=1
"""
PROGRAMS = {
    1: "lab1-sequential/server",
    2: "lab2-thread-per-client/server",
    3: "lab3-thread-pool/server",
    4: "lab4-timeouts-backlog/server",
}


class NoHunt(Exception):
    """This hunt cannot be made, and why."""


def broken_files(hunt: Hunt, number: int) -> tuple[dict[str, str], str]:
    """The broken files by their path in the tree, and the test that notices."""
    from tests.gallery.variants import HERE, DoesNotFit, read_variant

    try:
        variant = read_variant(HERE / f"{hunt.variant}.patch")
        broken = variant.broken(ROOT)
    except (OSError, DoesNotFit) as why:
        raise NoHunt(f"hunt {number}: {why}") from None
    return {
        str(path.relative_to(ROOT)): text for path, text in broken.items()
    }, variant.test


def lay(number: int, folder: Path) -> None:
    """Write the broken file, the symptom and a Makefile; no diff, no name."""
    hunt = HUNTS[number - 1]
    files, _ = broken_files(hunt, number)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (folder / Path(path).name).write_text(text)
    sheet = SHEET.format(
        number=number,
        symptom=hunt.symptom,
        server=PROGRAMS[hunt.lab],
        files=" and ".join(
            f"`{Path(path).name}` (`{path}` in the suite)" for path in files
        ),
        most=MAX_CHANGED,
    )
    (folder / "symptom.md").write_text(sheet)
    suite = os.path.relpath(ROOT, folder.resolve())
    (folder / "Makefile").write_text(MAKEFILE.format(suite=suite, number=number))


def tree_with(number: int, folder: Path, room: Path) -> tuple[Path, str]:
    """A copy of the suite with the student's files in it, built; and the test."""
    files, test = broken_files(HUNTS[number - 1], number)
    tree = room / "suite"
    shutil.copytree(ROOT, tree, ignore=NOT_COPIED, symlinks=True)
    for path in files:
        mine = folder / Path(path).name
        if not mine.is_file():
            raise NoHunt(f"{mine} is not there any more. Begin again with a new DIR.")
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(mine.read_text())
    done = subprocess.run(
        ["make", "-s", "labs"], cwd=tree, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise NoHunt(
            "it does not build:\n" + done.stderr.replace(f"{tree}/", "")[:1000]
        )
    return tree, test


def passes(tree: Path, test: str) -> tuple[bool, str]:
    """Does the test that the bug fails pass now? And what it says if not."""
    for _ in range(TRIES):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "--tb=line",
                test,
            ],
            cwd=tree,
            env={**os.environ, "GUARD": str(GUARD_S), "BUILD": "build", "SAN": ""},
            capture_output=True,
            text=True,
        )
        if done.returncode not in (0, 1):
            raise NoHunt(
                f"the test did not run:\n{done.stdout[-800:]}{done.stderr[-400:]}"
            )
        if done.returncode == 1:
            lines = [
                line
                for line in done.stdout.splitlines()
                if "Error" in line or "Failed" in line
            ]
            return False, (lines or ["the test failed"])[0].replace(str(tree), "")[:300]
    return True, ""


def judge(number: int, folder: Path, name: str) -> int:
    """Say whether it is mended, and whether the name is right."""
    hunt = HUNTS[number - 1]
    with tempfile.TemporaryDirectory() as room:
        tree, test = tree_with(number, folder, Path(room))
        is_mended, said = passes(tree, test)
    print(
        "Mended: the customer has no complaint any more."
        if is_mended
        else f"Not mended yet: {said}"
    )
    is_named = name == hunt.name
    chapter, meaning = NAMES[hunt.name]
    if is_named:
        print(f"Named: {name}, {meaning}. {TUTORIAL[chapter]}")
    elif name:
        print(f"It is not {name} ({NAMES[name][1]}).")
    else:
        print("What is it called? NAME=..., one of the list that make hunt prints.")
    return 0 if is_mended and is_named else 1


def try_out(number: int, folder: Path) -> int:
    """Build DIR/server, to be a customer of."""
    with tempfile.TemporaryDirectory() as room:
        tree, _ = tree_with(number, folder, Path(room))
        shutil.copy(tree / "build" / PROGRAMS[HUNTS[number - 1].lab], folder / "server")
    print(f"built {folder}/server")
    return 0


def tell_list() -> None:
    for number, hunt in enumerate(HUNTS, 1):
        print(f"{number:3}  lab {hunt.lab}  {hunt.symptom}")
    print("\nNames, and the chapter that each belongs to:")
    for name, (chapter, meaning) in NAMES.items():
        print(f"  {name:<22}{TUTORIAL[chapter]:<30}{meaning}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "number",
        nargs="?",
        type=int,
        metavar="N",
        help=f"1 to {len(HUNTS)}; without it: the list",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar="DIR",
        help="new: is made; else: is judged",
    )
    parser.add_argument("--name", default="", help="what you call the mistake")
    parser.add_argument(
        "--try",
        dest="only_build",
        action="store_true",
        help="build DIR/server and no more",
    )
    asked = parser.parse_args()
    if asked.number is not None and not 1 <= asked.number <= len(HUNTS):
        parser.error(f"N={asked.number}: there are hunts 1 to {len(HUNTS)}")
    if asked.name and asked.name not in NAMES:
        parser.error(f"NAME={asked.name} is not in the list: {', '.join(NAMES)}")
    if asked.name and asked.folder is None:
        parser.error("NAME= needs the DIR in which you mended it")
    return asked


def main() -> int:
    asked = arguments()
    if asked.number is None:
        tell_list()
        return 0
    if asked.folder is None:
        print(
            f"{asked.number}: {HUNTS[asked.number - 1].symptom}\nmake hunt N={asked.number} DIR=../hunt-{asked.number} hands it out."
        )
        return 0
    try:
        is_new = not asked.folder.exists() or not any(asked.folder.iterdir())
        if is_new:
            lay(asked.number, asked.folder)
            print(
                f"{asked.folder}: {', '.join(sorted(os.listdir(asked.folder)))}. Read symptom.md first."
            )
            return 0
        if asked.only_build:
            return try_out(asked.number, asked.folder)
        return judge(asked.number, asked.folder, asked.name)
    except (NoHunt, OSError) as why:
        print(f"hunt: {why}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
