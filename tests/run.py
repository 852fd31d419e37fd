"""Runs the tests: pytest collects them once, then forks run a part each, some side by side, for
tests wait.

    python3 -m tests.run [--one=WORD] [--lab=N]

--one takes the tests with the word in their name, --lab those of that lab. A part is a file, or
half of one; the longest come first. What a part says is printed when it has ended: a line if all
went well, else everything.
"""

import argparse
import atexit
import gc
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pytest

from tests.helpers.setting import temporary_files_in_memory

ROOT = Path(__file__).resolve().parents[1]
JOBS = 3 * (os.cpu_count() or 1)  # tests wait a part of their time
# What a sanitizer can see nothing in: Python that draws and reckons.
OF_PYTHON = {"bench"}
RUN_THE_LOAD = {"test_load", "test_runs", "test_zoo"}
OF_SOURCES = {"test_house", "test_gallery", "test_browser"}
# Where no two threads meet.
OF_ONE_THREAD = {"thread": {"test_command_line", "test_runs"}}
# Labs that another run looks at: a service is the same code in each of them, lab 4 is lab 3 with
# limits, in lab 1 no threads meet, and what one connection asks is answered by one thread.
# By SAN; `make test` with each of the three looks at all, and LAB=N at all of lab N.
OF_ONE_CONNECTION = {"test_replies", "test_http", "test_messages", "test_listings"}
ELSEWHERE = {"thread": ["lab1-"]}
SERVICE_ELSEWHERE = {
    "": ["lab2-"],
    "thread": ["lab1-", "lab3-"],
    "address,undefined": ["lab2-", "lab3-"],
}
CONNECTION_ELSEWHERE = {
    "": ["lab2-"],
    "thread": ["lab1-", "lab2-", "lab3-"],
    "address,undefined": ["lab1-", "lab3-"],
}
APART = {"test_models"}  # make test-models SAN=thread
OTHER_COMMANDS = {"faults", "course", "test_models_contract.py", "test_first_build.py"}
IN_BROWSER = {"test_browser", "test_report", "test_office"}  # one, for all of them
# Halves of the longest files, by their labs.
SECOND_HALF = ("lab3-", "lab4-")
IN_HALVES = {"test_chat", "test_http", "test_contract", "test_files"}
LONGEST = (
    "test_browser test_report test_office test_chat test_http".split()
    + "test_contract test_files test_replies test_demo test_zoo test_surroundings".split()
)


def files() -> list[str]:
    """The files of tests, the longest first."""
    found = [
        file
        for file in sorted(ROOT.glob("tests/**/test_*.py"))
        if not OTHER_COMMANDS & set(file.relative_to(ROOT).parts)
    ]
    if sanitizer := os.environ.get("SAN"):
        apart = APART | OF_SOURCES | OF_ONE_THREAD.get(sanitizer, set())
        found = [
            file
            for file in found
            if file.stem not in apart
            and (file.stem in RUN_THE_LOAD or file.parent.name not in OF_PYTHON)
        ]
    order = {stem: number for number, stem in enumerate(LONGEST)}
    found.sort(key=lambda file: order.get(file.stem, len(order)))
    return [str(file.relative_to(ROOT)) for file in found]


def labs_elsewhere(item: pytest.Item) -> list[str]:
    """The labs with which this test belongs to another run."""
    table = ELSEWHERE
    if item.path.parent.name == "services" and item.path.stem not in IN_BROWSER:
        of_one = item.path.stem in OF_ONE_CONNECTION
        table = CONNECTION_ELSEWHERE if of_one else SERVICE_ELSEWHERE
    return table.get(os.environ.get("SAN", ""), [])


def part_of(item: pytest.Item) -> str:
    """The name of the part that a test belongs to."""
    if item.path.stem in IN_BROWSER:
        return "in a browser"
    name = str(item.path.relative_to(ROOT))
    if item.path.stem in IN_HALVES:
        is_second = any(lab in item.nodeid for lab in SECOND_HALF)
        name += ", labs 3 and 4" if is_second else ", the others"
    return name


