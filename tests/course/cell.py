"""The cell that a submission is compiled and run in: what it may use, see and reach.

bwrap gives it a network, processes and files of its own. Without bwrap there are setpriv and
prlimit, and what is then missing is named, never passed over in silence.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

FIRST_UID, UIDS = 61000, 4000
MAX_PROCESSES = 1500  # for the grader's own part, too: a server gets fewer
MAX_FILE_BYTES = 64_000_000
COMPILE_CPU_S = 40
PR_SET_CHILD_SUBREAPER = 36
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix")


@dataclass
class Cell:
    """How commands are run for one submission, whose files are in folder."""

    folder: Path
    command: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    has_own_processes: bool = False


def works(command: list[str]) -> bool:
    """Can this machine do that?"""
    try:
        done = subprocess.run(
            [*command, "true"], capture_output=True, timeout=10, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def other_user() -> list[str]:
    """Root becomes a user that owns nothing: limits on processes do not bind root."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        return []
    uid = FIRST_UID + os.getpid() % UIDS
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]


def is_of_system(path: str) -> bool:
    return path.startswith(tuple(f"{room}/" for room in SYSTEM)) or path in SYSTEM


def python() -> str:
    """The Python for the inner part: one that another user may run, too."""
    if is_of_system(sys.base_prefix) or not os.path.exists("/usr/bin/python3"):
        return sys.executable
    return "/usr/bin/python3"


def bubble(folder: Path) -> list[str]:
    """bwrap: no network but its own, no process but its own, files that cannot be written."""
    binds = [path for path in SYSTEM if os.path.exists(path)]
    if python() == sys.executable and not is_of_system(sys.base_prefix):
        binds.append(sys.base_prefix)
    shared = [part for path in binds for part in ("--ro-bind", path, path)]
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session"),
        *shared,
        *("--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"),
        *("--ro-bind", str(folder), "/cell", "--chdir", "/cell", "--"),
    ]


def limits() -> list[str]:
    if not shutil.which("prlimit"):
        return []
    return [
        *("prlimit", f"--nproc={MAX_PROCESSES}", "--core=0"),
        *(f"--fsize={MAX_FILE_BYTES}", "--"),
    ]


def open_cell(folder: Path) -> Cell:
    """Find out what this machine has, and how to run a command with it."""
    cell = Cell(folder)
    user, limited = other_user(), limits()
    if user and not works(user):
        user = []
    if os.getuid() == 0 and not user:
        cell.missing.append("a user of its own (setpriv)")
    if not limited:
        cell.missing.append("limits on processes and files (prlimit)")
    if not sys.platform.startswith("linux"):
        cell.missing.append("limits on memory and processes for each server (Linux)")
    bubbled = bubble(folder)
    if shutil.which("bwrap") and works([*user, *bubbled[:-1]]):
        cell.has_own_processes = True
        cell.command = [*user, *bubbled, *limited]
    else:
        cell.command = [*user, *limited]
        cell.missing += ["a network of its own (bwrap)", "files of its own (bwrap)"]
        adopt_orphans()
    if user:
        uid = int(user[1].partition("=")[2])
        os.chown(folder / "out", uid, uid)
    return cell


def adopt_orphans() -> None:
    """Processes whose parent has gone become children of this one, so that it can end them."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> list[int]:
    """The processes whose parent is this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def left_running() -> list[str]:
    """Processes of submissions that this process has graded, when none is being graded."""
    user = other_user()
    if not user:
        return [f"process {pid}" for pid in children()]
    uid = user[1].partition("=")[2]
    found = []
    for entry in Path("/proc").glob("[0-9]*/status"):
        try:
            text = entry.read_text()
        except OSError:
            continue
        if f"\nUid:\t{uid}\t" in text and "\nState:\tZ" not in text:
            found.append(text.split("\n")[0].replace("Name:\t", ""))
    return found


def sweep(cell: Cell, spared: set[int]) -> None:
    """End what a submission has left running. In a bubble that has happened already."""
    end = time.monotonic() + 5
    while not cell.has_own_processes and time.monotonic() < end:
        left = [pid for pid in children() if pid not in spared]
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        time.sleep(0.01)


def compiling(cell: Cell) -> list[str]:
    """Before a compiler's command: it may write into out/, and not run for ever."""
    command = list(cell.command)
    if cell.has_own_processes:
        at = command.index("--chdir")
        command[at:at] = ["--bind", str(cell.folder / "out"), "/cell/out"]
    if shutil.which("prlimit"):
        command += ["prlimit", f"--cpu={COMPILE_CPU_S}", "--as=4000000000", "--"]
    return command


def inside(cell: Cell) -> Path:
    """Where the folder is for a command that runs in the cell."""
    return Path("/cell") if cell.has_own_processes else cell.folder
