"""Runs for real, but short ones: whatever the bench plans can be made, and ends."""

import os
from pathlib import Path

import pytest

from bench.experiments import arrivals
from bench.judge import gates
from bench.measure.labs import find_labs as find_bench_labs
from bench.measure.labs import find_null
from bench.measure.processes import BenchError, await_end, started
from bench.measure.runs import Generator, Run, burst, perform
from tests.helpers.setting import BUILD, ROOT

TRIALS = 40
LOAD = BUILD / "bench" / "load"
pytestmark = pytest.mark.skipif(
    not (os.access(LOAD, os.X_OK) and os.access(LOAD.with_name("null"), os.X_OK)),
    reason="no load generator or no null server here: make",
)


@pytest.fixture(scope="module")
def bench_labs():
    """The labs, and the null server as the first of them."""
    return [find_null(BUILD), *find_bench_labs(ROOT, BUILD)]


def make(where, generators, tmp_path, **more):
    """Make one run."""
    run = Run("test", "test", "scene", where, generators, 1, 1.0, **more)
    return perform(run, LOAD, tmp_path)


def test_every_lab_and_the_null_server_serve_a_burst(bench_labs, tmp_path):
    for where in bench_labs:
        made = make(where, burst(5, "sleep 1"), tmp_path)
        assert not made.failures and len(made.visits) == 5 and not made.complaints
        assert gates.lost(made) == 0 and gates.law_off(made) < 1e-9
        assert made.server.ru_maxrss > 0 and made.generator_cpu_s["clients"] > 0


def test_generators_work_side_by_side(bench_labs, tmp_path):
    seen = []
    made = make(
        bench_labs[2],
        (
            Generator("probe", {"rate": 100, "duration": "200ms"}),
            Generator("slow", {"clients": 3, "duration": "50ms"}, "slow", after_s=0.05),
            Generator("hold", {"clients": 4}, "held", is_background=True),
        ),
        tmp_path,
        watch=lambda pid: seen.append(pid) or len(os.listdir(f"/proc/{pid}/task")),
    )
    assert {name: len(clients) for name, clients in made.others.items()} == {
        "slow": 3,
        "held": 4,
    }
    assert len(made.clients) == 20 and not made.failures
    assert made.seen >= 4 and len(seen) == 1  # a thread for each that is held
    assert gates.lost(made) == 0
    ports = {client.port for client in made.others["held"]}
    left = min(visit.ended for visit in made.visits if visit.port in ports)
    assert left >= max(client.done for client in made.clients)


def test_http_is_spoken_where_http_is_served(bench_labs, tmp_path):
    made = make(
        bench_labs[1], burst(3, "/sleep/1"), tmp_path, service=("http", str(tmp_path))
    )
    assert not made.failures


def test_the_null_server_is_its_own_floor_and_a_server_is_not(bench_labs, tmp_path):
    """Others can only make a run longer: of many trials one that nobody disturbs will do."""
    null, first = bench_labs[:2]
    trials = []
    for _ in range(TRIALS):
        floor, again, server = (
            median_of(make(each, burst(20, "sleep 5"), tmp_path))
            for each in (null, null, first)
        )
        trials.append((floor, again, server))
        is_server_near = gates.is_near_floor(server, floor)
        if gates.is_near_floor(again, floor) and not is_server_near:
            return
    pytest.fail(f"in none of {TRIALS} trials: {trials}")


def median_of(made):
    """When half of the clients were done."""
    return sorted(made.latencies)[len(made.latencies) // 2]


@pytest.mark.parametrize("seed", [1, 11, 12345])
def test_a_short_run_has_exactly_its_share_of_rare_customers(
    seed, bench_labs, tmp_path
):
    """And all of them are among the attempts, where starts are regular."""
    flags = {
        "rate": 4000,
        "duration": "100ms",
        "say": "echo a",
        "rare": "bytes 100",
        "rare-per-mille": arrivals.RARE_PER_MILLE,
        "rare-count": 4,
        "seed": seed,
    }
    made = make(bench_labs[4], (Generator("rate", flags),), tmp_path)
    assert not made.failures and len(made.clients) == 400
    assert sum(client.bytes > 100 for client in made.clients) == 4


def test_a_generator_that_fails_is_named(bench_labs, tmp_path):
    with pytest.raises(BenchError, match="the generator failed"):
        make(bench_labs[1], (Generator("burst", {"clients": 0}),), tmp_path)


def test_waiting_for_a_program_ends_in_time():
    with started(["sleep", "20"]) as sleeper:
        assert not await_end(sleeper, 0.05)
    assert sleeper.status == -15 and sleeper.usage is not None
    with started(["true"]) as quick:
        assert await_end(quick, 10)
    assert quick.status == 0


def test_files_of_a_run_are_where_they_should_be(bench_labs, tmp_path):
    make(bench_labs[1], burst(2, "sleep 1"), tmp_path)
    stem = "test-scene-lab1-sequential-n0002-r1"
    names = sorted(Path(tmp_path).iterdir())
    assert [each.name for each in names] == [f"{stem}.clients.csv", f"{stem}.trace.csv"]
