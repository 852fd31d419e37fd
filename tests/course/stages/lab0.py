"""Lab 0: a server from nothing. Its contract: one argument, the port; each line comes back."""

import re
import select
import signal
import socket

from tests.course.server import Trial
from tests.course.talk import Client, Failed
from tests.course.trial import Stage

READ = "docs/0-tcp-server.md"
MANY = b"".join(b"%d %s\n" % (number, b"x" * 990) for number in range(6000))  # 6 MB


def fill(client: Client, data: memoryview) -> memoryview:
    """Send until nothing more is taken for a moment; returns what is left."""
    client.socket.setblocking(False)
    try:
        while data and select.select([], [client.socket], [], 0.1)[1]:
            data = data[client.socket.send(data[:65536]) :]
    except OSError as error:
        client.fail(f"saw an error: {error.strerror}")
    return data


def both_ways(client: Client, data: bytes) -> bytes:
    """Send and read at the same time, until as much has come back or nothing moves."""
    client.said = f"sent {len(data)} bytes of lines"
    rest = fill(client, memoryview(data))
    got = bytearray()
    while len(got) < len(data):
        ready = select.select(
            [client.socket], [client.socket] if rest else [], [], client.limits.left()
        )
        if not ready[0] and not ready[1]:
            client.fail(f"only {len(got)} of {len(data)} bytes came back")
        try:
            if ready[1]:
                rest = rest[client.socket.send(rest[:65536]) :]
            if ready[0]:
                part = client.socket.recv(65536)
                got += part
                if not part:
                    break
        except BlockingIOError:
            continue
        except OSError as error:
            client.fail(f"saw an error: {error.strerror}")
    return bytes(got)


def announces(trial: Trial) -> None:
    with trial.serve() as server:
        line = server.output().splitlines()[0]
        if not re.fullmatch(r"listening on 127\.0\.0\.1:\d+", line):
            raise Failed(
                f'the first line is "{line[:60]}", not "listening on 127.0.0.1:PORT"'
            )
        if server.port == 0:
            raise Failed(
                "for port 0 the line must name the port that the kernel chose, and it says 0"
            )
        server.connect()


def echoes(trial: Trial) -> None:
    with trial.serve() as server:
        client = server.connect()
        client.ask(b"hello", b"hello")
        client.ask(b"hello again", b"hello again")


def next_client(trial: Trial) -> None:
    with trial.serve() as server:
        for word in b"one", b"two", b"three":
            client = server.connect()
            client.ask(word, word)
            client.bye()


def waits_in_line(trial: Trial) -> None:
    with trial.serve() as server:
        first, second = server.connect(), server.connect()
        second.send(b"I am second\n")
        first.ask(b"I am first", b"I am first")
        first.bye()
        second.expect(b"I am second\n")


def pieces(trial: Trial) -> None:
    with trial.serve() as server:
        client = server.connect()
        for byte in b"in pieces\n":
            client.send(bytes([byte]), 'sent "in pieces" one byte at a time')
            client.taken()  # so that each is read alone
        client.expect(b"in pieces\n")
        client.ask(b"", b"")


def several(trial: Trial) -> None:
    with trial.serve() as server:
        client = server.connect()
        client.send(b"one\ntwo\nthree\n")
        for line in b"one\n", b"two\n", b"three\n":
            client.expect(line)
        client.send(b"a \0 byte\n")
        client.expect(b"a \0 byte\n")


def much(trial: Trial) -> None:
    with trial.serve() as server:
        client = server.connect(window=4096)
        got = both_ways(client, MANY)
        if got != MANY:
            client.fail(
                f"{len(got)} bytes came back, not all of them as they were sent"
            )


def still_there(server) -> None:
    client = server.connect()
    client.send(b"still there?\n", "came after one that had vanished")
    client.expect(b"still there?\n")
    client.close()


def vanishes(trial: Trial) -> None:
    with trial.serve() as server:
        client = server.connect()
        client.ask(b"hello", b"hello")
        client.said = "sent many lines and read nothing"
        fill(client, memoryview(MANY))
        client.reset()
        still_there(server)
        # Frozen, the server finds lines, and behind them a client that has closed: its first
        # write brings a reset, and its second one is to a connection that is gone.
        client = server.connect()
        client.ask(b"hello", b"hello")
        server.process.send_signal(signal.SIGSTOP)
        client.send(MANY[:40_000])
        client.close()
        server.process.send_signal(signal.SIGCONT)
        still_there(server)


def idle(trial: Trial) -> None:
    with trial.serve() as server:
        server.idle("while nobody is there")
        client = server.connect()
        client.ask(b"hello", b"hello")
        server.idle("while a client says nothing")
        client.bye()
        server.idle("after a client has left")


def restarts(trial: Trial) -> None:
    with trial.serve() as server:
        port = server.port
        client = server.connect()
        client.ask(b"hello", b"hello")
        server.process.kill()  # the server closes first, and its port rests for a minute
        server.process.wait()
        client.rest()
        client.close()
    with trial.serve(str(port)) as server:
        if server.port != port:
            raise Failed(
                f"the server was started on port {port} and listens on {server.port}"
            )
        server.connect().ask(b"back again", b"back again")


