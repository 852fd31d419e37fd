"""Each gate lets a good run pass and stops the one it is there for."""

import dataclasses
import itertools
import math
import sys

import pytest

from bench.judge import gates, stamps
from bench.measure import kernel
from bench.measure.processes import BenchError, started
from bench.measure.records import join
from tests.helpers.bench_world import (
    Generator,
    burst,
    change,
    change_clients,
    client,
    ideal,
    make_run,
    quiet,
    stamp,
    visit,
)


def rate(per_s=200, duration="2s"):
    flags = {
        "rate": per_s,
        "arrivals": "poisson",
        "duration": duration,
        "say": "sleep 2",
    }
    return (Generator("rate", flags),)


def faults(made):
    return {fault.gate for fault in gates.judge(made).faults}


RUNS = [make_run(burst(100, "sleep 5")), make_run(rate()), make_run(rate(), number=3)]


@pytest.fixture(params=RUNS, ids=["burst", "rate", "pool"])
def made(request):
    return ideal(request.param)


def test_a_good_run_passes(made):
    assert faults(made) == set()
    assert stamps.stamp([gates.judge(made)]) == ""


def test_little_misses_clients_without_a_record(made):
    without = [each for each in made.clients if each.i % 20 != 7]
    assert "Little's law off" in faults(change(made, clients=without))


def test_little_misses_visits_without_a_row(made):
    without = [each for i, each in enumerate(made.visits) if i % 20 != 7]
    assert "Little's law off" in faults(change(made, visits=without))


def test_little_is_sharp_but_not_mad(made):
    """1 % is the limit: one row in 200 is not missed by it, but by the count of records."""
    without = change(made, clients=[each for each in made.clients if each.i != 7])
    assert gates.law_off(without) == pytest.approx(1 / (len(made.clients) - 1))
    assert "records lost" in faults(without)


def test_little_holds_for_users_and_misses_their_rows():
    flags = {"clients": 4, "duration": "1s", "say": "sleep 10", "requests": 0}
    model = ideal(make_run(burst(400, "sleep 10"), number=4, flags={"threads": 4}))
    users = [
        dataclasses.replace(
            each,
            intended=each.done - 10_000_000,
            started=each.done - 10_000_000,
            port=each.port % 4,
        )
        for each in model.clients
    ]
    made = change(
        model, run=make_run((Generator("closed", flags),)), clients=users, visits=[]
    )
    assert gates.law_off(made) <= 0.01
    fewer = [each for each in users if each.i % 20 != 7]
    assert gates.law_off(change(made, clients=fewer)) > 0.01


def test_a_failed_client_is_no_breach_of_the_law(made):
    """Who gave up, and whom the server never saw, counts as a failure and nothing else."""
    gone = {each.port for each in made.clients if each.i % 10 == 7}
    failed = change_clients(
        made, lambda each: each.port in gone, outcome="timeout", done=0
    )
    failed = change(failed, visits=[v for v in made.visits if v.port not in gone])
    assert faults(failed) == set()
    assert failed.failures["timeout"] == len(gone)
    assert math.isinf(max(failed.latencies))


def test_late_sends_are_noticed(made):
    late = [
        dataclasses.replace(each, started=each.started + 20_000_000)
        for each in made.clients
    ]
    assert "sends late" in faults(change(made, clients=late))


def test_a_burst_may_take_as_long_as_its_connects():
    made = ideal(make_run(burst(1000, "sleep 5")))
    paced = [
        dataclasses.replace(each, started=each.started + 10_000 * each.i)
        for each in made.clients
    ]
    assert "sends late" not in faults(change(made, clients=paced))
    slow = [
        dataclasses.replace(each, started=each.started + 100_000 * each.i)
        for each in made.clients
    ]
    limit = gates.lateness_limit(made)
    assert gates.lateness(change(made, clients=slow)) > min(limit, 0.01)


def test_one_late_send_in_a_thousand_is_forgiven():
    made = ideal(make_run(rate(per_s=1000)))
    assert len(made.clients) > 1000
    one = change_clients(
        made, lambda each: each.i == 5, started=made.clients[9].started
    )
    assert "sends late" not in faults(one)


def test_clients_who_only_stay_are_not_timed():
    stay = (Generator("hold", {"clients": 20, "say": "sleep 0", "duration": "60s"}),)
    made = ideal(make_run(stay))
    late = change_clients(
        made, lambda each: True, started=made.clients[0].started + 10**8
    )
    assert faults(change(late, generator_cpu_s={"clients": 60.0})) == set()


def test_a_busy_generator_is_noticed(made):
    span = gates.span_s(made.clients)
    assert faults(change(made, generator_cpu_s={"clients": 0.9 * span})) == {
        "generator busy"
    }
    assert faults(change(made, generator_cpu_s={"clients": 0.5 * span})) == set()


