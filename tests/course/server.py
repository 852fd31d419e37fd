"""Servers under test: started with limits, watched, and ended however the stage went.

What a server is like when a stage fails is its evidence, which is taken before it is ended.
"""

import ctypes
import os
import re
import resource
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.course.talk import POLL_S, Client, Failed, Limits

IDLE_S = 0.25  # how long a server is watched that should do nothing
KEPT_BYTES = 20_000
MEMORY_BYTES = 3_000_000_000
CPU_S = 12
FILE_BYTES = 10_000_000
DESCRIPTORS = 1024
PROCESSES = 1100  # lab 2 has up to 1000 threads
RACE_SLOWER = 2  # ThreadSanitizer's server, and the wait for it
PR_SET_PTRACER = 0x59616D61
LISTENING = re.compile(r"listening on \S*?:(\d+)\b")
LIBC = ctypes.CDLL(None)


class Listener(threading.Thread):
    """Reads what a server prints, keeps the beginning, and watches its memory."""

    def __init__(self, process: subprocess.Popen) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.kept = {process.stdout: b"", process.stderr: b""}
        self.sizes = {process.stdout: 0, process.stderr: 0}
        self.ate_memory = False

    def run(self) -> None:
        pipes = list(self.kept)
        while pipes:
            for pipe in select.select(pipes, [], [], 0.05)[0]:
                data = os.read(pipe.fileno(), 65536)
                if not data:
                    pipes.remove(pipe)
                self.sizes[pipe] += len(data)
                if len(self.kept[pipe]) < KEPT_BYTES:
                    self.kept[pipe] += data
            self.watch()

    def watch(self) -> None:
        """A sanitizer's server cannot be limited by its addresses."""
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return
        if pages * resource.getpagesize() > MEMORY_BYTES:
            self.ate_memory = True
            self.process.kill()

    def words(self, pipe) -> str:
        return self.kept[pipe].decode("utf-8", "replace")


def limit_server(is_race: bool) -> None:
    """In the new process: what a server may use. A debugger may look at it."""

    def limit(what: int, most: int) -> None:
        _, hard = resource.getrlimit(what)
        resource.setrlimit(
            what, (most, most) if hard == -1 or most <= hard else (hard, hard)
        )

    limit(resource.RLIMIT_CPU, CPU_S)
    limit(resource.RLIMIT_FSIZE, FILE_BYTES)
    limit(resource.RLIMIT_NOFILE, DESCRIPTORS)
    limit(resource.RLIMIT_NPROC, PROCESSES)
    limit(resource.RLIMIT_CORE, 0)
    if not is_race:
        limit(resource.RLIMIT_AS, MEMORY_BYTES)
    LIBC.prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)


