"""Captions: whoever has a chart's CSV can compute the numbers under it again.

Captions of work, arrivals, silent and backlog are tested where those experiments are.
"""

import csv
import re
from statistics import median

import pytest

from bench.experiments import cost, cost_held
from bench.experiments import crowd
from bench.experiments import dmv
from bench.experiments import throughput
from tests.helpers.bench_world import change, client, ideal, lab, labs, make_run
from bench.experiments.experiment import Options
from bench.measure.rig import Counted, Held
from bench.measure.runs import Generator
from bench.measure.usage import Usage
from bench.measure.yardsticks import Yardstick

QUICK = Options(is_quick=True, seed=1, repeats=None)
UNITS = {"s": 1, "ms": 1e-3, "us": 1e-6}
SIZES = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10}


def rows(folder, name):
    """A CSV that an experiment wrote."""
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def column(table, name, **wanted):
    """The numbers of one column, of those rows that are wanted."""
    fits = [row for row in table if all(row[key] == wanted[key] for key in wanted)]
    return [float(row[name]) for row in fits]


def numbers(text, units):
    """Every number with one of these units."""
    found = re.findall(rf"([+-]?[0-9.]+) ({'|'.join(units)})\b", text)
    return [float(number) * units[unit] for number, unit in found]


def charts_of(module, made, folder):
    """The charts of an experiment, by their names."""
    conclusion = module.conclude(made, QUICK, folder)
    return {chart.name: chart for chart in conclusion.charts}


# --- dmv -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, rank", [("dmv", -1), ("dmv-slow-head", 1)])
def test_dmv(tmp_path, name, rank):
    chart = charts_of(dmv, [ideal(run) for run in dmv.plan(labs(), QUICK)], tmp_path)[
        name
    ]
    table, wanted = rows(tmp_path, name), []
    for each in labs():
        for what in ("done_s", "predicted_s"):
            wanted.append(sorted(column(table, what, lab=each.name))[rank])
    assert numbers(chart.caption, UNITS) == pytest.approx(wanted, rel=0.01)


# --- crowd -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowds(tmp_path_factory):
    """A folder with the CSVs of crowds as theory would have them, and the charts."""
    folder = tmp_path_factory.mktemp("crowds")
    made = [ideal(run) for run in crowd.plan(labs(), QUICK)]
    return folder, charts_of(crowd, made, folder)


@pytest.mark.parametrize("name", ["crowd-waits", "crowd-computes"])
def test_crowd(crowds, name):
    folder, charts = crowds
    chart, table = charts[name], rows(folder, name)
    most = max(table, key=lambda row: int(row["clients"]))["clients"]
    wanted = [
        value
        for each in labs()
        for what in ("median_s", "predicted_s", "ideal_s")
        for value in column(table, what, lab=each.name, clients=most)
    ]
    assert f"the last of {most} clients" in chart.caption
    assert numbers(chart.caption, UNITS) == pytest.approx(wanted, rel=0.01)


# --- cost ------------------------------------------------------------------------------------


def use(memory, threads):
    """A server of this size."""
    return Usage(0.0, memory, 0, 3 * memory, 0, threads, 0.0, 0)


def held(run):
    """Clients who stay: 20 KiB each where each has a thread, else nothing."""
    threads = min(run.lab.clerks(cost.POOL), run.clients)
    before, after = use(2 << 20, 1), use((2 << 20) + 20480 * threads, 1 + threads)
    clients = [
        client(i, 0, 0, 0, outcome="ok" if i < threads else "timeout")
        for i in range(run.clients)
    ]
    fields = {"run": run, "clients": clients, "visits": [], "complaints": []}
    return Held(**fields, before=before, during=after)


def counted(run, cpu_each_s, answered=1000, span_s=0.5):
    """Clients who came and went."""
    fields = {"run": run, "clients": [], "visits": [], "complaints": []}
    sums = {"answered": answered, "span_s": span_s, "cpu_s": answered * cpu_each_s}
    spent = {"generator_cpu_s": {"clients": 0.01}}
    return Counted(**fields, **sums, **spent, received=answered << 20)


