"""Each experiment finds theory in a world where theory is exact, and its captions in its CSVs."""

import csv
import dataclasses
import math
import random
import re
from pathlib import Path
from statistics import fmean

import pytest

from bench.experiments import arrivals, arrivals_clocks
from bench.experiments import backlog, backlog_crowd
from bench.experiments import crowd, dmv
from bench.judge import predictions
from bench.experiments import silent
from bench.experiments import work, work_chart, work_strips
from tests.helpers.bench_world import (
    client,
    change,
    ideal,
    lab,
    labs,
    quiet,
    stamp,
    visit,
)
from bench.judge.estimates import percentile
from bench.experiments.experiment import Options
from bench.measure.kernel import Snapshot
from bench.measure.labs import Lab

QUICK = Options(is_quick=True, seed=1, repeats=None)
FULL = Options(is_quick=False, seed=1, repeats=None)


def rows(folder, name):
    """A CSV that an experiment wrote."""
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def finding(conclusion, what, lab_name):
    """The finding of one lab."""
    found = [e for e in conclusion.findings if e.what == what and e.lab == lab_name]
    assert len(found) == 1, [each.what for each in conclusion.findings]
    return found[0]


def seconds_in(text):
    """Every time in a text, in seconds."""
    units = {"s": 1, "ms": 1e-3, "us": 1e-6}
    found = re.findall(r"([0-9.]+) (s|ms|us)\b", text)
    return [float(number) * units[unit] for number, unit in found]


# ---- Predictions ----


def test_the_formulas_reproduce_the_worked_numbers():
    waits = [predictions.deterministic(90 * c, 0.01, c) for c in (1, 2, 4, 8)]
    assert waits == pytest.approx([0.045, 0.0214, 0.0100, 0.0045], rel=0.01)
    mean, square = 0.99 * 0.01 + 0.01 * 1, 0.99 * 0.01**2 + 0.01 * 1**2
    assert predictions.pollaczek_khinchine(25, mean, square) == pytest.approx(
        0.251, rel=0.01
    )
    assert predictions.pollaczek_khinchine(25, 0.01, 0.01**2) == pytest.approx(
        0.0017, rel=0.03
    )


def test_an_overloaded_queue_has_no_mean():
    assert math.isinf(predictions.deterministic(101, 0.01, 1))
    assert math.isinf(predictions.pollaczek_khinchine(101, 0.01, 0.0001))


@pytest.mark.parametrize("clerks", [1, 2])
def test_a_long_line_of_random_customers_agrees_with_the_formula(clerks):
    numbers = random.Random(7)
    come, now = [], 0.0
    for _ in range(200_000):
        now += numbers.expovariate(70 * clerks)
        come.append(now)
    ends = predictions.fifo([0.01] * len(come), clerks, come)
    waits = fmean(end - at - 0.01 for end, at in zip(ends, come))
    assert waits == pytest.approx(
        predictions.deterministic(70 * clerks, 0.01, clerks), rel=0.05
    )


def test_shared_cores_make_all_late():
    assert predictions.shared([0.05] * 20, 2) == pytest.approx([0.5] * 20)
    assert fmean(predictions.fifo([0.05] * 20, 2)) == pytest.approx(0.275)


@pytest.mark.parametrize(
    "linear, times",
    [(0, [1, 3, 7, 15, 31]), (4, [1, 2, 3, 4, 5, 7, 11, 19, 35])],
)
def test_syn_times_of_both_kinds_of_kernels(linear, times):
    assert predictions.syn_times(linear, 40) == times


# ---- dmv ----


@pytest.mark.parametrize("factor, verdict", [(1.0, "kept"), (1.05, "missed")])
def test_dmv_promises_a_slope_and_notices_another(tmp_path, factor, verdict):
    runs = [run for run in dmv.plan(labs()[:1], FULL)]
    made = [ideal(run) for run in runs]
    made = [stretch(each, factor) if len(each.clients) > 1 else each for each in made]
    conclusion = dmv.conclude(made, FULL, tmp_path)
    assert finding(conclusion, "slope over rank", lab(1).name).verdict == verdict


def stretch(made, factor):
    """The same run with all its latencies longer."""
    return change(
        made,
        clients=[
            dataclasses.replace(
                each, done=each.intended + round((each.done - each.intended) * factor)
            )
            for each in made.clients
        ],
    )


# ---- work ----


def ideal_work(run):
    """As theory has it: who computes shares the cores."""
    made = ideal(run)
    if (
        run.scene != work_strips.COMPUTES.name
        or run.lab.clerks(work_strips.POOL) != math.inf
    ):
        return made
    ends = predictions.shared(
        [work_strips.SERVICE_MS / 1000] * work_strips.CLIENTS, work_strips.CORES
    )
    return change(
        made,
        clients=[
            dataclasses.replace(each, done=stamp(end))
            for each, end in zip(made.clients, ends)
        ],
    )


