"""What is judged: prices, formulas with this machine's charges, promises, comparisons."""

import dataclasses
import json
import math
from statistics import fmean

import pytest

from bench.checks import accuracy
from bench.experiments.charges import CORES, Charges
from bench.experiments.knee import last_within
from bench.experiments import arrivals
from bench.experiments import prices as price_experiment
from bench.experiments.prices_list import price_list
from bench.judge import predictions
from bench.judge.estimates import interval
from bench.judge.prices import FREE, LINE_CPU, Prices, interpolate, price
from bench.judge.verdicts import at_least, at_most, within
from bench.tell import compare
from tests.helpers.bench_world import LATE_S, ideal, lab, labs

S = 0.010


# ---- A burst, and what the machine charges ----


@pytest.mark.parametrize(
    "clerks, ends", [(1, [1, 2, 3, 4]), (2, [1, 1, 2, 2]), (math.inf, [1, 1, 1, 1])]
)
def test_a_burst_that_waits_is_a_staircase(clerks, ends):
    assert predictions.burst_waiting([S] * 4, clerks) == pytest.approx(
        [S * each for each in ends]
    )


def test_a_crowd_is_later_by_what_its_threads_cost():
    ends = predictions.burst_waiting([S] * 3, math.inf, 0.001, lambda k: k * 0.002)
    assert ends == pytest.approx([0.013, 0.015, 0.017])


def test_workers_who_hinder_each_other_take_longer_from_their_second_client_on():
    ends = predictions.burst_waiting([S] * 5, 2, beside=0.001)
    assert ends == pytest.approx([0.010, 0.010, 0.021, 0.021, 0.032])


@pytest.mark.parametrize(
    "started, asked, first, late",
    [(0, 0, S, 0), (0.002, 0.004, S, 0.002), (0.012, 0.024, S, 0.014)],
)
def test_a_crowd_is_held_back_by_its_generator(started, asked, first, late):
    """It starts all, asks for all, and only then reads the first answer."""
    assert predictions.held_back(started, asked, first) == pytest.approx(late)


def test_one_slow_customer_holds_up_those_behind():
    assert predictions.burst_waiting([1.0, S, S], 1) == pytest.approx([1, 1.01, 1.02])


def test_a_burst_that_computes_takes_the_cores():
    """20 x 10 ms on 2 cores: a pool in rounds, threads all at the end, one clerk twice."""
    pool = predictions.burst_computing([S] * 20, 2, 2)
    threads = predictions.burst_computing([S] * 20, math.inf, 2)
    assert max(pool) == max(threads) == pytest.approx(0.1)
    assert fmean(pool) == pytest.approx(0.055) and fmean(threads) == pytest.approx(0.1)
    assert max(predictions.burst_computing([S] * 20, 1, 2)) == pytest.approx(0.2)


def test_what_a_client_costs_elsewhere_is_paid_on_the_cores():
    """20 clients with 1 ms of thread and generator each, on 2 cores: 10 ms more."""
    ends = predictions.burst_computing([S] * 20, math.inf, 2, demands=[S + 0.001] * 20)
    assert max(ends) == pytest.approx(0.11)
    cold = predictions.burst_computing([S] * 20, 2, 2, alone=0.003)
    assert max(cold) == pytest.approx(0.103)
    threads = predictions.burst_computing([S] * 20, math.inf, 2, alone=0.003)
    assert max(threads) == pytest.approx(0.103), "once, not for each thread"


def test_time_slices_let_some_end_a_little_earlier():
    """Round robin: the k-th from the end is k slices / cores earlier."""
    ends = predictions.shared([0.1] * 4, 2, time_slice=0.004)
    assert ends == pytest.approx([0.194, 0.196, 0.198, 0.200])
    assert predictions.shared([0.1] * 2, 2, time_slice=0.004) == [0.1, 0.1]


