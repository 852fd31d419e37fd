"""The machine: what these numbers were measured on, and with what."""

import os
import platform
import re
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SYSCTLS = (  # those that decide when a client is accepted, refused or tried again
    "net.core.somaxconn",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_syn_linear_timeouts",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.ip_local_port_range",
    "kernel.threads-max",
    "vm.max_map_count",
)
COMPILERS = re.compile(rb"GCC: \([^\0]+|[^\0\n]*clang version [^\0\n]+")
KIB_PER_GIB = 1024 * 1024
NOT_KNOWN = "not known here"
NO_LIMIT = 2**63  # larger than any


@dataclass(frozen=True)
class Fact:
    """One line about the machine."""

    name: str
    value: str


def limits() -> tuple[int, int]:
    """How many descriptors and how many threads a program may have here."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    threads = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if threads == resource.RLIM_INFINITY or os.geteuid() == 0:
        threads = NO_LIMIT
    return NO_LIMIT if descriptors == resource.RLIM_INFINITY else descriptors, threads


def describe(source: Path, program: Path) -> list[Fact]:
    """All that a reader needs to compare these numbers with others."""
    facts = [
        Fact("kernel", f"{platform.system()} {platform.release()}"),
        Fact("CPU", f"{cpu_model()}, {os.cpu_count()} cores"),
        Fact("memory", memory()),
        Fact(
            "clock",
            read_text(
                "/sys/devices/system/clocksource/clocksource0/current_clocksource"
            ),
        ),
        Fact("descriptors", f"at most {resource.getrlimit(resource.RLIMIT_NOFILE)[1]}"),
        Fact("compiler", compiler(program)),
        Fact("revision", revision(source)),
        Fact("Python", platform.python_version()),
        Fact("gnuplot", gnuplot_version()),
    ]
    return facts + [Fact(name, sysctl(name)) for name in SYSCTLS]


def read_text(path: str) -> str:
    """A short file of the kernel's as one line, if there is one."""
    try:
        return " ".join(Path(path).read_text().split())
    except OSError:
        return NOT_KNOWN


def find(pattern: str, path: str) -> str:
    """The first group of a pattern in a file of the kernel's."""
    try:
        found = re.search(pattern, Path(path).read_text(), re.M)
    except OSError:
        found = None
    return found[1].strip() if found else NOT_KNOWN


def cpu_model() -> str:
    """The processor as it calls itself."""
    model = find(r"^model name\s*:(.*)$", "/proc/cpuinfo")
    return platform.machine() if model == NOT_KNOWN else model


def memory() -> str:
    """How much of it there is."""
    kib = find(r"^MemTotal:\s*(\d+) kB$", "/proc/meminfo")
    return kib if kib == NOT_KNOWN else f"{int(kib) / KIB_PER_GIB:.1f} GiB"


def sysctl(name: str) -> str:
    """A setting of the kernel; older ones lack some."""
    return read_text(f"/proc/sys/{name.replace('.', '/')}")


def compiler(program: Path) -> str:
    """What the compiler wrote of itself into a program."""
    try:
        found = COMPILERS.search(program.read_bytes())
    except OSError:
        found = None
    return found[0].decode(errors="replace").strip() if found else NOT_KNOWN


def revision(source: Path) -> str:
    """The commit that is checked out, read from git's own files."""
    git = source / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        return branch_commit(git, head.removeprefix("ref: "))
    except OSError:
        return NOT_KNOWN


def branch_commit(git: Path, branch: str) -> str:
    """A branch's commit, from a file of its own or from the packed ones."""
    loose = git / branch
    if loose.exists():
        return loose.read_text().strip()
    packed = (git / "packed-refs").read_text()
    found = re.search(rf"^(\w+) {re.escape(branch)}$", packed, re.M)
    return found[1] if found else NOT_KNOWN


def gnuplot_version() -> str:
    """Who draws."""
    if shutil.which("gnuplot") is None:
        return "not installed"
    answer = subprocess.run(["gnuplot", "--version"], capture_output=True, text=True)
    return answer.stdout.strip().removeprefix("gnuplot ") or NOT_KNOWN
