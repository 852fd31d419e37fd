"""The servers under test, and clients who can misbehave on purpose.

    with lab.serve("desk", "--threads=2") as server:
        client = server.greeted()
        assert client.ask(b"echo hi") == b"ok echo hi\\n"

At the end of the block the server must have survived: nothing is left of its clients, a
newcomer is served, SIGTERM ends it with status 0, one summary line and a silent standard error.

Nothing here sleeps to wait for something: `until` waits for the thing itself. GUARD_S is how
long a failing test waits; no passing test comes near it.
"""

import contextlib
import fcntl
import functools
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
GUARD_S = float(os.environ.get("GUARD", "20"))

SANITIZERS = os.environ.get("SAN", "")
HAS_PROC = sys.platform == "linux"

linux_only = pytest.mark.skipif(
    not HAS_PROC, reason="looks into the kernel through /proc, which only Linux has"
)
plain_only = pytest.mark.skipif(
    SANITIZERS != "", reason="counts memory, of which sanitizers take their own"
)

SUMMARY = re.compile(
    r"(?P<lab>\S+): clients: (?P<served>\d+) served, (?P<refused>\d+) refused, "
    r"(?P<timed_out>\d+) timed out, (?P<lost>\d+) lost; at most (?P<at_once>\d+) at once; "
    r"CPU \d+\.\d+ s user, \d+\.\d+ s system"
)
STOPPING = re.compile(r"\S+: stopping; waiting for (\d+) .*second signal.*")
POLL_S = 0.002
IDLE_MS = 250
IDLE_CPU_S = 0.010


def until(is_true: Callable[[], object], claim: str) -> None:
    """Wait for the thing itself; a thing that never comes fails with the claim."""
    end = time.monotonic() + GUARD_S
    while not is_true():
        assert time.monotonic() < end, f"still not so after {GUARD_S:g} s: {claim}"
        time.sleep(POLL_S)


def run(command: list[str], **process_options: object) -> subprocess.CompletedProcess:
    """Run a program to its end, which must come by itself."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    try:
        return subprocess.run(
            command, text=True, timeout=GUARD_S, **{**pipes, **process_options}
        )
    except subprocess.TimeoutExpired:
        raise AssertionError(
            f"has not ended after {GUARD_S:g} s: {' '.join(command)}"
        ) from None


# --- clients -------------------------------------------------------------------------------


class Client:
    """A client on a socket of its own, patient up to the guard."""

    def __init__(
        self, address: tuple[str, int], receive_buffer: int | None = None
    ) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer is not None:  # before connect, for the window is agreed there
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(GUARD_S)
        self.port = 0
        self.unread = b""
        with self.explained(f"connecting to port {address[1]}"):
            self.socket.connect(address)
        self.port = self.socket.getsockname()[1]
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @contextlib.contextmanager
    def explained(self, action: str) -> Iterator[None]:
        """Turn a socket's error into a sentence that says what was tried and seen."""
        try:
            yield
        except TimeoutError:
            raise AssertionError(
                f"client {self.port}: {action}: nothing came for {GUARD_S:g} s. The server "
                "never took this client, forgot it, or waits for more than it was promised."
            ) from None
        except OSError as error:  # also ENOTCONN, which is no ConnectionError
            raise AssertionError(
                f"client {self.port}: {action}: {error.strerror}. The server died, or closed "
                "the socket while it held unread input, which resets the connection."
            ) from None

    def send(self, data: bytes) -> None:
        with self.explained(f"sending {shown(data)}"):
            self.socket.sendall(data)

    def receive(self, most: int = 65536) -> bytes:
        """Some bytes; b"" at the end."""
        if self.unread:
            data, self.unread = self.unread[:most], self.unread[most:]
            return data
        with self.explained("reading"):
            return self.socket.recv(most)

    def line(self) -> bytes:
        """One line with its LF, or what came before the end of the input."""
        parts = []
        while True:
            data = self.receive()
            head, lf, tail = data.partition(b"\n")
            parts.append(head + lf)
            if lf or not data:
                self.unread = tail
                return b"".join(parts)

    def read(self, size: int) -> bytes:
        """So many bytes, or fewer at the end of the input."""
        parts = []
        while size > 0 and (data := self.receive(size)):
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def rest(self) -> bytes:
        """Everything up to the end of the input; a reset is a failure."""
        return b"".join(iter(self.receive, b""))

    def ask(self, request: bytes) -> bytes:
        self.send(request + b"\n")
        return self.line()

    def greeting(self) -> int:
        """Read the greeting: from now on a clerk has taken this client. Returns its number."""
        line = self.line()
        match = re.fullmatch(rb"Hello, client (\d+)\.\n", line)
        assert match, f"client {self.port} expected its greeting and read {shown(line)}"
        return int(match[1])

    def hears(self, within_s: float = 0) -> bool:
        """Has the server said something, or closed?"""
        return bool(self.unread) or bool(
            select.select([self.socket], [], [], within_s)[0]
        )

    def assert_ended(self, why: str) -> None:
        """The server has said all it had to say, and closed in good manners."""
        rest = self.rest()
        assert rest == b"", f"{why}: expected the end of the input, read {shown(rest)}"

    def half_close(self) -> None:
        """Nothing more will be said, but the answer is still wanted."""
        with self.explained("closing its half"):
            self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave with an RST instead of a FIN, as a program that crashes may."""
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    def unacknowledged(self) -> int:
        """Bytes that were sent and have not reached the server's kernel."""
        answer = fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4))
        return struct.unpack("i", answer)[0]