def test_work_finds_theory_and_says_so(tmp_path):
    made = [ideal_work(run) for run in work.plan(labs(), FULL)]
    conclusion = work.conclude(made, FULL, tmp_path)
    *theory, worth = conclusion.findings
    assert all(abs(each.off) < 0.01 and each.verdict != "missed" for each in theory)
    threads, pool = (
        work_strips.CLIENTS / work_strips.CORES,
        (work_strips.CLIENTS / work_strips.POOL + 1) / 2,
    )
    assert worth.value == pytest.approx(threads / pool) and worth.verdict == "kept"
    words = work_chart.caption(work_strips.make_strips(made))
    assert f"{work_strips.CLIENTS} threads beat {work_strips.POOL} workers" in words
    assert f"{work_strips.POOL} workers beat {work_strips.CLIENTS} threads" in words


def test_work_caption_is_in_its_csv(tmp_path):
    made = [ideal_work(run) for run in work.plan(labs(), QUICK)]
    (chart,) = work.conclude(made, QUICK, tmp_path).charts
    done = {}
    for row in rows(tmp_path, "work"):
        done.setdefault((row["panel"], row["lab"]), []).append(float(row["done_s"]))
    threads, pool = lab(2).name, lab(3).name
    pairs = [("1", threads, pool), ("2", pool, threads)]
    wanted = [fmean(done[panel, name]) for panel, *names in pairs for name in names]
    assert seconds_in(chart.caption) == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize("module, what", [(work, "waits"), (arrivals, "one-clerk-240")])
def test_a_repeat_that_is_left_out_is_drawn_hollow(module, what, tmp_path):
    """Its point stands in a file of its own, and in no figure."""
    make = ideal_work if module is work else ideal
    made = [make(run) for run in module.plan(labs(), FULL)]
    wanted = [i for i, each in enumerate(made) if what in each.run.scene]
    assert wanted, {each.run.scene for each in made}
    made[wanted[0]] = dataclasses.replace(made[wanted[0]], is_left_out=True)
    conclusion = module.conclude(made, FULL, tmp_path)
    name = conclusion.charts[0].name
    (row,) = rows(tmp_path, f"{name}-left-out")
    assert float(row["mean_s"]) == pytest.approx(fmean(made[wanted[0]].latencies), 1e-3)
    of_others = {len(each.runs) for each in conclusion.findings}
    assert len(of_others) == 2, "one finding has a run less"


def test_the_floor_has_no_marks_so_none_of_it_is_drawn_hollow(tmp_path):
    """gnuplot has no colour for lab 0, and would end with an error."""
    null = Lab(0, "null", Path("null"), frozenset())
    options = dataclasses.replace(QUICK, null=null)
    made = [ideal(run) for run in crowd.plan(labs(), options)]
    left_out = [
        dataclasses.replace(each, is_left_out=each.run.repeat == 1) for each in made
    ]
    assert any(each.is_left_out and each.run.lab == null for each in left_out)
    crowd.conclude(left_out, options, tmp_path)
    assert {row["number"] for row in rows(tmp_path, "crowd-waits-left-out")} == set(
        "1234"
    )


def test_runs_that_give_prices_among_others_stamp_no_chart(tmp_path):
    made = [ideal(run) for run in crowd.plan(labs(), FULL)]
    of_prices = [each for each in made if each.run.scene == "crowd"]
    assert of_prices and all(each.run.experiment == "crowd" for each in made)
    drawn = crowd.conclude(made, FULL, tmp_path).drawn(made)
    assert {each.run.scene for each in drawn} == {"waits", "computes"}


# ---- arrivals ----


def test_arrivals_finds_theory(tmp_path):
    made = [ideal(run) for run in arrivals.plan(labs(), QUICK)]
    conclusion = arrivals.conclude(made, QUICK, tmp_path)
    assert len(conclusion.findings) == 6
    assert all(abs(each.off) < 0.01 for each in conclusion.findings)


def test_arrivals_caption_is_in_its_csv(tmp_path):
    made = [ideal(run) for run in arrivals.plan(labs(), QUICK)]
    chart = arrivals.conclude(made, QUICK, tmp_path).charts[0]
    last = {row["scene"]: row for row in rows(tmp_path, "arrivals")}
    wanted = [
        float(row[column])
        for row in last.values()
        for column in ("mean_s", "predicted_s", "long_run_s")
        if math.isfinite(float(row[column]))
    ]
    assert seconds_in(chart.caption) == pytest.approx(wanted, rel=0.01)


