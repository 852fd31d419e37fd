"""Builds one submission: the student's files by name in the place of the given ones, only here.

What the student has to write is never taken from the reference: a hand-in without queue.c does not
link with ours. Only regular files are taken, so a link to somebody else's file brings nothing.
"""

import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.course import cell as cells
from tests.course.handout import HANDOUTS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NOT_OURS = ("client.c", "stress.c")  # have a main of their own
MAX_SOURCE_BYTES = 1_000_000
COMPILE_S = 60
FLAGS = "-std=c17 -pthread -D_DEFAULT_SOURCE -g -fno-omit-frame-pointer".split()
WARN = (
    "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla".split()
)
PROGRAMS = ("server", "client", "stress")


class BuildFailed(Exception):
    """The submission cannot be built; says why, in the compiler's words."""


@dataclass(frozen=True)
class Tree:
    """The suite that submissions are built with."""

    build: Path = ROOT / "build"

    def objects(self, lab: int, own: set[str]) -> list[Path]:
        """What is given to this lab, without what the student writes or replaces."""
        handout = HANDOUTS[lab]
        if not handout.folder:
            return []
        written = {Path(file).with_suffix(".o") for file in handout.files()}
        room = self.build / "obj"
        rooms = [Path("common"), Path(handout.folder), Path("lab3-thread-pool")]
        taken = []
        for path, where in self.everything(room):
            is_program = path.stem in PROGRAMS
            replaced = where.parent in rooms and f"{path.stem}.c" in own
            if not is_program and where not in written and not replaced:
                taken.append(path)
        return taken

    def everything(self, room: Path) -> list[tuple[Path, Path]]:
        """Objects and where they belong: those whose source is there, and those that are shipped."""
        built = [*room.glob("common/**/*.o"), *room.glob("lab*/*.o")]
        found = [(path, path.relative_to(room)) for path in built]
        found = [one for one in found if has_source(one[1])]
        shipped = (ROOT / "given").glob("**/*.o")
        found += [(path, path.relative_to(ROOT / "given")) for path in shipped]
        return sorted(found)


def has_source(where: Path) -> bool:
    """An object of a source that is there no more is an old one; page.html.o is of page.html."""
    return (ROOT / where).with_suffix(".c").exists() or (ROOT / where).with_suffix(
        ""
    ).exists()


def take_sources(folder: Path, into: Path) -> list[str]:
    """Copy the student's .c and .h; returns the names of the .c files."""
    into.mkdir()
    names = []
    for path in sorted([*folder.glob("*.c"), *folder.glob("*.h")]):
        if path.name in NOT_OURS:
            continue
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_SOURCE_BYTES:
            raise BuildFailed(f"{path.name} is not a file of at most 1 MB")
        (into / path.name).write_bytes(path.read_bytes())
        if path.suffix == ".c":
            names.append(path.name)
    if "server.c" not in names:
        raise BuildFailed(f"there is no server.c in {folder}")
    return names


def copy_headers(into: Path) -> None:
    """The suite's headers, and none of its sources."""
    for header in [*ROOT.glob("common/**/*.h"), *ROOT.glob("lab*/*.h")]:
        target = into / header.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(header, target)


def copy_grader(into: Path) -> None:
    """The part of the grader that runs in the cell."""
    for path in [*HERE.glob("*.py"), *HERE.glob("stages/*.py")]:
        target = into / "tests/course" / path.relative_to(HERE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def furnish(lab: int, folder: Path, room: Path, tree: Tree) -> list[str]:
    """Put everything that a submission is built and run with into room."""
    os.chmod(room, 0o755)
    (room / "out").mkdir()
    names = take_sources(folder, room / "src")
    copy_headers(room / "include")
    copy_grader(room)
    shutil.copyfile(HERE / "false_alarm.c", room / "false_alarm.c")
    given = tree.objects(lab, set(names))
    if not given and HANDOUTS[lab].folder:
        raise FileNotFoundError(f"the suite is not built in {tree.build}: make labs")
    if given:
        archive = room / "given.a"
        command = ["ar", "qc", str(archive), *map(str, given)]
        subprocess.run(command, check=True, capture_output=True)
    return names


def quiet_flags(source: Path) -> list[str]:
    """While a file has a TODO, what will be used is not used yet: no warning for that."""
    unfinished = "TODO" in source.read_text(errors="replace")
    return ["-Wno-unused-function", "-Wno-unused-variable"] if unfinished else []


def include_flags(lab: int) -> list[str]:
    rooms = ["src", "include/common", "include/common/services", "include"]
    if HANDOUTS[lab].folder:
        rooms.append(f"include/{HANDOUTS[lab].folder}")
    return [part for room in rooms for part in ("-iquote", room)]


def first_errors(errors: str, most: int = 3) -> str:
    """The compiler's first errors, in the student's own file names."""
    errors = re.sub(r"(?:/cell/|\S*/)?(?:src|out)/", "", errors)
    lines = [
        line
        for line in errors.splitlines()
        if re.search(r"error|undefined reference|multiple definition", line)
    ]
    return "\n".join(lines[:most] or errors.splitlines()[:most]) or "no reason given"


def compile_script(lab: int, names: list[str], room: Path, program: str) -> str:
    """Shell commands that build one program in out/, all files at once."""
    is_race = program.endswith("-race")
    extra = ["-O1", "-fsanitize=thread"] if is_race else ["-O1"]
    warn = ["-w"] if is_race else WARN
    lines = []
    for name in names:
        flags = [*FLAGS, *extra, *warn, *quiet_flags(room / "src" / name)]
        command = ["${CC:-cc}", *flags, *include_flags(lab), "-c", f"src/{name}"]
        lines.append(" ".join([*command, "-o", f"out/{program}.{name}.o"]) + " & ")
        lines.append('all="$all $!"')
    given = " given.a" if (room / "given.a").exists() else ""
    lines.append("for one in $all; do wait $one || exit 1; done")
    lines.append(
        f"${{CC:-cc}} -pthread {' '.join(extra)} -o out/{program}.new "
        f"out/{program}.*.o{given} && mv out/{program}.new out/{program}"
    )
    return "\n".join(lines)


def compile_command(cell: cells.Cell, script: str) -> list[str]:
    return [*cells.compiling(cell), "sh", "-c", f"export LC_ALL=C TMPDIR=out; {script}"]


def run_compiler(cell: cells.Cell, script: str) -> str:
    """Build; returns the compiler's warnings. Raises BuildFailed."""
    try:
        done = subprocess.run(
            compile_command(cell, script),
            cwd=cell.folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMPILE_S,
        )
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"the compiler did not end within {COMPILE_S} s") from None
    if done.returncode != 0:
        raise BuildFailed(first_errors(done.stderr))
    return done.stderr


def build(cell: cells.Cell, lab: int, names: list[str]) -> tuple[str, subprocess.Popen]:
    """Build the server; returns its warnings, and the process that builds it with ThreadSanitizer.

    That one ends by itself, and leaves out/server-race or out/server-race.failed.
    """
    alarm = "${CC:-cc} -shared -fPIC -O1 -o out/false_alarm.so false_alarm.c -ldl"
    main = compile_script(lab, names, cell.folder, "server")
    warnings = run_compiler(cell, f"({alarm}) & {main} && wait")
    race = compile_script(lab, names, cell.folder, "server-race")
    if lab < 2:
        race = "true"
    beside = subprocess.Popen(
        compile_command(cell, f"({race}) || touch out/server-race.failed"),
        cwd=cell.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return warnings, beside