def test_work_that_fits_into_a_slice_is_done_by_the_cores_in_rounds():
    """3 x 1 ms on 2 cores: two rounds, and what fills the pauses may be later still."""
    work = {
        "services": [0.001] * 3,
        "clerks": math.inf,
        "cores": 2,
        "time_slice": 0.004,
    }
    assert max(predictions.burst_computing(**work)) == pytest.approx(0.002)
    full = predictions.burst_computing(**work, demands=[0.002] * 3)
    assert max(full) == pytest.approx(0.003)
    work["cores"] = 1.6  # a fifth of the time is others'
    assert max(predictions.burst_computing(**work)) == pytest.approx(0.0025)
    late = predictions.burst_computing(**work, cold=lambda rank: 0.01 * rank)
    assert late[0] == pytest.approx(0.00125 + 0.01)
    assert late[-1] == pytest.approx(0.0025 + 0.03)


def test_the_tightest_bound_says_what_binds():
    assert predictions.tightest(2, 3e-6, 1e-6, {}) == (5e5, "all cores busy")
    serial = {"the accepting thread": 5e-6}
    rate, binds = predictions.tightest(2, 3e-6, 1e-6, serial)
    assert rate == pytest.approx(2e5) and binds == "the accepting thread"


# ---- A crowd before a short backlog ----


def admission(backlog):
    return predictions.Admission(3, backlog, [1.0, 2.0, 3.0], [0.2, 0.4, 0.8])


def test_where_all_find_a_place_the_backlog_does_nothing():
    ends = predictions.admitted(100, 0.005, admission(128), 5)
    assert ends == pytest.approx([0.005 * k for k in range(1, 101)])


def test_whoever_finds_no_place_comes_again_with_the_syn():
    """20 + 3 places: 24 of 30 at once; the other 6 after 1 s, all of them known then."""
    ends = predictions.admitted(30, 0.005, admission(20), 5)
    assert ends[:24] == pytest.approx([0.005 * k for k in range(1, 25)])
    assert ends[24:] == pytest.approx([1 + 0.005 * k for k in range(1, 7)])


def test_phantoms_are_let_in_when_their_data_comes_again():
    """Four in the kernel's queue at each knock; at 0 and 1 s also the three inside.

    Data that is sent again comes in one moment: the server takes nobody out meanwhile.
    """
    ends = predictions.admitted(40, 0.005, admission(3), 5)
    counts = [sum(at < end <= at + 0.1 for end in ends) for at in (0, 1, 1.2, 1.4, 1.8)]
    assert counts == [7, 7, 4, 4, 4]
    assert sum(map(math.isinf, ends)) == 14


def test_on_one_core_nobody_is_taken_out_of_the_queue_while_a_crowd_comes():
    alone = dataclasses.replace(admission(3), is_beside=False, is_beside_timers=False)
    ends = predictions.admitted(40, 0.005, alone, 5)
    counts = [sum(at < end <= at + 0.1 for end in ends) for at in (0, 1, 1.2, 1.4, 1.8)]
    assert counts == [4] * 5


def test_the_kernels_timers_may_run_on_a_core_that_the_bench_has_not():
    """As with taskset: the crowd shares a core with the server, what is sent again not."""
    pinned = dataclasses.replace(admission(3), is_beside=False)
    ends = predictions.admitted(40, 0.005, pinned, 5)
    counts = [sum(at < end <= at + 0.1 for end in ends) for at in (0, 1, 1.2, 1.4, 1.8)]
    assert counts == [4, 7, 4, 4, 4]


# ---- Prices ----


def test_a_price_is_a_straight_line_between_its_sizes():
    curve = [(1, 1.0), (10, 10.0), (100, 55.0)]
    assert [interpolate(curve, at) for at in (0, 4, 55, 190)] == [1, 4, 32.5, 55]
    assert interpolate([], 5) == 0 and interpolate([(3, 7.0)], 5) == 7


