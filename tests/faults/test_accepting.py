"""Family A: accepting, and what there may be too little of."""

import errno
import os
import re
import resource
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.faults import (
    ALL_SERVICES,
    ALWAYS,
    BUSY,
    MIB,
    Built,
    FaultTable,
    any_service,
    faulty,
    pass_time,
)
from tests.helpers.clients import Client
from tests.helpers.idleness import IDLE_MS
from tests.helpers.servers import STOPPING, SUMMARY
from tests.helpers.setting import GUARD_S, SANITIZERS, plain_only, until
from tests.helpers.web import request

NO_DESCRIPTORS = [errno.EMFILE, errno.ENFILE]
NO_MEMORY = [errno.ENOMEM, errno.ENOBUFS]
SHORTEST_PAUSE_S = 0.05
A_CLIENTS_OWN = [
    *(
        errno.ECONNABORTED,
        errno.EPROTO,
        errno.ENETDOWN,
        errno.ENOPROTOOPT,
        errno.EHOSTDOWN,
    ),
    *(
        errno.ENONET,
        errno.EHOSTUNREACH,
        errno.EOPNOTSUPP,
        errno.ENETUNREACH,
        errno.EPERM,
    ),
    *(errno.ETIMEDOUT, errno.EAGAIN),
]
own_malloc = pytest.mark.skipif(
    SANITIZERS != "", reason="sanitizers have a malloc of their own"
)
MALLOC_CALLS = 30  # more than any of the conversations here makes


# --- accept --------------------------------------------------------------------------------


def assert_pauses_and_goes_on(lab, error):
    """It waits between its attempts, and all who came meanwhile are served afterwards."""
    with faulty(lab, "echo") as server:
        server.expected_trouble = f"cannot accept for now: {os.strerror(error)}$"
        server.fail("accept", error, times=ALWAYS)
        crowd = [server.connect() for _ in range(8)]
        server.until_failed("accept")
        begin, before, cpu_before = (
            time.monotonic(),
            server.failed("accept"),
            server.cpu_s(),
        )
        pass_time(lab, IDLE_MS)
        passed_s, attempts = time.monotonic() - begin, server.failed("accept") - before
        used_s = server.cpu_s() - cpu_before
        assert (
            attempts <= 1 + passed_s / SHORTEST_PAUSE_S
        ), f"{attempts} in {passed_s:.2f} s"
        assert (
            used_s < passed_s / 4
        ), f"{used_s:.2f} s of CPU in {passed_s:.2f} s: it spins"
        assert not any(client.hears() for client in crowd)
        server.heal()
        for client in crowd:
            client.send(b"patience\n")
            client.half_close()
        for client in crowd:
            client.greeting()
            assert client.line() == b"patience\n"
        assert server.trouble(), "the cause is told"


@pytest.mark.mistake("M8")
@pytest.mark.parametrize("error", NO_DESCRIPTORS, ids=errno.errorcode.get)
def test_a1_accept_without_descriptors_pauses_and_goes_on(lab, error):
    assert_pauses_and_goes_on(lab, error)


@pytest.mark.parametrize("error", NO_MEMORY, ids=errno.errorcode.get)
def test_a2_accept_without_memory_pauses_and_goes_on(lab, error):
    assert_pauses_and_goes_on(lab, error)


@pytest.mark.mistake("M6")
def test_a3_the_failure_of_one_client_is_passed_over_at_once(lab):
    """With a pause of 50 ms after each, they would take longer than the guard."""
    times = int(GUARD_S / SHORTEST_PAUSE_S)
    with faulty(lab, "echo") as server:
        for error in A_CLIENTS_OWN:
            server.fail("accept", error, times)
            assert server.is_served(), errno.errorcode[error]
            assert server.failed("accept") == times


@pytest.mark.parametrize("name", ALL_SERVICES)
def test_a4_interrupted_calls_are_made_again(lab, name, site):
    with any_service(lab, name, site) as server:
        for call in ("accept", "poll", "recv", "send", "sendfile", "write"):
            server.fail(call, errno.EINTR, times=3)
        assert server.is_served()
        for call in ("accept", "poll", "recv", "send"):
            assert server.failed(call) == 3, f"{call} was not interrupted"


