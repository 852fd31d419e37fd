"""What surrounds a command: the encoding of its words, limits, other benches on this machine."""

import fcntl
import locale
import os
import sys
import tempfile
from pathlib import Path

from bench.measure.machine import NO_LIMIT, limits, sysctl
from bench.measure.processes import warn

ENCODING = "BENCH_ENCODING"  # of the terminal, where it is not UTF-8
LOCK = Path(tempfile.gettempdir()) / f"servers-bench-{os.getuid()}.lock"

FEWEST_DESCRIPTORS = 4096  # a crowd of clients, and as many sockets of the server
FEWEST_PROCESSES = 1200  # lab 2 has a thread for each of its 1,000 clients
FEWEST_PORTS = 10000  # a rest of 60 s each: TIME_WAIT
PORTS = "net.ipv4.ip_local_port_range"


def settle_encoding() -> None:
    """Files are UTF-8 in any locale; on the terminal, what has no letter becomes "?".

    Python takes the encoding of files from the locale when it starts, so in a
    locale that is not UTF-8 the command is started again.
    """
    encoding = locale.getpreferredencoding(False)
    if "utf" not in encoding.lower() and ENCODING not in os.environ:
        settled = {**os.environ, "PYTHONUTF8": "1", ENCODING: encoding}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], settled)
    terminal = os.environ.get(ENCODING)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding=terminal, errors="replace")


def warn_of_limits() -> None:
    """Say before it begins what is too little for the crowds that it sends."""
    descriptors, processes = limits()
    ends = [int(end) for end in sysctl(PORTS).split() if end.isdigit()]
    for what, allowed, needed, more in (
        ("descriptors", descriptors, FEWEST_DESCRIPTORS, "ulimit -n {}"),
        ("processes", processes, FEWEST_PROCESSES, "ulimit -u {}"),
        (
            "ports",
            ends[1] - ends[0] + 1 if ends else NO_LIMIT,
            FEWEST_PORTS,
            f"sysctl {PORTS}",
        ),
    ):
        if allowed < needed:
            warn(
                f"only {allowed} {what} are allowed, and large crowds need {needed}: their"
                f" runs will fail or be smaller (more: {more.format(needed)} before the bench)"
            )


def warn_of_another() -> int | None:
    """Say so if another bench of this user runs here; both would measure each other.

    Returns a descriptor that holds the lock until the process ends.
    """
    try:
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:  # no place for a lock: then nobody is told
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        other = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
        warn(
            f"another bench runs on this machine (process {other}): each slows the other"
            " down, so wait until it has ended, or believe neither"
        )
        return lock
    os.truncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock
