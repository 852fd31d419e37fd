"""The character of each lab: what makes it itself, told by `barrier` and not by the clock.

`barrier N` at the desk is answered once N clients are being served at the same time.
"""

import csv
import re
import resource
import select
import socket
import subprocess
import time

import pytest

from tests.helpers.setting import ROOT, linux_only, plain_only

LONG_MS = 20000
SHORT_MS = 50
BUSY = b"busy: no clerk is free, please come back later\n"


def ask_all(clients, request):
    """Ask all of them before the first answer is read."""
    for client in clients:
        client.send(request + b"\n")
    return [client.line() for client in clients]


def assert_serves_exactly(server, count):
    """So many clients are served at once, and not one more."""
    clients = [server.connect() for _ in range(count)]
    for client in clients:
        client.greeting()
    answers = ask_all(clients, b"barrier %d %d" % (count, LONG_MS))
    assert answers == [b"ok barrier %d\n" % count] * count

    clients.append(server.connect())
    for client in clients:
        client.send(b"barrier %d %d\n" % (count + 1, SHORT_MS))
        client.half_close()
    most = 0
    for client in clients:
        lines = client.rest().splitlines()
        answer = re.fullmatch(rb"error barrier (\d+) of \d+", lines[-1])
        assert answer, (
            f"{count} should be served at once, but {count + 1} met: {lines[-1]!r}. The limit on "
            "threads or workers does not hold."
        )
        most = max(most, int(answer[1]))
    assert most <= count


# --- how many at once ----------------------------------------------------------------------


def test_a_sequential_server_serves_exactly_1_at_once(sequential):
    with sequential.serve("desk") as server:
        assert_serves_exactly(server, 1)


@pytest.mark.mistake("M4")
@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_thread_per_client_serves_as_many_at_once_as_its_limit(limited, count):
    with limited.serve("desk", f"--max-clients={count}") as server:
        assert_serves_exactly(server, count)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_pool_serves_as_many_at_once_as_it_has_workers(pool, count):
    with pool.serve("desk", f"--threads={count}") as server:
        assert_serves_exactly(server, count)


def test_a_thread_per_client_serves_a_crowd_at_once(limited):
    with limited.serve("desk", "--max-clients=100") as server:
        clients = [server.connect() for _ in range(100)]
        for client in clients:
            client.greeting()
        answers = ask_all(clients, b"barrier 100 %d" % LONG_MS)
        assert answers == [b"ok barrier 100\n"] * 100


# --- at the limit --------------------------------------------------------------------------


def assert_waits_until_first_leaves(server, first):
    """A newcomer is connected but not greeted before the first has left."""
    newcomer = server.connect()
    assert first.ask(b"echo there?") == b"ok echo there?\n"
    assert (
        not newcomer.hears()
    ), f"greeted, although all clerks are taken: {newcomer.line()!r}"
    first.close()
    newcomer.greeting()
    return newcomer


def test_the_second_client_of_a_sequential_server_waits(sequential):
    with sequential.serve("desk") as server:
        assert_waits_until_first_leaves(server, server.greeted())


def test_at_the_limit_on_threads_the_next_client_waits(limited):
    with limited.serve("desk", "--max-clients=2") as server:
        first, second = server.greeted(), server.greeted()
        third = assert_waits_until_first_leaves(server, first)
        assert_waits_until_first_leaves(server, second)
        assert third.ask(b"echo hi") == b"ok echo hi\n"


def test_a_full_pool_lets_newcomers_wait_in_the_order_they_came(pool):
    with pool.serve("desk", "--threads=1", "--queue=2", "--when-full=wait") as server:
        first = server.greeted()
        # Two wait in the queue, one in the hand of the accept loop, two in the kernel.
        waiting = [server.connect() for _ in range(5)]
        assert first.ask(b"echo hi") == b"ok echo hi\n"
        first.close()
        for number, client in enumerate(waiting, start=2):
            assert not any(later.hears() for later in waiting[number - 1 :])
            assert client.greeting() == number
            client.close()


