"""The programs that the bench starts, and the promise that each of them ends."""

import contextlib
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.measure.guardian import GUARDIAN

START_TIMEOUT_S = 60  # until a program says its first word: on a busy machine long
STOP_TIMEOUT_S = 5
OWN_GROUP = (
    {"process_group": 0} if sys.version_info >= (3, 11) else {"start_new_session": True}
)
POLL_S = 0.01  # how often to look, where the kernel cannot say that a program ended


class BenchError(Exception):
    """What a person must read: it becomes one line and exit status 1."""


class Interrupts:
    """Turns SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt, but not while shielded."""

    def __init__(self) -> None:
        self.shields = 0
        self.is_pending = False

    def install(self) -> None:
        """Take the signals over; a hangup that nohup ignores stays ignored."""
        signal.signal(signal.SIGINT, self._arrive)
        signal.signal(signal.SIGTERM, self._arrive)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._arrive)

    def ignore(self) -> None:
        """From now on nothing interrupts: for the last words, which are short."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.is_pending = False

    def _arrive(self, *_: object) -> None:
        self.is_pending = True
        self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self.is_pending and self.shields == 0:
            self.is_pending = False
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold an interrupt back until the block is through."""
        self.shields += 1
        try:
            yield
        finally:
            self.shields -= 1
            self._raise_if_due()


INTERRUPTS = Interrupts()


@dataclass
class Program:
    """A program that was started; how it ended is known once its block is left."""

    name: str
    child: subprocess.Popen
    status: int | None = None
    complaint: str = ""  # the first line on its standard error
    usage: resource.struct_rusage | None = None  # CPU time, memory, context switches

    @property
    def cpu_s(self) -> float:
        """The CPU time that it took, its own and the kernel's for it."""
        return self.usage.ru_utime + self.usage.ru_stime if self.usage else 0.0

    @property
    def reason(self) -> str:
        """Why it failed, as far as it said."""
        return self.complaint or f"{self.name} ended with status {self.status}"


@contextlib.contextmanager
def started(
    command: list[str], folder: Path | None = None, core: int | None = None
) -> Iterator[Program]:
    """Run a program in a process group of its own, ended when the block ends.

    The group keeps the terminal's Ctrl-C away from it: the bench decides when
    it stops. It is no session of its own, if Python knows how, for Linux shares
    the cores among sessions first (sched(7), autogroup): a server would be one
    among its generators, however many threads it has.
    """
    program = None
    try:
        with INTERRUPTS.shielded():
            with on_core(core):
                program = Program(Path(command[0]).name, spawn(command, folder))
        yield program
    finally:
        with INTERRUPTS.shielded():
            if program is not None:
                end(program)


@contextlib.contextmanager
def on_core(number: int | None) -> Iterator[None]:
    """What is started in the block stays on this one of the cores that it may use."""
    if number is None:
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def spawn(command: list[str], folder: Path | None) -> subprocess.Popen:
    """Start a program, or say in one line why it cannot be started."""
    try:
        child = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **OWN_GROUP,
        )
    except OSError as error:
        raise BenchError(f"cannot start {command[0]}: {error.strerror}") from error
    GUARDIAN.tell("+", child.pid)
    return child


def end(program: Program) -> None:
    """Stop a program if it still runs, and note how it ended, once."""
    if program.status is not None:
        return
    child = program.child
    stop(program)
    GUARDIAN.tell("-", child.pid)
    program.status = child.returncode
    program.complaint = child.stderr.readline().decode(errors="replace").rstrip()
    child.stdout.close()
    child.stderr.close()


def stop(program: Program) -> None:
    """Ask a program to end, ask again, then end its whole group."""
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        if has_ended(program):
            return
        os.killpg(program.child.pid, number)
        await_end(program, STOP_TIMEOUT_S)


def await_end(program: Program, timeout_s: float) -> bool:
    """Wait for a program, so many seconds at most; says whether it has ended."""
    deadline = time.monotonic() + timeout_s
    while not has_ended(program) and (left := deadline - time.monotonic()) > 0:
        rest(program.child.pid, left)
    return has_ended(program)


def has_ended(program: Program) -> bool:
    """Has it? If so, what it used is known from now on."""
    child = program.child
    with INTERRUPTS.shielded():
        if child.returncode is None:
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
            if ended:
                child.returncode = os.waitstatus_to_exitcode(status)
                program.usage = usage
    return child.returncode is not None


def rest(process: int, left_s: float) -> None:
    """Sleep until a process has ended, or for so many seconds."""
    try:
        descriptor = os.pidfd_open(process)
    except (AttributeError, OSError):  # no such call, or a container that refuses it
        time.sleep(min(left_s, POLL_S))
        return
    try:
        select.select([descriptor], [], [], left_s)
    finally:
        os.close(descriptor)


def warn(line: str) -> None:
    """Say one line on standard error."""
    print(f"bench: {line}", file=sys.stderr, flush=True)
