"""The contract: what any lab must do with any service."""

import csv
import errno
import resource
import signal
import socket
import threading
import time

import pytest

from tests.helpers.clients import Client, shown
from tests.helpers.idleness import IDLE_MS, assert_idle, pass_time
from tests.helpers.kernel import kernel_sockets
from tests.helpers.labs import find_labs
from tests.helpers.setting import SANITIZERS, linux_only, plain_only, until

MEGABYTE = 1_000_000
TOO_LONG = b"error line too long"
MAX_LINGER_S = 0.4  # a server that closes lets its client finish for 0.5 s


# --- conversation --------------------------------------------------------------------------


def test_every_client_is_greeted_by_its_number(lab, service):
    with lab.serve(service.name) as server:
        for number in (1, 2, 3):
            client = server.connect()
            assert client.greeting() == number
            client.close()


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_line_may_end_in_lf_or_crlf(lab, service, end):
    with lab.serve(service.name) as server:
        client = server.greeted()
        for token in (b"one", b"two words"):
            client.send(service.request(token, end))
            assert client.line() == service.answer(token, end)


def test_echo_returns_every_byte_as_it_was(lab):
    every_byte = bytes(byte for byte in range(256) if byte != ord("\n"))
    with lab.serve("echo") as server:
        client = server.greeted()
        for line in (every_byte, every_byte[::-1], b"\0", b"\r", b"", b"\xff\0\xff"):
            assert client.ask(line) == line + b"\n"


def test_the_desk_answers_every_request_in_its_table(lab):
    with lab.serve("desk") as server:
        client = server.greeted()
        assert client.ask(b"sleep 1") == b"ok sleep 1\n"
        assert client.ask(b"burn 1") == b"ok burn 1\n"
        assert client.ask(b"bytes 0") == b"ok bytes 0\n"
        assert client.ask(b"bytes 5") == b"ok bytes 5\n"
        assert client.read(5) == b"xxxxx"
        assert client.ask(b"barrier 1") == b"ok barrier 1\n"
        assert client.ask(b"barrier 2 1") == b"error barrier 1 of 2\n"
        assert client.ask(b"echo a  b ") == b"ok echo a  b \n"
        assert client.ask(b"echo \0\x1b[m\xff") == b"ok echo ??[m\xff\n"
        assert client.ask(b"quit") == b"bye\n"
        client.assert_ended("after quit")


BAD_REQUESTS = [
    *(b"", b" ", b"hello", b"SLEEP 1", b"sleepy 1", b"quit now"),
    *(b"sleep", b"sleep ", b"sleep -1", b"sleep 1 2", b"sleep 1x", b"sleep 1e3"),
    *(b"sleep 60001", b"sleep 99999999999999999999", b"burn 0x10", b"burn"),
    *(b"bytes", b"bytes -1", b"bytes 1000000001", b"barrier", b"barrier 0"),
    *(b"barrier 1 2 3", b"barrier 99999999999", b"barrier x"),
]


def test_the_desk_says_what_it_cannot_do_and_stays(lab):
    with lab.serve("desk") as server:
        client = server.greeted()
        for request in BAD_REQUESTS:
            answer = client.ask(request)
            assert answer.startswith(b"error "), f"{request!r} was answered {answer!r}"
            assert client.ask(b"echo still here") == b"ok echo still here\n"


# --- streams -------------------------------------------------------------------------------


@pytest.mark.mistake("M7")
def test_a_request_may_come_one_byte_at_a_time(lab, service):
    with lab.serve(service.name, *lab.known(request_timeout="600s")) as server:
        client = server.greeted()
        for byte in service.request(b"slowly"):
            client.send(bytes([byte]))
            server.until_read(client)  # or several would arrive together
        assert client.line() == service.answer(b"slowly")