def test_the_two_clocks_read_the_same_run(tmp_path):
    full = dataclasses.replace(QUICK, is_quick=False)
    made = [ideal(run) for run in arrivals.plan(labs(), full)]
    chart = arrivals.conclude(made, full, tmp_path).charts[1]
    clocks = {"naive": [], "lived": []}
    for row in rows(tmp_path, "arrivals-clocks"):
        clocks[row["clock"]].append((float(row["share"]), float(row["latency_s"])))
    wanted = [
        next(value for at, value in clock if at >= share - 1e-9)
        for clock in clocks.values()
        for share in arrivals_clocks.SHARES
    ]
    said = seconds_in(chart.caption)
    assert said == pytest.approx(wanted, rel=0.02)
    naive_p90, lived_p90 = said[1], said[5]
    assert lived_p90 > 10 * naive_p90


def test_a_naive_clock_does_not_see_a_stall():
    """One server stops for 3 s while 100 come a second: nobody's own service was slow."""
    clients = [client(i, i / 100, 3 + i / 1000, 3 + (i + 1) / 1000) for i in range(300)]
    naive = sorted(arrivals_clocks.naive_latencies(clients))
    lived = sorted(each.latency for each in clients)
    assert percentile(naive, 0.9, 10).value == pytest.approx(0.001, rel=0.01)
    assert percentile(lived, 0.9, 10).value > 2


# ---- silent ----


def ideal_siege(run):
    """Probes that wait until the siege is over, as theory has it."""
    probe, slow = run.generators
    begins = slow.after_s
    limit = silent.patience_s(run)
    stays = slow.lasts_s
    ends = begins + (predictions.held_up(8, 4, limit) if limit else stays)
    clients = []
    for i in range(probe.planned):
        at = i / probe.flags["rate"]
        served = max(at, ends) if begins <= at < ends else at
        clients.append(client(i, at, served, served + 1e-4))
    holders = [
        client(
            i, begins, begins, begins + stays, port=9000 + i, connected=stamp(begins)
        )
        for i in range(8)
    ]
    visits = [visit(each, 0, 0) for each in clients + holders]
    return change(
        ideal_base(run), clients=clients, visits=visits, others={"slow": holders}
    )


def ideal_base(run):
    """A run with nothing in it yet."""
    from bench.measure.runs import Measured

    return Measured(run, [], [], [], counted=quiet())


def test_silent_finds_theory_and_its_caption_is_in_its_csv(tmp_path):
    made = [ideal_siege(run) for run in silent.plan(labs(), FULL)]
    shown = [silent.Siege(each).ideal for each in made]
    assert [each.run.effect_s for each in made] == pytest.approx(shown, rel=0.01)
    conclusion = silent.conclude(made, FULL, tmp_path)
    assert all(
        abs(each.off) < 0.03 and each.verdict != "missed"
        for each in conclusion.findings
    )
    wanted = []
    for words in rows(tmp_path, "silent-words"):
        begins = float(words["begins_s"])
        probes = [
            (float(row["intended_s"]), float(row["latency_s"]))
            for row in rows(tmp_path, "silent")
            if row["panel"] == words["panel"]
        ]
        wanted.append(min(at + late - begins for at, late in probes if at >= begins))
        wanted.append(float(words["predicted_s"]))
    assert seconds_in(conclusion.charts[0].caption) == pytest.approx(wanted, rel=0.01)


def test_silent_notices_a_lab_whose_timeouts_do_not_work(tmp_path):
    """Lab 4 as slow as lab 3: what a timeout per recv would make of a dribble."""
    made = []
    for run in silent.plan(labs(), FULL):
        patient = dataclasses.replace(run, lab=lab(3))
        made.append(change(ideal_siege(patient), run=run))
    conclusion = silent.conclude(made, FULL, tmp_path)
    what = "dribble: nobody served for"
    assert finding(conclusion, what, lab(4).name).verdict == "missed"
    assert finding(conclusion, what, lab(3).name).verdict == "kept"


# ---- backlog ----


def crowd_against(places, timeout_s=5.0, linear=4):
    """A burst where each client is (connected, SYNs, begun or None)."""
    run = next(run for run in backlog.plan(labs(), QUICK) if run.flags["backlog"] == 1)
    clients, visits = [], []
    for i, (connected, syns, begun) in enumerate(places):
        fields = {"connected": stamp(connected), "syn_retransmits": syns}
        if begun is None:
            fields |= {
                "outcome": "timeout",
                "done": 0,
                "first_byte": 0,
                "phase": "wait",
            }
        end = (begun or 0) + 0.005
        clients.append(client(i, 0, begun or 0, end, **fields))
        if begun is not None:
            visits.append(visit(clients[-1], begun, end))
    network = dict.fromkeys(quiet().network, 0)
    network["TCPSynRetrans"] = sum(syns for _, syns, _ in places)
    counted = Snapshot(network, 0.1, 0.0, 10.0)
    run = dataclasses.replace(
        run, generators=backlog.plan_run(lab(4), 1, 1, QUICK).generators
    )
    made = change(ideal_base(run), clients=clients, visits=visits, counted=counted)
    return backlog_crowd.BacklogRun(1, made, linear)


