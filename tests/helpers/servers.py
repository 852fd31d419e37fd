"""The servers under test.

    with lab.serve("desk", "--threads=2") as server:
        client = server.greeted()
        assert client.ask(b"echo hi") == b"ok echo hi\\n"

At the end of the block the server must have survived: nothing is left of its clients, a
newcomer is served, SIGTERM ends it with status 0, one summary line and a silent standard error.
After a failure `failures` says what the clients did, how the server is, and where it stands.
"""

import contextlib
import re
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.helpers import kernel
from tests.helpers.clients import Client
from tests.helpers.processes import Process, failures, status_words
from tests.helpers.setting import GUARD_S, HAS_PROC, SANITIZERS, until

if TYPE_CHECKING:
    from tests.helpers.labs import Lab

SUMMARY = re.compile(
    r"(?P<lab>\S+): clients: (?P<served>\d+) served, (?P<refused>\d+) refused, "
    r"(?P<timed_out>\d+) timed out, (?P<lost>\d+) lost; at most (?P<at_once>\d+) at once; "
    r"CPU \d+\.\d+ s user, \d+\.\d+ s system"
)
STOPPING = re.compile(r"\S+: stopping; waiting for (\d+) .*second signal.*")
ANNOUNCED = re.compile(r"(\S+): listening on (?:\[(.+)\]|(.+)):(\d+) \((\w+), (.+)\)")


@dataclass(frozen=True)
class Summary:
    """What a server says at its end."""

    served: int
    refused: int
    timed_out: int
    lost: int
    at_once: int


class Server(Process):
    """A running server. Its `with` block ends with the checks that hold for all of them."""

    client_class = Client

    def __init__(
        self, lab: "Lab", arguments: list[str], **process_options: object
    ) -> None:
        prefix = process_options.pop("prefix", [])
        super().__init__(
            lab.name, [*prefix, str(lab.program), *arguments], **process_options
        )
        self.lab = lab
        self.expected_trouble: str | None = None

    def __enter__(self) -> "Server":
        self.start()
        try:
            self.announcement = self.says()
            match = ANNOUNCED.fullmatch(self.announcement)
            assert match, f"expected where it listens, got {self.announcement!r}"
            self.address = (match[2] or match[3], int(match[4]))
            self.port = self.address[1]
            self.at_start = self.footprint()
        except BaseException:
            failures.append(self.story())
            self.kill()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None and self.process.returncode is None:
                self.finish()
            elif kind is not None and not issubclass(kind, pytest.skip.Exception):
                failures.append(self.story())
        except BaseException:
            failures.append(self.story())
            raise
        finally:
            self.kill()

    # Clients

    def connect(self, receive_buffer: int | None = None) -> Client:
        """Connected; by whom it will be served is not known yet."""
        client = self.client_class(self.address, receive_buffer)
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

    # What the kernel knows of it

    def until_read(self, client: Client) -> None:
        """Wait until the server has read all that this client sent; only Linux can tell."""
        if not HAS_PROC:
            return

        def is_read() -> bool:
            unread = kernel.unread(self.port, client.port)
            return client.unacknowledged() == 0 and unread == 0

        until(is_read, "the server has read what the client sent")

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

    def ended(self) -> Summary:
        """The server ends by itself now: in good order, which is checked."""
        status = self.exit_status("it was asked to stop")
        assert (
            status == 0
        ), f"after a stop {self.lab.name} {status_words(status)}, not 0"
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
        for line in self.trouble():
            assert self.expected_trouble and re.search(
                self.expected_trouble, line
            ), f"standard error must be empty, and has: {line.rstrip()}"

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