@pytest.mark.mistake("M7")
def test_many_requests_may_come_in_one_segment(lab, service):
    tokens = [b"%d" % number for number in range(100)]
    with lab.serve(service.name) as server:
        client = server.greeted()
        client.send(b"".join(service.request(token) for token in tokens))
        assert [client.line() for _ in tokens] == [
            service.answer(token) for token in tokens
        ]


@pytest.mark.mistake("M6")
def test_a_client_that_half_closes_gets_its_whole_answer(lab, service):
    with lab.serve(service.name) as server:
        client = server.connect()
        client.send(service.request(b"the last"))
        client.half_close()
        client.greeting()
        assert client.line() == service.answer(b"the last")
        client.assert_ended("after a half-close and the answer")


def test_echo_returns_a_last_line_without_its_end(lab):
    with lab.serve("echo") as server:
        client = server.greeted()
        client.send(b"whole\nhalf")
        client.half_close()
        assert client.rest() == b"whole\nhalf"


def test_the_desk_does_not_act_on_half_a_request(lab):
    with lab.serve("desk") as server:
        client = server.greeted()
        client.send(b"echo whole\necho ha")
        client.half_close()
        assert client.rest() == b"ok echo whole\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_line_of_4096_bytes_passes(lab, service, end):
    with lab.serve(service.name) as server:
        client = server.greeted()
        token = service.longest_token()
        client.send(service.request(token, end))
        assert client.line() == service.answer(token, end)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""], ids=["LF", "CRLF", "unended"])
def test_a_line_of_4097_bytes_is_told_so_and_closed(lab, service, end):
    with lab.serve(service.name) as server:
        client = server.greeted()
        client.send(service.request(service.longest_token() + b"x", end))
        answer = client.line()
        assert answer.startswith(TOO_LONG), f"4097 bytes were answered {shown(answer)}"
        client.assert_ended("after a line that was too long")


def test_a_line_of_10_megabytes_is_told_so_and_closed(lab, service):
    with lab.serve(service.name) as server:
        client = server.greeted()
        while True:
            begin = time.monotonic()
            try:
                client.send(b"x" * 10 * MEGABYTE + b"\n")
                answer = client.rest()
                break
            except AssertionError:
                # The server waits for the rest of the line, but not for ever: a machine too
                # busy to send it in time has shown nothing.
                if time.monotonic() - begin < MAX_LINGER_S:
                    raise
                client = server.greeted()
        assert answer.startswith(
            TOO_LONG
        ), f"10 MB in a line were answered {shown(answer)}"
        assert answer.count(b"\n") == 1


@pytest.mark.mistake("M7")
@pytest.mark.parametrize("receive_buffer", [None, 4096], ids=["window", "tiny-window"])
def test_a_long_reply_arrives_whole(lab, receive_buffer):
    size = 10 * MEGABYTE  # more than the kernel buffers
    with lab.serve("desk") as server:
        client = server.greeted(receive_buffer)
        client.send(b"bytes %d\n" % size)
        assert client.line() == b"ok bytes %d\n" % size
        body = client.read(size)
        assert body.count(b"x") == size, f"{len(body)} bytes of {size} arrived"
        assert client.ask(b"echo next") == b"ok echo next\n"


# --- clients who leave ---------------------------------------------------------------------


def leave_at_once(client: Client) -> None:
    client.close()


def reset_at_once(client: Client) -> None:
    client.reset()


def reset_after_the_greeting(client: Client) -> None:
    client.greeting()
    client.reset()


def reset_in_a_request(client: Client) -> None:
    client.greeting()
    client.send(b"echo never to be ended")
    client.reset()


def say_nothing_and_leave(client: Client) -> None:
    client.greeting()
    client.half_close()
    client.assert_ended("after a client that said nothing")


@pytest.mark.mistake("M6")
@pytest.mark.parametrize(
    "leave",
    [
        leave_at_once,
        reset_at_once,
        reset_after_the_greeting,
        reset_in_a_request,
        say_nothing_and_leave,
    ],
)
def test_nobody_notices_a_client_that_leaves(lab, service, leave):
    with lab.serve(service.name) as server:
        first, second = server.connect(), server.connect()
        leave(first)
        second.greeting()
        second.send(service.request(b"unmoved"))
        assert second.line() == service.answer(b"unmoved")