# --- refusal -------------------------------------------------------------------------------


@pytest.mark.mistake("M6")
def test_a_full_pool_tells_newcomers_that_it_is_busy(pool, tmp_path):
    trace = tmp_path / "trace.csv"
    with pool.serve(
        "desk", "--threads=1", "--queue=1", "--when-full=refuse", f"--trace={trace}"
    ) as server:
        served = server.greeted()
        queued = server.connect()
        refused = server.connect()
        assert refused.rest() == BUSY
        refused.close()
        assert not queued.hears(), "the one in the queue still waits"
        served.close()
        queued.greeting()
        queued.half_close()
        queued.assert_ended("after a half-close")
        summary = server.stop()
    with open(trace, newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["port"]) == refused.port]
    assert [(row["outcome"], row["begun"], row["worker"]) for row in rows] == [
        ("refused", "0", "0")
    ]
    assert (summary.served, summary.refused) == (2, 1)


def test_a_refusal_is_never_a_reset(pool):
    with pool.serve("desk", "--threads=1", "--queue=0", "--when-full=refuse") as server:
        server.greeted()
        for _ in range(20):
            with server.frozen():  # so that the request is there before the refusal
                refused = server.connect()
                refused.send(b"echo a request nobody will read\n" * 1000)
            assert refused.rest() == BUSY, "the refusal, then the end; no reset"
            refused.send(b"echo one more\n")
            refused.close()


def test_with_many_refused_at_once_each_is_told(pool):
    with pool.serve("desk", "--threads=1", "--queue=0", "--when-full=refuse") as server:
        server.greeted()
        with server.frozen():
            crowd = [server.connect() for _ in range(100)]
            for client in crowd:
                client.send(b"echo hello\n")
        for client in crowd:
            assert client.rest() == BUSY


@linux_only
def test_nobody_is_refused_while_a_worker_is_free(pool):
    threads, queue = 2, 2
    with pool.serve(
        "desk", f"--threads={threads}", f"--queue={queue}", "--when-full=refuse"
    ) as server:
        for _ in range(20):
            server.until_at_rest()
            with server.frozen():  # the accept loop will outrun the workers' waking up
                burst = [server.connect() for _ in range(threads + queue)]
                for client in burst:
                    client.send(b"echo hi\n")
                    client.half_close()
            for client in burst:
                answer = client.rest()
                assert not answer.startswith(b"busy"), (
                    f"{threads} free workers and {queue} places, and one of {len(burst)} clients "
                    "was refused. A full queue does not mean that all workers are busy: those "
                    "who are just waking up have not emptied it yet."
                )
                assert answer.endswith(b"ok echo hi\n")
                client.close()


def test_a_pool_without_a_queue_still_serves(pool):
    with pool.serve("desk", "--threads=2", "--queue=0", "--when-full=wait") as server:
        assert_serves_exactly(server, 2)


# --- out of threads ------------------------------------------------------------------------


@linux_only
@plain_only
@pytest.mark.mistake("M6")
def test_a_thread_that_cannot_be_started_costs_only_its_client(limited):
    with limited.serve("desk") as server:
        server.expected_trouble = "cannot start a thread"
        first = server.greeted()
        no_limit = resource.prlimit(server.process.pid, resource.RLIMIT_AS)
        # No memory for another stack: pthread_create fails with EAGAIN.
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (1, no_limit[1]))
        refused = [server.connect() for _ in range(3)]
        for client in refused:
            assert client.rest() == BUSY
        assert first.ask(b"echo still here") == b"ok echo still here\n"
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, no_limit)
        assert server.greeted().ask(b"echo hi") == b"ok echo hi\n"


# --- deadlines -----------------------------------------------------------------------------


