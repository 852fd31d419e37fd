"""Slow clients: of the six kinds that wear a server down, lab 4 sends each home within its limit
plus one second, by the server's own clock; two that are honest and slow are served whole.

What they do to the labs without limits is shown in tests/test_character.py."""

import csv
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faults import KIB, MIB, faulty, visit_of, visits
from servers import Client, find_labs, plain_only, run, until
from web import request

LIMIT_S = 1.0
BEYOND_S = 1.0  # how much later than its limit a slow client may be gone
LIMITS = [f"--{name}-timeout={LIMIT_S:g}s" for name in ("idle", "request", "write")]
ATTEMPTS = 3  # for a machine that may be too busy for a while
BYTES_PER_S = 4000  # of a body, on the whole, at the least
DRIP_S = 0.02
LARGE = 20 * MIB


@pytest.fixture
def slow_site(site):
    (site / "large").write_bytes(b"x" * LARGE)
    return site


def assert_gone_in_time(
    lab, site, tmp_path, misbehave, service="http", outcome="timed-out"
):
    """Let one misbehave until the server has given it up; tell by the trace how long that took.

    misbehave(client, is_over) returns when the limit began to run, and how many seconds more
    than LIMIT_S it is entitled to."""
    for attempt in range(1, ATTEMPTS + 1):
        trace = tmp_path / f"trace{attempt}"
        with faulty(
            lab, service, "--threads=1", *LIMITS, f"--trace={trace}", folder=site
        ) as server:
            client = server.connect(receive_buffer=4096)

            def is_over():
                return any(visit.port == client.port for visit in visits(trace))

            began_ns, entitled_s = misbehave(client, is_over)
            visit = visit_of(trace, client)
            held_s = (visit.ended_ns - began_ns) / 1e9
            assert visit.outcome == outcome
            client.close()
            assert server.is_served(), "its place was not given to the next"
        assert (
            held_s > LIMIT_S / 2
        ), f"cut after {held_s:.2f} s, with a limit of {LIMIT_S:g} s"
        if held_s <= LIMIT_S + entitled_s + BEYOND_S:
            return
    raise AssertionError(f"held for {held_s:.2f} s, with a limit of {LIMIT_S:g} s")


def drip(client: Client, pieces, is_over, every_s: float = DRIP_S) -> int:
    """Send pieces until the server has given up, whatever it says. Returns how many bytes."""
    sent = 0
    for piece in pieces:
        if is_over():
            return sent
        try:
            sent += client.socket.send(piece)
        except OSError:
            return sent
        time.sleep(every_s)  # this client is slow: it waits for nothing
    raise AssertionError(f"not given up after {sent} bytes")


# --- six who wear a server down ------------------------------------------------------------


@pytest.mark.mistake("M10")
def test_b8_a_silent_client_is_gone_in_time(timed, site, tmp_path):
    def say_nothing(client, is_over):
        began_ns = time.monotonic_ns()
        until(is_over, "the silent client is sent home")
        return began_ns, 0

    assert_gone_in_time(timed, site, tmp_path, say_nothing)


@pytest.mark.mistake("M10")
def test_b5_a_header_byte_by_byte_is_gone_in_time(timed, site, tmp_path):
    def drip_bytes(client, is_over):
        client.send(b"GET / HTTP/1.1\r\nX: ")
        began_ns = time.monotonic_ns()
        drip(client, [b"x"] * 500, is_over)
        return began_ns, 0

    assert_gone_in_time(timed, site, tmp_path, drip_bytes)


@pytest.mark.mistake("M10")
def test_b5_a_header_line_by_line_is_gone_in_time(timed, site, tmp_path):
    def drip_lines(client, is_over):
        client.send(b"GET / HTTP/1.1\r\n")
        began_ns = time.monotonic_ns()
        drip(
            client,
            [b"X-%d: y\r\n" % number for number in range(100)],
            is_over,
            3 * DRIP_S,
        )
        return began_ns, 0

    assert_gone_in_time(timed, site, tmp_path, drip_lines)