@pytest.mark.parametrize("outcome", ["open", "cut", "client-fault"])
def test_attempts_that_tell_nothing_of_the_server_are_lost(made, outcome):
    assert "records lost" in faults(
        change_clients(made, lambda each: each.i == 3, outcome=outcome)
    )


def test_a_stranger_in_the_trace_is_noticed(made):
    first, *rest = made.visits
    strange = [dataclasses.replace(first, port=9), *rest]
    assert "records lost" in faults(change(made, visits=strange))


@pytest.mark.parametrize(
    "busy, stolen, is_bad",
    [
        (0.2, 0.0, False),
        (5.0, 0.0, False),  # one core of two is taken, the other one idle
        (6.5, 0.0, True),
        (9.9, 0.0, True),
        (0.2, 0.5, False),
        (0.2, 1.5, True),
    ],
)
def test_cpu_that_others_took_is_noticed(made, busy, stolen, is_bad):
    counted = dataclasses.replace(quiet(), busy_s=busy, stolen_s=stolen)
    assert ("CPU taken by others" in faults(change(made, counted=counted))) == is_bad


@pytest.mark.parametrize("busy, is_bad", [(6.0, False), (9.9, True)])
def test_where_the_prediction_counts_others_in_they_may_take_more(made, busy, is_bad):
    """Others had 6 of 10 s and left 4 idle: 2 s may be missed, a fifth."""
    counted = dataclasses.replace(quiet(), busy_s=busy)
    run = dataclasses.replace(made.run, counts_others=True)
    beside = change(made, counted=counted, run=run)
    assert ("CPU taken by others" in faults(beside)) == is_bad
    assert "CPU taken by others" in faults(change(made, counted=counted))
    assert gates.cpu_left([beside]) == pytest.approx(1 - busy / 10, abs=0.02)


def test_what_may_be_an_error_of_counting_is_nobodys(made):
    """Idle time comes in whole ticks: too little one time, too much the next."""
    others = gates.UNSURE_S * 0.9
    runs = [
        change(made, counted=dataclasses.replace(quiet(), busy_s=busy))
        for busy in (others, -others, others)
    ]
    assert gates.cpu_left(runs) == 1
    own = dataclasses.replace(quiet(), busy_s=3.0, own_s=2.99)
    assert gates.cpu_left([change(made, counted=own)]) == 1, "the bench itself"
    assert gates.cpu_left([]) == 1


def test_the_kernel_counts_another_program_and_not_the_bench():
    """Beside a program that burns one core; and what the bench itself burns is its own."""
    before = kernel.look()
    with started([sys.executable, "-c", "while True: pass"]) as burner:
        while kernel.look().since(before).own_s < 0.1:
            pass
    counted = kernel.look().since(before)
    assert counted.own_s >= 0.1
    assert counted.busy_s >= counted.own_s + burner.cpu_s - 3 * gates.UNSURE_S
    assert counted.busy_s <= counted.total_s + gates.UNSURE_S


def a_bad_run():
    return change(ideal(RUNS[0]), visits=ideal(RUNS[0]).visits[10:])


def test_the_first_try_that_passes_is_kept_and_all_are_listed(tmp_path):
    bad, good = a_bad_run(), ideal(RUNS[0])
    series = iter([bad, bad, good, AssertionError("a fourth try")])
    kept = stamps.Patience(10).make_valid(lambda: next(series))
    assert kept.tries == 3 and not kept.faults and kept.clients == good.clients
    stamps.write([kept], tmp_path)
    lines = (tmp_path / "gates.csv").read_text().splitlines()
    assert lines[0] == "run,try,gate,value,limit,failed"
    failed = [line.split(",")[1] for line in lines[1:] if line.endswith(",1")]
    assert sorted(set(failed)) == ["1", "2"] and len(lines) == 1 + 3 * len(gates.GATES)


def test_after_five_tries_the_last_is_kept_with_its_faults():
    series = iter([a_bad_run()] * 5)
    kept = stamps.Patience(100).make_valid(lambda: next(series))
    assert kept.tries == 5 and kept.faults
    assert stamps.stamp([kept]) == (
        "Do not trust Lab 1 sequential, scene with 100 clients:"
        " the records of client and server do not agree."
    )
    assert any(kept.run.name in line for line in stamps.trust_lines([kept], [kept]))


def repeats(valid, invalid):
    """So many repeats of one point, judged."""
    made = [ideal(RUNS[0])] * valid + [a_bad_run()] * invalid
    return [gates.judge(each) for each in made]


def test_an_invalid_repeat_is_left_out_while_three_valid_ones_remain():
    made = stamps.leave_out(repeats(3, 1))
    assert len(stamps.believed(made)) == 3 and stamps.stamp(made) == ""
    line = stamps.grey_line(made)
    assert line.startswith("1 of 4 runs left out: Little's law off")


