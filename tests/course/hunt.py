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

from tests.course.build import FLAGS, BuildFailed
from tests.course.handed import Handed, NoHunt, numbers, read_hunt
from tests.course.names import NAMES, TUTORIAL
from tests.course.servers import LABS, link_servers, run
from tests.course.trial import Order, attempt, stages

ROOT = Path(__file__).resolve().parents[2]
MAX_CHANGED = 10
GUARD_S = 6
TRIES = 3  # a race may get through once
STAGE_PATIENCE_S = 2.0

SHEET = """\
# Hunt {number}

> {symptom}

It shows in `{server}`. Somewhere in {files}, at most {most} lines are not as they should be.

1. **See it.** `make` builds `./server`. Be that customer: `nc 127.0.0.1 9000`, a few terminals.
2. **Name it.** `make hunt`, at the top of the suite, lists the names.
3. **Mend it**, with as few lines as you can, and ask: `make hunt NAME=...`
"""
MAKEFILE = """\
SUITE = {suite}
HUNT  = @$(MAKE) --no-print-directory -C $(SUITE) hunt N={number} DIR="$(CURDIR)"
all: ; $(HUNT) TRY=1
hunt: ; $(HUNT) NAME="$(NAME)"
"""


def lay(number: int, folder: Path) -> None:
    """Write the broken file, the symptom and a Makefile; no diff, no name."""
    hunt, files = read_hunt(number)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (folder / Path(path).name).write_text(text)
    places = [f"`{Path(path).name}` (`{path}` in the suite)" for path in files]
    sheet = SHEET.format(
        number=number,
        symptom=hunt.symptom,
        server=f"{LABS[hunt.lab - 1]}/server",
        files=" and ".join(places),
        most=MAX_CHANGED,
    )
    (folder / "symptom.md").write_text(sheet)
    suite = os.path.relpath(ROOT, folder.resolve())
    (folder / "Makefile").write_text(MAKEFILE.format(suite=suite, number=number))


def built_with(number: int, folder: Path, room: Path) -> tuple[Handed, Path]:
    """All servers with the student's files in them; returns the folder they are built in."""
    hunt, files = read_hunt(number)
    mine = {path: (folder / Path(path).name).resolve() for path in files}
    for file in mine.values():
        if not file.is_file():
            raise NoHunt(f"{file} is not there any more. Begin again with a new DIR.")
    return hunt, link_servers(mine, room)


def passes_test(test: str, build: Path) -> str:
    """What the test that notices the bug says; empty if it passes."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*pytest, "--tb=line", test],
        cwd=ROOT,
        env={**os.environ, "GUARD": str(GUARD_S), "BUILD": str(build), "SAN": ""},
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return ""
    if done.returncode != 1:
        words = f"{done.stdout[-800:]}{done.stderr[-400:]}"
        raise NoHunt(f"the test did not run (it needs pytest):\n{words}")
    kinds = "Error", "Failed"
    lines = [one for one in done.stdout.splitlines() if any(k in one for k in kinds)]
    return (lines or ["its test fails"])[0].rpartition("Error: ")[2][:300]


def passes_stage(hunt: Handed, build: Path, room: Path) -> str:
    """What the stage of the lab's grader says; empty if it passes."""
    out = room / "out"
    out.mkdir(exist_ok=True)
    shutil.copy(build / LABS[hunt.lab - 1] / "server", out / "server")
    source = str(Path(__file__).with_name("false_alarm.c"))
    alarm = str(out / "false_alarm.so")
    run(["cc", *FLAGS, "-shared", "-fPIC", "-O1", "-o", alarm, source, "-ldl"])
    stage = next(one for one in stages(hunt.lab) if one.name == hunt.stage)
    order = Order(hunt.lab, str(room), 0, [], {})
    return attempt(stage, order, STAGE_PATIENCE_S, False)[0]


def complaint(hunt: Handed, build: Path, room: Path) -> str:
    """What is still wrong; empty if it is mended."""
    for _ in range(TRIES):
        if hunt.stage:
            said = passes_stage(hunt, build, room)
        else:
            said = passes_test(hunt.test, build)
        if said:
            return said
    return ""


def judge(number: int, folder: Path, name: str) -> int:
    """Say whether it is mended, and whether the name is right."""
    with tempfile.TemporaryDirectory() as room:
        hunt, build = built_with(number, folder, Path(room))
        said = complaint(hunt, build, Path(room))
    if said:
        print(f"Not mended yet: {said}")
    else:
        print("Mended: the customer has no complaint any more.")
    is_named = hunt.is_named(name)
    if is_named:
        chapter, meaning = NAMES[name]
        print(f"Named: {name}, {meaning}. {TUTORIAL[chapter]}")
    elif name:
        print(f"It is not {name} ({NAMES[name][1]}).")
    else:
        print("What is it called? NAME=..., one of the list that make hunt prints.")
    return 0 if is_named and not said else 1


def try_out(number: int, folder: Path) -> int:
    """Build DIR/server, to be a customer of."""
    with tempfile.TemporaryDirectory() as room:
        hunt, build = built_with(number, folder, Path(room))
        shutil.copy(build / LABS[hunt.lab - 1] / "server", folder / "server")
    print(f"built {folder}/server")
    return 0


def tell_list() -> None:
    for number in numbers():
        hunt, _ = read_hunt(number)
        print(f"{number:3}  lab {hunt.lab}  {hunt.symptom}")
    print("\nNames, and the chapter that each belongs to:")
    for name, (chapter, meaning) in NAMES.items():
        print(f"  {name:<22}{TUTORIAL[chapter]:<30}{meaning}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("number", nargs="?", type=int, metavar="N")
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="new: is made; else: judged"
    )
    parser.add_argument("--name", default="", help="what you call the mistake")
    parser.add_argument(
        "--try", dest="only_build", action="store_true", help="only build DIR/server"
    )
    asked = parser.parse_args()
    there = numbers()
    if asked.number is not None and asked.number not in there:
        known = f"{there[0]} to {there[-1]}" if there else "none in this tree"
        parser.error(f"N={asked.number}: the hunts are {known}; make hunt lists them")
    if asked.name and asked.name not in NAMES:
        parser.error(f"NAME={asked.name} is not in the list: {', '.join(NAMES)}")
    if asked.name and asked.folder is None:
        parser.error("NAME= needs the DIR in which you mended it")
    return asked


def act(asked: argparse.Namespace) -> int:
    number, folder = asked.number, asked.folder
    if number is None:
        tell_list()
        return 0
    if folder is None:
        print(f"{number}: {read_hunt(number)[0].symptom}")
        print(f"make hunt N={number} DIR=../hunt-{number} hands it out.")
        return 0
    if not folder.exists() or not any(folder.iterdir()):
        lay(number, folder)
        names = ", ".join(sorted(os.listdir(folder)))
        print(f"{folder}: {names}. Read symptom.md first.")
        return 0
    if asked.only_build:
        return try_out(number, folder)
    return judge(number, folder, asked.name)


def main() -> int:
    asked = arguments()
    try:
        return act(asked)
    except BuildFailed as why:
        print(f"It does not build:\n{why}")
        return 1
    except (NoHunt, OSError, ValueError) as why:
        print(f"hunt: {why}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
