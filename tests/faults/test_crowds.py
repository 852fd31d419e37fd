"""Waits and crowds: whatever clients do, and however many they are, lab 4 answers the next one.
Nothing here is timed: without the means that each test is for, the next one waits for longer than
any test does."""

import fcntl
import os

import pytest

from tests.faults.faults import MIB, any_service, faulty
from tests.helpers.setting import linux_only, until
from tests.helpers.web import request

THREADS = 2
FEW = f"--threads={THREADS}"
LONG = ["--idle-timeout=600s", "--request-timeout=600s", "--write-timeout=600s"]
CROWD = 20
PIPE_ROWS = 3000  # more than a pipe holds


# --- one client that holds a worker --------------------------------------------------------


@pytest.mark.mistake("M10")
def test_w1_an_upload_that_was_fast_and_stands_still_is_given_up(timed, site):
    """The bytes that came at once would be worth 1,000 seconds at the minimum rate."""
    with faulty(timed, "files", FEW, "--request-timeout=1s", folder=site) as server:
        for number in range(THREADS):
            client = server.connect()
            client.send(request("PUT", f"/{number}", f"Content-Length: {2 * MIB}"))
            client.send(b"x" * MIB)
        assert server.is_served()


@pytest.mark.mistake("M10")
def test_w1_an_upload_that_keeps_the_minimum_rate_is_served(timed, site):
    """It takes many times the limit."""
    size, piece = 6000, 100
    flags = ["--request-timeout=200ms", "--min-rate=1k"]
    with faulty(timed, "files", *flags, folder=site) as server:
        client = server.connect()
        client.send(request("PUT", "/new", f"Content-Length: {size}"))
        for _ in range(size // piece):
            client.send(b"x" * piece)
            client.hears(within_s=0.02)  # 5 kB/s
        assert client.reply().status == 201


@pytest.mark.mistake("M10")
def test_w2_readers_that_trickle_do_not_keep_their_workers(timed, site):
    """They read a little again and again, so that the kernel reports progress."""
    (site / "large").write_bytes(b"x" * 8 * MIB)
    with faulty(timed, "http", FEW, "--write-timeout=1s", folder=site) as server:
        readers = [server.connect(receive_buffer=2304) for _ in range(THREADS)]
        for reader in readers:
            reader.send(request("GET", "/large"))
            until(reader.hears, "the reply begins")
        newcomer = server.connect()
        newcomer.send(request("GET", "/page"))

        def is_answered():
            for reader in readers:
                reader.hears() and reader.receive(30)
            return newcomer.hears(within_s=0.1)

        until(is_answered, "a worker is free for the next one")
        assert newcomer.reply().body == b"hello"


@linux_only
@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize("work", ["sleep 50000", "burn 50000", "barrier 99 50000"])
def test_w3_work_ends_with_its_client(lab, work, leave):
    with faulty(lab, "desk", *lab.places(1)) as server:
        client = server.greeted()
        client.send(work.encode() + b"\n")
        newcomer = server.connect()
        getattr(client, leave)()
        newcomer.greeting()


@linux_only
def test_w3_work_over_http_ends_with_its_client(lab, site):
    with faulty(lab, "http", *lab.places(1), folder=site) as server:
        client = server.connect()
        client.send(request("GET", "/sleep/50000"))
        client.close()
        assert server.is_served()


def test_w3_a_client_that_has_half_closed_gets_what_it_asked_for(lab):
    with faulty(lab, "desk") as server:
        client = server.greeted()
        client.send(b"sleep 100\nburn 100\n")
        client.half_close()
        assert client.line() + client.line() == b"ok sleep 100\nok burn 100\n"


@pytest.mark.parametrize("word", ["sleep", "burn"])
def test_w3_work_has_a_longest(lab, site, word):
    with faulty(lab, "desk", "--max-work=50ms") as server:
        client = server.greeted()
        assert client.ask(b"%s 50" % word.encode()) == b"ok %s 50\n" % word.encode()
        told = client.ask(b"%s 51" % word.encode())
        assert told == b"error %s takes 0 to 50 ms (--max-work)\n" % word.encode()
    with faulty(lab, "http", "--max-work=50ms", folder=site) as server:
        assert server.connect().get(f"/{word}/51").status == 400


@pytest.mark.parametrize("spoken", ["echo", "http"])
def test_w4_a_trace_into_a_pipe_that_is_not_read_stops_nobody(
    lab, spoken, site, tmp_path
):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with any_service(lab, spoken, site, f"--trace={pipe}") as server:
        server.expected_trouble = "cannot write to the trace"
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        for _ in range(PIPE_ROWS):
            assert server.is_served()
        first = os.read(reading, 10000).decode().splitlines()
        os.close(reading)
    assert first[0] == "client,port,accepted,begun,ended,worker,outcome"
    assert all(row.count(",") == 6 for row in first[:-1])


def test_w8_a_lock_on_the_folder_stops_nobody(lab, site):
    """Anybody who may read a folder may lock it, and for as long as they like."""
    locked = os.open(site, os.O_RDONLY)
    fcntl.flock(locked, fcntl.LOCK_EX)
    with faulty(lab, "files", folder=site) as server:
        client = server.connect()
        assert client.put("/new", b"new").status == 201
        assert client.ask_for("DELETE", "/new").status == 204
        client.close()
    os.close(locked)


# --- crowds --------------------------------------------------------------------------------


@linux_only
@pytest.mark.mistake("M10")
def test_w5_silent_clients_stay_with_the_kernel(timed, site):
    """Where the client speaks first. They hold no worker, so nobody waits at all."""
    flags = ["--threads=1", *LONG, "--min-patience=600s"]
    with faulty(timed, "http", *flags, folder=site) as server:
        for _ in range(CROWD):
            server.connect()
        for _ in range(CROWD):
            assert server.is_served()


@pytest.mark.mistake("M10")
@pytest.mark.parametrize("spoken", ["echo", "desk", "chat"])
def test_w6_patience_with_silent_clients_shrinks_in_a_crowd(timed, spoken, site):
    with any_service(timed, spoken, site, "--threads=1") as server:
        for _ in range(CROWD):
            server.connect()
        assert server.is_served()


@pytest.mark.mistake("M10")
def test_w6_patience_with_slow_heads_and_bodies_shrinks_in_a_crowd(timed, site):
    with faulty(timed, "files", FEW, folder=site) as server:
        for number in range(CROWD):
            client = server.connect()
            if number % 2 == 0:
                client.send(b"GET / HTTP/1.1\r\n")
            else:
                client.send(request("PUT", f"/{number}", "Content-Length: 100"))
        assert server.is_served()


@pytest.mark.mistake("M10")
def test_w6_patience_with_slow_readers_shrinks_in_a_crowd(timed, site):
    (site / "large").write_bytes(b"x" * 8 * MIB)
    with faulty(timed, "http", FEW, folder=site) as server:
        for _ in range(CROWD):
            server.connect(receive_buffer=2304).send(request("GET", "/large"))
        assert server.is_served()


def test_w6_a_client_has_its_whole_limit_while_nobody_waits(timed):
    flags = ["--threads=1", *LONG, "--min-patience=1ms"]
    with faulty(timed, "desk", *flags) as server:
        client = server.greeted()
        client.send(b"echo slo")
        assert not client.hears(within_s=0.6)  # more than once it was looked at
        client.send(b"wly\n")
        assert client.line() == b"ok echo slowly\n"


@pytest.mark.mistake("M10")
def test_w7_no_worker_lingers_on_a_client_that_it_gave_up(timed, site):
    """Each of these reads its 400 and stays, with the rest of its body unsent."""
    crowd = 100  # half a second or more for each, if one worker lingered
    with faulty(timed, "http", "--threads=1", *LONG, folder=site) as server:
        clients = [server.connect() for _ in range(crowd)]
        for client in clients:
            client.send(b"G@T / HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
        assert server.is_served()
        for client in clients:
            assert client.line().startswith(b"HTTP/1.1 400 ")
