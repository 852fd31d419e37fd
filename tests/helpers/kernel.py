"""What the kernel knows: the sockets of this machine, and what a process holds and does."""

import contextlib
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.setting import HAS_PROC, ROOT

# --- sockets -------------------------------------------------------------------------------


@dataclass(frozen=True)
class KernelSocket:
    """A row of /proc/net/tcp."""

    local_port: int
    remote_port: int
    state: str
    unread: int
    inode: str


BUFFERS = Path("/proc/sys/net/ipv4/tcp_wmem")
# What the kernel keeps of what was sent on a connection and not received, at most.
MAX_UNSENT = int(BUFFERS.read_text().split()[2]) if BUFFERS.exists() else 10_000_000
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


def is_connected(port: int) -> bool:
    """Does a server with this port have a connection now? Only Linux can tell."""
    rows = kernel_sockets(port) if HAS_PROC else []
    return any(row.local_port == port and row.state == "ESTABLISHED" for row in rows)


DIAG, BY_FAMILY = 4, 20  # of sock_diag(7)


def unread(local_port: int, remote_port: int) -> int | None:
    """The bytes that wait at the first end of a connection; None if there is no such connection.

    The kernel is asked for this one, where it can be: its list of all takes up to 20 ms.
    """
    loopback = socket.inet_aton("127.0.0.1").ljust(16, b"\0")
    ends = struct.pack(">HH", local_port, remote_port) + loopback * 2
    wanted = struct.pack("=4BI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, -1 % 2**32)
    wanted += ends + struct.pack("=III", 0, -1 % 2**32, -1 % 2**32)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, DIAG) as asked:
        head = struct.pack("=IHHII", 16 + len(wanted), BY_FAMILY, 1, 0, 0)
        asked.send(head + wanted)
        answer = asked.recv(4096)
    if answer[4] == BY_FAMILY and answer[20:24] == ends[:4]:
        return struct.unpack_from("=I", answer, 72)[0]
    for row in kernel_sockets(remote_port):  # a kernel without sock_diag
        if [row.local_port, row.remote_port] == [local_port, remote_port]:
            return row.unread
    return None


def is_readable(file: object, within_s: float = 0.0) -> bool:
    """Is there something to read, or an end? Not by select(2), which knows 1,024 files only."""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(1000 * within_s))


# --- processes -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Footprint:
    """What a process holds."""

    descriptors: int
    threads: int


def is_alive(pid: int | str) -> bool:
    """Is there such a process, and does it still run?"""
    told = ["ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(told, capture_output=True, text=True).stdout
    return state.strip() != "" and not state.startswith("Z")


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