@pytest.mark.mistake("M10")
def test_a_silent_client_is_sent_away_and_the_next_is_served(timed, service, tmp_path):
    trace = tmp_path / "trace.csv"
    with timed.serve(
        service.name, "--threads=1", "--idle-timeout=100ms", f"--trace={trace}"
    ) as server:
        with server.frozen():
            silent = server.connect()
            second = server.connect()
            second.send(service.request(b"my turn"))
        silent.greeting()
        assert silent.line() == b"error timed out: no request came\n"
        silent.assert_ended("after the time-out")
        second.greeting()
        assert second.line() == service.answer(b"my turn")
        second.line()
        summary = server.stop()
    with open(trace, newline="") as file:
        assert [row["outcome"] for row in csv.DictReader(file)] == ["timed-out"] * 2
    assert summary.timed_out == 2


@pytest.mark.mistake("M10")
def test_a_client_who_is_being_served_is_not_idle(timed):
    with timed.serve(
        "desk",
        "--idle-timeout=100ms",
        "--request-timeout=100ms",
        "--write-timeout=100ms",
    ) as server:
        with server.frozen():
            client = server.connect()
            client.send(b"sleep 300\n")
        client.greeting()
        assert client.line() == b"ok sleep 300\n"


DRIP_S = 0.03


def dribble(client, bytes_at_most):
    """Send one byte at a time, until the server speaks. Returns how many were sent."""
    for sent in range(bytes_at_most):
        if client.hears(within_s=DRIP_S):
            return sent
        client.send(b"x")
    return bytes_at_most


@pytest.mark.mistake("M10")
def test_a_dribbling_client_is_cut_at_the_deadline(timed, service):
    with timed.serve(
        service.name, "--threads=1", "--idle-timeout=20s", "--request-timeout=200ms"
    ) as server:
        dribbler, second = server.greeted(), server.connect()
        sent = dribble(dribbler, 300)
        assert sent < 300, (
            f"{sent} bytes in {sent * DRIP_S:g} s, and the worker still waits for the line of "
            "200 ms: each byte moves the deadline, as a limit on each recv does"
        )
        assert dribbler.line() == b"error timed out: the request took too long\n"
        dribbler.assert_ended("after the time-out")
        second.greeting()
        second.send(service.request(b"my turn"))
        assert second.line() == service.answer(b"my turn")
        second.close()
        assert server.stop().timed_out == 1


def test_a_dribbling_client_holds_a_clerk_of_a_lab_without_deadlines(patient, service):
    with patient.serve(service.name, *patient.places(1)) as server:
        dribbler, second = server.greeted(), server.connect()
        dribbler.send(service.before_token)
        assert dribble(dribbler, 10) == 10, "told something before the line was whole"
        assert not second.hears(), "served while the only clerk was held"
        dribbler.send(b"\n")
        assert dribbler.line() == service.answer(b"x" * 10)


@pytest.mark.mistake("M10")
def test_a_client_who_does_not_read_is_cut(timed):
    with timed.serve("desk", "--threads=1", "--write-timeout=200ms") as server:
        stalled, second = server.greeted(receive_buffer=4096), server.connect()
        stalled.send(b"bytes 100000000\n")
        second.greeting()  # by the one worker, who therefore gave up the first
        assert second.ask(b"echo my turn") == b"ok echo my turn\n"
        second.close()
        assert server.stop().timed_out == 1


def read_slowly(reader, size):
    """Read so many bytes at some 0.8 MB/s. Returns how many came, and the longest pause in s."""
    read, longest_pause, last = 0, 0, time.monotonic()
    while read < size and (data := reader.receive(16384)):
        read += len(data)
        time.sleep(0.02)  # this client is slow: it waits for nothing
        longest_pause, last = (
            max(longest_pause, time.monotonic() - last),
            time.monotonic(),
        )
    return read, longest_pause