def test_cost(tmp_path):
    made = [
        (
            held(run)
            if run.generators[0].mode == "hold"
            else counted(run, 20e-6 * run.lab.number)
        )
        for run in cost.plan(labs(), QUICK)
    ]
    charts = charts_of(cost, made, tmp_path)

    table = rows(tmp_path, "cost-held")
    crowd_row = [row for row in table if row["lab"] == lab(2).name][-1]
    clients = int(crowd_row["clients"])
    alone = [row for row in table if row["lab"] == lab(2).name][0]
    known = [row for row in table if row["lab"] == lab(2).name][1]
    assert known["predicted_bytes"] == known["memory_bytes"], "a curve begins there"
    found = float(crowd_row["predicted_bytes"])
    assert found == pytest.approx(float(crowd_row["memory_bytes"]), rel=0.001)
    pools = [row for row in table if row["lab"] == lab(3).name]
    more = float(pools[2]["predicted_bytes"]) - float(pools[1]["memory_bytes"])
    assert more == pytest.approx((1000 - 100) * cost_held.PLACE, rel=0.01)
    sizes = numbers(charts["cost-held"].caption, SIZES)
    assert sizes[0] == pytest.approx(float(crowd_row["memory_bytes"]), rel=0.01)
    grown = float(crowd_row["memory_bytes"]) - float(alone["memory_bytes"])
    assert sizes[1] == pytest.approx(grown / (clients - 1), rel=0.01)
    assert float(crowd_row["reserved_bytes"]) == pytest.approx(sizes[5], rel=0.01)
    assert f"holds {clients} clients" in charts["cost-held"].caption

    table = rows(tmp_path, "cost-visits")
    baseline = float(table[0]["baseline_s"])
    above = sorted(float(row["cpu_s"]) - baseline for row in table[1:])
    said = numbers(charts["cost-visits"].caption, UNITS)
    assert said == pytest.approx([baseline, baseline, *above], rel=0.01, abs=1e-9)


# --- throughput ------------------------------------------------------------------------------


def asked(server, repeat, cpu_each_s, rate):
    """A server that was asked on kept connections."""
    run = change(
        make_run((Generator("closed", {"clients": 64, "requests": 0}),), 3),
        lab=server,
        scene="kept",
        repeat=repeat,
    )
    return counted(run, cpu_each_s, answered=1000, span_s=1000 / rate)


def test_throughput(tmp_path):
    nginx = Yardstick(5, "nginx", "nginx", "/usr/sbin/nginx", (), "", "")
    made = [
        asked(server, repeat, cpu_each_s + repeat * 1e-7, rate + 1000 * repeat)
        for server, cpu_each_s, rate in [
            (lab(2), 9e-6, 90_000),
            (lab(3), 8e-6, 110_000),
            (nginx, 7e-6, 100_000),
        ]
        for repeat in (1, 2, 3)
    ]
    chart = charts_of(throughput, made, tmp_path)["throughput"]
    table = rows(tmp_path, "throughput-runs")

    def by_repeat(server, of):
        """What a server's runs say, in the order of the repeats."""
        mine = [row for row in table if row["server"] == server]
        mine.sort(key=lambda row: row["repeat"])
        return [float(row[of]) / float(row["answered"]) for row in mine]

    def ratio(of):
        """The median of the pairs."""
        pairs = zip(by_repeat(lab(3).name, of), by_repeat("nginx", of))
        return median(mine / theirs for mine, theirs in pairs)

    rate = 1 / median(by_repeat(lab(3).name, "span_s"))
    assert f"{lab(3).title} is the fastest lab, {rate:,.0f}/s" in chart.caption
    wanted = (
        f"{1 / ratio('span_s'):.2f} of nginx's rate for {ratio('cpu_s'):.2f} of its"
    )
    assert wanted in chart.caption
