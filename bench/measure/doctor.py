"""What this machine has for the suite, and what each absence costs: `make doctor`.

Facts come from machine.py, as those that the bench prints do. No browser is started, and nothing
is installed: where something is missing, the command that mends it is named.
"""

import argparse
import importlib.util
import locale
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.measure.machine import cpu_model, gnuplot_version, memory, sysctl
from bench.measure.surroundings import FEWEST_DESCRIPTORS

FEWEST_COLUMNS, FEWEST_ROWS = 60, 12
MAX_STEAL = 0.02
KNOBS = ("net.core.somaxconn", "net.ipv4.ip_local_port_range", "kernel.threads-max")
INSTALLERS = {
    "apt-get": "sudo apt-get install ",
    "dnf": "sudo dnf install ",
    "brew": "brew install ",
}
WIDTH = 12


@dataclass(frozen=True)
class Finding:
    """One line: what is there; if it is not enough, what that costs and what mends it."""

    name: str
    value: str
    cost: str = ""
    mend: str = ""
    is_needed: bool = False  # without it nothing can be built

    def __str__(self) -> str:
        line = f"{'--' if self.cost else 'ok'}  {self.name:<{WIDTH}} {self.value}"
        line += f": {self.cost}" if self.cost else ""
        return line + (f"\n{'':{WIDTH + 5}}{self.mend}" if self.mend else "")


def install(package: str) -> str:
    """The command that installs a package here."""
    for tool, command in INSTALLERS.items():
        if shutil.which(tool):
            return command + package
    return f"install {package}"


def said_by(*command: str) -> str:
    """The first line that a program says, or nothing if it is not there."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.decode(errors="replace").partition("\n")[0].strip()


def tool(
    name: str, command: str, package: str, cost: str, is_needed: bool = False
) -> Finding:
    """A program, by what it says of its version."""
    said = said_by(command, "--version")
    if said:
        return Finding(name, said)
    return Finding(name, f"no {command}", cost, install(package), is_needed)


def compiler(command: str) -> Finding:
    return tool("compiler", command, "gcc libc6-dev", "nothing can be built", True)


def libc() -> Finding:
    name, version = platform.libc_ver()
    return Finding("C library", f"{name} {version}".strip() or platform.system())


def gnuplot() -> Finding:
    """The program, and the two ways in which it must be able to draw."""
    version = gnuplot_version()
    if shutil.which("gnuplot") is None:
        return Finding("gnuplot", version, "charts are text", install("gnuplot-nox"))
    asked = subprocess.run(
        ["gnuplot", "-e", "set terminal"], capture_output=True, stdin=subprocess.DEVNULL
    )
    terminals = (asked.stdout + asked.stderr).decode(errors="replace").split()
    missing = [one for one in ("svg", "pngcairo") if one not in terminals]
    if missing:
        cost = f"without {' and '.join(missing)}, charts are in the other format only"
        return Finding("gnuplot", version, cost, install("gnuplot-nox"))
    return Finding("gnuplot", f"{version}, draws SVG and PNG")


def module(name: str, package: str, cost: str) -> Finding:
    """A module of the Python that runs this."""
    if importlib.util.find_spec(name) is None:
        return Finding(name, f"not in {sys.executable}", cost, install(package))
    return Finding(name, "is there")


def browser() -> Finding:
    """Chromium with its driver; it is not started."""
    found = [
        one
        for one in ("chromium", "chromium-browser", "google-chrome")
        if shutil.which(one)
    ]
    if found and shutil.which("chromedriver"):
        return Finding("browser", f"{found[0]} with chromedriver")
    cost = "tests of pages are skipped; the report needs any browser"
    return Finding(
        "browser", "no chromium with its driver", cost, install("chromium-driver")
    )


def descriptors() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    value = f"{soft}, at most {hard}"
    if 0 <= hard < FEWEST_DESCRIPTORS:
        cost = "crowds are smaller, the bench says by how much"
        return Finding("descriptors", value, cost, f"ulimit -n {FEWEST_DESCRIPTORS}")
    return Finding("descriptors", value)


def processes() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    names = [
        "no limit" if one == resource.RLIM_INFINITY else str(one)
        for one in (soft, hard)
    ]
    return Finding("processes", " of ".join(dict.fromkeys(names)))


def ipv6() -> Finding:
    try:
        with socket.socket(socket.AF_INET6) as any_port:
            any_port.bind(("::1", 0))
    except OSError as error:
        cost = f"{error.strerror}; --host=::1 cannot be used, all else can"
        return Finding("IPv6", "no loopback", cost)
    return Finding("IPv6", "loopback is there")


def letters() -> Finding:
    encoding = locale.getpreferredencoding(False)
    if "utf" in encoding.lower():
        return Finding("locale", encoding)
    cost = "the demo draws with # and ."
    return Finding("locale", encoding, cost, "export LC_ALL=C.UTF-8")


def terminal() -> Finding:
    columns, rows = shutil.get_terminal_size()
    kind = os.environ.get("TERM", "none")
    value = f"{kind}, {columns} x {rows}"
    if kind in ("none", "dumb"):
        return Finding("terminal", value, "the demo prints its end, without moving")
    if columns < FEWEST_COLUMNS or rows < FEWEST_ROWS:
        return Finding(
            "terminal", value, "the demo is cut off", "make the window larger"
        )
    return Finding("terminal", value)


def cores() -> Finding:
    count = os.cpu_count() or 1
    value = f"{count}, {cpu_model()}, {memory()}"
    if count == 1:
        return Finding(
            "cores", value, "generator and server share one: runs are INVALID"
        )
    return Finding("cores", value)


def steal() -> Finding:
    """The share of the time since the start that other machines took from this one."""
    try:
        times = [
            int(one)
            for one in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
        ]
    except (OSError, ValueError):
        return Finding("stolen time", "not known here")
    share = times[7] / max(1, sum(times))
    if share > MAX_STEAL:
        return Finding(
            "stolen time", f"{share:.1%}", "runs may be stamped INVALID: try again"
        )
    return Finding("stolen time", f"{share:.1%}")


def system() -> Finding:
    if platform.system() == "Linux":
        return Finding("system", f"Linux {platform.release()}")
    return Finding("system", platform.system(), "no bench: its generator needs Linux")


def findings(compiler_name: str) -> list[Finding]:
    """All of them, in the order in which they are needed; programs are asked side by side."""
    questions = [
        lambda: compiler(compiler_name),
        lambda: tool("make", "make", "make", "nothing can be built", True),
        libc,
        system,
        lambda: Finding("Python", f"{platform.python_version()}, {sys.executable}"),
        gnuplot,
        lambda: module("pytest", "python3-pytest", "no make test"),
        lambda: module("selenium", "python3-selenium", "tests of pages are skipped"),
        browser,
        lambda: tool(
            "debugger", "gdb", "gdb", "failures do not say where threads stand"
        ),
        descriptors,
        processes,
        ipv6,
        letters,
        terminal,
        cores,
        steal,
    ]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda question: question(), questions))
    return found + [Finding(name.rpartition(".")[2], sysctl(name)) for name in KNOBS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cc", default="cc")
    found = findings(parser.parse_args().cc.split()[0])
    for finding in found:
        print(finding)
    return 1 if any(one.cost and one.is_needed for one in found) else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")
    sys.exit(main())
