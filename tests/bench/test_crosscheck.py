"""make crosscheck: planted faults that are really there, and what each tool's words are worth."""

import json
import re
import subprocess
import sys
from collections import Counter

import pytest

from bench.checks import crosscheck, tools
from bench.measure.records import read_clients
from tests.helpers.setting import BUILD, GUARD_S


SLOW = tools.Behaviour("is slow at times", lasts_s=6, stall_s=0, fault="slow")
HALF = tools.Behaviour("sends halves", lasts_s=6, stall_s=0, fault="half")


def test_a_spoilt_answer_must_be_found():
    assert (
        crosscheck.judge(tools.Report(600, 30, {}), HALF, crosscheck.Done(30))
        == "true: 30 of 30 found"
    )
    assert crosscheck.judge(
        tools.Report(600, 29, {}), HALF, crosscheck.Done(30)
    ).startswith("true")
    assert (
        crosscheck.judge(tools.Report(600, 0, {}), HALF, crosscheck.Done(30))
        == "FALSE: 0 of 30 found"
    )
    assert crosscheck.judge(
        tools.Report(600, 60, {}), HALF, crosscheck.Done(30)
    ).startswith("FALSE")
    assert crosscheck.judge(
        tools.Report(600, 0, {}), HALF, crosscheck.Done(0)
    ).startswith("FALSE")


def test_slow_answers_belong_in_the_tail():
    honest = {0.5: 0.0105, 0.75: 0.0108, 0.9: 0.015, 0.99: 0.101}
    assert crosscheck.judge(tools.Report(600, 0, honest), SLOW) == "true"
    corrected = honest | {0.75: 0.042, 0.9: 0.081}
    assert crosscheck.judge(tools.Report(600, 0, corrected), SLOW) == "FALSE at p75"
    hidden = honest | {0.99: 0.011}
    assert crosscheck.judge(tools.Report(600, 0, hidden), SLOW) == "FALSE at p99"
    busy = crosscheck.Done(60, {0.5: 0.03, 0.75: 0.04, 0.99: 0.12})
    late = {0.5: 0.031, 0.75: 0.042, 0.99: 0.13}
    assert crosscheck.judge(tools.Report(600, 0, late), SLOW, busy) == "true"
    silent = {0.5: 0.0105, 1: 0.1}
    said = crosscheck.judge(tools.Report(600, 0, silent), SLOW)
    assert said == "does not say p75, p99" and crosscheck.is_false(said)


@pytest.mark.parametrize(
    "fault, outcome", [("drops", "none"), ("half", "short"), ("error", "wrong")]
)
def test_a_planted_fault_is_there_and_ours_finds_it(fault, outcome, tmp_path):
    """The faulty server's own count beside the records of our generator."""
    told = tmp_path / "told.json"
    command = [sys.executable, crosscheck.FAULTY, f"--fault={fault}", told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = re.search(r":(\d+) ", server.stdout.readline())[1]
            load = [
                BUILD / "bench" / "load",
                "closed",
                "--clients=1",
                "--duration=600ms",
            ]
            load += ["--speak=http", f"--port={port}", "--timeout=20s"]
            records = tmp_path / "records.csv"
            subprocess.run([*load, f"--output={records}"], check=True, timeout=GUARD_S)
        finally:
            server.terminate()
    counted = json.loads(told.read_text())
    ends = Counter(client.outcome for client in read_clients(records))
    assert counted["planted"] == counted["requests"] // 20
    assert ends.total() == counted["requests"]
    assert ends[outcome] == counted["planted"]
    assert ends["ok"] == counted["requests"] - counted["planted"]


HTTPERF = """Total: connections 600 requests 600 replies 570 test-duration 5.999 s
Connection time [ms]: min 10.3 avg 12.1 max 110.9 median 10.5 stddev 9.0
Reply status: 1xx=0 2xx=540 3xx=0 4xx=0 5xx=30
Errors: total 30 client-timo 0 socket-timo 0 connrefused 0 connreset 30
"""
SIEGE = """{"transactions": 111, "availability": 97.00, "failed_transactions": 4,
"longest_transaction": 0.14, "shortest_transaction": 0.01}"""


def test_what_siege_and_httperf_print_is_read(tmp_path):
    httperf = tools.read_httperf(HTTPERF, tmp_path)
    assert (httperf.sent, httperf.failed) == (600, 60)
    assert httperf.latency == pytest.approx({0.5: 0.0105, 1.0: 0.1109})
    siege = tools.read_siege(SIEGE, tmp_path)
    assert (siege.sent, siege.failed, siege.latency) == (115, 4, {1.0: 0.14})


def test_a_status_of_500_is_a_failure_to_all(tmp_path):
    assert (
        tools.read_wrk(
            "  155 requests in 2s\n  Non-2xx or 3xx responses: 8\n", tmp_path
        ).failed
        == 8
    )
    hey = tools.read_hey(
        "Status code distribution:\n  [200]\t159 responses\n  [500]\t8 responses\n",
        tmp_path,
    )
    assert (hey.sent, hey.failed) == (167, 8)
    ab = tools.read_ab(
        "Complete requests: 125\nFailed requests: 0\nNon-2xx responses: 6\n", tmp_path
    )
    assert (ab.sent, ab.failed) == (125, 6)