@pytest.mark.mistake("M10")
@pytest.mark.parametrize("is_chunked", [False, True], ids=["counted", "chunked"])
def test_b6_a_body_byte_by_byte_is_gone_in_time(timed, site, tmp_path, is_chunked):
    field = "Transfer-Encoding: chunked" if is_chunked else "Content-Length: 1000000"
    piece = b"1\r\nx\r\n" if is_chunked else b"x"

    def drip_body(client, is_over):
        client.send(request("PUT", "/new", field))
        began_ns = time.monotonic_ns()
        sent = drip(client, [piece] * 500, is_over)
        return began_ns, sent / BYTES_PER_S

    assert_gone_in_time(timed, site, tmp_path, drip_body, service="files")


@pytest.mark.mistake("M10")
def test_b7_a_client_that_reads_nothing_is_gone_in_time(timed, slow_site, tmp_path):
    def read_nothing(client, is_over):
        client.send(request("GET", "/large"))
        began_ns = time.monotonic_ns()
        until(is_over, "one who does not read is sent home")
        return began_ns, 0

    assert_gone_in_time(timed, slow_site, tmp_path, read_nothing)


@pytest.mark.mistake("M10")
def test_b7_a_client_that_reads_16_bytes_now_and_then_is_gone_in_time(
    timed, slow_site, tmp_path
):
    def read_hardly(client, is_over):
        client.send(request("GET", "/large"))
        until(client.hears, "the reply begins")
        began_ns = time.monotonic_ns()
        while not is_over():
            client.receive(16)
            time.sleep(0.5)  # this client is slow: it waits for nothing
        return began_ns, 0

    assert_gone_in_time(timed, slow_site, tmp_path, read_hardly)


@pytest.mark.mistake("M10")
def test_b9_an_idle_connection_is_gone_in_time_and_a_busy_one_stays(
    timed, site, tmp_path
):
    trace = tmp_path / "busy"
    with faulty(timed, "http", *LIMITS, f"--trace={trace}", folder=site) as server:
        busy = server.connect()
        is_idle_over = threading.Event()
        answers = []

        def ask_again_and_again():
            while not is_idle_over.wait(LIMIT_S / 20):
                answers.append(busy.get("/page").status)

        asking = threading.Thread(target=ask_again_and_again)
        asking.start()

        def say_nothing_more(client, is_over):
            assert client.get("/page").status == 200
            began_ns = time.monotonic_ns()
            until(is_over, "the idle connection is closed")
            return began_ns, 0

        try:
            assert_gone_in_time(timed, site, tmp_path, say_nothing_more)
        finally:
            is_idle_over.set()
            asking.join()
        assert set(answers) == {200} and len(answers) > 5
        assert busy.get("/page").status == 200, "kept for as long as it asks"


# --- two who are honest --------------------------------------------------------------------


def test_b10_a_header_of_2_kb_at_600_bytes_a_second_is_served(timed, site):
    """With the limits as they are, unless told otherwise."""
    head = request(
        "GET", "/page", *[f"X-{number:02}: {'y' * 92}" for number in range(20)]
    )
    assert 2000 <= len(head) <= 2100
    with faulty(timed, "http", folder=site) as server:
        client = server.connect()
        for start in range(0, len(head), 60):
            client.send(head[start : start + 60])
            time.sleep(0.1)  # this client is slow: it waits for nothing
        assert client.reply().body == b"hello"


def read_steadily(client: Client, bytes_per_s: int, for_s: float) -> tuple[int, float]:
    """Read at this rate for a while. Returns how many bytes came, and the longest pause in s."""
    begin = last = time.monotonic()
    count, longest_s = 0, 0
    while last - begin < for_s:
        time.sleep(max(0, begin + count / bytes_per_s - time.monotonic()))
        data = client.receive(4 * KIB)
        assert (
            data
        ), f"cut after {last - begin:.1f} s, at {bytes_per_s} bytes/s all the time"
        count += len(data)
        longest_s, last = max(longest_s, time.monotonic() - last), time.monotonic()
    return count, longest_s


