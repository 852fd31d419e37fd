"""Lab 1: one client at a time. What a client sees of the accept loop, of write-all and read-a-line."""

import signal

from tests.course.server import Server, Trial
from tests.course.stages.lab0 import MANY as MANY_LINES
from tests.course.stages.lab0 import both_ways
from tests.course.talk import Failed
from tests.course.trial import Stage

READ = "docs/1-sequential.md"
SOCKETS = "docs/a-sockets.md"
MAX_LINE = 4096
MANY = 200


def greets(trial: Trial) -> None:
    with trial.serve() as server:
        number = server.connect().greeted()
        if number != 1:
            raise Failed(f"the first client was greeted as client {number}")


def echoes(trial: Trial) -> None:
    with trial.serve("echo") as server:
        client = server.greeted()
        client.ask(b"hello", b"hello")
        client.ask(b"a \0 byte", b"a \0 byte")
        client.ask(b"", b"")
    with trial.serve("desk") as server:
        client = server.greeted()
        client.ask(b"echo hi", b"ok echo hi")
        client.ask(b"sleep 1", b"ok sleep 1")
        client.ask(b"quit", b"bye")


def next_client(trial: Trial) -> None:
    with trial.serve("desk") as server:
        for number in 1, 2, 3:
            client = server.connect()
            if client.greeted() != number:
                client.fail("was greeted by another number")
            client.ask(b"echo hi", b"ok echo hi")
            client.ask(b"quit", b"bye")


def one_at_a_time(trial: Trial) -> None:
    with trial.serve("desk") as server:
        first = server.greeted()
        second = server.connect()
        second.send(b"echo early\n")
        first.ask(b"barrier 1", b"ok barrier 1")
        second.silent("client 1 is still being served")
        first.bye()
        second.greeted()
        second.expect(b"ok echo early\n")


def pieces(trial: Trial) -> None:
    with trial.serve("desk") as server:
        client = server.greeted()
        for byte in b"echo in pieces\r\n":
            client.send(bytes([byte]), 'sent "echo in pieces" one byte at a time')
            client.taken()  # so that each is read alone
        client.expect(b"ok echo in pieces\n")
        client.send(b"echo two")
        client.taken()
        client.send(b"\n", 'sent "echo two", and later its end of line alone,')
        client.expect(b"ok echo two\n")
        client.ask(b"echo whole", b"ok echo whole")


def segment(trial: Trial) -> None:
    with trial.serve("desk") as server:
        client = server.greeted()
        lines = b"".join(b"echo %d\n" % number for number in range(MANY))
        client.send(lines + b"echo the ha", f"sent {MANY} requests and a half at once")
        for number in range(MANY):
            client.expect(b"ok echo %d\n" % number)
        client.silent("its last line has no end yet", 0.02)
        client.send(b"lf\n")
        client.expect(b"ok echo the half\n")


def long_lines(trial: Trial) -> None:
    with trial.serve("echo") as server:
        client = server.greeted()
        client.ask(b"x" * MAX_LINE, b"x" * MAX_LINE)
        client.ask(b"y" * MAX_LINE, b"y" * MAX_LINE)
        lines = [b"%d" % number + b"z" * 3001 + b"\n" for number in range(20)]
        client.send(b"".join(lines), "sent 20 lines of 3 KB at once")
        for line in lines:  # some lie across the end of the server's buffer
            client.expect(line)
        client.send(
            b"x" * (MAX_LINE + 1) + b"\n", f"sent a line of {MAX_LINE + 1} bytes"
        )
        if not client.line().startswith(b"error line too long"):
            client.fail("was not told that it is too long")
        server.connect().greeted()


def slow_reader(trial: Trial) -> None:
    size = 3_000_000
    with trial.serve("desk") as server:
        client = server.connect(window=4096)
        client.greeted()
        client.send(
            b"bytes %d\necho after\n" % size,
            f"asked for {size} bytes, and reads slowly",
        )
        client.expect(b"ok bytes %d\n" % size)
        got = client.read(size)
        if len(got) < size or got.strip(b"x"):
            client.fail(f"got {len(got)} bytes, {len(got.strip(b'x'))} of them wrong")
        client.expect(b"ok echo after\n")
    with trial.serve("echo") as server:
        client = server.connect(window=4096)
        client.greeted()
        got = both_ways(client, MANY_LINES)
        if got != MANY_LINES:
            client.fail("the bytes that came back are not those that were sent")


def rude(trial: Trial) -> None:
    with trial.serve("desk") as server:
        client = server.greeted()
        client.send(b"bytes 900000000\n")
        client.read(1000)
        client.reset()
        client = server.connect()
        client.reset()
        client = server.greeted()
        client.send(b"echo half a li")
        client.bye()
        server.greeted().ask(b"echo still there", b"ok echo still there")


def idle(trial: Trial) -> None:
    with trial.serve("desk") as server:
        server.idle("while nobody is there")
        client = server.greeted()
        server.idle("while a client says nothing")
        client.send(b"echo half a li")
        server.idle("while a client has sent half a line")


def leaves_nothing(trial: Trial) -> None:
    with trial.serve("echo") as server:
        for number in range(100):
            client = server.greeted()
            client.ask(b"hello", b"hello")
            client.reset() if number % 2 else client.bye()
        server.returns_to(server.at_start, 1)


def counts_lost(server: Server, when: str) -> None:
    if " 1 lost" not in server.output():
        raise Failed(f"a client was reset {when}, and the summary does not say 1 lost")


