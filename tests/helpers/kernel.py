"""What the kernel knows: the sockets of this machine, and what a process holds and does."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.setting import ROOT

# --- sockets -------------------------------------------------------------------------------


@dataclass(frozen=True)
class KernelSocket:
    """A row of /proc/net/tcp."""

    local_port: int
    remote_port: int
    state: str
    unread: int
    inode: str


STATES = {"01": "ESTABLISHED", "06": "TIME_WAIT", "0A": "LISTEN"}


def kernel_sockets(port: int | None = None) -> list[KernelSocket]:
    """The sockets for TCP over IPv4, as the kernel lists them: all, or those with this port."""
    mark = "" if port is None else f":{port:04X} "
    rows = []
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        if mark not in row:  # at once, for there may be many thousands
            continue
        _, local, remote, state, queues, _, _, _, _, inode, *_ = row.split()
        rows.append(
            KernelSocket(
                local_port=int(local.split(":")[1], 16),
                remote_port=int(remote.split(":")[1], 16),
                state=STATES.get(state, state),
                unread=int(queues.split(":")[1], 16),
                inode=inode,
            )
        )
    return rows


# --- processes -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Footprint:
    """What a process holds."""

    descriptors: int
    threads: int


def footprint(pid: int) -> Footprint:
    return Footprint(
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
        threads=len(os.listdir(f"/proc/{pid}/task")),
    )


def contents(path: str) -> bytes:
    """The first page of a file, in as few calls as it takes: this is read very often."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 4096)
    finally:
        os.close(file)


def thread_states(pid: int) -> list[str]:
    """R for a thread that runs, S for one that waits, T for one that was stopped."""
    states = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):  # the thread has just ended
            stat = contents(f"/proc/{pid}/task/{task}/stat")
            states.append(stat.rpartition(b") ")[2][:1].decode())
    return states


def mappings(pid: int) -> int:
    """How many areas of memory it has: each thread's stack is one, its guard another."""
    return len(Path(f"/proc/{pid}/maps").read_text().splitlines())


def cpu_s(pid: int) -> float:
    """The CPU seconds of the process so far: the clock that clock_getcpuclockid(3) names."""
    return time.clock_gettime((~pid << 3) | 2)


FRAME = re.compile(r"^#\d+ .*?(\w+) \(.*\) at (\S+\.[ch]):(\d+)$", re.MULTILINE)
DEBUGGER_S = 20


def where_threads_stand(pid: int) -> str:
    """Each thread's calls in the project's own files, the innermost first; "" without gdb."""
    if shutil.which("gdb") is None:
        return ""
    command = [
        "gdb",
        "-nx",
        "-batch",
        "-p",
        str(pid),
        "-ex",
        "thread apply all backtrace",
    ]
    try:
        said = subprocess.run(
            command, capture_output=True, text=True, timeout=DEBUGGER_S
        )
    except subprocess.TimeoutExpired:
        return ""
    lines = []
    for thread in said.stdout.split("\nThread ")[1:]:
        calls = [
            f"{name} ({Path(file).name}:{line})"
            for name, file, line in FRAME.findall(thread)
            if (ROOT / file).exists()
        ]
        lines.append(f"  a thread: {', in '.join(calls)}")
    return "\n".join(sorted(lines))
