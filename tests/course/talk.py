"""Clients for the stages: each wait is bounded, each failure is a sentence.

A stage says what a client must see. What it sees instead is told by Failed.
"""

import re
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.002
TAKEN_S = 0.3


class Failed(Exception):
    """What a client tried, and what it saw instead of what it should."""


def shown(data: bytes) -> str:
    """Bytes for a message."""
    if not data:
        return "the end of the connection"
    text = data.decode("utf-8", "replace")
    text = text.encode("unicode_escape").decode().replace('"', "'")
    cut = text if len(text) <= 60 else text[:50] + f"... ({len(data)} bytes)"
    return f'"{cut}"'


@dataclass
class Limits:
    """How long this try waits: for one thing, and in all."""

    patience: float
    end: float
    start: float = 2.0  # for a server's first line

    def left(self) -> float:
        """For how long the next wait may last."""
        return max(0.01, min(self.patience, self.end - time.monotonic()))

    def until(self, is_true: Callable[[], object], failure: str) -> None:
        """Wait for the thing itself."""
        begin = time.monotonic()
        while not is_true():
            waited = time.monotonic() - begin
            if waited > self.patience or time.monotonic() > self.end:
                raise Failed(f"{failure} (after {waited:.1f} s)")
            time.sleep(POLL_S)


class Client:
    """One client. number is how the stage calls it: the first to connect is 1."""

    def __init__(self, limits: Limits, port: int, number: int, window: int = 0) -> None:
        self.limits, self.number, self.unread = limits, number, b""
        self.port = port  # the kernel forgets it when the server breaks off
        self.said = "connected"
        self.socket = socket.socket()
        if window:  # before connect, for the window is agreed on there
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(limits.left())
        try:
            self.socket.connect(("127.0.0.1", port))
        except TimeoutError:
            self.fail("could not connect: nothing came back")
        except OSError as error:
            self.fail(f"could not connect: {error.strerror}")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fail(self, seen: str) -> None:
        raise Failed(
            f"client {self.number} {self.said} and {seen}".replace(
                "connected and could", "could"
            )
        )

    def send(self, data: bytes, said: str = "") -> None:
        self.said = said or f"sent {shown(data)}"
        self.socket.settimeout(self.limits.left())
        try:
            self.socket.sendall(data)
        except TimeoutError:
            self.fail("the server did not read it")
        except OSError as error:
            self.fail(f"saw an error: {error.strerror}")

    def receive(self, most: int = 65536) -> bytes:
        """Some bytes; b"" at the end of the connection."""
        if self.unread:
            data, self.unread = self.unread[:most], self.unread[most:]
            return data
        wait = self.limits.left()
        self.socket.settimeout(wait)
        try:
            return self.socket.recv(most)
        except TimeoutError:
            self.fail(f"nothing came for {wait:.1f} s")
        except OSError as error:
            self.fail(f"saw an error: {error.strerror}")
        return b""

    def line(self) -> bytes:
        """One line with its LF, or what came before the end."""
        got = b""
        while True:
            data = self.receive()
            head, lf, tail = data.partition(b"\n")
            got += head + lf
            if lf or not data:
                self.unread = tail
                return got

    def read(self, size: int) -> bytes:
        """So many bytes, or fewer at the end."""
        parts = []
        while size > 0 and (data := self.receive(size)):
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def rest(self) -> bytes:
        return b"".join(iter(self.receive, b""))

    def expect(self, wanted: bytes) -> None:
        line = self.line()
        if line != wanted:
            self.fail(f"expected {shown(wanted)}, but read {shown(line)}")

    def ask(self, request: bytes, wanted: bytes) -> None:
        self.send(request + b"\n")
        self.expect(wanted + b"\n")

    def greeted(self) -> int:
        """Read the greeting: from now on this client is being served."""
        line = self.line()
        match = re.fullmatch(rb"Hello, client (\d+)\.\n", line)
        if not match:
            self.fail(f"expected its greeting, but read {shown(line)}")
        return int(match[1])

    def hears(self, wait: float = 0) -> bool:
        """Has anything come, or has the server closed?"""
        return bool(self.unread) or bool(select.select([self.socket], [], [], wait)[0])

    def is_unread(self) -> bool:
        """Lies anything that was sent still in the kernel, or did the server read all of it?"""
        mine, theirs = self.socket.getsockname()[1], self.port
        try:
            rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
        except OSError:
            return False
        for row in rows:
            _, local, remote, _, queues = row.split()[:5]
            if local.endswith(f":{theirs:04X}") and remote.endswith(f":{mine:04X}"):
                return not queues.endswith(":00000000")
        return False

    def taken(self) -> None:
        """Give the server time to read what was sent, so that what follows comes alone."""
        end = time.monotonic() + TAKEN_S
        while self.is_unread() and time.monotonic() < end:
            time.sleep(POLL_S)

    def silent(self, why: str, wait: float = 0.05) -> None:
        """Nothing may come yet."""
        if self.hears(wait):
            self.fail(f"was answered {self.first_words()}, although {why}")

    def first_words(self) -> str:
        """What has come and is not read yet, for a message."""
        try:
            return shown(self.unread or self.socket.recv(200, socket.MSG_PEEK))
        except OSError as error:
            return f"by an error: {error.strerror}"

    def ended(self) -> None:
        """The server closes now, in good manners."""
        rest = self.rest()
        if rest:
            self.fail(f"expected the end of the connection, but read {shown(rest)}")

    def leave(self) -> None:
        """Say that nothing more comes, and wait until the server closes too."""
        self.half_close()
        self.ended()
        self.socket.close()

    def bye(self) -> None:
        """Say that nothing more comes, and wait for nothing: a stage that is not about closing."""
        self.half_close()

    def half_close(self) -> None:
        self.said = "closed its sending side"
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.fail(f"saw an error: {error.strerror}")

    def reset(self) -> None:
        """Vanish: an RST instead of a FIN, as when a program crashes."""
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


def as_served(clients: list[Client]) -> Iterator[Client]:
    """These clients in the order in which they are served; one that is not, when nobody is."""
    left = list(clients)
    while left:
        select.select([one.socket for one in left], [], [], left[0].limits.left())
        client = next((one for one in left if one.hears()), left[0])
        left.remove(client)
        yield client
