"""Lab 4: a pool with a deadline on every wait, and a backlog that was chosen."""

import re
import signal
import socket
import time

from tests.course.server import Trial
from tests.course.stages import shared
from tests.course.talk import Client, Failed
from tests.course.trial import Stage

READ = "docs/4-timeouts-backlog.md"
SHORT_S = 0.3
SHORT = f"{SHORT_S * 1000:.0f}ms"
LONG = "20s"


def limits(idle: str = LONG, request: str = LONG, threads: int = 1) -> list[str]:
    return [
        f"--threads={threads}",
        f"--idle-timeout={idle}",
        f"--request-timeout={request}",
    ]


def gone(client: Client, said: str) -> None:
    """The server says that time is up, and closes."""
    client.said = said
    line = client.line()
    if not line.startswith(b"error timed out"):
        client.fail(f"expected to be told that time is up, but read {line!r}")
    client.ended()


def pool(trial: Trial) -> None:
    with trial.serve("--threads=3", "desk") as server:
        shared.meets(server, 3)


def idle_limit(trial: Trial) -> None:
    with trial.serve(*limits(idle=SHORT), "desk") as server:
        begin = time.monotonic()
        silent, good = server.greeted(), server.connect()
        gone(silent, f"said nothing (--idle-timeout={SHORT})")
        if time.monotonic() - begin < SHORT_S * 0.8:
            silent.fail(f"was sent away before {SHORT} had passed")
        good.said = "came behind one that says nothing,"
        good.greeted()
        good.ask(b"echo hi", b"ok echo hi")
        gone(good, f"said one line, then nothing (--idle-timeout={SHORT})")


def silent_crowd(trial: Trial) -> None:
    with trial.serve(*limits(idle=SHORT, threads=3), "desk") as server:
        for _ in range(6):
            server.connect()
        good = server.connect()
        good.said = "came behind six that say nothing (--threads=3),"
        good.greeted()
        good.ask(b"echo hi", b"ok echo hi")


def request_limit(trial: Trial) -> None:
    with trial.serve(*limits(request=SHORT), "desk") as server:
        client = server.greeted()
        client.ask(b"echo hi", b"ok echo hi")
        client.send(b"echo half a li")
        gone(client, f"sent half a line and no more (--request-timeout={SHORT})")
        server.greeted().ask(b"echo hi", b"ok echo hi")


def dribble(trial: Trial) -> None:
    with trial.serve(*limits(idle=LONG, request=SHORT), "desk") as server:
        client = server.greeted()
        begin, sent = time.monotonic(), 0
        client.send(b"e")
        client.taken()
        client.send(b"cho ")
        while not client.hears(0.04):
            if time.monotonic() - begin > trial.limits.patience + 4 * SHORT_S:
                client.fail(
                    f"after {time.monotonic() - begin:.1f} s of a byte each 40 ms it is still served, although --request-timeout={SHORT}"
                )
            client.send(b"x", "sent one byte every 40 ms and no end of line")
            sent += 1
        gone(client, "sent one byte every 40 ms and no end of line")


def honest(trial: Trial) -> None:
    flags = limits(idle="400ms", request="400ms")
    with trial.serve(*flags, "desk") as server:
        client = server.greeted()
        client.ask(b"sleep 600", b"ok sleep 600")
        begin = time.monotonic()
        while time.monotonic() - begin < 0.6:
            client.send(b"echo in ")
            client.hears(0.03)
            client.send(
                b"two pieces\n", "sent one request after the other, each in two pieces,"
            )
            client.expect(b"ok echo in two pieces\n")
        client.send(
            b"".join(b"echo %d\n" % n for n in range(300)), "sent 300 requests at once"
        )
        for number in range(300):
            client.expect(b"ok echo %d\n" % number)


def backlog(trial: Trial) -> None:
    wanted = 3
    with trial.serve(
        "--threads=1", "--queue=0", f"--backlog={wanted}", "desk"
    ) as server:
        first = server.greeted()
        held = server.connect()  # the accept loop has this one, and waits for a place
        shared.all_accepted(server)
        crowd = [socket.socket() for _ in range(wanted + 6)]
        try:
            for one in crowd:
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", server.port))
            time.sleep(0.05)  # the kernel answers at once, or drops
            connected = sum(
                one.connect_ex(("127.0.0.1", server.port)) in (0, 106) for one in crowd
            )
        finally:
            for one in crowd:
                one.close()
        held.silent("the one worker is busy", 0)
        if connected != wanted + 1:
            raise Failed(
                f"{len(crowd)} clients came while nobody accepted, with --backlog={wanted}: the kernel let in {connected}; it lets in one more than the backlog, so {wanted + 1}"
            )


def many_idle(trial: Trial) -> None:
    with trial.serve(*limits(threads=3), "desk") as server:
        server.idle("while nobody is there")
        client = server.greeted()
        client.send(b"echo half a li")
        server.greeted()
        server.idle("while one client says nothing and one has sent half a line")


