"""The two clients: the one to talk with, and the crowd of the stress test."""

import contextlib
import os
import pty
import re
import resource
import signal
import socket
import struct
import subprocess
import threading

import pytest

from tests.helpers.labs import find_labs
from tests.helpers.setting import (
    BUILD,
    GUARD_S,
    as_another_user,
    linux_only,
    run,
    until,
)

CLIENT = BUILD / "lab1-sequential" / "client"
STRESS = BUILD / "lab2-thread-per-client" / "stress"
LAB = find_labs()[-1]

pytestmark = pytest.mark.skipif(
    not (CLIENT.exists() and STRESS.exists()), reason="the clients are not built"
)


@contextlib.contextmanager
def answering(talk):
    """A server that gives each connection to talk, in a thread of its own. Yields its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def serve(connection):
            with connection, contextlib.suppress(OSError):
                talk(connection)

        def accept_all():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(
                        target=serve, args=[connection], daemon=True
                    ).start()

        threading.Thread(target=accept_all, daemon=True).start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the accept, unlike close


@contextlib.contextmanager
def nobody_listening():
    """Yields a port that is taken, so that nobody else takes it, and refuses."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def talk_to(port, typed=b"", **options):
    """Run the client with what is typed in a pipe."""
    with subprocess.Popen(
        [CLIENT, f"--port={port}"],
        **{
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **options,
        },
    ) as process:
        try:
            shown, errors = process.communicate(typed, timeout=GUARD_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(
                f"the client has not ended after {GUARD_S:g} s"
            ) from None
    return process.returncode, shown, errors.decode()


# --- the client to talk with, in a pipe ----------------------------------------------------


def test_the_client_works_in_a_pipe(service):
    with LAB.serve(service.name) as server:
        asked = service.request(b"one") + service.request(b"two")
        expected = (
            b"Hello, client 1.\n" + service.answer(b"one") + service.answer(b"two")
        )
        assert talk_to(server.port, asked) == (0, expected, "")


def test_the_client_works_with_nothing_to_say():
    with LAB.serve("echo") as server:
        assert talk_to(server.port) == (0, b"Hello, client 1.\n", "")


def test_the_client_sends_a_last_line_without_its_end():
    with LAB.serve("echo") as server:
        assert talk_to(server.port, b"half") == (0, b"Hello, client 1.\nhalf", "")


def test_the_client_waits_for_the_whole_answer():
    with LAB.serve("desk") as server:
        status, shown, errors = talk_to(server.port, b"sleep 50\nbytes 3000000\n")
        assert (status, errors) == (0, "")
        assert (
            shown
            == b"Hello, client 1.\nok sleep 50\nok bytes 3000000\n" + b"x" * 3_000_000
        )


@pytest.mark.mistake("M7")
def test_the_client_reads_while_it_sends():
    """A client that first sends all and then reads all waits for a server that does the same."""
    typed = (b"to and fro " * 100 + b"\n") * 15_000  # more than the kernel takes
    with LAB.serve("echo") as server:
        status, shown, errors = talk_to(server.port, typed)
        assert (status, errors) == (0, "")
        assert len(shown) == len(b"Hello, client 1.\n") + len(typed)


def test_the_client_passes_every_byte():
    typed = bytes(range(256)) + b"\n"
    with LAB.serve("echo") as server:
        assert talk_to(server.port, typed) == (0, b"Hello, client 1.\n" + typed, "")


# --- how it ends ---------------------------------------------------------------------------


def test_the_client_says_that_nobody_listens():
    with nobody_listening() as port:
        status, shown, errors = talk_to(port)
    assert (status, shown) == (1, b"")
    assert "refused" in errors and str(port) in errors and errors.count("\n") == 1


def test_the_client_says_that_the_server_closed():
    """While standard input is open, so that it was not the client who ended it."""
    reading, writing = os.pipe()
    with answering(lambda connection: connection.sendall(b"good night\n")) as port:
        status, shown, errors = talk_to(port, stdin=reading)
    os.close(reading)
    os.close(writing)
    assert (status, shown) == (0, b"good night\n")
    assert errors == "the server has closed the connection\n"


def test_the_client_says_that_the_connection_was_reset():
    with answering(reset) as port:
        status, shown, errors = talk_to(port)
    assert (status, shown) == (1, b"")
    assert "reset" in errors and errors.count("\n") == 1


@linux_only
def test_the_client_says_that_nobody_takes_what_it_shows():
    with LAB.serve("echo") as server, open("/dev/full", "w") as full:
        status, _, errors = talk_to(server.port, b"hi\n", stdout=full)
    assert status == 1
    assert "No space left" in errors and errors.count("\n") == 1


@pytest.mark.parametrize("program", [CLIENT, STRESS], ids=["client", "stress"])
@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--port=0"], "--port=0"),
        (["--port=65536"], "--port=65536"),
        (["--prot=1"], "--prot=1"),
        (["9000"], "9000"),
        (["--port"], "--port"),
    ],
)
def test_clients_say_what_they_cannot_use(program, arguments, named):
    done = run([str(program), *arguments])
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("program", [CLIENT, STRESS], ids=["client", "stress"])
def test_clients_say_that_a_host_cannot_be_resolved(program):
    host = "x" * 64 + ".invalid"
    done = run([str(program), f"--host={host}"], stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert host in done.stderr and done.stderr.count("\n") == 1


# --- at a terminal -------------------------------------------------------------------------


@contextlib.contextmanager
def client_at_a_terminal(port):
    """Yields the client's process, and a function that waits until its screen shows words."""
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [CLIENT, f"--port={port}"], stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    os.set_blocking(keyboard, False)
    screen = []

    def has_shown(words):
        with contextlib.suppress(OSError):  # nothing there, or the client has gone
            screen.append(os.read(keyboard, 65536))
        return words in b"".join(screen)

    def until_shown(words):
        until(
            lambda: has_shown(words), f"the screen shows {words!r}, not only {screen}"
        )

    try:
        yield process, keyboard, until_shown
    finally:
        process.kill()
        process.wait()
        os.close(keyboard)


def test_the_client_shows_at_once_what_it_did_not_ask_for():
    may_close = threading.Event()

    def talk(connection):
        connection.sendall(b"news, without a line end")
        may_close.wait(GUARD_S)

    with answering(talk) as port, client_at_a_terminal(port) as (
        process,
        _,
        until_shown,
    ):
        until_shown(b"news, without a line end")
        may_close.set()
        until_shown(b"the server has closed the connection")
        assert process.wait(GUARD_S) == 0


def test_ctrl_d_ends_the_client_when_all_was_shown():
    with LAB.serve("desk") as server:
        with client_at_a_terminal(server.port) as (process, keyboard, until_shown):
            until_shown(b"Hello, client 1.")
            os.write(keyboard, b"echo hi\n")
            until_shown(b"ok echo hi")
            os.write(keyboard, b"sleep 50\n\x04")
            until_shown(b"ok sleep 50")
            assert process.wait(GUARD_S) == 0


# --- the stress test -----------------------------------------------------------------------


def stress(port, *arguments):
    return run([str(STRESS), f"--port={port}", *arguments])


def rows_of(done):
    """The rows of the table: the client's number, and what else stands there."""
    return re.findall(r"^ *(\d+)  +(.*)$", done.stdout, re.MULTILINE)


def assert_all_failed(done, count, reason):
    rows = rows_of(done)
    assert (
        done.returncode == 1
    ), f"exit status {done.returncode} although all went wrong"
    assert sorted(int(number) for number, _ in rows) == list(range(1, count + 1))
    for _, words in rows:
        assert reason in words, f"expected {reason!r} as the reason, read {words!r}"
    assert f"{count} of {count}" in done.stderr and done.stderr.count("\n") == 1


def test_every_lab_serves_the_whole_crowd(lab, service):
    with lab.serve(service.name) as server:
        done = stress(server.port, "--clients=20", "--say=sleep 1")
        assert (done.returncode, done.stderr) == (0, "")
        rows = rows_of(done)
        assert sorted(int(number) for number, _ in rows) == list(range(1, 21))
        for _, columns in rows:
            assert re.fullmatch(r"(\d+\.\d+ m?s +){3}\|\.*#+", columns), columns
        *_, sentence = done.stdout.strip().split("\n\n")
        assert re.search(
            r"first .*greeted after\s.*last after.*whole took\s.*\.$",
            sentence,
            re.DOTALL,
        )
        assert server.stop().served == 20


def test_the_crowd_asks_for_20_times_100_ms_unless_told_otherwise():
    options = run([str(STRESS), "--help"]).stdout
    assert "--clients=20\n" in options and "--say=sleep 100\n" in options


def told_before(command: list[str], **options: object) -> str:
    """The first line on standard error of a crowd that finds no server."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=GUARD_S, **options
    )
    assert done.returncode == 1
    return done.stderr.splitlines()[0]


def test_the_crowd_says_first_that_descriptors_are_too_few():
    few = (64, 64)
    said = told_before(
        [str(STRESS), "--clients=100", "--port=1"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few),
    )
    assert "--clients=100 needs 110 descriptors, but may have 64: " in said
    assert "(more: ulimit -n 110; or ask for less)" in said


@linux_only
def test_the_crowd_says_first_that_threads_are_too_few():
    said = told_before(
        [*as_another_user(), str(STRESS), "--clients=100", "--port=1"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (64, 64)),
    )
    assert "--clients=100 needs 100 threads, but may have 64: " in said
    assert "(more: ulimit -u 100; or ask for less)" in said


@linux_only
def test_the_crowd_says_first_that_ports_are_too_few():
    """In a network of its own, where a kernel gives ten."""
    few = 'echo 40000 40009 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"'
    said = told_before(
        ["unshare", "-rn", "sh", "-c", few, "sh", str(STRESS), "--port=1"]
    )
    assert "--clients=20 needs 20 ports, but may have 10: " in said
    assert "(more: sysctl net.ipv4.ip_local_port_range; or ask for less)" in said


def test_the_crowd_finds_nobody():
    with nobody_listening() as port:
        assert_all_failed(stress(port, "--clients=3"), 3, "refused")


def test_the_crowd_is_told_that_the_server_is_busy(pool):
    with pool.serve("desk", "--threads=1", "--queue=0", "--when-full=refuse") as server:
        server.greeted()
        assert_all_failed(stress(server.port, "--clients=3"), 3, "busy")


def greet_and_answer(answer):
    """A server's talk: it greets, then answers the n-th line with answer(n, line)."""

    def talk(connection):
        connection.sendall(b"Hello, client 1.\n")
        with connection.makefile("rb") as lines:
            for number, line in enumerate(lines):
                connection.sendall(answer(number, line))

    return talk


def leave_in_an_answer(connection):
    connection.sendall(b"Hello, client 1.\n")
    connection.recv(1000)
    connection.sendall(b"ok sle")


def never_speak(connection):
    connection.recv(1000)


@pytest.mark.parametrize(
    "talk, reason",
    [
        (
            greet_and_answer(lambda n, line: line if n == 0 else b"token of another\n"),
            "wrong",
        ),
        (greet_and_answer(lambda n, line: b"ok " + line.replace(b"1", b"2")), "wrong"),
        (greet_and_answer(lambda n, line: b"error unknown\n"), "wrong"),
        (greet_and_answer(lambda n, line: b"x" * 5000 + b"\n"), ""),
        (greet_and_answer(lambda n, line: b"\n"), "wrong"),
        (lambda connection: None, "closed"),
        (lambda connection: connection.sendall(b"Hello"), "cut off"),
        (leave_in_an_answer, "cut off"),
        (reset, "reset"),
        (never_speak, "timed out"),
    ],
    ids=[
        *("another's-token", "another-answer", "error", "too-long", "empty"),
        *("closes-at-once", "cut-greeting", "cut-answer", "resets", "never-speaks"),
    ],
)
def test_the_crowd_notices_a_bad_server(talk, reason):
    with answering(talk) as port:
        done = stress(port, "--clients=3", "--say=sleep 1", "--patience=300ms")
    assert_all_failed(done, 3, reason)


@pytest.mark.mistake("M3")
def test_every_client_of_the_crowd_has_a_token_of_its_own():
    tokens = []

    def answer(number, line):
        if number == 1:
            tokens.append(line)
        return line

    with answering(greet_and_answer(answer)) as port:
        assert stress(port, "--clients=20").returncode == 0
    assert len(set(tokens)) == 20, f"only {len(set(tokens))} different tokens: {tokens}"
    assert all(re.match(rb"echo .", token) for token in tokens)


def test_one_client_who_is_not_served_is_enough_for_a_failure():
    bad_ones = iter([True] + [False] * 100)

    def talk(connection):
        if not next(bad_ones):
            greet_and_answer(lambda number, line: line)(connection)

    with answering(talk) as port:
        done = stress(port, "--clients=5")
    assert done.returncode == 1
    assert "1 of 5" in done.stderr
    assert sum("closed" in words for _, words in rows_of(done)) == 1


@pytest.mark.parametrize(
    "argument",
    ["--clients=0", "--clients=x", "--say=", "--say=one\ntwo", "--patience=5"],
)
def test_the_crowd_says_what_it_cannot_use(argument):
    done = run([str(STRESS), argument])
    assert (done.returncode, done.stdout) == (2, "")
    assert argument.partition("=")[0] in done.stderr and done.stderr.count("\n") == 1


# --- what the crowd says -------------------------------------------------------------------


def test_the_crowd_names_what_was_wrong():
    talk = greet_and_answer(lambda n, line: b"ok sleep \x1b2\n")
    with answering(talk) as port:
        done = stress(port, "--clients=1", "--say=sleep 1")
    ((_, words),) = rows_of(done)
    assert words == (
        'a wrong answer: asked "sleep 1", got "ok sleep ?2", expected "ok sleep 1"'
    )


@pytest.mark.parametrize(
    "request_",
    ["sleep 010", "bytes 0010", "burn 1", "barrier 5 5000", "echo a  b", "quit"],
)
def test_the_crowd_knows_every_request_of_the_desk(concurrent, request_):
    with concurrent.serve("desk", *concurrent.places(5)) as server:
        done = stress(server.port, "--clients=5", f"--say={request_}")
        assert (done.returncode, done.stderr) == (0, "")
        assert "echoes" not in done.stdout


def test_the_crowd_says_at_once_that_an_echo_shows_no_queue():
    with LAB.serve("echo") as server:
        done = stress(server.port, "--clients=2")
        assert done.stdout.startswith("this server only echoes")
        assert done.stdout.count("echoes") == 1


@contextlib.contextmanager
def full_backlog():
    """Yields a port on which the kernel takes no more connections, and nobody accepts."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = []
        while True:
            filler = socket.socket()
            filler.settimeout(0.3)
            fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        yield port
        for filler in fillers:
            filler.close()


@linux_only
def test_clients_keep_their_patience_while_they_connect():
    with full_backlog() as port:
        assert_all_failed(
            stress(port, "--clients=3", "--patience=300ms"), 3, "timed out"
        )
        done = run([str(CLIENT), f"--port={port}", "--patience=300ms"])
        assert (done.returncode, done.stdout) == (1, "")
        assert "timed out" in done.stderr and done.stderr.count("\n") == 1


@contextlib.contextmanager
def crowd_before(port, *arguments):
    process = subprocess.Popen(
        [STRESS, f"--port={port}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_crowd_says_for_whom_it_waits_and_ctrl_c_shows_the_table():
    with answering(never_speak) as port, crowd_before(port, "--clients=3") as crowd:
        assert crowd.stderr.readline().startswith("waiting for 3 of 3 customers")
        crowd.send_signal(signal.SIGINT)
        shown, errors = crowd.communicate(timeout=GUARD_S)
    rows = re.findall(r"^ *(\d+)  +(.*)$", shown, re.MULTILINE)
    assert sorted(number for number, _ in rows) == ["1", "2", "3"]
    assert {words for _, words in rows} == {
        "interrupted: was connected and not greeted"
    }
    assert crowd.returncode == 1
    assert errors == "stress: 3 of 3 customers were not served\n"


@pytest.mark.parametrize("program", [CLIENT, STRESS], ids=["client", "stress"])
def test_clients_say_that_standard_output_is_closed(program):
    with LAB.serve("echo") as server:
        done = subprocess.run(
            [program, f"--port={server.port}"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.close(1),
            timeout=GUARD_S,
        )
    assert done.returncode == 1
    assert "cannot write to standard output" in done.stderr
    assert done.stderr.count("\n") == 1


@linux_only
def test_the_crowd_says_that_its_table_could_not_be_written():
    with LAB.serve("desk") as server, open("/dev/full", "w") as full:
        done = subprocess.run(
            [STRESS, f"--port={server.port}", "--clients=2", "--say=sleep 1"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=GUARD_S,
        )
    assert done.returncode == 1
    assert "cannot write to standard output" in done.stderr


@pytest.mark.parametrize("program", [CLIENT, STRESS], ids=["client", "stress"])
def test_clients_work_with_standard_input_and_errors_closed(program):
    def close_both():
        os.close(0)
        os.close(2)

    with LAB.serve("echo") as server:
        done = subprocess.run(
            [program, f"--port={server.port}"],
            stdout=subprocess.PIPE,
            preexec_fn=close_both,
            timeout=GUARD_S,
        )
    assert done.returncode == 0 and b"\n" in done.stdout
