"""What makes each model itself. What cannot hold for one is in tests/helpers/models.py."""

import re
import signal
import subprocess

import pytest

from tests.helpers.kernel import is_alive
from tests.helpers.models import find_models
from tests.helpers.servers import Server
from tests.helpers.setting import ROOT, until

MODELS = {model.name: model for model in find_models()}
ASKED = b"barrier %d 300"


def barrier(model: str, wanted: int, *flags: str) -> list[bytes]:
    """What so many clients are told who wait at a barrier for each other."""
    with MODELS[model].serve("desk", *flags) as server:
        clients = [server.greeted() for _ in range(wanted)]
        for client in clients:
            client.send(ASKED % wanted + b"\n")
        return [client.line() for client in clients]


@pytest.mark.parametrize("model", ["accept", "policies"])
def test_workers_serve_as_many_as_they_are(model):
    assert barrier(model, 3, "--workers=3") == [b"ok barrier 3\n"] * 3


@pytest.mark.parametrize("model", ["accept", "prefork", "policies"])
def test_one_more_than_the_workers_waits(model):
    with MODELS[model].serve("desk", "--workers=2") as server:
        first, second = server.greeted(), server.greeted()
        third = server.connect()
        assert first.ask(b"echo here?") == b"ok echo here?\n"
        assert not third.hears()
        second.close()
        third.greeting()


def test_coroutines_serve_all_on_one_loop():
    assert barrier("coroutines", 20, "--loops=1") == [b"ok barrier 20\n"] * 20


def test_coroutines_of_two_loops_meet():
    assert barrier("coroutines", 20, "--loops=2") == [b"ok barrier 20\n"] * 20


@pytest.mark.parametrize("loops", [1, 2, 3])
def test_coroutines_serve_up_to_their_limit(loops):
    flags = [f"--loops={loops}", "--max-clients=5"]
    with MODELS["coroutines"].serve("desk", *flags) as server:
        clients = [server.greeted() for _ in range(5)]
        more = server.connect()
        assert clients[0].ask(b"echo here?") == b"ok echo here?\n"
        assert not more.hears()
        clients.pop().close()
        more.greeting()


def test_one_long_computation_stops_a_loop():
    """Lab 1 again: while one computes, the clients of its loop wait."""
    with MODELS["coroutines"].serve("desk", "--loops=1") as server:
        busy, other = server.greeted(), server.greeted()
        busy.send(b"burn 300\n")
        server.until_read(busy)
        assert other.ask(b"echo here?") == b"ok echo here?\n"
        assert busy.hears(), "the computation went on while another was served"
        assert busy.line() == b"ok burn 300\n"


@pytest.mark.parametrize("model", ["fork", "prefork"])
def test_processes_share_nothing(model):
    """No barrier is met: each process has a list of its own."""
    assert set(barrier(model, 2)) == {b"error barrier 1 of 2\n"}


def test_processes_do_not_outlive_a_stop():
    with MODELS["prefork"].serve("desk", "--workers=3") as server:
        children = children_of(server.process.pid)
        assert len(children) == 3
        server.stop()
    for child in children:
        until(lambda: not is_alive(child), f"process {child} has ended")


def test_fork_hands_a_stop_on():
    """The request in service is finished, and no child is left."""
    with MODELS["fork"].serve("desk") as server:
        idle, busy = server.greeted(), server.greeted()
        children = children_of(server.process.pid)
        assert len(children) == 2
        busy.send(b"sleep 300\n")
        server.until_read(busy)
        server.send_signal(signal.SIGTERM)
        assert busy.line() == b"ok sleep 300\n"
        idle.assert_ended("the server stops")
        server.ended()
    for child in children:
        until(lambda: not is_alive(child), f"process {child} has ended")


def test_own_keeps_each_job_in_its_line():
    """One worker has a long job; those of its line wait, although the other is idle."""
    flags = ["--port=0", "--policy=own", "--workers=2", "http", str(ROOT / "docs")]
    with Server(MODELS["policies"], flags) as server:
        long = server.connect()
        long.send(b"GET /sleep/700 HTTP/1.0\r\n\r\n")
        server.until_read(long)
        others = [server.connect() for _ in range(16)]
        for client in others:
            client.send(b"GET /sleep/1 HTTP/1.0\r\n\r\n")
        until(lambda: any(c.hears() for c in others), "the other line is served")
        heard = []
        while not long.hears():
            heard = [client for client in others if client.hears()]
        assert 0 < len(heard) < len(others)
        server.stop()


def children_of(pid: int) -> list[str]:
    """The processes that this one has started."""
    told = ["ps", "-o", "pid=", "--ppid", str(pid)]
    return subprocess.run(told, capture_output=True, text=True).stdout.split()


def test_events_serve_echo_only():
    told = MODELS["events"].run("--port=0", "desk")
    assert told.returncode == 2
    assert told.stderr == "events: desk: events serves echo only\n"


def test_the_shortest_job_is_served_first():
    """One worker is busy; of those that wait, sjf takes the one that asks for least."""
    for policy, order in [("fcfs", [60, 30, 1]), ("sjf", [1, 30, 60])]:
        flags = ["--port=0", f"--policy={policy}", "--workers=1"]
        with Server(MODELS["policies"], [*flags, "http", str(ROOT / "docs")]) as server:
            first = server.connect()
            first.send(b"GET /sleep/200 HTTP/1.0\r\n\r\n")
            server.until_read(first)
            waiting = {}
            for ms in (60, 30, 1):
                waiting[ms] = server.connect()
                waiting[ms].send(b"GET /sleep/%d HTTP/1.0\r\n\r\n" % ms)
            ended = []
            while len(ended) < 3:  # who must be later is asked before the others
                left = [ms for ms in reversed(order) if ms not in ended]
                ended += reversed([ms for ms in left if waiting[ms].hears()])
            assert ended == order
            server.stop()


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_announces_its_own_name(model):
    with MODELS[model].serve("echo") as server:
        assert server.announcement.startswith(f"{model}: listening on ")


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_has_a_lesson(model):
    told = subprocess.run(
        ["make", "-s", f"lesson-{model}"], cwd=ROOT, capture_output=True, text=True
    )
    assert told.stderr == "" and re.search(
        rf"^\+\+\+ bench/models/{model}\.c", told.stdout, re.M
    )