def stops(trial: Trial) -> None:
    with trial.serve(*limits(request=SHORT, threads=3), "desk") as server:
        works, idle, half = server.greeted(), server.greeted(), server.greeted()
        works.send(b"sleep 200\n")
        half.send(b"echo half a li")
        server.in_service(works, half)
        server.process.send_signal(signal.SIGTERM)
        works.said = 'sent "sleep 200", then the server was sent SIGTERM,'
        works.expect(b"ok sleep 200\n")
        idle.said = "was idle when the server was sent SIGTERM,"
        idle.ended()
        gone(half, "had sent half a line when the server was sent SIGTERM,")
        if server.ends("SIGTERM was sent, and the last deadline has passed") != 0:
            raise Failed(
                f"after SIGTERM the server ended with status {server.process.returncode}"
            )
        summary = server.output().splitlines()[-1]
        if not re.search(r"\b1 timed out, 0 lost\b", summary):
            raise Failed(
                f'one client ran out of time and none was lost, but the summary says "{summary}"'
            )
    with trial.serve(*limits(), "desk") as server:
        server.greeted().bye()
        server.ends_in_order()


STAGES = [
    Stage(
        "greet",
        10,
        "one client after the other is greeted and answered",
        lambda trial: shared.greets(trial, "--threads=2"),
        READ + "#the-diff",
        (
            "What must be true before reader_begin returns 1?",
            "reader_begin: the first byte is there, or it was there before. wait_or_notified: poll.",
            "reader_begin: if (in->start == in->end) receive(in, deadline_after(wait_limits.idle_ns), ...)\nwait_or_notified: int ready = poll(polled, 3, milliseconds_until(deadline));",
        ),
    ),
    Stage(
        "pool",
        5,
        "three workers serve three clients at once",
        pool,
        READ,
        (
            "Does one wait keep another from waiting?",
            "wait_or_notified: its variables are its own.",
            "struct pollfd polled[] = {...}; inside the function, not static",
        ),
        ("greet",),
    ),
    Stage(
        "idle",
        15,
        "a silent client is sent away, and the next is served",
        idle_limit,
        READ + "#the-diff",
        (
            "From when does the idle limit run, and who measures it?",
            "reader_begin computes the deadline; wait_or_notified returns LATE when it has passed.",
            "receive(in, deadline_after(wait_limits.idle_ns), in_recv)",
        ),
        ("greet",),
    ),
    Stage(
        "crowd",
        10,
        "six silent clients hold three workers only for a time",
        silent_crowd,
        READ,
        (
            "What becomes of a worker whose client was sent away?",
            "reader_begin returns -1 with ETIMEDOUT: the service says so and the worker takes the next.",
            "if (size <= 0) return (int)size;",
        ),
        ("idle",),
    ),
    Stage(
        "request",
        15,
        "a request that does not end is cut at its limit",
        request_limit,
        READ + "#the-diff",
        (
            "From when does the request limit run?",
            "reader_begin: in->deadline, when the first byte is there.",
            "in->deadline = deadline_after(wait_limits.request_ns);",
        ),
        ("greet",),
    ),
    Stage(
        "dribble",
        15,
        "one byte at a time buys no time",
        dribble,
        READ,
        (
            "Does your deadline move when a byte comes?",
            "The deadline is a moment, not a length of time: computed once for each request.",
            "reader_fill waits until in->deadline, which only reader_begin sets. wait_or_notified looks at the clock before it polls.",
        ),
        ("request",),
    ),
    Stage(
        "honest",
        10,
        "long work and many requests are not cut",
        honest,
        READ,
        (
            "For what does a limit count: the visit, a request, or a pause?",
            "reader_begin: both deadlines are new for each request.",
            "deadline_after(...) each time reader_begin is called",
        ),
        ("request", "idle"),
    ),
    Stage(
        "wait",
        5,
        "uses no CPU while it waits",
        many_idle,
        READ,
        (
            "What timeout does poll get when the deadline is NEVER? When it is half a millisecond away?",
            "milliseconds_until: -1 for NEVER, and round up.",
            "(deadline - now_ns() + NS_PER_MS - 1) / NS_PER_MS",
        ),
        ("greet",),
    ),
    Stage(
        "backlog",
        5,
        "the kernel holds as many as --backlog says, and one",
        backlog,
        "docs/4b-backlog.md#the-code",
        (
            "Who keeps connections that nobody has accepted, and how many?",
            "main: the number that is given to listen.",
            "service_listen(backlog)",
        ),
        ("greet",),
    ),
    Stage(
        "stop",
        10,
        "a stop ends, even with half a request (strict)",
        stops,
        "docs/4-timeouts-backlog.md#closing-time",
        (
            "Which waits may a stop end, and which does a deadline end?",
            "wait_or_notified: stop_fd() beside the socket, if ends_on_stop. "
            "reader_begin: after a stop was asked for, no request begins.",
            "{.fd = ends_on_stop ? stop_fd() : -1, .events = POLLIN}, and in "
            "reader_begin: if (stop_requested()) return 0;",
        ),
        ("request", "idle"),
        strict=True,
    ),
]
