"""Crowds at their full size before lab 4 with its default flags: how long a good client waits.

    make test-crowds            all of them, one after the other; two to three minutes
    make test-crowds WORD=silent

Each row says when the good client was answered, and how long SIGTERM took while the crowd was
there. These are seconds of this machine, so a busy one may miss a limit that is kept.
"""

import argparse
import contextlib
import fcntl
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.setting import BUILD

SERVER = BUILD / "lab4-timeouts-backlog" / "server"
KB, MIB = 1000, 1024 * 1024
GOOD = b"GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
MAX_LIMIT_S = 10  # lab 4's longest limit once a request has begun
PATIENCE_S = 40  # of the good client


class Lab4:
    """A running server, its folder and the crowd before it."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.crowd: list[socket.socket] = []
        self.process = subprocess.Popen(
            [SERVER, "--port=0", *flags, "files", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.port = int(re.search(r":(\d+) ", self.process.stdout.readline())[1])

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.connect(("127.0.0.1", self.port))
        self.crowd.append(client)
        return client

    def answered_after_s(self, request: bytes = GOOD) -> float:
        """How long a good client waits for the first byte of its answer."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as client:
            client.settimeout(PATIENCE_S)
            client.sendall(request)
            first = client.recv(1)
        return time.monotonic() - began if first else float("inf")

    def stopped_after_s(self) -> float:
        """How long SIGTERM takes; infinity if the status is not 0."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(2 * PATIENCE_S)
        return time.monotonic() - began if status == 0 else float("inf")


# --- the crowds ----------------------------------------------------------------------------


def uploads_that_stand_still(server: Lab4) -> None:
    for number in range(16):
        head = (
            f"PUT /{number} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10 * MIB}"
        )
        server.connect().sendall(head.encode() + b"\r\n\r\n" + b"x" * MIB)


def trickling_readers(server: Lab4, receive_buffer: int) -> None:
    """292 bytes a second, in a thread, for as long as the server lets them."""
    readers = [server.connect(receive_buffer) for _ in range(16)]
    for reader in readers:
        reader.sendall(LARGE)

    def read_on() -> None:
        with contextlib.suppress(OSError):
            while server.process.poll() is None:
                for reader in readers:
                    with contextlib.suppress(ConnectionError):
                        reader.recv(146, socket.MSG_DONTWAIT)
                time.sleep(0.5)

    threading.Thread(target=read_on, daemon=True).start()
    time.sleep(1)  # they have what fits into their buffers


def small_buffers(server: Lab4) -> None:
    trickling_readers(server, 2304)


def own_buffers(server: Lab4) -> None:
    trickling_readers(server, 0)


def silent(server: Lab4) -> None:
    for _ in range(200):
        server.connect()


def bad_requests(server: Lab4) -> None:
    for _ in range(40):
        server.connect().sendall(b"G@T / HTTP/1.1\r\nContent-Length: 10\r\n\r\n")


def locked_folder(server: Lab4) -> None:
    """By a descriptor that this process keeps."""
    fcntl.flock(os.open(server.folder, os.O_RDONLY), fcntl.LOCK_EX)


def unread_trace(server: Lab4) -> None:
    for _ in range(3000):
        server.answered_after_s()


PUT = b"PUT /put HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\nnew"


@dataclass(frozen=True)
class Scene:
    """A crowd, and within how many seconds a good client must be answered."""

    gather: Callable[[Lab4], None]
    limit_s: float = 3
    request: bytes = GOOD
    has_pipe: bool = False


SCENES = {
    "16 uploads of 1 MB that stand still": Scene(uploads_that_stand_still, 12),
    "16 readers at 292 B/s, buffers of 2304 bytes": Scene(small_buffers, 12),
    "16 readers at 292 B/s, the system's buffers": Scene(own_buffers, 30),
    "200 silent clients": Scene(silent),
    "40 bad requests whose clients stay": Scene(bad_requests),
    "the folder locked by somebody else": Scene(locked_folder, request=PUT),
    "a trace into a pipe that nobody reads": Scene(unread_trace, has_pipe=True),
}


@contextlib.contextmanager
def running(*flags: str, has_pipe: bool = False) -> Iterator[Lab4]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "served"
        folder.mkdir()
        (folder / "page").write_bytes(b"hello")
        (folder / "large").write_bytes(b"x" * 16 * MIB)
        if has_pipe:
            os.mkfifo(Path(name) / "pipe")
            reading = os.open(Path(name) / "pipe", os.O_RDONLY | os.O_NONBLOCK)
            flags = (*flags, f"--trace={name}/pipe")
        server = Lab4(folder, *flags)
        try:
            yield server
        finally:
            server.process.kill()
            server.process.wait()
            for client in server.crowd:
                client.close()
            if has_pipe:
                os.close(reading)


def try_scene(name: str, scene: Scene) -> bool:
    with running(has_pipe=scene.has_pipe) as server:
        scene.gather(server)
        answered_s = server.answered_after_s(scene.request)
        stopped_s = server.stopped_after_s()
    is_kept = answered_s <= scene.limit_s and stopped_s <= MAX_LIMIT_S + 1
    print(
        f"{'kept  ' if is_kept else 'MISSED'} {name}: answered after {answered_s:.2f} s"
        f" (limit {scene.limit_s:g}), stopped in {stopped_s:.2f} s",
        flush=True,
    )
    return is_kept


def try_honest_reader() -> bool:
    """17 KB/s with the system's own buffers, and a write limit of 3 s."""
    size, rate, piece_s = 1 * MIB, 17 * KB, 0.1
    with running("--write-timeout=3s") as server:
        (server.folder / "slow").write_bytes(b"y" * size)
        client = server.connect()
        client.sendall(LARGE.replace(b"/large", b"/slow"))
        client.settimeout(PATIENCE_S)
        began, got = time.monotonic(), 0
        while data := client.recv(int(rate * piece_s)):
            got += len(data)
            if got > size:
                break
            due = began + got / rate
            time.sleep(max(0, due - time.monotonic()))
    is_kept = got > size
    print(
        f"{'kept  ' if is_kept else 'MISSED'} an honest reader of 17 KB/s, --write-timeout=3s:"
        f" {got} bytes in {time.monotonic() - began:.0f} s"
    )
    return is_kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("word", nargs="?", default="")
    word = parser.parse_args().word
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    kept = [try_scene(name, scene) for name, scene in SCENES.items() if word in name]
    if word in "honest reader":
        kept.append(try_honest_reader())
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