@pytest.mark.mistake("M5")
@pytest.mark.parametrize("has_half_closed", [False, True], ids=["open", "half-closed"])
def test_a_reset_in_the_middle_of_a_reply_ends_nothing_else(lab, has_half_closed):
    """The write fails with ECONNRESET, after a half-close with EPIPE: only that one signals."""
    with lab.serve("desk") as server:
        first, second = server.greeted(receive_buffer=4096), server.connect()
        first.send(b"bytes 100000000\n")
        assert first.line() == b"ok bytes 100000000\n"
        if has_half_closed:
            first.half_close()
        first.reset()
        second.greeting()
        assert second.ask(b"echo unmoved") == b"ok echo unmoved\n"


@pytest.mark.mistake("M5")
def test_echo_outlives_a_client_that_sends_without_reading_and_resets(lab):
    with lab.serve("echo") as server:
        first, second = server.greeted(receive_buffer=4096), server.connect()
        first.socket.setblocking(False)
        with pytest.raises(BlockingIOError):  # both sides have their buffers full
            while True:
                first.socket.send(b"to and fro\n" * 1000)
        first.reset()
        second.greeting()
        assert second.ask(b"unmoved") == b"unmoved\n"


@linux_only
@pytest.mark.mistake("M4", "M8")
@pytest.mark.parametrize("leave", [Client.close, Client.reset], ids=["close", "reset"])
def test_200_short_clients_leave_nothing_behind(lab, service, leave):
    with lab.serve(service.name) as server:
        for number in range(200):
            token = b"%d" % number
            client = Client(server.address)
            client.greeting()
            client.send(service.request(token))
            assert client.line() == service.answer(token)
            leave(client)
        # The block's end counts descriptors and threads.


@linux_only
@plain_only
@pytest.mark.mistake("M4")
def test_the_stacks_of_200_threads_are_given_back(concurrent):
    with concurrent.serve("echo") as server:

        def serve_clients(count):
            for _ in range(count):
                client = Client(server.address)
                client.greeting()
                client.close()
            server.until_at_rest()
            return server.mappings()

        before, after = serve_clients(20), serve_clients(200)
        assert after < before + 100, (
            f"{after - before} more areas of memory after 200 more clients: a thread that is "
            "neither joined nor detached keeps its stack"
        )


# --- many clients --------------------------------------------------------------------------


@pytest.mark.mistake("M3")
def test_of_20_clients_at_one_instant_each_gets_its_own_token(lab, service):
    with lab.serve(service.name) as server:
        with server.frozen():
            clients = {b"token of client %d" % i: server.connect() for i in range(20)}
            for token, client in clients.items():
                client.send(service.request(token))
                client.half_close()
        numbers = set()
        for token, client in clients.items():
            numbers.add(client.greeting())
            answer = client.line()
            assert answer == service.answer(token), (
                f"the client who sent {token!r} read {answer!r}: the answer of another client, "
                "or none, means that two threads had the same socket"
            )
            client.assert_ended("after the one answer")
        assert numbers == set(range(1, 21))


@linux_only
@pytest.mark.mistake("M8")
def test_a_server_out_of_descriptors_waits_and_goes_on(concurrent):
    few = (64, 64)
    with concurrent.serve(
        "echo",
        *concurrent.known(queue=100, min_patience="20s"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few),
    ) as server:
        server.expected_trouble = "cannot accept for now|descriptors, but may have 64"
        clients = [server.connect() for _ in range(80)]
        said = "cannot accept for now"
        until(lambda: said in str(server.trouble()), "it is out of descriptors")
        with assert_idle(server, "out of descriptors"):
            pass_time(find_labs()[0], IDLE_MS)
        for client in clients:
            client.send(b"patience\n")
            client.half_close()
        for client in clients:
            client.greeting()
            assert client.line() == b"patience\n"
            client.close()


