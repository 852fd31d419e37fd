"""Slow clients: of the six kinds that wear a server down, lab 4 sends each home within its limit
plus one second, by the server's own clock; two that are honest and slow are served whole.
And what the six do to a server without limits."""

import csv
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.faults import KIB, MIB, faulty, pass_time, visit_of, visits
from tests.helpers.clients import Client
from tests.helpers.labs import find_labs
from tests.helpers.setting import GUARD_S, SANITIZERS, run, until
from tests.helpers.web import request

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


def assert_gone_in_time(lab, site, tmp_path, misbehave) -> float:
    """Let one misbehave until the server has given it up. Returns the seconds that it was held,
    by the trace, beyond what it was entitled to."""
    for attempt in range(1, ATTEMPTS + 1):
        trace = tmp_path / f"trace{attempt}"
        flags = ["--threads=1", *LIMITS, f"--trace={trace}"]
        with faulty(lab, "files", *flags, folder=site) as server:
            client = server.connect(receive_buffer=4096)

            def is_over():
                return any(visit.port == client.port for visit in visits(trace))

            began_ns, entitled_s = misbehave(client, is_over)
            visit = visit_of(trace, client)
            held_s = (visit.ended_ns - began_ns) / 1e9
            assert visit.outcome == "timed-out"
            client.close()
            assert server.is_served(), "its place was not given to the next"
        assert held_s > LIMIT_S / 2, f"cut after {held_s:.2f} s"
        if held_s <= LIMIT_S + entitled_s + BEYOND_S:
            return held_s - entitled_s
    raise AssertionError(f"held for {held_s:.2f} s, with a limit of {LIMIT_S:g} s")


def tell(record_property, misbehave, held_s: float) -> None:
    """For the list of results."""
    kind = misbehave.__name__.replace("_", " ")
    told = f"{kind}: gone after {held_s:.2f} s, with a limit of {LIMIT_S:g} s"
    record_property("measured", told)


def drip(client: Client, piece: bytes, is_over, every_s: float = DRIP_S) -> int:
    """Send pieces until the server has given up, whatever it says. Returns how many bytes."""
    sent, end = 0, time.monotonic() + GUARD_S
    while not is_over():
        assert time.monotonic() < end, f"not given up after {sent} bytes"
        try:
            sent += client.socket.send(piece)
        except OSError:
            return sent
        time.sleep(every_s)  # this client is slow: it waits for nothing
    return sent


# --- six who wear a server down ------------------------------------------------------------

# Each of them returns when the limit began to run, and how many seconds more than LIMIT_S it is
# entitled to.


def say_nothing(client, is_over):
    began_ns = time.monotonic_ns()
    until(is_over, "the silent client is sent home")
    return began_ns, 0


def drip_head_bytes(client, is_over):
    client.send(b"GET / HTTP/1.1\r\nX: ")
    began_ns = time.monotonic_ns()
    drip(client, b"x", is_over)
    return began_ns, 0


def drip_head_lines(client, is_over):
    client.send(b"GET / HTTP/1.1\r\n")
    began_ns = time.monotonic_ns()
    drip(client, b"X: y\r\n", is_over, 3 * DRIP_S)
    return began_ns, 0


def drip_body(client, is_over):
    client.send(request("PUT", "/new", "Content-Length: 1000000"))
    began_ns = time.monotonic_ns()
    return began_ns, drip(client, b"x", is_over) / BYTES_PER_S


def drip_chunks(client, is_over):
    client.send(request("PUT", "/new", "Transfer-Encoding: chunked"))
    began_ns = time.monotonic_ns()
    return began_ns, drip(client, b"1\r\nx\r\n", is_over) / BYTES_PER_S


def read_nothing(client, is_over):
    client.send(request("GET", "/large"))
    began_ns = time.monotonic_ns()
    until(is_over, "one who does not read is sent home")
    return began_ns, 0


def read_hardly(client, is_over):
    client.send(request("GET", "/large"))
    until(client.hears, "the reply begins")
    began_ns = time.monotonic_ns()
    while not is_over():
        client.receive(16)
        time.sleep(0.5)  # this client is slow: it waits for nothing
    return began_ns, 0


def say_nothing_more(client, is_over):
    assert client.get("/page").status == 200
    began_ns = time.monotonic_ns()
    until(is_over, "the idle connection is closed")
    return began_ns, 0


@pytest.mark.mistake("M10")
@pytest.mark.parametrize("misbehave", [drip_head_bytes, drip_head_lines])
def test_b5_who_drips_a_header_is_gone_in_time(
    timed, site, tmp_path, misbehave, record_property
):
    held_s = assert_gone_in_time(timed, site, tmp_path, misbehave)
    tell(record_property, misbehave, held_s)