def test_with_fewer_than_three_valid_repeats_the_chart_is_stamped():
    made = stamps.leave_out(repeats(2, 1))
    assert len(stamps.believed(made)) == 3 and stamps.grey_line(made) == ""
    assert stamps.stamp(made).startswith("Do not trust Lab 1 sequential")


def test_repeats_of_another_point_do_not_count():
    other = change(a_bad_run(), run=make_run(burst(100, "sleep 5"), number=2))
    made = stamps.leave_out([*repeats(5, 0), gates.judge(other)])
    assert "Lab 2" in stamps.stamp(made) and "Lab 1" not in stamps.stamp(made)


def test_prices_come_from_runs_that_passed_where_there_are_any():
    good, bad = repeats(1, 1)
    assert stamps.sound([good, bad]) == [good] and stamps.sound([bad]) == [bad]
    failed = change_clients(good, lambda each: each.i == 1, outcome="timeout")
    assert stamps.sound([failed]) == [], "a client who failed has no price"


def test_a_lateness_is_judged_by_what_the_chart_shows(made):
    """1.06 ms are nothing beside 800 ms, and much beside 8 ms."""
    late = [
        dataclasses.replace(each, started=each.started + 1_060_000)
        for each in made.clients
    ]
    for effect_s, is_late in ((0.8, False), (0.008, True)):
        run = dataclasses.replace(
            made.run, effect_s=effect_s, generators=burst(100, "sleep 1")
        )
        quick = [
            dataclasses.replace(each, done=each.intended + 10**6) for each in late
        ]
        gate = gates.lateness(change(made, clients=late)) > gates.lateness_limit(
            change(made, clients=quick, run=run)
        )
        assert gate == is_late


def test_a_lateness_is_much_or_little_for_a_mean():
    """Where 10 ms is the mean, one client of 100 who is 5 ms late adds half a percent."""
    slow = change_clients(ideal(RUNS[0]), lambda each: True, done=stamp(0.01))
    run = dataclasses.replace(slow.run, shows_mean=True)
    assert gates.lateness_limit(change(slow, run=run)) == pytest.approx(0.01, rel=0.01)
    assert gates.lateness_limit(slow) == gates.LATE_S


def test_a_run_that_fills_the_machine_may_be_late():
    """Its generator waits for a core as its server does; elsewhere that is a fault."""
    made = ideal(RUNS[0])
    late = change_clients(made, lambda each: True, started=made.clients[-1].done)
    filling = dataclasses.replace(made.run, fills_machine=True)
    assert gates.lateness(late) > gates.lateness_limit(late)
    assert gates.lateness(late) < gates.lateness_limit(change(late, run=filling))


def test_a_loop_that_fills_the_machine_on_purpose_has_no_lateness():
    flags = {"clients": 20, "duration": "1s", "requests": 0}
    late = change_clients(
        ideal(RUNS[0]), lambda each: True, started=ideal(RUNS[0]).clients[0].done
    )
    for think, is_late in (("0s", False), ("5ms", True)):
        run = make_run((Generator("closed", flags | {"think": think}),))
        assert (gates.lateness(change(late, run=run)) > 0) == is_late


def test_a_good_run_is_made_once():
    series = iter([ideal(RUNS[0])])
    assert stamps.Patience(10).make_valid(lambda: next(series)).tries == 1


def test_a_run_that_took_longer_than_was_expected_counts_as_long_as_it_took(
    monkeypatch,
):
    clock = itertools.count(step=10)
    monkeypatch.setattr(stamps.time, "monotonic", lambda: next(clock))
    patience = stamps.Patience(1000)
    patience.make_valid(a_bad_run)
    assert patience.left_s <= 1000 - 10 * (stamps.MAX_TRIES - 1)


def test_runs_are_not_made_again_for_ever():
    bad = change(ideal(RUNS[0]), visits=[])
    bad = change_clients(bad, lambda each: each.i == 1, outcome="open")
    patience = stamps.Patience(2.5)
    tries = [patience.make_valid(lambda: bad).tries for _ in range(4)]
    assert tries == [3, 1, 1, 1]


def test_what_is_near_the_floor_is_told_from_what_is_not():
    assert gates.is_near_floor(0.001, 0.001)
    assert gates.is_near_floor(0.0029, 0.001)
    assert not gates.is_near_floor(0.005, 0.001)


# --- clients and visits are joined by port ---------------------------------------------------


def test_a_port_that_was_given_away_again_joins_both_of_its_clients():
    """In the order in which they came, however the records are ordered."""
    first, second = (client(i, i, i, i + 1, port=40_000) for i in (0, 5))
    visits = [visit(second, 5, 6), visit(first, 0, 1)]
    assert join([second, first], visits) == [(first, visits[1]), (second, visits[0])]


def test_a_port_of_two_clients_with_one_visit_is_refused():
    first, second = (client(i, i, i, i + 1, port=40_000) for i in (0, 5))
    with pytest.raises(BenchError, match="the same port"):
        join([first, second], [visit(first, 0, 1)])
