"""A program under test, its output, and how it is: what a failure has to tell.

After a failure `failures` says what the clients did, how the program is, and where it stands.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator

from tests.helpers import kernel
from tests.helpers.clients import Client
from tests.helpers.setting import GUARD_S, HAS_PROC, until

DYING_S = 0.5  # a connection that broke may be the first sign of a server that dies
LAST_WORDS = 10
CLIENTS_TOLD = 4

failures: list[str] = []  # what conftest.py adds to the report of a failed test


def status_words(status: int) -> str:
    """How a process ended."""
    if status >= 0:
        return f"ended with exit status {status}"
    return f"was killed by {signal.Signals(-status).name}"


class Process:
    """A running program."""

    def __init__(self, name: str, command: list[str], **options: object) -> None:
        self.name = name
        self.command = command
        self.options = options
        self.clients: list[Client] = []

    def start(self) -> None:
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            **self.options,
        )

    def kill(self) -> None:
        """However the test went, no process and no socket outlives it."""
        for client in self.clients:
            client.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    # What people read of it

    def says(self) -> str:
        """The next line on standard output."""
        ready = kernel.is_readable(self.process.stdout, GUARD_S)
        assert ready, f"{self.name} said nothing for {GUARD_S:g} s"
        line = self.process.stdout.readline()
        if not line:
            self.exit_status("it has closed its standard output")
            raise AssertionError(
                f"{self.name} ended without a word: {self.how_it_is()}"
            )
        return line.rstrip("\n")

    def trouble(self) -> list[str]:
        """The lines on standard error so far."""
        file = self.errors.fileno()  # whose place in the file is the process's, too
        said = os.pread(file, os.fstat(file).st_size, 0)
        return said.decode(errors="replace").splitlines(keepends=True)

    # How it is, for a failure

    def how_it_is(self) -> str:
        """Alive, or how it ended; one that is dying is waited for."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return f"{self.name} {status_words(self.process.wait(DYING_S))}"
        return f"{self.name} is alive"

    def story(self) -> str:
        """What its clients did last, how it is, its last words, where its threads stand."""
        lines = [
            " ".join(self.command),
            *(one.story() for one in self.clients[-CLIENTS_TOLD:]),
        ]
        lines.append(self.how_it_is())
        said = self.trouble()[-LAST_WORDS:]
        lines += ["its last words on standard error:"] * bool(said)
        lines += [f"  {line.rstrip()}" for line in said]
        if self.process.returncode is None and HAS_PROC:
            stands = kernel.where_threads_stand(self.process.pid)
            lines += ["its threads stand in", stands] if stands else []
        return "\n".join(lines)

    # What it does

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop its clock: what its clients do meanwhile, they do at one instant."""
        self.send_signal(signal.SIGSTOP)
        if HAS_PROC:
            until(
                lambda: set(self.thread_states()) == {"T"}, "SIGSTOP stops all threads"
            )
        yield
        self.send_signal(signal.SIGCONT)

    def check_alive(self) -> None:
        assert self.process.poll() is None, self.how_it_is()

    def footprint(self) -> kernel.Footprint | None:
        return kernel.footprint(self.process.pid) if HAS_PROC else None

    def thread_states(self) -> list[str]:
        return kernel.thread_states(self.process.pid)

    def mappings(self) -> int:
        return kernel.mappings(self.process.pid)

    def cpu_s(self) -> float:
        return kernel.cpu_s(self.process.pid)

    def until_idle(self) -> None:
        """Wait until all threads wait; only Linux can tell."""
        if not HAS_PROC:
            return
        until(
            lambda: set(self.thread_states()) == {"S"},
            "all threads wait: nobody asks for anything, and yet one runs and runs",
        )

    def exit_status(self, why: str) -> int:
        """The status of a server that ends by itself now."""
        try:
            return self.process.wait(GUARD_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.name} still runs {GUARD_S:g} s after {why}"
            ) from None