def test_a_small_crowd_is_cold_and_if_it_waits_its_end_is_free():
    """10 cost 9 ms more than one, where 9 of the next 90 cost 1.8 ms: 7.2 ms of cold."""
    sizes = {1: 0.001, 10: 0.010, 100: 0.028}
    crowd = [price("crowd without work", [s], at=n) for n, s in sizes.items()]
    waits = price("crowd that waits, beyond one alone", [0.004], at=10)
    found = Prices((*crowd, waits))
    assert found.cold(10, "") == found.cold(100, "") == pytest.approx(0.0072)
    assert found.cold(1, "") == 0 and Prices(tuple(crowd[:2])).cold(10, "") == 0
    paid = [interpolate(found.waiting_crowds(""), n) for n in (1, 10, 100)]
    assert paid == pytest.approx([0, 0.004, 0.027])


def test_two_clerks_have_a_price_of_their_own_for_the_same_work():
    one = price("sleep in a line, beyond its time", [0.0002], at=0.001)
    two = price("sleep 1 ms beside another, beyond its time", [0.0003])
    assert Prices((one,)).beside == pytest.approx(0.0012), "where it is not known"
    assert Prices((one, two)).beside == pytest.approx(0.0013)


def test_cpu_time_of_a_client_who_computes_is_that_in_a_line_and_the_labs_own():
    cpu = "connection: CPU of the server"
    one, other = price(cpu, [50e-6], server="one"), price(cpu, [80e-6], server="other")
    own = price("client: CPU of the generator", [60e-6])
    line = price(LINE_CPU, [100e-6], server="one")
    assert Prices((one, other, own)).computing_cpu("other") == pytest.approx(140e-6)
    known = Prices((one, other, own, line))
    assert known.computing_cpu("other") == pytest.approx(130e-6)
    assert known.computing_cpu("one") == pytest.approx(100e-6)


def test_a_crowd_waits_until_the_generator_has_asked_for_all():
    """Of 100 ms of asking a first round of 12 ms hides 12; threads have it in their price."""
    asked = [price("crowd, until all have asked", [0.1], at=1000)]
    started = [price("crowd, until all have started", [0.05], at=1000)]
    prices = Prices((*asked, *started))
    few, many = [max(Charges(lab(1), 5, prices).waiting([S] * n)) for n in (10, 1000)]
    assert few == pytest.approx(10 * S + 0.05 * 9 / 1000)
    assert many == pytest.approx(1000 * S + 0.1 - S)
    assert max(Charges(lab(2), 5, prices).waiting([S] * 1000)) == S


def test_newer_prices_take_the_place_of_those_of_the_same_name():
    old = [price("work", [0.1], at=1), price("work", [0.2], at=2), price("rest", [0.3])]
    prices = Prices(tuple(old)).renewed([price("work", [0.4], at=1)])
    assert prices.curve("work") == [(1, 0.4), (2, 0.2)]
    assert prices.one("rest") == 0.3


def test_prices_are_found_in_runs_that_have_them(tmp_path):
    """In a world where nothing else costs time, all prices are nothing."""
    from bench.experiments.experiment import Options

    options = Options(is_quick=True, seed=1, repeats=None)
    runs = price_experiment.plan(labs(), options)
    asked = [(run, run.generators[0].flags["say"].split()[0]) for run in runs]
    timed = [run for run, verb in asked if verb in ("sleep", "burn")]
    found = price_list([ideal(run) for run in timed])
    assert len(found.listed) >= 4 + 2 * len(labs())
    own = [each for each in found.listed if "until all have" in each.what]
    assert [each.at for each in own] == [100, 100, 1000, 1000]
    assert found.started(100) == pytest.approx(LATE_S)
    assert found.asked(500) == pytest.approx(2 * LATE_S), "as late as this world's are"
    assert all(abs(each.value) < 1e-5 for each in found.listed if each not in own)
    assert found.service("sleep", 0.1) == pytest.approx(0.1)