# --- the trace and the summary -------------------------------------------------------------


def rows_of(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
        assert list(rows[0]) == [
            *("client", "port", "accepted", "begun", "ended", "worker", "outcome")
        ]
    return rows


def test_the_trace_has_one_row_for_each_client(lab, service, tmp_path):
    trace = tmp_path / "trace.csv"
    before = time.monotonic_ns()
    with lab.serve(service.name, f"--trace={trace}") as server:
        ports = []
        for _ in range(5):
            client = server.greeted()
            ports.append(client.port)
            client.half_close()
            client.assert_ended("after a half-close")
            client.close()
        summary = server.stop()
    rows = rows_of(trace)
    assert sorted(int(row["client"]) for row in rows) == [1, 2, 3, 4, 5]
    for row in rows:
        assert (
            int(row["port"]) == ports[int(row["client"]) - 1]
        ), "the client's own port"
        accepted, begun, ended = (
            int(row[name]) for name in ("accepted", "begun", "ended")
        )
        assert before <= accepted <= begun <= ended <= time.monotonic_ns(), row
        assert int(row["worker"]) >= 1
        assert row["outcome"] == "served"
    assert (summary.served, summary.refused, summary.timed_out, summary.lost) == (
        5,
        0,
        0,
        0,
    )


def test_a_client_that_resets_is_counted_as_lost(lab, service, tmp_path):
    trace = tmp_path / "trace.csv"
    with lab.serve(service.name, f"--trace={trace}") as server:
        server.greeted().reset()
        until(lambda: trace.read_text().count("\n") == 2, "its row is in the trace")
        summary = server.stop()
    assert rows_of(trace)[0]["outcome"] == "lost"
    assert (summary.served, summary.lost) == (0, 1)


def test_the_summary_says_how_many_were_served_at_once(lab):
    with lab.serve("desk") as server:
        at_once = 3 if lab.is_concurrent else 1
        clients = [server.greeted() for _ in range(at_once)]
        assert all(client.ask(b"echo hi") == b"ok echo hi\n" for client in clients)
        summary = server.stop()
    assert (summary.served, summary.at_once) == (at_once, at_once)


# --- the end -------------------------------------------------------------------------------

STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", STOP_SIGNALS, ids=lambda number: number.name)
def test_a_stop_lets_idle_clients_go(lab, service, number):
    with lab.serve(service.name) as server:
        client = server.greeted()
        server.until_idle()  # not on its way to wait, where it would see the stop by itself
        summary = server.stop(number)
        client.assert_ended("an idle client when the server stops")
    assert summary.served == 1


def test_a_stop_without_clients_ends_at_once(lab, service):
    with lab.serve(service.name) as server:
        assert server.stop().served == 0


@linux_only
@pytest.mark.parametrize("number", STOP_SIGNALS, ids=lambda number: number.name)
def test_a_stop_finishes_the_request_in_service(lab, number):
    with lab.serve("desk") as server:
        client = server.greeted()
        client.send(b"sleep 300\n")
        server.until_read(client)
        server.send_signal(number)
        assert client.line() == b"ok sleep 300\n"
        client.assert_ended("after the last answer")
        assert server.ended().served == 1


def test_a_stop_delivers_a_long_reply_and_says_for_whom_it_waits(lab):
    size = 20 * MEGABYTE
    with lab.serve("desk") as server:
        client = server.greeted(receive_buffer=65536)
        client.send(b"bytes %d\n" % size)
        assert client.line() == b"ok bytes %d\n" % size
        server.send_signal(signal.SIGTERM)
        assert "waiting for 1 " in server.says()
        until(server.refuses, "newcomers are refused while a reply is being read")
        assert len(client.read(size)) == size
        client.assert_ended("after the last answer")
        assert server.ended().served == 1


def test_a_stop_counts_all_requests_in_service(concurrent):
    with concurrent.serve("desk", *concurrent.places(3)) as server:
        idle, *busy = (server.greeted(receive_buffer=65536) for _ in range(3))
        for client in busy:
            client.send(b"bytes 20000000\n")
            client.line()
        server.send_signal(signal.SIGTERM)
        assert "waiting for 2 " in server.says()
        idle.assert_ended("an idle client, although others are being served")
        for client in busy:
            client.close()
        assert server.ended().lost == 2


def test_a_second_signal_ends_the_server_at_once(lab):
    with lab.serve("desk") as server:
        client = server.greeted(receive_buffer=65536)
        client.send(b"bytes 20000000\n")
        client.line()
        server.send_signal(signal.SIGINT)
        assert "second signal" in server.says()
        server.send_signal(signal.SIGTERM)
        assert server.exit_status("a second signal") == -signal.SIGTERM
        assert server.trouble() == []


def test_a_stop_under_load_cuts_no_answer_in_two(lab, service):
    with lab.serve(service.name, *lab.places(8)) as server:
        clients = [server.connect() for _ in range(8)]
        torn, warm = [], threading.Semaphore(0)

        def talk(client):
            request, answer = service.request(b"again"), service.answer(b"again")
            client.socket.settimeout(None)
            try:
                client.greeting()
                for count in range(1_000_000):
                    client.send(request)
                    line = client.line()
                    if line != answer:
                        break
                    if count == 10:
                        warm.release()
            except AssertionError:  # the kernel resets those whom nobody took
                line = b""
            if line not in (b"", answer) and not line.startswith(b"busy"):
                torn.append(line)
            warm.release()

        talkers = [threading.Thread(target=talk, args=[client]) for client in clients]
        for talker in talkers:
            talker.start()
        warm.acquire()
        server.stop()
        for talker in talkers:
            talker.join()
        assert torn == [], "answers that were cut off"


@linux_only
@pytest.mark.mistake("M1")
def test_a_restart_binds_although_the_server_closed_first(lab, service):
    with lab.serve(service.name) as server:
        client = server.greeted()
        server.stop()
        client.assert_ended("the server closes first")
        client.close()
        port = server.port

    def states():
        return {row.state for row in kernel_sockets(port) if row.local_port == port}

    until(
        lambda: states() <= {"TIME_WAIT"},
        "the side that closed first rests in TIME_WAIT",
    )
    if not states():
        pytest.skip(
            "the kernel has so many addresses in TIME_WAIT that it drops new ones"
        )
    with socket.socket() as without_the_option, pytest.raises(OSError) as refusal:
        without_the_option.bind(("127.0.0.1", port))
    assert refusal.value.errno == errno.EADDRINUSE
    with lab.serve(service.name, f"--port={port}") as server:
        assert server.port == port


# --- idleness ------------------------------------------------------------------------------


@linux_only
@pytest.mark.mistake("M9")
def test_a_server_with_nothing_to_do_uses_no_cpu(lab, service):
    with lab.serve(service.name) as server:
        talker, silent, halved = (server.connect() for _ in range(3))
        talker.greeting()
        talker.send(service.request(b"hello"))
        talker.line()
        halved.half_close()
        server.until_idle()
        with assert_idle(server, "with clients who say nothing"):
            pass_time(find_labs()[0], IDLE_MS)


@linux_only
@pytest.mark.mistake("M9")
def test_1000_idle_clients_cost_no_cpu(lab):
    count = 100 if SANITIZERS else 1000
    with lab.serve("echo", *lab.places(count), *lab.known(backlog=count)) as server:
        clients = [server.connect() for _ in range(count)]
        for client in clients[: count if lab.is_concurrent else 1]:
            client.greeting()
        server.until_idle()
        with assert_idle(server, f"with {count} idle clients"):
            pass_time(find_labs()[0], IDLE_MS)