def stops(trial: Trial) -> None:
    with trial.serve("desk") as server:
        client = server.greeted()
        client.send(b"sleep 200\n")
        server.in_service(client)
        server.process.send_signal(signal.SIGTERM)
        client.said = 'sent "sleep 200", then the server was sent SIGTERM,'
        client.expect(b"ok sleep 200\n")
        if server.ends("the last client was answered after SIGTERM") != 0:
            raise Failed(
                f"after SIGTERM the server ended with status {server.process.returncode}"
            )
    with trial.serve("echo") as server:
        half = server.greeted()
        half.send(b"a line\nhalf a li")
        half.expect(b"a line\n")  # with it the half has been read
        half.reset()
        server.greeted().bye()
        server.ends_in_order()
        counts_lost(server, "in the middle of a line")
    with trial.serve("desk") as server:
        gone = server.greeted()
        gone.send(b"bytes 900000000\n")
        gone.read(1000)
        gone.reset()
        server.greeted().bye()
        server.ends_in_order()
        counts_lost(server, "in the middle of a reply")


STAGES = [
    Stage(
        "greet",
        10,
        "greets a client",
        greets,
        READ + "#the-code",
        (
            "Which function waits for a client, and which one talks with it?",
            "main: the loop around tcp_accept. serve_client. And write_all, which the greeting goes through.",
            "while ((client = tcp_accept(listener)) != -1)\n    serve_client(client);\nserve_client: service_talk(client);\nwrite_all: a loop around send(client, rest, size, MSG_DONTWAIT)",
        ),
    ),
    Stage(
        "echo",
        10,
        "answers lines",
        echoes,
        READ + "#the-code",
        (
            "What must reader_next_line find before it can return, and what does it give back?",
            "reader_next_line: memchr for LF between start and end; reader_fill when there is none.",
            "*line = in->bytes + in->start;\nin->start += length; /* with the LF */\nreturn (ssize_t)length;",
        ),
        ("greet",),
    ),
    Stage(
        "next",
        10,
        "serves the next client when one has left",
        next_client,
        READ + "#the-code",
        (
            "Who closes the socket of a client that has been served?",
            "serve_client: who accepts, closes.",
            "service_talk(client);\nclose(client);",
        ),
        ("echo",),
    ),
    Stage(
        "order",
        10,
        "the second client waits until the first has left",
        one_at_a_time,
        READ + "#run",
        (
            "Where is a client that has connected and that nobody has accepted?",
            "main: accept, serve to the end, then accept again.",
            "The kernel keeps it, and what it sends: only do not accept before you are free.",
        ),
        ("next",),
    ),
    Stage(
        "pieces",
        10,
        "a line may come one byte at a time",
        pieces,
        SOCKETS,
        (
            "What if there is no LF yet in what has come?",
            "reader_next_line: the loop. reader_fill may move the bytes, so compute your pointers anew after it.",
            "for (;;) {\n    char *begin = in->bytes + in->start;\n    char *lf = memchr(begin, '\\n', in->end - in->start);\n    if (lf == NULL) { fill, and look again }\n}",
        ),
        ("echo",),
    ),
    Stage(
        "segment",
        10,
        "many lines may come at once",
        segment,
        SOCKETS,
        (
            "What becomes of the bytes behind the first LF?",
            "reader_next_line: take one line only; start moves behind its LF, end stays.",
            "size_t length = (size_t)(lf - begin) + 1;\nin->start += length;",
        ),
        ("echo",),
    ),
    Stage(
        "long",
        10,
        "a line of 4096 bytes passes, a longer one is told so",
        long_lines,
        SOCKETS,
        (
            "How long may a line be that has no LF yet?",
            "reader_next_line: compare with longest, CR and LF not counted, before you read on.",
            "if (length without CR and LF > longest) { errno = EMSGSIZE; return -1; }",
        ),
        ("pieces",),
    ),
    Stage(
        "slow",
        10,
        "3 MB reach a slow reader whole",
        slow_reader,
        SOCKETS,
        (
            "What does send return when there is room for a part only? And for nothing?",
            "write_all: go on behind what was sent; after -1 ask wait_to_write.",
            "if (sent >= 0) { rest += sent; size -= (size_t)sent; }\nelse if (wait_to_write(client) == -1) return -1;",
        ),
        ("echo",),
    ),
    Stage(
        "rude",
        5,
        "outlives clients that vanish",
        rude,
        SOCKETS,
        (
            "What does write_all return when the client has gone?",
            "write_all: -1 when wait_to_write says -1, and the service ends the visit.",
            "else if (wait_to_write(client) == -1) return -1;",
        ),
        ("next",),
    ),
    Stage(
        "idle",
        5,
        "uses no CPU while nobody says anything",
        idle,
        READ,
        (
            "Which of your loops goes round although nothing has changed?",
            "reader_next_line: reader_fill returns 0 at the end of the input, then no LF will ever come.",
            "if (more <= 0) leave the loop",
        ),
        ("next",),
    ),
    Stage(
        "leave",
        5,
        "100 clients leave nothing behind (strict)",
        leaves_nothing,
        READ,
        (
            "How many descriptors does the server hold when nobody is there?",
            "serve_client: close, whatever the service did.",
            "service_talk(client);\nclose(client);",
        ),
        ("next",),
        strict=True,
    ),
    Stage(
        "stop",
        5,
        "a stop finishes the request in service (strict)",
        stops,
        "docs/b-clean-up.md",
        (
            "What does tcp_accept return when the server is to stop, and what does main do then?",
            "main: leave the loop on -1 and return visits_report().",
            "while ((client = tcp_accept(listener)) != -1)\n    serve_client(client);\nreturn visits_report();",
        ),
        ("next",),
        strict=True,
    ),
]