def shown(data: bytes) -> str:
    """Bytes for a message: all of them, or how many and the first."""
    return repr(data) if len(data) <= 80 else f"{len(data)} bytes, {data[:60]!r}..."


@dataclass(frozen=True)
class Service:
    """What any service can be asked in the contract tests: to give a token back."""

    name: str
    before_token: bytes
    before_answer: bytes
    keeps_cr: bool

    def request(self, token: bytes, end: bytes = b"\n") -> bytes:
        return self.before_token + token + end

    def answer(self, token: bytes, end: bytes = b"\n") -> bytes:
        return self.before_answer + token + (end if self.keeps_cr else b"\n")

    def longest_token(self) -> bytes:
        return b"x" * (4096 - len(self.before_token))


SERVICES = [
    Service("echo", before_token=b"", before_answer=b"", keeps_cr=True),
    Service("desk", before_token=b"echo ", before_answer=b"ok echo ", keeps_cr=False),
]


# --- the kernel's side ---------------------------------------------------------------------


@dataclass(frozen=True)
class KernelSocket:
    """A row of /proc/net/tcp."""

    local_port: int
    remote_port: int
    state: str
    unread: int
    inode: str


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


# --- servers -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Footprint:
    """What a process holds."""

    descriptors: int
    threads: int


@dataclass(frozen=True)
class Summary:
    """What a server says at its end."""

    served: int
    refused: int
    timed_out: int
    lost: int
    at_once: int