def test_phantoms_are_those_beyond_the_queue():
    """listen(1) holds 2: of 5 who are connected while nobody is accepted, 3 are phantoms."""
    panel = crowd_against(
        [(1.0 + i / 1e4, 1, 2 + i if i < 2 else None) for i in range(5)]
    )
    assert [
        attempt.is_phantom
        for attempt in sorted(panel.attempts, key=lambda p: p.client.i)
    ] == [
        *(False, False),
        *(True, True, True),
    ]
    assert panel.phantoms == 3 and panel.served == 2


def test_a_queue_that_moves_has_no_phantoms():
    panel = crowd_against([(i / 100, 0, i / 100 + 0.001) for i in range(20)])
    assert panel.phantoms == 0


@pytest.mark.parametrize(
    "linear, second, verdict",
    [(4, 2.02, "kept"), (0, 3.03, "kept"), (4, 3.03, "missed")],
)
def test_syn_steps_are_held_against_the_kernel_that_runs(linear, second, verdict):
    places = [(0.0, 0, 0.001), (1.02, 1, 1.03), (second, 2, second + 0.01)]
    panel = crowd_against(places, linear=linear)
    panel = dataclasses.replace(
        panel, made=change(panel.made, run=with_timeout(panel.made.run, "9s"))
    )
    steps = [e for e in backlog.findings_of(panel) if "by SYN" in e.what]
    assert [each.verdict for each in steps] == ["kept", verdict]


def with_timeout(run, timeout):
    """The same run with clients of another patience."""
    (generator,) = run.generators
    flags = dict(generator.flags) | {"timeout": timeout}
    return dataclasses.replace(
        run, generators=(dataclasses.replace(generator, flags=flags),)
    )


def test_records_and_kernel_count_the_same_syns():
    panel = crowd_against([(0.0, 0, 0.001), (1.02, 1, 1.03), (2.02, 2, 2.03)])
    counts = [e for e in backlog.findings_of(panel) if "SYNs sent again" in e.what]
    assert [(e.value, e.remark) for e in counts] == [(3, "3 by the kernel's count")]


def test_backlog_ranks_the_unserved_as_infinite(tmp_path):
    made = []
    for run in backlog.plan(labs(), QUICK):
        each = ideal(run)
        if run.flags["backlog"] == 1:
            each = change(
                each,
                clients=[
                    dataclasses.replace(c, outcome="timeout", done=0)
                    if c.i >= 10
                    else c
                    for c in each.clients
                ],
                visits=each.visits[:10],
            )
        made.append(each)
    conclusion = backlog.conclude(made, QUICK, tmp_path)
    in_time = finding(conclusion, "backlog 1: served within 1.50 s", lab(4).name)
    assert in_time.value == 10
    assert "backlog 1: 10 of 100 served; half by > 1.50 s" in conclusion.notes[3]
    served = [row for row in rows(tmp_path, "backlog") if row["begun_s"] != "NaN"]
    by_backlog = [sum(row["backlog"] == b for row in served) for b in ("1", "128")]
    counts = re.findall(r"(\d+) of 100 served", conclusion.charts[0].caption)
    assert [int(count) for count in counts] == by_backlog == [10, 100]


# ---- Plans ----


@pytest.mark.parametrize(
    "module", [work, arrivals, silent, backlog], ids=lambda m: m.__name__
)
def test_the_same_seed_makes_the_same_plan_and_no_two_runs_share_files(module):
    full = Options(is_quick=False, seed=3, repeats=None)
    plan = module.plan(labs(), full)
    assert [run.name for run in plan] == [run.name for run in module.plan(labs(), full)]
    assert len({run.name for run in plan}) == len(plan)
    other = module.plan(labs(), dataclasses.replace(full, seed=4))
    assert [run.name for run in plan] != [run.name for run in other]
    assert all(run.expected_s > 0 for run in plan)


@pytest.mark.parametrize(
    "module", [work, arrivals, silent, backlog], ids=lambda m: m.__name__
)
def test_an_interrupted_bench_is_concluded_with_what_there_is(module, tmp_path):
    assert module.conclude([], QUICK, tmp_path).charts == []