def test_a4_a_signal_that_means_nothing_interrupts_nothing(lab):
    """Stopping and continuing interrupts every wait (signal(7))."""
    with faulty(lab, "desk") as server:
        client = server.greeted()
        client.send(b"sleep 200\n")
        server.until_read(client)
        for _ in range(10):
            with server.frozen():
                pass
        assert client.line() == b"ok sleep 200\n"


@pytest.mark.mistake("M9")
@pytest.mark.parametrize(
    "error", [errno.EBADF, errno.ENOTSOCK, errno.EINVAL], ids=errno.errorcode.get
)
def test_a5_a_broken_listener_is_told_and_ends_the_server(lab, error):
    with faulty(lab, "desk") as server:
        served = server.greeted()
        assert served.ask(b"echo before") == b"ok echo before\n"
        if not lab.is_concurrent:
            served.close()
        server.fail("accept", error, times=ALWAYS)
        with socket.socket() as newcomer:  # the kernel may reset it before it is connected
            newcomer.setblocking(False)
            newcomer.connect_ex(server.address)
            server.until_failed("accept")
        if lab.is_concurrent:
            served.assert_ended("an idle client when the server ends")
        assert server.exit_status("its listener broke") == 1
        assert server.failed("accept") < 10, "it was tried again and again"
        assert server.trouble() == [
            f"{lab}: cannot accept any more: {os.strerror(error)}\n"
        ]
        *others, last = server.process.stdout.read().splitlines()
        assert SUMMARY.fullmatch(last) and all(
            STOPPING.fullmatch(line) for line in others
        )


# --- threads -------------------------------------------------------------------------------


@pytest.mark.mistake("M6")
@pytest.mark.parametrize("name", ALL_SERVICES)
def test_a6_a_thread_that_cannot_be_started_costs_only_its_client(limited, name, site):
    with any_service(limited, name, site, "--max-clients=2") as server:
        server.expected_trouble = (
            "cannot start a thread: Resource temporarily unavailable$"
        )
        server.fail("pthread_create", errno.EAGAIN, times=5)
        for _ in range(5):
            refused = server.connect()
            answer = refused.rest()
            assert answer == BUSY or answer.startswith(b"HTTP/1.1 503 "), answer
            refused.close()
        assert server.failed("pthread_create") == 5
        assert server.is_served(), "its place was not given back"
        assert (
            server.is_served() and server.is_served()
        ), "each of them has taken a place"


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a7_a_worker_that_cannot_be_started_is_told(pool, number):
    table = FaultTable()
    table.set("pthread_create", errno.EAGAIN, times=1, after=number - 1)
    done = pool.run("--port=0", "--threads=4", env=table.environment())
    reason = os.strerror(errno.EAGAIN)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"server: cannot start thread {number} of 4: {reason}\n"


# --- memory --------------------------------------------------------------------------------


@own_malloc
def test_a8_a_member_without_memory_is_told_and_the_others_talk_on(concurrent):
    with faulty(concurrent, "chat", *concurrent.places(4)) as server:
        server.expected_trouble = "cannot start a thread"  # a thread takes memory, too
        member = server.greeted()
        for _ in range(3):
            server.fail("malloc", errno.ENOMEM, times=ALWAYS)
            refused = server.connect()
            refused.half_close()
            answer = refused.rest()
            assert answer.endswith(BUSY), answer
            refused.close()
            server.heal()
            assert member.ask(b"still here?") == b"guest1: still here?\n"