@dataclass
class Part:
    """A part whose tests run."""

    name: str
    began: float
    output: TextIO

    def tell(self, status: int) -> bool:
        """Say how it ended. Returns whether all went well."""
        self.output.seek(0)
        said = self.output.read()
        self.output.close()
        if status == 0:
            last = said.rstrip().splitlines()[-1].partition(" in ")[0]
            print(f"{self.name}: {last}, {time.monotonic() - self.began:.0f} s")
        else:
            died = f"killed by signal {-status}\n" if status < 0 else ""
            print(f"{self.name}:\n{said}{died}")
        sys.stdout.flush()
        return status == 0


class Forks:
    """A plugin for pytest, which makes a part of each fork.

    Attributes:
        well: of each part that has ended, whether all went well
        is_part: this process is a fork
    """

    def __init__(self, lab: str):
        self.lab = lab
        self.well: list[bool] = []
        self.runs: dict[int, Part] = {}
        self.is_part = False

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        wanted = f"lab{self.lab}-" if self.lab else ""
        items[:] = [
            item
            for item in items
            if wanted in item.nodeid
            and (wanted or not any(lab in item.nodeid for lab in labs_elsewhere(item)))
        ]

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run all parts, JOBS at a time. In a fork pytest goes on with the tests of its part."""
        if session.testsfailed or not session.items:
            return None  # pytest says so
        parts: dict[str, list[pytest.Item]] = {}
        for item in session.items:
            parts.setdefault(part_of(item), []).append(item)
        gc.freeze()  # what is loaded stays, and shared
        try:
            for name, items in parts.items():
                while len(self.runs) >= JOBS:
                    self.await_one()
                if self.fork(name, session.config):
                    session.items, session.testscollected = items, len(items)
                    return None
            while self.runs:
                self.await_one()
        finally:
            for process in self.runs:  # some are left only if all is to end
                os.waitpid(process, 0)
        session.config.pluginmanager.unregister(name="terminalreporter")
        return True

    def fork(self, name: str, config: pytest.Config) -> bool:
        """Begin a part in a process of its own. Returns whether this is that process."""
        output = tempfile.TemporaryFile("w+", errors="replace")
        sys.stdout.flush()
        process = os.fork()
        if process:
            self.runs[process] = Part(name, time.monotonic(), output)
            return False
        # Tests with a thousand sockets need their descriptors.
        for part in self.runs.values():
            part.output.close()
        self.runs, self.is_part = {}, True
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # Whatever was loaded or left ignored: by SIGINT a part ends its servers.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        config.pluginmanager.getplugin("terminalreporter").stats.clear()
        capture = config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
        capture.start_global_capturing()
        capture.suspend_global_capture()
        return True

    def await_one(self) -> None:
        """Wait until a part has ended, and tell how."""
        process, status = os.wait()
        if part := self.runs.pop(process, None):
            self.well.append(part.tell(os.waitstatus_to_exitcode(status)))

    def end_all(self, number: int, _frame: object) -> None:
        """A signal ends all parts, and then this process."""
        for process in self.runs:
            os.kill(process, signal.SIGINT)
        pytest.exit("ended by a signal", 128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--one", default="", metavar="WORD")
    parser.add_argument("--lab", default="", metavar="N")
    asked = parser.parse_args()
    began = time.monotonic()
    os.chdir(ROOT)
    forks = Forks(asked.lab)
    signal.signal(signal.SIGTERM, forks.end_all)
    options = ["-q", "-p", "no:cacheprovider", "--color=no", "-k", asked.one, *files()]
    sys.argv[1:] = options
    with temporary_files_in_memory():
        status = pytest.main(options, plugins=[forks])
        if forks.is_part:  # end at once: to take all down would copy all that is shared
            atexit._run_exitfuncs()
            sys.stdout.flush()
            os._exit(status)
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        asks = f"ONE='{asked.one}' LAB='{asked.lab}'"
        print(f"tests: there is none for {asks}", file=sys.stderr)
    if status:  # also a signal, or a file that cannot be loaded
        return status
    bad = forks.well.count(False)
    result = f"{bad} parts with failures" if bad else "all passed"
    print(f"tests: {result}, {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