def count_rest(client: Client, most: int) -> int:
    """Read more than that, as fast as it comes, or up to the end. Returns how many bytes."""
    count = 0
    while count <= most and (data := client.receive()):
        count += len(data)
    return count


def test_b10_a_download_at_32_kb_a_second_with_limits_of_3_s_is_served(
    timed, slow_site
):
    """The kernel's buffers hold megabytes of it: for seconds nothing can be written, and yet it
    reads all the time. After twice the limit and more it reads the rest as fast as it can.
    """
    limit_s = 3
    limits = [f"--{name}-timeout={limit_s}s" for name in ("idle", "request", "write")]
    with faulty(timed, "http", *limits, folder=slow_site) as server:
        for attempt in range(ATTEMPTS):
            client = server.connect(receive_buffer=16 * KIB)
            client.send(request("GET", "/large"))
            until(client.hears, "the reply begins")
            count, longest_s = read_steadily(client, 32 * KIB, 2.5 * limit_s)
            count += count_rest(client, LARGE - count)
            if count > LARGE or longest_s < limit_s / 2:
                break  # else this machine was so busy that it did stand still
        assert count > LARGE, f"cut after {count} bytes"


# --- the tool that is made for it ----------------------------------------------------------

MODES = {
    "headers": ["-H", "-i", "1", "-u", "/page"],
    "body": ["-B", "-i", "1", "-t", "PUT", "-s", "100000", "-u", "/new"],
    "range": ["-R", "-u", "/large"],
    "read": ["-X", "-n", "1", "-w", "256", "-y", "512", "-z", "5", "-u", "/large"],
}
WHO_HOLD = [
    mode for mode in MODES if mode != "range"
]  # who asks for too many ranges gets one
ATTACK_S = 7
CROWD = ["-c", "300", "-r", "60", "-l", str(ATTACK_S), "-p", "2", "-v", "0"]
WORKERS = ["--threads=64", "--queue=64"]
SHORT_LIMITS = [f"--{name}-timeout=300ms" for name in ("idle", "request", "write")]


def attack(server, mode: str, folder: Path) -> list[bool]:
    """60 slow clients more each second, up to 300. Returns for each second whether a good one,
    who waits for two seconds at the most, was served."""
    *options, target = MODES[mode]
    url = f"http://127.0.0.1:{server.port}{target}"
    report = ["-g", "-o", str(folder / "report")]
    run(["slowhttptest", *options, url, *CROWD, *report], cwd=folder)
    with open(folder / "report.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["Service Available"] != "0" for row in rows if row["Seconds"].isdigit()]


@pytest.fixture(scope="module")
def attacks(tmp_path_factory):
    """All attacks at the same time, each on a server of its own: what attack() returns, by the
    mode and by whether the server has limits. The limits are all in which they differ.
    """
    site = tmp_path_factory.mktemp("site")
    (site / "page").write_bytes(b"hello")
    (site / "large").write_bytes(b"x" * LARGE)

    def try_out(lab, mode):
        limits = SHORT_LIMITS if "request-timeout" in lab.flags() else []
        with faulty(lab, "files", *WORKERS, *limits, folder=site) as server:
            return attack(server, mode, tmp_path_factory.mktemp(mode))

    pools = [lab for lab in find_labs() if "threads" in lab.flags()]
    with ThreadPoolExecutor(len(pools) * len(MODES)) as pool:
        tried = {
            (mode, "request-timeout" in lab.flags()): pool.submit(try_out, lab, mode)
            for lab in pools
            for mode in MODES
        }
        return {what: one.result() for what, one in tried.items()}


@plain_only
@pytest.mark.skipif(
    shutil.which("slowhttptest") is None, reason="slowhttptest is not installed"
)
@pytest.mark.parametrize("mode", MODES)
def test_s1_slowhttptest_makes_lab_3_unavailable_and_lab_4_not(mode, attacks):
    without_limits, with_limits = attacks[mode, False], attacks[mode, True]
    assert all(with_limits), f"with limits, was it available? {with_limits}"
    is_held = not without_limits[-1]
    assert is_held == (
        mode in WHO_HOLD
    ), f"without limits, was it available? {without_limits}"