class Server:
    """A running server. Its `with` block ends with the checks that hold for all of them."""

    def __init__(
        self, lab: "Lab", arguments: list[str], **process_options: object
    ) -> None:
        self.lab = lab
        self.command = [str(lab.program), *arguments]
        self.process_options = process_options
        self.clients: list[Client] = []
        self.expected_trouble: str | None = None

    def __enter__(self) -> "Server":
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            **self.process_options,
        )
        try:
            self.announcement = self.says()
            match = re.fullmatch(
                r"(\S+): listening on (?:\[(.+)\]|(.+)):(\d+) \((\w+), (.+)\)",
                self.announcement,
            )
            assert (
                match
            ), f"expected where it listens, got {self.announcement!r}{self.trouble()}"
            self.address = (match[2] or match[3], int(match[4]))
            self.port = self.address[1]
            self.at_start = self.footprint()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None and self.process.returncode is None:
                self.finish()
            elif self.trouble():
                print(f"standard error of {self.lab.name}:{self.trouble()}")
        finally:
            self.kill()

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
        ready = select.select([self.process.stdout], [], [], GUARD_S)[0]
        assert ready, f"{self.lab.name} said nothing for {GUARD_S:g} s{self.trouble()}"
        line = self.process.stdout.readline()
        if not line:
            status = self.exit_status("it has closed its standard output")
            raise AssertionError(
                f"{self.lab.name} ended with status {status}{self.trouble()}"
            )
        return line.rstrip("\n")

    def trouble(self) -> str:
        """What it wrote to standard error, for the end of a message."""
        self.errors.seek(0)
        text = self.errors.read()
        return f"\nstandard error:\n{text}" if text else ""

    # Clients

    def connect(self, receive_buffer: int | None = None) -> Client:
        """Connected; by whom it will be served is not known yet."""
        client = Client(self.address, receive_buffer)
        self.clients.append(client)
        return client

    def greeted(self, receive_buffer: int | None = None) -> Client:
        """Connected, and taken by a clerk."""
        client = self.connect(receive_buffer)
        client.greeting()
        return client

    def refuses(self) -> bool:
        """Does the kernel refuse newcomers, because nobody listens any more?"""
        try:
            socket.create_connection(self.address, GUARD_S).close()
        except ConnectionError:
            return True
        return False

    # The process

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
        status = self.process.poll()
        assert status is None, (
            f"{self.lab.name} died with status {status}; -13 is SIGPIPE, a write to a client "
            f"that had gone{self.trouble()}"
        )

    def footprint(self) -> Footprint | None:
        if not HAS_PROC:
            return None
        proc = Path(f"/proc/{self.process.pid}")
        return Footprint(
            descriptors=len(os.listdir(proc / "fd")),
            threads=len(os.listdir(proc / "task")),
        )

    def thread_states(self) -> list[str]:
        """R for a thread that runs, S for one that waits, T for one that was stopped."""
        states = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # the thread has just ended
                states.append((task / "stat").read_text().rpartition(") ")[2][0])
        return states

    def mappings(self) -> int:
        """How many areas of memory it has: each thread's stack is one, its guard another."""
        return len(Path(f"/proc/{self.process.pid}/maps").read_text().splitlines())

    def cpu_s(self) -> float:
        """The CPU seconds of the process so far: the clock that clock_getcpuclockid(3) names."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def until_read(self, client: Client) -> None:
        """Wait until the server has read all that this client sent; only Linux can tell."""
        if not HAS_PROC:
            return

        def is_read() -> bool:
            ends = [self.port, client.port]
            rows = kernel_sockets(client.port)
            rows = [row for row in rows if [row.local_port, row.remote_port] == ends]
            return client.unacknowledged() == 0 and bool(rows) and rows[0].unread == 0

        until(is_read, "the server has read what the client sent")

    def until_idle(self) -> None:
        """Wait until all threads wait; only Linux can tell."""
        if not HAS_PROC:
            return
        until(
            lambda: set(self.thread_states()) == {"S"},
            "all threads wait: nobody asks for anything, and yet one runs and runs",
        )

    def until_at_rest(self) -> None:
        """Wait until nothing is left of the clients that have gone, and all threads wait."""
        if not HAS_PROC:
            return
        # ThreadSanitizer adds a thread of its own with the first.
        most_threads = self.at_start.threads + (SANITIZERS == "thread")

        seen = None  # what was there at the last look

        def is_at_rest() -> bool:
            nonlocal seen
            self.check_alive()
            seen = now, states = self.footprint(), set(self.thread_states())
            return (
                now.descriptors == self.at_start.descriptors
                and now.threads <= most_threads
                and states == {"S"}
            )

        with contextlib.suppress(AssertionError):
            until(is_at_rest, "at rest")
        self.check_alive()
        now, states = seen
        assert now.descriptors == self.at_start.descriptors, (
            f"{now.descriptors} descriptors are open, {self.at_start.descriptors} were at the "
            "start, and all clients have gone: a socket is not closed on some path"
        )
        assert now.threads <= most_threads, (
            f"{now.threads} threads, {self.at_start.threads} at the start, and all clients have "
            "gone: a thread waits for somebody who will not come back"
        )
        assert states == {
            "S"
        }, f"threads in states {states}: one runs with nothing to do"

    # The end

    def stop(self, number: int = signal.SIGTERM) -> Summary:
        """Ask for a stop, and check what every stop must be."""
        self.send_signal(number)
        return self.ended()

    def exit_status(self, why: str) -> int:
        """The status of a server that ends by itself now."""
        try:
            return self.process.wait(GUARD_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.lab.name} still runs {GUARD_S:g} s after {why}"
            ) from None

    def ended(self) -> Summary:
        """The server ends by itself now: in good order, which is checked."""
        status = self.exit_status("it was asked to stop")
        assert (
            status == 0
        ), f"exit status {status} after a stop, expected 0{self.trouble()}"
        self.check_trouble()
        *others, last = self.process.stdout.read().splitlines() or [""]
        match = SUMMARY.fullmatch(last)
        assert match, f"expected one summary line at the end, got {last!r}"
        assert match["lab"] == self.lab.name
        for line in others:
            assert STOPPING.fullmatch(line), f"unexpected line: {line!r}"
        counts = match.groupdict()
        del counts["lab"]
        return Summary(**{name: int(count) for name, count in counts.items()})

    def check_trouble(self) -> None:
        """Standard error is empty but for the one trouble that the test provoked."""
        self.errors.seek(0)
        for line in self.errors:
            is_expected = self.expected_trouble and re.search(
                self.expected_trouble, line
            )
            assert is_expected, f"standard error must be empty:{self.trouble()}"

    def finish(self) -> Summary:
        """What holds after every test: nothing left behind, a newcomer served, a good end."""
        for client in self.clients:
            client.close()
        self.check_alive()
        self.until_at_rest()
        newcomer = self.greeted()
        newcomer.half_close()
        newcomer.assert_ended("a newcomer who says nothing and leaves")
        newcomer.close()
        self.until_at_rest()
        return self.stop()


# --- labs ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lab:
    """A folder with a server.c in it. What it can do shows in the flags that it has."""

    name: str

    @property
    def program(self) -> Path:
        return BUILD / self.name / "server"

    @property
    def source(self) -> Path:
        return ROOT / self.name / "server.c"

    def __str__(self) -> str:
        return self.name

    @functools.cache
    def flags(self) -> dict[str, str]:
        """Its flags and their defaults, as --help lists them."""
        return dict(
            re.findall(r"^  --([\w-]+)=(.*)$", self.run("--help").stdout, re.MULTILINE)
        )

    def known(self, **values: object) -> list[str]:
        """These flags, as far as this lab has them."""
        named = {name.replace("_", "-"): value for name, value in values.items()}
        return [
            f"--{name}={value}" for name, value in named.items() if name in self.flags()
        ]

    @property
    def is_concurrent(self) -> bool:
        """Does it serve several clients at once?"""
        return bool({"threads", "max-clients"} & self.flags().keys())

    def places(self, count: int) -> list[str]:
        """The flags with which it serves so many at once, if it can."""
        return self.known(threads=count, max_clients=count)

    def serve(
        self, service: str = "echo", *flags: str, **process_options: object
    ) -> Server:
        """A server on any free port, for a `with` block."""
        port = [] if any(flag.startswith("--port") for flag in flags) else ["--port=0"]
        return Server(self, [*port, *flags, service], **process_options)

    def run(
        self, *arguments: str, **process_options: object
    ) -> subprocess.CompletedProcess:
        """Run the server with arguments that must make it end by itself."""
        return run([str(self.program), *arguments], **process_options)


def find_labs() -> list[Lab]:
    """Every lab there is: a new one is tested by existing."""
    return [Lab(source.parent.name) for source in sorted(ROOT.glob("lab*/server.c"))]


@contextlib.contextmanager
def assert_idle(server: Server, why: str) -> Iterator[None]:
    """In the block, which takes a while, the server uses next to no CPU."""
    before = server.cpu_s()
    yield
    used = server.cpu_s() - before
    assert used <= IDLE_CPU_S, (
        f"{why}: {1000 * used:.0f} ms of CPU in {IDLE_MS} ms with nothing to do. Somewhere a loop "
        "asks again and again instead of waiting: an end of input taken for an empty read, a "
        "non-blocking accept without poll, a condition tested without a condition variable."
    )