@own_malloc
@pytest.mark.parametrize("name", ["chat", "http"])
def test_a8_whichever_allocation_fails_only_its_client_notices(lab, name, site):
    """As curl does it: the first fails, then the second, and so on until none is left."""
    for number in range(40):
        (site / f"file {number}").write_bytes(b"")
    with any_service(lab, name, site) as server:
        server.expected_trouble = "cannot start a thread|cannot accept for now"
        for number in range(MALLOC_CALLS):
            server.fail("malloc", errno.ENOMEM, times=ALWAYS, after=number)
            client = server.connect()
            if name == "http":
                client.send(request("GET", "/"))
            client.half_close()
            answer = client.rest()
            client.close()
            has_failed = server.failed("malloc") > 0
            server.heal()
            if name == "http":
                assert re.match(rb"HTTP/1.1 (200|500|503) ", answer), (number, answer)
                assert answer.endswith((b"\n", b">")), "the reply is whole"
            else:
                assert answer.startswith((b"Hello, client ", b"busy: ")), (
                    number,
                    answer,
                )
            assert server.is_served()
            server.until_at_rest()
            if not has_failed:
                break
        assert not has_failed, f"more than {MALLOC_CALLS} allocations"


@own_malloc
@pytest.mark.parametrize("name", ["chat", "http"])
def test_a8_who_asks_after_the_refusal_still_reads_it(lab, name, site):
    """A server that has closed already answers what comes now by a reset."""
    with any_service(lab, name, site) as server:
        server.expected_trouble = "cannot start a thread"
        server.fail("malloc", errno.ENOMEM, times=ALWAYS)
        client = server.connect()
        # Where the client speaks first, lab 4 leaves it to the kernel until then.
        if name == "chat" or "min-patience" not in lab.flags():
            assert client.hears(GUARD_S)
            server.until_idle()
        client.send(b"are you there?\n" if name == "chat" else request("GET", "/"))
        client.half_close()
        answer = client.rest()
        server.heal()
    assert BUSY in answer or answer.startswith(b"HTTP/1.1 503 "), answer


@own_malloc
def test_a8_without_memory_at_the_start_it_starts_whole_or_not_at_all(lab, site):
    for number in range(40):
        table = FaultTable()
        table.set("malloc", errno.ENOMEM, times=ALWAYS, after=number)
        process = subprocess.Popen(
            [lab.program, "--port=0", "files", site],
            env=table.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            has_started = "listening on" in process.stdout.readline()
            table.heal()
            if has_started:
                process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=GUARD_S)
            if has_started:
                assert (process.returncode, errors) == (
                    0,
                    "",
                ), f"allocation {number + 1}"
                return
            assert process.returncode in (1, 2), f"allocation {number + 1}: {errors}"
            assert (
                errors.startswith("server: cannot ") and errors.count("\n") == 1
            ), errors
        finally:
            process.kill()
            process.wait()
    raise AssertionError("it needs more than 40 allocations to start, or starts never")


# --- the kernel's queue --------------------------------------------------------------------


def test_a9_a_reset_before_accept_costs_nobody_anything(lab, service):
    with faulty(lab, service.name) as server:
        with server.frozen():
            for _ in range(50):
                Client(server.address).reset()
            patient = server.connect()
        patient.greeting()
        patient.send(service.request(b"unmoved"))
        assert patient.line() == service.answer(b"unmoved")
        patient.half_close()
        patient.assert_ended("after a half-close")
        patient.close()
        server.until_at_rest()
        assert server.stop().lost == 50


def test_a10_newcomers_beyond_the_backlog_try_again_and_are_served(choosy):
    """The kernel drops their first packets; it sends another after a second, then after three.
    No more try again at once than the backlog: beyond it, Linux answers with SYN cookies and
    resets some of those who then send in two pieces (TcpExtSyncookiesFailed in nstat).
    """
    crowd, backlog = [], 4
    with faulty(choosy, "echo", f"--backlog={backlog}", "--threads=2") as server:
        with server.frozen():
            for _ in range(backlog + 1 + backlog):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(server.address)
                crowd.append(one)
            assert len(select.select([], crowd, [], 0)[1]) < len(
                crowd
            ), "all have connected"
        for one in crowd:
            one.settimeout(GUARD_S)
            until(lambda: select.select([], [one], [], 0)[1], "it is connected")
            one.sendall(b"at last\n")
            one.shutdown(socket.SHUT_WR)
        for one in crowd:
            heard = b"".join(iter(lambda: one.recv(4096), b""))
            assert heard.endswith(b".\nat last\n"), heard
            one.close()


