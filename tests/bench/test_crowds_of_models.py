"""models: a crowd is predicted from prices that were measured apart, before any crowd that is drawn."""

import pytest

from tests.helpers.bench_world import labs
from tests.helpers.setting import ROOT

from bench.experiments import models
from bench.experiments.experiment import Options
from bench.experiments.models_chart import (
    CrowdCurve,
    POOL,
    SERVICE_MS,
    fullest,
    make_crowd_chart,
)
from bench.judge.prices import Price, Prices
from bench.measure.labs import Lab

SERVICE_S = SERVICE_MS / 1000
CROWD_S = 0.3  # for 1,000 clients
PRICES = Prices(
    tuple(
        Price("crowd without work", value, value, value, server="coroutines", at=at)
        for at, value in ((1, 0.0), (1000, CROWD_S))
    )
)


def model(name, *flags):
    """A model; no program stands behind it."""
    return Lab(9, name, ROOT / name, frozenset(flags))


COROUTINES, DEALT, POOLED = (
    model("coroutines", "max-clients"),
    model("reuseport", "workers"),
    model("accept", "workers"),
)


def predicted(server, clients):
    """What the chart says of a crowd."""
    return CrowdCurve(server, {clients: [1.0]}, PRICES).predicted(clients)


def test_a_crowd_costs_what_its_own_server_charges():
    assert predicted(COROUTINES, 1000) == pytest.approx(SERVICE_S + CROWD_S, rel=0.01)


def test_a_larger_crowd_than_the_list_has_costs_more():
    expected = SERVICE_S + 10 * CROWD_S
    assert predicted(COROUTINES, 10_000) == pytest.approx(expected, rel=0.01)


def test_lines_that_are_dealt_by_lot_are_not_equal():
    assert predicted(POOLED, 100) == pytest.approx(100 / POOL * SERVICE_S)
    assert predicted(DEALT, 100) > 1.1 * predicted(POOLED, 100)
    assert fullest(1, POOL) == 1 and fullest(7, 1) == 7
    assert 1000 / POOL < fullest(1000, POOL) < 1.1 * 1000 / POOL


def test_prices_of_the_models_come_before_what_they_predict():
    options = Options(False, 1, 2, is_alone=True, models=(COROUTINES, POOLED))
    kinds = [run.experiment for run in models.plan(labs(), options)]
    assert kinds == sorted(kinds, key=lambda kind: kind != "prices")
    runs = [run for run in models.plan(labs(), options) if run.experiment == "prices"]
    assert {run.lab for run in runs} == {COROUTINES, POOLED}
    assert {run.lab for run in runs if run.scene == "crowd"} == {COROUTINES}
    assert len({run.name for run in runs}) == len(runs)


def test_the_chart_has_the_predictions(tmp_path):
    curve = CrowdCurve(COROUTINES, {1: [0.003], 1000: [0.31, 0.32]}, PRICES)
    make_crowd_chart([curve], tmp_path)
    last = (tmp_path / "models-crowd.csv").read_text().splitlines()[-1].split(",")
    assert float(last[-2]) == SERVICE_S
    assert float(last[-1]) == pytest.approx(predicted(COROUTINES, 1000))
