"""A zoo of hostile servers: the generator loses nobody, and names what became of each."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import threading
from collections import Counter

import pytest

from bench.measure.records import read_clients
from tests.helpers.labs import find_labs
from tests.helpers.setting import BUILD, GUARD_S, until
from tests.helpers.web import serve

LOAD = BUILD / "bench" / "load"
CLIENTS = 8
HELLO = b"Hello, client 1.\n"
DESK = HELLO + b"ok echo hello\n"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nokay"
HALF = {"desk": DESK[:-4], "http": HTTP[:-2]}
PATIENCE = ("500ms", "2s", "8s")  # on a busy machine the zoo itself may be slow
WHOLE = {"desk": DESK, "http": HTTP}

pytestmark = pytest.mark.skipif(
    not os.access(LOAD, os.X_OK), reason="no load generator here: make"
)


# --- what is kept in the zoo: each is given a client, what it speaks, and when to end ------


def silent(client, speech, is_over):
    is_over.wait()


def answers(client, speech, is_over):
    read_request(client)
    client.sendall(WHOLE[speech])
    read_to_end(client)


def closes(client, speech, is_over):
    read_request(client)


def resets(client, speech, is_over):
    read_request(client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says_half(client, speech, is_over):
    read_request(client)
    client.sendall(HALF[speech])


def says_half_and_waits(client, speech, is_over):
    read_request(client)
    client.sendall(HALF[speech])
    is_over.wait()


def answers_twice(client, speech, is_over):
    read_request(client)
    client.sendall(WHOLE[speech] + WHOLE[speech])
    read_to_end(client)


def babbles(client, speech, is_over):
    read_request(client)
    client.sendall(b"\0\xff what a fine day \r\n\r\n")
    read_to_end(client)


def trickles(client, speech, is_over):
    read_request(client)
    for byte in WHOLE[speech][:-1]:
        client.sendall(bytes([byte]))
        if is_over.wait(0.05):
            return
    is_over.wait()


def read_request(client):
    """All of it: a socket that is closed with bytes unread resets."""
    said = b""
    while not said.endswith(b"\n"):
        said += client.recv(4096)


def read_to_end(client):
    with contextlib.suppress(ConnectionError):
        while client.recv(4096):
            pass


@contextlib.contextmanager
def zoo(animal, speech):
    """A server of this kind; gives its port."""
    is_over, keepers = threading.Event(), []
    listener = socket.create_server(("127.0.0.1", 0), backlog=CLIENTS)

    def keep(client):
        with client, contextlib.suppress(ConnectionError):
            animal(client, speech, is_over)

    def admit():
        with contextlib.suppress(OSError):  # the zoo has closed
            while True:
                keepers.append(
                    threading.Thread(target=keep, args=[listener.accept()[0]])
                )
                keepers[-1].start()

    doorman = threading.Thread(target=admit)
    doorman.start()
    try:
        yield listener.getsockname()[1]
    finally:
        is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in [doorman, *keepers]:
            thread.join()


# --- visits --------------------------------------------------------------------------------

MODES = {
    "burst": [f"--clients={CLIENTS}"],
    "rate": ["--rate=40", "--duration=200ms"],
}


def visit(port, mode, speech, tmp_path, timeout="60s"):
    """Send clients; gives the record of each, for nobody may be lost."""
    output = tmp_path / "records.csv"
    command = [LOAD, mode, *MODES[mode], f"--speak={speech}", f"--port={port}"]
    command += [f"--timeout={timeout}", f"--output={output}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=GUARD_S)
    assert ended.returncode == 0, ended.stderr
    clients = read_clients(output)
    assert len(clients) == CLIENTS, "each attempt has one record"
    return clients


ENDS = [
    (answers, "ok", "", "done"),
    (silent, "timeout", "", "wait"),
    (closes, "none", "", "wait"),
    (resets, "reset", "ECONNRESET", "wait"),
    (says_half, "short", "", "receive"),
    (says_half_and_waits, "timeout", "", "receive"),
    (answers_twice, "wrong", "", "done"),
    (babbles, "wrong", "", "done"),
    (trickles, "timeout", "", "receive"),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("speech", WHOLE)
@pytest.mark.parametrize(
    "animal, outcome, errno, phase", ENDS, ids=[each[0].__name__ for each in ENDS]
)
def test_each_client_ends_and_says_how(
    animal, outcome, errno, phase, speech, mode, tmp_path
):
    wanted = {(outcome, errno, phase): CLIENTS}
    for timeout in PATIENCE if outcome == "timeout" else ("10s",):
        with zoo(animal, speech) as port:
            clients = visit(port, mode, speech, tmp_path, timeout)
        ends = Counter((each.outcome, each.errno, each.phase) for each in clients)
        if ends == wanted:
            return
    assert ends == wanted


@pytest.mark.parametrize("mode", MODES)
def test_a_closed_port_refuses(mode, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    clients = visit(port, mode, "desk", tmp_path)
    ends = Counter((client.outcome, client.errno, client.phase) for client in clients)
    assert ends == {("refused", "ECONNREFUSED", "connect"): CLIENTS}


@pytest.mark.parametrize("mode", MODES)
def test_one_who_never_accepts_lets_some_in_and_answers_nobody(mode, tmp_path):
    with socket.create_server(("127.0.0.1", 0), backlog=2) as listener:
        clients = visit(listener.getsockname()[1], mode, "desk", tmp_path, "500ms")
    phases = Counter(client.phase for client in clients)
    assert {client.outcome for client in clients} == {"timeout"}
    assert phases.keys() == {"connect", "wait"}, "some fit into the lobby, not all"


def test_a_server_that_is_killed_in_the_middle(tmp_path):
    lab = next(lab for lab in find_labs() if lab.is_concurrent)
    with lab.serve("desk") as server:
        output = tmp_path / "records.csv"
        command = [LOAD, "burst", f"--clients={CLIENTS}", "--say=sleep 60000"]
        command += [f"--port={server.port}", f"--output={output}"]
        with subprocess.Popen(command) as visitor:
            most = 1 + CLIENTS  # and one that ThreadSanitizer adds
            until(lambda: len(server.thread_states()) >= most, "all are being served")
            server.until_idle()
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            assert visitor.wait(GUARD_S) == 0
    ends = Counter((client.outcome, client.phase) for client in read_clients(output))
    assert ends.total() == CLIENTS
    assert {outcome for outcome, _ in ends} <= {"short", "reset"}
    assert {phase for _, phase in ends} == {"receive"}


@pytest.mark.parametrize("speech", WHOLE)
def test_who_is_to_stay_is_answered_and_kept(speech, tmp_path):
    """And is no failure when the generator, not the server, ends the visit."""
    (tmp_path / "index.html").write_text("Hello.")
    lab = next(lab for lab in find_labs() if lab.is_concurrent)
    output = tmp_path / "records.csv"
    command = [LOAD, "hold", f"--clients={CLIENTS}", "--duration=60s"]
    command += [f"--speak={speech}", f"--output={output}"]
    is_web = speech == "http"
    with serve(lab, speech, tmp_path) if is_web else lab.serve(speech) as server:
        command += ["--say=" + ("/" if is_web else "echo hello")]
        command += [f"--port={server.port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as visitor:
            assert visitor.stdout.readline() == b"holding %d\n" % CLIENTS
            until(
                lambda: len(server.thread_states()) > CLIENTS, "all have their threads"
            )
            server.until_idle()
            assert len(server.thread_states()) > CLIENTS, "and keep them"
            visitor.send_signal(signal.SIGTERM)
            assert visitor.wait(GUARD_S) == 0
    ends = Counter((client.outcome, client.phase) for client in read_clients(output))
    assert ends == {("ok", "done"): CLIENTS}
