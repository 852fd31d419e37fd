"""Runs the tests: each file, or half of one, is a pytest in a process of its own, and some run
side by side, for tests wait.

    python3 -m tests.run [--one=WORD] [--lab=N]

--one takes the tests with the word in their name, --lab those of that lab. The longest files come
first. What a file says is printed when it has ended: a line if all went well, else everything.

The processes are forks of this one, which has loaded pytest and the helpers: to load them takes
as much CPU as many a file.
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

from tests.helpers import labs, models, rooms, web  # noqa: F401
from tests.helpers.setting import temporary_files_in_memory

ROOT = Path(__file__).resolve().parents[1]
JOBS = 4 * (os.cpu_count() or 1)  # tests wait most of their time
NO_TEST_CHOSEN = 5  # exit status of pytest
# What a sanitizer can see nothing in: Python that draws and reckons.
OF_PYTHON = {"bench"}
RUN_THE_LOAD = {"test_load", "test_runs", "test_zoo"}
OF_SOURCES = {"test_house", "test_first_build", "test_gallery", "test_browser"}
# Where no two threads meet.
OF_ONE_THREAD = {"thread": {"test_command_line", "test_runs"}}
# Labs in which a sanitizer can see nothing that it has not seen in another: in lab 1 no threads
# meet, a service is the same code in each, lab 4 is lab 3 with limits, and what one connection asks
# is answered by one thread.
SEEN_ELSEWHERE = {"thread": ["lab1-"]}
SERVICE_SEEN = {"thread": ["lab3-"], "address,undefined": ["lab2-", "lab3-"]}
OF_ONE_CONNECTION = {"test_replies", "test_http", "test_messages", "test_listings"}
CONNECTION_SEEN = {"thread": ["lab2-"]}
APART = {"test_models"}  # make test-models SAN=thread
OTHER_COMMANDS = {"faults", "course", "test_models_contract.py"}  # make test-faults ...
IN_BROWSER = {"test_browser", "test_report", "test_office"}  # one, for all of them
# Halves of the longest files, by their labs.
HALVES = ("not lab3- and not lab4-", "lab3- or lab4-")
IN_HALVES = {"test_chat", "test_http", "test_contract", "test_files"}
LONGEST = (
    "test_first_build test_browser test_report test_office test_chat test_http".split()
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


@dataclass(frozen=True)
class Part:
    """What one process tests: files, or those tests of a file with these words."""

    files: list[str]
    words: str = ""

    def __str__(self) -> str:
        return ", ".join(self.files) + (f" ({self.words})" if self.words else "")


def parts() -> list[Part]:
    """All that is to be tested, what takes longest first."""
    found: list[Part] = []
    browsing = [file for file in files() if Path(file).stem in IN_BROWSER]
    for file in files():
        if file in browsing:
            found += [Part(browsing)] if file == browsing[0] else []
        else:
            is_long = Path(file).stem in IN_HALVES
            found += [Part([file], words) for words in (HALVES if is_long else [""])]
    return found


def choice(part: Part, asked: argparse.Namespace) -> list[str]:
    """What pytest is told to choose in these files."""
    words = [word for word in (asked.one, part.words and f"({part.words})") if word]
    if asked.lab:
        words.append(f"lab{asked.lab}-")
    else:
        sanitizer = os.environ.get("SAN", "")
        left_out = list(SEEN_ELSEWHERE.get(sanitizer, []))
        if "services" in part.files[0]:
            left_out += SERVICE_SEEN.get(sanitizer, [])
        if Path(part.files[0]).stem in OF_ONE_CONNECTION:
            left_out += CONNECTION_SEEN.get(sanitizer, [])
        words += [f"not {lab}" for lab in left_out]
    return ["-k", " and ".join(words)] if words else []


@dataclass
class Run:
    """A part whose tests run."""

    part: Part
    began: float
    output: TextIO

    def tell(self, status: int) -> bool:
        """Say how it ended. Returns whether all went well."""
        self.output.seek(0)
        said = self.output.read()
        self.output.close()
        if status == 0:
            last = said.rstrip().splitlines()[-1].partition(" in ")[0]
            print(f"{self.part}: {last}, {time.monotonic() - self.began:.0f} s")
        elif status != NO_TEST_CHOSEN:
            died = f"killed by signal {-status}\n" if status < 0 else ""
            print(f"{self.part}:\n{said}{died}")
        sys.stdout.flush()
        return status in (0, NO_TEST_CHOSEN)


def start(part: Part, asked: argparse.Namespace, runs: dict[int, Run]) -> None:
    """Run the tests of a part in a new process, which does not return from here."""
    output = tempfile.TemporaryFile("w+", errors="replace")
    process = os.fork()
    if process:
        runs[process] = Run(part, time.monotonic(), output)
        return
    for run in runs.values():  # tests with a thousand sockets need their descriptors
        run.output.close()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    options = ["-q", "-p", "no:cacheprovider", *part.files, *choice(part, asked)]
    sys.argv[1:] = options
    status = pytest.main(options)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(status)  # at once: to take all down would copy all that is shared


def run_all(asked: argparse.Namespace) -> list[bool]:
    """Run all parts, JOBS at a time. Returns of each whether all went well."""
    waiting, runs, well = parts(), {}, []
    for lab in labs.find_labs():
        lab.program.exists() and lab.flags()  # remembered
    gc.freeze()  # what is loaded stays, and shared

    def end_all(number: int, _frame: object) -> None:
        for process in runs:
            os.kill(process, signal.SIGINT)
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end_all)
    try:
        while waiting or runs:
            if waiting and len(runs) < JOBS:
                start(waiting.pop(0), asked, runs)
                continue
            process, status = os.wait()
            if run := runs.pop(process, None):
                well.append(run.tell(os.waitstatus_to_exitcode(status)))
    finally:
        for process in runs:  # some are left only if all is to end
            os.waitpid(process, 0)
    return well


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--one", default="", metavar="WORD")
    parser.add_argument("--lab", default="", metavar="N")
    asked = parser.parse_args()
    began = time.monotonic()
    os.chdir(ROOT)
    with temporary_files_in_memory():
        bad = run_all(asked).count(False)
    result = f"{bad} parts with failures" if bad else "all passed"
    print(f"tests: {result}, {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