@pytest.mark.mistake("M10")
def test_an_honest_slow_reader_is_not_cut(timed):
    """It takes so little at a time that the kernel's megabytes of buffer make no room for
    longer than the limit: only what it acknowledges shows that it reads."""
    size, slow_size, limit_s = 8_000_000, 900_000, 0.5
    with timed.serve("desk", f"--write-timeout={limit_s * 1000:.0f}ms") as server:
        while True:
            reader = server.greeted(receive_buffer=16384)
            reader.send(b"bytes %d\n" % size)
            assert reader.line() == b"ok bytes %d\n" % size
            read, longest_pause = read_slowly(reader, slow_size)
            read += len(reader.read(size - read))
            if read == size or longest_pause < limit_s / 4:
                break  # else the machine was so busy that this reader did stand still
        assert (
            read == size
        ), f"cut after {read} of {size} bytes, although it read all the time"


@pytest.mark.mistake("M10")
def test_a_reader_with_the_systems_own_buffer_is_not_cut(timed):
    """Its kernel shows progress in steps of some 64 KB, with pauses longer than this limit."""
    size, slow_size = 8_000_000, 900_000
    with timed.serve("desk", "--write-timeout=20ms") as server:
        reader = server.greeted()
        reader.send(b"bytes %d\n" % size)
        assert reader.line() == b"ok bytes %d\n" % size
        read, _ = read_slowly(reader, slow_size)
        read += len(reader.read(size - read))
        assert (
            read == size
        ), f"cut after {read} of {size} bytes, although it read all the time"


# --- the backlog ---------------------------------------------------------------------------


@linux_only
@pytest.mark.parametrize("backlog", [0, 1, 5])
def test_the_kernel_holds_one_client_more_than_the_backlog(choosy, backlog):
    with choosy.serve("echo", f"--backlog={backlog}") as server:
        with server.frozen():  # nobody accepts, yet these connect
            for _ in range(backlog + 1):
                server.connect()
            one_more = socket.socket()
            one_more.setblocking(False)
            one_more.connect_ex(server.address)
            is_connected = select.select([], [one_more], [], 0)[1]
            one_more.close()
            assert (
                not is_connected
            ), f"{backlog + 2} connected with a backlog of {backlog}"


@linux_only
def test_a_backlog_that_the_kernel_caps_is_announced(choosy):
    with open("/proc/sys/net/core/somaxconn") as file:
        cap = int(file.read())
    if cap >= 65535:
        pytest.skip(
            f"somaxconn is {cap}: the kernel caps nothing that can be asked for"
        )
    with choosy.serve("echo", "--backlog=65535") as server:
        assert f"backlog of {cap}, the kernel's limit" in server.announcement
    with choosy.serve("echo", "--backlog=1") as server:
        assert server.announcement.endswith("backlog of 1)")


# --- the source ----------------------------------------------------------------------------


def changed_lines(before, after):
    """The lines that diff takes out of one server.c and puts in to make the other."""
    files = [next(ROOT.glob(f"lab{lab}-*/server.c")) for lab in (before, after)]
    diff = subprocess.run(["diff", "-u", *files], capture_output=True, text=True).stdout
    lines = diff.splitlines()[2:]
    return [[line for line in lines if line.startswith(sign)] for sign in "-+"]


@pytest.mark.parametrize(
    "before, after, most_removed, most_added",
    [(1, 2, 7, 46), (1, 3, 8, 50), (3, 4, 12, 40)],
)
def test_the_diff_is_the_lesson_so_it_is_small(before, after, most_removed, most_added):
    removed, added = changed_lines(before, after)
    assert len(removed) <= most_removed, "\n".join(removed)
    assert len(added) <= most_added, "\n".join(added)


def test_a_server_is_read_in_one_sitting(lab):
    lines = lab.source.read_text().count("\n")
    assert 30 <= lines <= 90, f"{lab.source.name} of {lab} has {lines} lines"


@pytest.mark.parametrize("name", ["lab2-*/server.c", "lab3-*/queue.c"])
def test_what_a_lab_adds_fits_on_a_slide(name):
    (source,) = ROOT.glob(name)
    assert source.read_text().count("\n") <= 80
