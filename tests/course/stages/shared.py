"""Stages that labs 2 to 4 have in common: what any server with threads must do."""

import re
import signal

from tests.course.server import Server, Trial
from tests.course.talk import Client, Failed, as_served

TOKENS = 20


def greets(trial: Trial, *flags: str, late_ms: int = 0) -> None:
    with trial.serve(*flags, "desk", late_ms=late_ms) as server:
        for number in 1, 2, 3:
            client = server.connect()
            if client.greeted() != number:
                client.fail("was greeted by another number")
            client.ask(b"echo hi", b"ok echo hi")
            client.ask(b"quit", b"bye")


def told_busy(client: Client) -> None:
    """The client is refused as it should be: a word, then the end."""
    line = client.line()
    if not line.startswith(b"busy: "):
        client.fail(f"expected to be told that the server is busy, but read {line!r}")
    client.ended()


def meets(server: Server, count: int) -> list[Client]:
    """So many clients are served at once: each says barrier, and all are answered."""
    clients = [server.connect() for _ in range(count)]
    for client in clients:
        client.greeted()
    for client in clients:
        client.send(b"barrier %d %d\n" % (count, 1000 * server.limits.patience))
    for client in clients:
        client.expect(b"ok barrier %d\n" % count)
    return clients


def tokens(trial: Trial, *flags: str) -> None:
    """Of clients that come at one instant each gets back what it said itself."""
    with trial.serve(*flags, "echo") as server:
        for _ in range(3):
            clients = server.connect_at_once(TOKENS)
            for client in clients:
                client.send(b"I am client %d\n" % client.number)
            numbers = set()
            for client in as_served(clients):
                numbers.add(client.greeted())
                client.expect(b"I am client %d\n" % client.number)
                client.bye()
            if len(numbers) != TOKENS:
                raise Failed("two clients were greeted by the same number")


def all_accepted(server: Server) -> None:
    """Every client that has connected so far was accepted, and not long ago."""
    wanted = server.at_start + len(server.clients)
    server.limits.until(
        lambda: server.count("fd") >= wanted or not server.at_start,
        f"{len(server.clients)} clients have connected, and not all are accepted",
    )
    server.in_service()  # from accept to the queue


def rude_clients(server: Server) -> None:
    client = server.greeted()
    client.send(b"bytes 900000000\n")
    client.read(1000)
    client.reset()
    server.connect().reset()
    client = server.greeted()
    client.send(b"echo half a li")
    client.bye()


def rude(trial: Trial, *flags: str) -> None:
    with trial.serve(*flags, "desk") as server:
        rude_clients(server)
        server.greeted().ask(b"echo still there", b"ok echo still there")


def leaves_nothing(trial: Trial, *flags: str) -> None:
    with trial.serve(*flags, "desk") as server:
        threads = server.count("task")
        for _ in range(5):
            server.greeted().bye()
        server.limits.until(
            lambda: server.count("task") <= threads,
            "a client has left, and its thread still runs",
        )
        maps = server.maps()
        for number in range(150):
            client = server.greeted()
            client.ask(b"echo hello", b"ok echo hello")
            client.reset() if number % 2 else client.bye()
        rude_clients(server)
        server.returns_to(server.at_start, threads)
        more = server.maps() - maps
        if more > 60:
            raise Failed(
                f"all clients have left, and {more} more pieces of memory are mapped than before"
            )


def race_report(server: Server, own: frozenset[str]) -> str:
    """What ThreadSanitizer found, in the student's own lines; empty if nothing."""
    words = server.errors()
    kind = re.search(r"WARNING: ThreadSanitizer: ([^(\n]*)", words)
    if not kind:
        return ""
    lines = re.findall(r"#\d+ (\w+) (?:\S*/)?(\w+\.[ch]):(\d+)", words)
    mine = [f"{name} {file}:{line}" for name, file, line in lines if file in own]
    places = " and ".join(list(dict.fromkeys(mine))[:2]) or "code that is not yours"
    return f"ThreadSanitizer reports a {kind[1].strip()}: {places}"


def crowd_with_tokens(server: Server) -> None:
    for _ in range(2):
        clients = server.connect_at_once(8)
        for client in as_served(clients):
            client.greeted()
            client.ask(b"echo hi", b"ok echo hi")
            client.bye()
    server.stop()
    try:  # some reports come at the end; that there is an end is another stage's business
        server.ends("the server was sent SIGTERM")
    except Failed:
        return


def no_race(trial: Trial, *flags: str) -> None:
    """Under ThreadSanitizer: it reports what may happen, not only what did.

    Each thread begins late. One that begins at once often takes a lock before main takes it for
    the next client, and what is ordered by luck is no race to ThreadSanitizer.
    """
    with trial.serve(*flags, "desk", race=True, late_ms=5) as server:
        try:
            crowd_with_tokens(server)
        except Failed:
            if report := race_report(server, trial.own):
                raise Failed(report) from None
            raise
        if report := race_report(server, trial.own):
            raise Failed(report)


def stop_while_serving(trial: Trial, waits: list[int], *flags: str) -> None:
    """Each client asks for work of so many ms; SIGTERM comes, and each has its answer."""
    with trial.serve(*flags, "desk") as server:
        server.greeted()  # an idle one: a stop does not wait for it
        clients = [server.greeted() for _ in waits]
        for client, wait in zip(clients, waits):
            client.send(b"sleep %d\n" % wait)
        server.in_service(*clients)
        server.process.send_signal(signal.SIGTERM)
        for client, wait in zip(clients, waits):
            client.said = f'sent "sleep {wait}", then the server was sent SIGTERM,'
            client.expect(b"ok sleep %d\n" % wait)
        if server.ends("the last client was answered after SIGTERM") != 0:
            raise Failed(
                f"after SIGTERM the server ended with status {server.process.returncode}"
            )


def stops(trial: Trial, *flags: str) -> None:
    stop_while_serving(trial, [150, 200, 250], *flags)
    stop_while_serving(trial, [250, 200, 150], *flags)
    with trial.serve(*flags, "desk") as server:
        server.greeted().bye()
        server.ends_in_order()
