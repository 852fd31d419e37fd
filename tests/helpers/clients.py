"""Clients who can misbehave on purpose, and remember what they said and heard."""

import contextlib
import fcntl
import re
import socket
import struct
import termios
from collections import deque
from collections.abc import Iterator

from tests.helpers.kernel import is_readable
from tests.helpers.setting import GUARD_S

CHUNK = 65536  # read at once: Python gets memory for all that it asks for
REMEMBERED = 6  # of what a client did, the last so many stand in a failure


def shown(data: bytes) -> str:
    """Bytes for a message: all of them, or how many and the first."""
    return repr(data) if len(data) <= 80 else f"{len(data)} bytes, {data[:60]!r}..."


class Client:
    """A client on a socket of its own, patient up to the guard."""

    def __init__(
        self, address: tuple[str, int], receive_buffer: int | None = None
    ) -> None:
        self.port = 0
        self.arrived, self.taken = b"", 0  # read from the socket, and given out
        self.deeds: deque[str] = deque(maxlen=REMEMBERED)
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer is not None:  # before connect, for the window is agreed there
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(GUARD_S)
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
            seen = f"nothing came for {GUARD_S:g} s"
        except OSError as error:  # also ENOTCONN, which is no ConnectionError
            seen = str(error.strerror)
        else:
            return
        self.deeds.append(f"{action}: {seen}")
        raise AssertionError(f"client {self.port}: {action}: {seen}") from None

    def story(self) -> str:
        """What it did last, for a failure."""
        return f"client {self.port}: " + (", ".join(self.deeds) or "connected")

    def send(self, data: bytes) -> None:
        with self.explained(f"sending {shown(data)}"):
            self.socket.sendall(data)
        self.deeds.append(f"sent {shown(data)}")

    def receive(self, most: int = CHUNK) -> bytes:
        """Some bytes; b"" at the end."""
        if self.taken < len(self.arrived):
            data = self.arrived[self.taken : self.taken + most]
            self.taken += len(data)
            return data
        with self.explained("reading"):
            data = self.socket.recv(min(most, CHUNK))
        self.deeds.append(f"read {shown(data)}" if data else "read the end")
        return data

    def line(self) -> bytes:
        """One line with its LF, or what came before the end of the input."""
        parts = []
        while True:
            if self.taken == len(self.arrived):
                self.arrived, self.taken = self.receive(), 0
                if not self.arrived:
                    return b"".join(parts)
            lf = self.arrived.find(b"\n", self.taken)
            end = len(self.arrived) if lf == -1 else lf + 1
            parts.append(self.arrived[self.taken : end])
            self.taken = end
            if lf != -1:
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
        return self.taken < len(self.arrived) or is_readable(self.socket, within_s)

    def assert_ended(self, why: str) -> None:
        """The server has said all it had to say, and closed in good manners."""
        rest = self.rest()
        assert rest == b"", f"{why}: expected the end of the input, read {shown(rest)}"

    def half_close(self) -> None:
        """Nothing more will be said, but the answer is still wanted."""
        with self.explained("closing its half"):
            self.socket.shutdown(socket.SHUT_WR)
        self.deeds.append("closed its half")

    def widen(self) -> None:
        """From now on it takes as much at once as others do."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)

    def reset(self) -> None:
        """Leave with an RST instead of a FIN, as a program that crashes may."""
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.close("reset its connection")

    def close(self, deed: str = "closed") -> None:
        if self.socket.fileno() != -1:
            self.deeds.append(deed)
        self.socket.close()

    def unacknowledged(self) -> int:
        """Bytes that were sent and have not reached the server's kernel."""
        answer = fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4))
        return struct.unpack("i", answer)[0]