@pytest.mark.mistake("M10")
@pytest.mark.parametrize("misbehave", [drip_body, drip_chunks])
def test_b6_who_drips_a_body_is_gone_in_time(
    timed, site, tmp_path, misbehave, record_property
):
    held_s = assert_gone_in_time(timed, site, tmp_path, misbehave)
    tell(record_property, misbehave, held_s)


@pytest.mark.mistake("M10")
@pytest.mark.parametrize("misbehave", [read_nothing, read_hardly])
def test_b7_who_stands_still_is_gone_in_time(
    timed, slow_site, tmp_path, misbehave, record_property
):
    held_s = assert_gone_in_time(timed, slow_site, tmp_path, misbehave)
    tell(record_property, misbehave, held_s)


@pytest.mark.mistake("M10")
def test_b8_a_silent_client_is_gone_in_time(timed, site, tmp_path, record_property):
    held_s = assert_gone_in_time(timed, site, tmp_path, say_nothing)
    tell(record_property, say_nothing, held_s)


@pytest.mark.mistake("M10")
def test_b9_an_idle_connection_is_gone_in_time_and_a_busy_one_stays(
    timed, site, tmp_path, record_property
):
    with faulty(timed, "files", *LIMITS, folder=site) as server:
        busy = server.connect()
        is_idle_over = threading.Event()
        answers = []

        def ask_again_and_again():
            while not is_idle_over.wait(LIMIT_S / 20):
                answers.append(busy.get("/page").status)

        asking = threading.Thread(target=ask_again_and_again)
        asking.start()
        try:
            held_s = assert_gone_in_time(timed, site, tmp_path, say_nothing_more)
        finally:
            is_idle_over.set()
            asking.join()
        assert set(answers) == {200} and len(answers) > 5
        assert busy.get("/page").status == 200, "kept for as long as it asks"
        tell(record_property, say_nothing_more, held_s)


ALL_SIX = [
    *(say_nothing, say_nothing_more, drip_head_bytes, drip_head_lines),
    *(drip_body, read_nothing),
]


WITHOUT_LIMITS = [
    lab
    for lab in find_labs()
    if lab.is_concurrent and "request-timeout" not in lab.flags()
]


@pytest.mark.parametrize("lab_without", WITHOUT_LIMITS, ids=str)
def test_s2_slow_clients_hold_a_server_without_limits(lab_without, slow_site, tmp_path):
    """They take all places, and more time than lab 4 would give them: the next one waits."""
    trace = tmp_path / "trace"
    flags = [*lab_without.places(len(ALL_SIX)), f"--trace={trace}"]
    with faulty(lab_without, "files", *flags, folder=slow_site) as server:
        is_over = threading.Event()
        slow = [server.connect(receive_buffer=4096) for _ in ALL_SIX]
        with ThreadPoolExecutor(len(ALL_SIX)) as pool:
            held = [
                pool.submit(misbehave, client, is_over.is_set)
                for misbehave, client in zip(ALL_SIX, slow)
            ]
            newcomer = server.connect()
            newcomer.send(request("GET", "/page"))
            pass_time(lab_without, 1000 * (LIMIT_S + BEYOND_S))
            assert visits(trace) == [], "somebody was sent home"
            assert not newcomer.hears(), "there was a place after all"
            is_over.set()
            for one in held:
                one.result()
        for client in slow:
            client.close()
        assert newcomer.reply().body == b"hello"


# --- two who are honest --------------------------------------------------------------------


def test_b10_a_header_of_2_kb_at_600_bytes_a_second_is_served(lab, site):
    """With the limits as they are, unless told otherwise."""
    head = request(
        "GET", "/page", *[f"X-{number:02}: {'y' * 92}" for number in range(20)]
    )
    assert 2000 <= len(head) <= 2100
    with faulty(lab, "http", folder=site) as server:
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
    timed, slow_site, record_property
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
        told = f"{2.5 * limit_s:g} s at 32 KB/s, with a limit of {limit_s} s: whole"
        record_property("measured", told)


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
    lab and the mode. The limits are all in which the servers differ."""
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
            (lab, mode): pool.submit(try_out, lab, mode)
            for lab in pools
            for mode in MODES
        }
        return {what: one.result() for what, one in tried.items()}


@pytest.mark.skipif(
    SANITIZERS != "", reason="it measures availability, and sanitizers are slow"
)
@pytest.mark.skipif(
    shutil.which("slowhttptest") is None, reason="slowhttptest is not installed"
)
@pytest.mark.parametrize("mode", MODES)
def test_s1_slowhttptest_makes_lab_3_unavailable_and_lab_4_not(
    pool, mode, attacks, record_property
):
    was_served = attacks[pool, mode]
    told = f"{mode}: available in {sum(was_served)} of {len(was_served)} seconds"
    record_property("measured", told)
    has_limits = "request-timeout" in pool.flags()
    if has_limits:
        assert all(was_served), was_served
    else:
        assert was_served[-1] != (mode in WHO_HOLD), was_served