def test_a_queue_feels_the_mean_of_its_services_and_not_the_median():
    """Two lines as planned, and one in a slow moment, in which all took twice as long."""
    from bench.experiments.experiment import Options

    options = Options(is_quick=True, seed=1, repeats=None)
    runs = arrivals.plan_service(labs(), options, "arrivals", 1)
    lines = [ideal(run) for run in runs if run.scene == "line-sleep-1"]
    assert len(lines) == 3
    slow = [
        dataclasses.replace(one, done=2 * one.done - lines[2].clients[0].intended)
        for one in lines[2].clients
    ]
    made = [*lines[:2], dataclasses.replace(lines[2], clients=slow)]
    assert price_list(made).service("sleep", 0.001) == pytest.approx(0.001)
    prices = arrivals.with_mean_service(price_list(made), made)
    assert prices.service("sleep", 0.001) == pytest.approx(0.004 / 3)


def test_what_is_charged_is_paid_once_for_each_worker_and_for_each_thread():
    prices = Prices(
        (
            price("sleep in a line, beyond its time", [0.001], at=0.001),
            price("sleep alone, beyond a line's", [0.002], server=lab(2).name),
            price("crowd without work", [0.001], server=lab(2).name, at=1),
            price("crowd without work", [0.021], server=lab(2).name, at=11),
        )
    )
    charged = Charges(lab(2), 5, prices).waiting([S] * 11)
    assert charged[0] == pytest.approx(0.013) and charged[-1] == pytest.approx(0.033)
    assert Charges(lab(2), 5, prices).ideal.waiting([S] * 11) == [S] * 11
    assert Charges(lab(1), 5, FREE).computing([S] * 3) == pytest.approx(
        [S, 2 * S, 3 * S]
    )
    assert CORES >= 1


# ---- Verdicts ----


@pytest.mark.parametrize(
    "runs, verdict",
    [
        ([0.96, 1.0, 1.1, 0.99, 1.2], "kept"),
        ([0.5, 0.6, 0.7, 0.6, 0.5], "missed"),
        ([0.81, 0.36, 1.06], "undecided"),
        ([2.0, 2.0], "undecided"),
        ([], "undecided"),
    ],
)
def test_a_promise_is_judged_by_the_whole_interval(runs, verdict):
    assert at_least(0.95).judge(interval(runs)) == verdict


def test_a_promise_may_have_two_ends_and_want_more_runs():
    inside, outside = interval([1.01] * 5), interval([1.2] * 5)
    assert within(0.1, 1).judge(inside) == "kept"
    assert within(0.1, 1).judge(outside) == "missed"
    assert at_most(1, fewest=5).judge(interval([0.9] * 4)) == "undecided"
    assert at_most(1, fewest=5).judge(interval([0.9] * 5)) == "kept"
    assert within(0.1, 1).judge(interval([math.inf] * 5)) == "missed"


# ---- Two results side by side ----


def finding(runs, name="dmv-lab1-last-done", better="less"):
    found = interval(runs)
    return {
        **{"id": name, "experiment": "dmv", "lab": "lab1", "what": name, "clients": 20},
        **{"median": found.middle, "low": found.low, "high": found.high},
        **{"ideal": 2.0, "predicted": 2.0, "unit": "s", "better": better},
        **{"verdict": None, "bound": False, "runs": list(runs)},
    }