# --- many ----------------------------------------------------------------------------------


@plain_only
def test_a12_10000_idle_clients_are_held_and_others_served(limited, record_property):
    count, most_kib = 10_000, 24
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 200:
        pytest.skip(f"no more than {hard} descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    crowd = []
    try:
        with faulty(limited, "echo", f"--max-clients={count + 10}") as server:
            before_kib = server.status_kib("VmRSS")
            for _ in range(count):
                one = socket.create_connection(server.address)
                crowd.append(one)
            until(
                lambda: server.footprint().threads == count + 1, "each has its thread"
            )
            for one in crowd[:: count // 100]:
                one.settimeout(GUARD_S)
                assert one.recv(100).startswith(b"Hello, client ")
                one.sendall(b"are you there?\n")
                assert one.recv(100) == b"are you there?\n"
            held_kib = (server.status_kib("VmRSS") - before_kib) / count
            record_property("measured", f"{held_kib:.1f} KiB for each idle client")
            assert (
                held_kib <= most_kib
            ), f"{held_kib:.1f} KiB for each client who does nothing"
            assert server.is_served()
            for one in crowd:
                one.close()
            server.until_at_rest()
    finally:
        for one in crowd:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def assert_nothing_is_left_of(lab, count, kind, record_property):
    """So many visits, and descriptors, threads and memory are where they were."""
    count //= 10 if SANITIZERS else 1
    with faulty(lab, "echo", env=None) as server:

        def visit(times):
            command = [str(Built.visits), str(server.port), str(times), kind, "1"]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=30 * GUARD_S
            )
            assert done.returncode == 0, done.stderr
            server.until_at_rest()

        visit(count // 50)  # what is kept for good, such as stacks for the next thread
        before_kib = server.status_kib("VmRSS")
        visit(count - count // 50)
        growth_kib = server.status_kib("VmRSS") - before_kib
        record_property("measured", f"{count} visits, {growth_kib} KiB more")
        if not SANITIZERS:  # they keep what was freed for a while
            assert (
                growth_kib < MIB // 1024
            ), f"{growth_kib} KiB more after {count} visits"
        summary = server.stop()
        assert summary.served + summary.lost == count
        if kind == "whole":
            assert summary.served == count


def test_a13_100000_clients_in_turn_leave_nothing_behind(lab, record_property):
    assert_nothing_is_left_of(lab, 100_000, "whole", record_property)


def test_a14_10000_resets_at_random_points_leave_nothing_behind(lab, record_property):
    assert_nothing_is_left_of(lab, 10_000, "reset", record_property)


# --- children ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL_SERVICES)
def test_a15_no_descriptor_would_be_inherited(lab, name, site, tmp_path):
    """In the middle of everything: a trace, clients, an upload, a download."""
    (site / "large").write_bytes(b"x" * 20 * MIB)
    with any_service(lab, name, site, f"--trace={tmp_path / 'trace'}") as server:
        client = server.greeted(receive_buffer=4096)
        if name == "http":
            client.send(request("GET", "/large"))
            until(client.hears, "the reply begins")
        if name == "files":
            client.send(request("PUT", "/sub", "Content-Length: 10") + b"x")
            until(lambda: len(os.listdir(site)) == 3, "the upload has begun")
        open_ones = sorted(
            int(path.name) for path in Path(f"/proc/{server.process.pid}/fd").iterdir()
        )
        for fd in open_ones[3:]:
            info = Path(f"/proc/{server.process.pid}/fdinfo/{fd}").read_text()
            flags = int(re.search(r"^flags:\s+(\d+)$", info, re.MULTILINE)[1], 8)
            what = os.readlink(f"/proc/{server.process.pid}/fd/{fd}")
            assert flags & os.O_CLOEXEC, f"{what} would be inherited"