def port_taken(trial: Trial) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = trial.serve(str(port))
        try:
            with server:
                raise Failed(
                    f"port {port} was taken by another program, and the server says that it listens on {server.port}"
                )
        except Failed as failure:
            if server.process.returncode in (None, 0) or "listens on" in str(failure):
                if "ended without a line" in str(failure):
                    raise Failed(
                        f"port {port} was taken, and the server ended with status 0: as if all were well"
                    ) from None
                raise
            if server.process.returncode < 0:
                raise
            if not server.errors():
                raise Failed(
                    f"port {port} was taken, and the server ended without a word on standard error"
                ) from None
        trial.evidence.clear()


def leaves_nothing(trial: Trial) -> None:
    with trial.serve() as server:
        for number in range(100):
            client = server.connect()
            client.ask(b"hello", b"hello")
            client.reset() if number % 2 else client.bye()
        server.returns_to(server.at_start, 1)
        server.says_nothing()
        extra = server.output().splitlines()[1:]
        if extra:
            raise Failed(
                f'standard output is for the one line with the port; there is also "{extra[0][:60]}"'
            )


STAGES = [
    Stage(
        "announce",
        10,
        "says where it listens, and takes a connection",
        announces,
        READ,
        (
            "After bind, how does your program learn which port the kernel chose?",
            "getsockname(2) after bind; the line must leave before accept blocks.",
            'getsockname(listener, (struct sockaddr *)&address, &size);\nprintf("listening on 127.0.0.1:%d\\n", ntohs(address.sin_port));\nfflush(stdout);',
        ),
    ),
    Stage(
        "echo",
        15,
        "sends a line back",
        echoes,
        READ,
        (
            "What does accept return, and which of your two sockets do you read from?",
            "In serve_client: read(2) gives how many bytes came; write back that many.",
            "while ((length = read(client, bytes, sizeof bytes)) > 0)\n    write all of bytes[0 .. length)",
        ),
        ("announce",),
    ),
    Stage(
        "next",
        10,
        "serves one client after the other",
        next_client,
        READ,
        (
            "What does read return when the client has closed, and what do you do then?",
            "The accept loop: after read has returned 0, close(client) and accept the next.",
            "while (1) { int client = accept(listener, NULL, NULL); serve_client(client); close(client); }",
        ),
        ("echo",),
    ),
    Stage(
        "line",
        5,
        "one who comes early is served when the first has left",
        waits_in_line,
        READ,
        (
            "Who keeps a client, and what it sends, while your program is busy?",
            "listen(2): its second argument is how many may wait.",
            "listen(listener, SOMAXCONN)",
        ),
        ("next",),
    ),
    Stage(
        "pieces",
        10,
        "a line may come one byte at a time",
        pieces,
        READ,
        (
            "Is one read one line?",
            "read(2) returns what is there: a part of a line, or several lines.",
            "Do not wait for a whole line: send back every piece as it comes.",
        ),
        ("echo",),
    ),
    Stage(
        "several",
        10,
        "several lines may come at once, of any bytes",
        several,
        READ,
        (
            "How many bytes does your write send, and where does that number come from?",
            "The third argument of write: what read returned, not strlen.",
            "write(client, bytes, (size_t)length)",
        ),
        ("echo",),
    ),
    Stage(
        "much",
        10,
        "6 MB come back to a slow reader",
        much,
        READ,
        (
            "What does write return when there is room for a part only?",
            "Around write: a loop, until all that was read is written.",
            "for (ssize_t i = 0; i < length; i += sent)\n    if ((sent = write(client, bytes + i, (size_t)(length - i))) == -1) return;",
        ),
        ("echo",),
    ),
    Stage(
        "vanish",
        10,
        "outlives clients that vanish",
        vanishes,
        READ,
        (
            "What does the kernel do to a process that writes to a connection that is gone?",
            "signal(7): SIGPIPE ends the process unless it is ignored. And write then returns -1.",
            "signal(SIGPIPE, SIG_IGN); before the loop, and leave serve_client when write returns -1",
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
            "What does read return at the end of the input: once, or each time you ask?",
            "The loop around read: 0 is the end, and -1 is an error. Both end it.",
            "while ((length = read(...)) > 0)",
        ),
        ("next",),
    ),
    Stage(
        "restart",
        5,
        "starts again at once on the same port",
        restarts,
        READ,
        (
            "Which side closed first, and who keeps the port for a minute?",
            "Before bind: setsockopt with SO_REUSEADDR.",
            "int on = 1;\nsetsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); /* before bind */",
        ),
        ("echo",),
    ),
    Stage(
        "taken",
        5,
        "a port that is taken is told, with a status that is not 0",
        port_taken,
        READ,
        (
            "What happens when bind fails?",
            "bind and listen return -1: say why (perror, or err(3)) and exit with 1.",
            'if (bind(...) == -1) err(EXIT_FAILURE, "cannot listen on port %s", argv[1]);',
        ),
        ("announce",),
    ),
    Stage(
        "leave",
        5,
        "100 clients leave nothing behind (strict)",
        leaves_nothing,
        READ,
        (
            "How many sockets does your program hold when nobody is there?",
            "Every path out of serve_client must lead to close(client).",
            "close(client); after serve_client, whatever happened in it",
        ),
        ("next",),
        strict=True,
    ),
]