def results(folder, findings, size="full", cpu="AMD, 2 cores"):
    """A folder of results with these findings."""
    folder.mkdir()
    document = {"schema": 1, "title": "t", "label": folder.name, "size": size}
    document |= {"machine": {"CPU": cpu}, "prices": [], "stamps": [], "experiments": []}
    text = json.dumps(document | {"findings": findings})
    (folder / "summary.json").write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    "after, better, said, status",
    [
        ([2.0, 2.01, 2.02], "less", "same", 0),
        ([2.2, 2.21, 2.19], "less", "slower by 10%", 1),
        ([1.8, 1.81, 1.79], "less", "faster by 10%", 0),
        ([2.2, 2.21, 2.19], "more", "faster by 9%", 0),
        ([1.5, 2.2, 2.3], "less", "cannot tell", 0),
        ([2.2, 2.2], "less", "cannot tell", 0),
    ],
)
def test_compare(tmp_path, capsys, after, better, said, status):
    a = results(tmp_path / "a", [finding([2.0, 2.01, 1.99], better=better)])
    b = results(tmp_path / "b", [finding(after, better=better)])
    assert compare.main([a, b]) == status
    lines = [row for row in capsys.readouterr().out.splitlines() if "dmv-" in row]
    assert len(lines) == 1 and lines[0].endswith(said)


@pytest.mark.parametrize(
    "more, why",
    [
        ({"size": "quick"}, "other durations"),
        ({"cpu": "AMD, 1 cores"}, "1 cores"),
        ({"findings": [finding([1.0], "another")]}, "no finding in common"),
        ({"findings": [{"id": "broken"}]}, "no summary of schema 1"),
    ],
)
def test_compare_refuses_what_is_not_comparable(tmp_path, capsys, more, why):
    a = results(tmp_path / "a", [finding([1.0])])
    b = results(tmp_path / "b", **({"findings": [finding([1.0])]} | more))
    assert compare.main([a, b]) == 2
    assert why in capsys.readouterr().err


def test_compare_says_first_in_what_the_machines_differ(tmp_path, capsys):
    a = results(tmp_path / "a", [finding([1.0])], cpu="AMD, 2 cores")
    b = results(tmp_path / "b", [finding([1.0])], cpu="Arm, 2 cores")
    compare.main([a, b])
    said = capsys.readouterr().out
    assert 0 < said.index("CPU: AMD, 2 cores -> Arm, 2 cores") < said.index("dmv-lab1")


def test_noise_alone_is_seldom_called_a_difference():
    """Two results of one server with 3 % of noise: not told apart in 95 of 100."""
    import random

    numbers = random.Random(4)
    told = 0
    for _ in range(1000):
        runs = [[numbers.gauss(1, 0.03) for _ in range(5)] for _ in range(2)]
        pair = compare.Comparison(finding(runs[0]), finding(runs[1]))
        told += pair.verdict.startswith(("slower", "faster"))
    assert told <= 50


def test_accuracy_leaves_out_bounds_and_names_the_worst(tmp_path):
    far = finding([2.5], "far") | {"predicted": 2.0}
    bound = finding([9.0], "bound") | {"bound": True}
    folder = results(tmp_path / "a", [finding([2.02]), far, bound])
    offs = accuracy.collect([compare.read(tmp_path / "a")])
    assert folder and offs == {
        "dmv": {"dmv-lab1-last-done": pytest.approx(0.01), "far": pytest.approx(0.25)}
    }
    assert "far" in accuracy.row("dmv", offs["dmv"])[4]
    assert (
        accuracy.row("dmv", offs["dmv"])[-1] and not accuracy.row("x", {"y": 0.01})[-1]
    )


@pytest.mark.parametrize(
    "runs, words",
    [
        ([1.8, 2.5, 2.6], "3 repeats from -10% to +30%, the prediction among them"),
        ([2.4, 2.5], "2 repeats from +20% to +25%, all on one side"),
        ([2.5], "one run"),
    ],
)
def test_accuracy_says_where_to_look_for_the_fault(runs, words):
    assert words in accuracy.cause(finding(runs))


# ---- The knee ----


def test_the_knee_is_the_last_rate_before_the_limit_is_left_for_the_first_time():
    rates = [(100, 0.01), (200, 0.05), (300, 0.2), (400, 0.05)]
    assert last_within(rates, 0.1) == 200
    assert math.isnan(last_within([(100, math.inf)], 0.1))
