"""What a server was like when a stage failed: alive or how it ended, its words, its threads."""

import re
import subprocess
import time
from collections import Counter

from tests.course.server import Look, Server, how_ended

GDB_S = 8
GDB = [
    *(
        "gdb",
        "-nx",
        "-batch",
        "-iex",
        "set auto-load off",
        "-iex",
        "set debuginfod enabled off",
    ),
    *("-ex", "set print frame-arguments scalars", "-ex", "thread apply all bt 14"),
]
FRAME = re.compile(
    r"^#\d+ +(?:0x\w+ in )?([\w.]+) \((.*?)\)(?: at (?:\S*/)?([\w.-]+\.[ch]):(\d+))?",
    re.M,
)
MAX_LINES = 6
END_GRACE_S = 0.15
BUSY_LOOKS = 8


def stacks(pid: int) -> str:
    """All stacks of a process, as gdb prints them; empty where it cannot."""
    try:
        done = subprocess.run(
            [*GDB, "-p", str(pid)], capture_output=True, text=True, timeout=GDB_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def argument(text: str) -> str:
    """The one argument that tells clients apart, if gdb shows it as a small number."""
    found = re.findall(r"\b(client|connfd|fd|sock|socket)=(-?\d{1,5})\b", text)
    return f" ({found[0][0]}={found[0][1]})" if found else ""


def one_thread(part: str, own: set[str]) -> str:
    """One thread in the student's own lines: outermost first, then what it waits in."""
    frames = FRAME.findall(part)
    mine = [n for n, frame in enumerate(frames) if frame[2] in own]
    if not mine:
        return ""
    inner = frames[mine[0]]
    names = [frames[n][0] + argument(frames[n][1]) for n in reversed(mine[:3])]
    waits = frames[mine[0] - 1][0].strip("_") if mine[0] > 0 else ""
    waits = re.sub(r"^(GI|pthread_)_*|_internal$|@.*$", r"", waits).strip("_")
    where = f" {inner[2]}:{inner[3]}"
    return " > ".join(names) + where + (f", in {waits}" if waits else ", running")


def where_threads_stand(pid: int, own: set[str]) -> list[str]:
    """A line for each kind of thread: how many, and where they are."""
    kinds: Counter[str] = Counter()
    elsewhere = 0
    for part in re.split(r"^Thread (?=\d)", stacks(pid), flags=re.M)[1:]:
        line = one_thread(part, own)
        is_main = bool(re.search(r"^#\d+ .*\bmain \(", part, re.M))
        if not line:
            elsewhere += 1
        elif is_main:
            kinds["main: " + line] += 1
        else:
            kinds[line] += 1
    lines = []
    for line, count in sorted(
        kinds.items(), key=lambda one: not one[0].startswith("main")
    ):
        if line.startswith("main"):
            lines.append(line)
        else:
            lines.append(f"{count} thread{'s' if count > 1 else ''}: {line}")
    if elsewhere:
        lines.append(f"{elsewhere} more in code that is not yours")
    return lines[:MAX_LINES]


def last_words(server: Server) -> list[str]:
    """The last lines that it printed, without the announcement."""
    lines = [f"standard error: {one}" for one in server.errors().splitlines()[-3:]]
    extra = [one for one in server.output().splitlines() if "listening on" not in one]
    lines += [f"standard output: {one}" for one in extra[-2:]]
    return [line[:160] for line in lines]


def is_busy(server: Server) -> bool:
    """Does it compute although nobody asks for anything? A blocked thread never does."""
    for _ in range(BUSY_LOOKS):
        if not server.runs_now():
            return False
        time.sleep(0.01)
    return True


def look(server: Server, own: set[str], with_threads: bool) -> Look:
    """Look at a server, before it is ended."""
    end = time.monotonic() + END_GRACE_S
    while server.process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    status = server.process.poll()
    seen = Look(status=status, environment=server.environment)
    if status is None:
        seen.is_busy = is_busy(server)
        seen.state = "alive, and computing all the time" if seen.is_busy else "alive"
        if with_threads:
            seen.threads = where_threads_stand(server.process.pid, own)
    else:
        server.listener.join(1)
        seen.state = f"ended: {how_ended(status)}"
        seen.signal = how_ended(status).removeprefix("signal ") if status < 0 else ""
        if server.listener.ate_memory:
            seen.state = "ended by the grader: it used more than 3 GB of memory"
    seen.words = last_words(server)
    seen.errors, seen.output = server.errors(), server.output()
    return seen