class Server:
    """A server under test. Use it in a `with`: it never outlives its block."""

    def __init__(
        self, trial: "Trial", arguments: list[str], program: str, env: dict
    ) -> None:
        self.trial, self.limits = trial, trial.limits
        self.program, self.arguments = program, arguments
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", **env}
        self.clients: list[Client] = []

    def __enter__(self) -> "Server":
        self.process = subprocess.Popen(
            [str(self.trial.room / "out" / self.program), *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            cwd="/tmp",
            start_new_session=True,
            preexec_fn=lambda: limit_server("race" in self.program),
        )
        self.listener = Listener(self.process)
        self.listener.start()
        try:
            self.port = self.announced()
            self.at_start = self.count("fd")
        except BaseException as failure:
            self.__exit__(type(failure), failure, None)
            raise
        return self

    def __exit__(self, kind, failure, _) -> None:
        if isinstance(failure, (Failed, OSError)):
            self.trial.evidence.append(self.trial.look(self))
        self.end()

    def end(self) -> None:
        """However the stage went, no process and no socket of it stays."""
        for client in self.clients:
            client.close()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except OSError:
            pass
        self.process.wait()
        self.listener.join(1)
        self.process.stdout.close()
        self.process.stderr.close()

    def output(self) -> str:
        return self.listener.words(self.process.stdout)

    def errors(self) -> str:
        return self.listener.words(self.process.stderr)

    def announced(self) -> int:
        """The port that the server says it listens on."""
        wait = max(self.limits.start, self.limits.patience)
        begin = time.monotonic()
        while not (match := LISTENING.search(self.output())):
            if self.process.poll() is not None:
                self.listener.join(1)
                if not (match := LISTENING.search(self.output())):
                    raise Failed(
                        'the server was started and ended without a line "listening on 127.0.0.1:PORT"'
                    )
                break
            if time.monotonic() - begin > wait:
                raise Failed(
                    f'the server was started and has not printed "listening on 127.0.0.1:PORT" for {wait:.1f} s'
                )
            time.sleep(POLL_S)
        return int(match[1])

    def connect(self, window: int = 0) -> Client:
        number = len(self.clients) + 1
        client = Client(self.limits, self.port, number, window)
        self.clients.append(client)
        return client

    def connect_at_once(self, count: int) -> list[Client]:
        """So many clients at one instant: the server stands still while the kernel lets them in."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            return [self.connect() for _ in range(count)]
        finally:
            self.process.send_signal(signal.SIGCONT)

    def greeted(self) -> Client:
        client = self.connect()
        client.greeted()
        return client

    # What the kernel knows of it

    def proc(self, name: str) -> Path:
        return Path(f"/proc/{self.process.pid}/{name}")

    def count(self, name: str) -> int:
        """How many entries /proc/PID/name has; 0 for a process that has ended."""
        try:
            return len(os.listdir(self.proc(name)))
        except OSError:
            return 0

    def maps(self) -> int:
        try:
            return self.proc("maps").read_text().count("\n")
        except OSError:
            return 0

    def cpu_s(self) -> float:
        try:
            fields = self.proc("stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def runs_now(self) -> bool:
        """Is any of its threads running, or ready to? A blocked one is neither."""
        for task in self.proc("task").glob("*/stat"):
            try:
                if task.read_text().rpartition(")")[2].split()[0] == "R":
                    return True
            except (OSError, IndexError):
                continue
        return False

    def in_service(self, *clients: Client) -> None:
        """Wait until it has read what these sent, and does it: all its threads wait.

        One that never rests is not waited for longer than patience: another stage tells it so.
        """
        end = time.monotonic() + self.limits.left()
        while any(client.is_unread() for client in clients) or self.runs_now():
            if time.monotonic() > end:
                return
            time.sleep(POLL_S)

    def wakeups(self) -> int:
        """How often its threads have gone to sleep so far."""
        total = 0
        for status in self.proc("task").glob("*/status"):
            try:
                total += int(
                    re.search(
                        r"^voluntary_ctxt_switches:\s*(\d+)", status.read_text(), re.M
                    )[1]
                )
            except (OSError, TypeError):
                continue
        return total

    def idle(self, when: str) -> None:
        """It uses no CPU and does not wake up again and again."""
        time.sleep(0.03)  # what was asked before may still be tidied up
        cpu, wakeups, looks, running = self.cpu_s(), self.wakeups(), 25, 0
        begin = time.monotonic()
        for _ in range(looks):
            running += self.runs_now()
            time.sleep(IDLE_S / looks)
        used, woken = self.cpu_s() - cpu, self.wakeups() - wakeups
        window = time.monotonic() - begin
        # On a busy machine a loop gets little of the processor, but it always wants it.
        if used > window / 4 or running > looks * 0.7:
            raise Failed(
                f"{when}, the server used {used * 1000:.0f} ms of CPU in {window * 1000:.0f} ms"
            )
        if woken > 50:
            raise Failed(
                f"{when}, the server woke up {woken} times in {window * 1000:.0f} ms"
            )

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def ends(self, after: str) -> int:
        """Wait for the end of the process; returns its status."""
        self.limits.until(
            lambda: self.process.poll() is not None,
            f"{after}, and the server still runs",
        )
        self.listener.join(1)
        return self.process.returncode

    def survives(self) -> None:
        """Fail if it has ended."""
        if self.process.poll() is not None:
            raise Failed("the server ended")

    def ends_in_order(self) -> None:
        """SIGTERM ends it with status 0 and its summary, and it has said nothing else."""
        self.stop()
        status = self.ends("the server was sent SIGTERM")
        if status != 0:
            raise Failed(
                f"the server was sent SIGTERM and ended with {how_ended(status)} instead of status 0"
            )
        lines = self.output().splitlines()
        if len(lines) != 2 or " clients: " not in lines[1]:
            extra = next((one for one in lines[1:] if " clients: " not in one), "")
            seen = f'there is also "{extra[:60]}"' if extra else "it is missing"
            raise Failed(
                f"on standard output belong the line with the port and the summary at the end; {seen}"
            )
        self.says_nothing()

    def says_nothing(self) -> None:
        """Nothing on standard error."""
        if self.errors():
            raise Failed(
                f'nothing went wrong, but standard error says "{self.errors().splitlines()[0][:80]}"'
            )

    def returns_to(self, descriptors: int, threads: int) -> None:
        """What was opened for clients is closed."""
        self.limits.until(
            lambda: self.process.poll() is not None or self.count("fd") <= descriptors,
            f"all clients have left, and {self.count('fd') - descriptors} more descriptors are open than before",
        )
        self.limits.until(
            lambda: self.process.poll() is not None or self.count("task") <= threads,
            f"all clients have left, and {self.count('task') - threads} more threads run than before",
        )
        self.survives()


def how_ended(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"


@dataclass
class Look:
    """What a server was like when a stage failed."""

    state: str = ""
    is_busy: bool = False
    words: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    signal: str = ""
    status: int | None = None
    errors: str = ""
    output: str = ""
    environment: dict = field(default_factory=dict)


@dataclass
class Trial:
    """One try of one stage."""

    lab: int
    room: Path
    limits: Limits
    look: Callable[[Server], Look]
    own: frozenset[str] = frozenset()  # the student's files
    variant: dict[str, str] = field(default_factory=dict)  # what differs by a seed
    evidence: list[Look] = field(default_factory=list)

    def serve(
        self,
        *arguments: str,
        alarms: int = 0,
        race: bool = False,
        no_thread: int = 0,
        late_ms: int = 0,
    ) -> Server:
        """Start the student's server on any free port."""
        env, program = {}, "server"
        if alarms or no_thread or late_ms:
            env["LD_PRELOAD"] = str(self.room / "out/false_alarm.so")
        if alarms:
            env["FALSE_ALARM"] = str(alarms)
        if no_thread:
            env["NO_THREAD"] = str(no_thread)
        if late_ms:
            env["LATE_THREAD"] = str(late_ms)
        if race:
            program = "server-race"
            env[
                "TSAN_OPTIONS"
            ] = "exitcode=66 report_thread_leaks=0 report_signal_unsafe=0 atexit_sleep_ms=0"
            self.await_race_build()
        where = ["--port=0"] if self.lab > 0 else ["0"]
        return Server(
            self,
            [*where, *arguments] if self.lab else list(arguments or where),
            program,
            env,
        )

    def await_race_build(self) -> None:
        """The build with ThreadSanitizer runs beside the first stages."""
        done, failed = (
            self.room / "out/server-race",
            self.room / "out/server-race.failed",
        )
        end = time.monotonic() + 60
        while not done.exists() and not failed.exists() and time.monotonic() < end:
            time.sleep(0.01)
        if not done.exists():
            raise Failed(
                "the server could not be built with ThreadSanitizer (-fsanitize=thread)"
            )
        self.limits.patience *= RACE_SLOWER
        self.limits.end = max(
            self.limits.end, time.monotonic() + 2 * self.limits.patience
        )
