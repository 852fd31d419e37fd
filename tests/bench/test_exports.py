"""What the bench exports is read back by its format: percentile files, a trace, JSON, CSVs.

Nothing is measured here: the runs are made up, exactly as theory has them. Each reader is
shown to bite: a file that is damaged does not pass it.
"""

import csv
import json
import math
import re
from pathlib import Path

import pytest


from bench.checks import crosscheck, tools
from bench.experiments import dmv
from bench.judge.estimates import is_defended
from bench.judge.prices import Prices, price
from bench.tell import exports
from bench.tell.document import About, faults_of, without_infinity
from bench.experiments.experiment import Options, Part
from bench.measure.labs import Lab
from bench.measure.machine import Fact
from bench.measure.records import NS_PER_S, Client, Visit
from bench.measure.runs import Measured

LABS = [
    Lab(1, "lab1-sequential", Path("none"), frozenset()),
    Lab(2, "lab2-thread-per-client", Path("none"), frozenset({"max-clients"})),
    Lab(3, "lab3-thread-pool", Path("none"), frozenset({"threads"})),
]
OPENING = 7 * NS_PER_S
CONNECT_NS = 50_000


def make_client(i: int, done_ns: int, outcome: str) -> Client:
    """One attempt; who fails was connected and heard nothing."""
    is_ok = outcome == "ok"
    return Client(
        i=i,
        intended=OPENING,
        started=OPENING,
        connected=OPENING + CONNECT_NS,
        sent=OPENING + CONNECT_NS,
        first_byte=OPENING + done_ns if is_ok else 0,
        done=OPENING + done_ns if is_ok else 0,
        bytes=10,
        outcome=outcome,
        errno="",
        phase="done" if is_ok else "wait",
        port=40000 + i,
        syn_retransmits=0,
    )


def make_visit(run, i: int, done_ns: int) -> Visit:
    """How the server saw the same client."""
    clerks = min(run.lab.clerks(dmv.POOL), dmv.CLIENTS)
    begun = OPENING + CONNECT_NS + done_ns - dmv.SERVICE_MS * 1_000_000
    worker = int(i % clerks) + 1
    return Visit(
        40000 + i, OPENING + CONNECT_NS, begun, OPENING + done_ns, worker, "served"
    )


def make_run(run, failing: int = 0) -> Measured:
    """A run whose clients fare as theory has it; so many of them are never taken."""
    clerks = min(run.lab.clerks(dmv.POOL), dmv.CLIENTS)
    service = dmv.SERVICE_MS * 1_000_000
    clients, visits = [], []
    for i in range(run.clients):
        done = math.ceil((i + 1) / clerks) * service + CONNECT_NS
        is_lost = i >= run.clients - failing
        clients.append(make_client(i, done, "timeout" if is_lost else "ok"))
        if not is_lost:
            visits.append(make_visit(run, i, done))
    return Measured(run, clients, visits, [])


def make_part(folder: Path, failing: int = 0) -> Part:
    """The experiment dmv as it would be on an ideal machine."""
    options = Options(is_quick=True, seed=1, repeats=None)
    runs = [run for run in dmv.plan(LABS, options) if run.scene != "slow-head"]
    made = [make_run(run, failing if run.clients > 1 else 0) for run in runs]
    return Part(dmv.EXPERIMENT, dmv.conclude(made, options, folder), made)


# --- percentile files ----------------------------------------------------------------------

HEAD = re.compile(r" +Value +Percentile +TotalCount 1/\(1-Percentile\)\n\n")
ROW = re.compile(r" *(\d+\.\d{3}) +([01]\.\d{6}) +(\d+) +(\d+\.\d\d|inf)\n")
FOOT = re.compile(
    r"#\[Mean    = +(?P<mean>[\d.]+|inf), StdDeviation   = +(?P<spread>[\d.]+|inf)\]\n"
    r"#\[Max     = +(?P<max>[\d.]+|inf), Total count    = +(?P<count>\d+)\]\n"
    r"#\[Buckets = +\d+, SubBuckets     = +\d+\]\n\Z"
)


def read_percentiles(
    text: str,
) -> tuple[list[tuple[float, float, int]], dict[str, float]]:
    """The rows and the sums of a percentile file; fails on all that is not the format."""
    head = HEAD.match(text)
    assert head, "no head"
    place, rows = head.end(), []
    while row := ROW.match(text, place):
        rows.append((float(row[1]), float(row[2]), int(row[3]), float(row[4])))
        place = row.end()
    foot = FOOT.match(text, place)
    assert foot, f"neither a row nor the foot: {text[place:place + 80]!r}"
    sums = {name: float(value) for name, value in foot.groupdict().items()}
    for earlier, later in zip(rows, rows[1:]):
        assert all(
            a <= b for a, b in zip(earlier, later)
        ), f"{later} comes after {earlier}"
    for value, level, count, inverse in rows:
        expected = math.inf if level == 1 else 1 / (1 - level)
        assert inverse == pytest.approx(
            expected, rel=0.01
        ), f"1/(1-{level}) is not {inverse}"
        assert count <= sums["count"] and value <= sums["max"], "a row beyond the sums"
    if math.isfinite(sums["max"]):
        assert rows[-1][1:3] == (
            1,
            sums["count"],
        ), "the last row is not the last sample"
    return [row[:3] for row in rows], sums


def test_percentiles_are_those_of_the_samples():
    samples = [i / 1000 for i in range(1, 1001)]
    rows, sums = read_percentiles(exports.percentile_file(samples))
    levels = [level for _, level, _ in rows]
    assert levels[:12] == [
        0,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.55,
        0.6,
        0.65,
        0.7,
        0.75,
        0.775,
    ]
    assert all(
        value == pytest.approx(max(1, math.ceil(level * 1000 - 1e-3)))
        for value, level, _ in rows
    )
    assert sums["count"] == 1000
    assert sums["mean"] == pytest.approx(500.5)


@pytest.mark.parametrize(
    "samples, highest", [(6, 0.5), (36, 0.9), (368, 0.99), (3688, 0.999)]
)
def test_no_percentile_below_its_floor(samples, highest):
    rows, _ = read_percentiles(
        exports.percentile_file([i / 1000 for i in range(samples)])
    )
    told = [level for _, level, _ in rows[:-1]]
    assert max(told) <= highest, f"{samples} samples do not tell p{max(told) * 100:g}"
    assert is_defended(highest, samples)
    assert not is_defended(highest, samples - 1)


def test_failures_count_and_have_no_line():
    samples = [0.001] * 90 + [math.inf] * 10
    rows, sums = read_percentiles(exports.percentile_file(samples))
    assert sums["count"] == 100 and sums["max"] == math.inf and sums["mean"] == math.inf
    assert max(level for _, level, _ in rows) == pytest.approx(0.9)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("Percentile", "Percent", 1),
        lambda text: text.replace("   0.500000", "   0.050000", 1),
        lambda text: text.replace(
            "Total count    =         1000", "Total count    =          999"
        ),
        lambda text: text.replace(".", ",", 1),
        lambda text: text[: text.index("#[Max")],
        lambda text: re.sub(r".* 1\.000000 .*\n", "", text),
    ],
    ids=["head", "order", "count", "comma", "no-foot", "no-last"],
)
def test_a_damaged_percentile_file_is_noticed(damage):
    whole = exports.percentile_file([i / 1000 for i in range(1, 1001)])
    assert damage(whole) != whole
    with pytest.raises(AssertionError):
        read_percentiles(damage(whole))


def test_each_setting_has_a_file(tmp_path):
    part = make_part(tmp_path)
    files = exports.write_percentiles(part.made, tmp_path)
    assert {file.name for file in files} == {
        f"dmv-equal-{lab.name}-n0020.hgrm" for lab in LABS
    }
    for file in files:
        _, sums = read_percentiles(file.read_text())
        assert sums["count"] == dmv.CLIENTS


# --- the trace -----------------------------------------------------------------------------

NEEDED = {"X": {"ts", "dur", "cat"}, "i": {"ts", "s"}, "M": {"args"}}


def read_trace(text: str) -> list[dict]:
    """The events of a Chrome trace; fails on what its viewers would refuse or hide."""
    events = json.loads(text)["traceEvents"]
    named = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name"}
    for event in events:
        missing = (NEEDED[event["ph"]] | {"name", "pid", "tid"}) - event.keys()
        assert not missing, f"{event} lacks {missing}"
        if event["ph"] != "M":
            assert event["ts"] >= 0, f"{event} is before the beginning"
            assert (
                event["pid"],
                event["tid"],
            ) in named, f"the lane of {event} has no name"
    spans = [event for event in events if event["ph"] == "X"]
    spans.sort(key=lambda e: (e["pid"], e["tid"], e["ts"]))
    for earlier, later in zip(spans, spans[1:]):
        assert earlier["dur"] > 0, f"{earlier} takes no time"
        if (earlier["pid"], earlier["tid"]) == (later["pid"], later["tid"]):
            end = earlier["ts"] + earlier["dur"]
            assert end <= later["ts"] + 0.001, f"{later} begins before {earlier} ends"
    return events


def write_trace(folder: Path, failing: int = 0) -> str:
    """The trace of made-up runs."""
    exports.write_trace(make_part(folder, failing).made, folder)
    return (folder / "trace.json").read_text()


def test_the_trace_has_a_lane_for_everybody(tmp_path):
    events = read_trace(write_trace(tmp_path))
    lanes = [
        (e["pid"], e["args"]["name"]) for e in events if e["name"] == "thread_name"
    ]
    processes = [e["args"]["name"] for e in events if e["name"] == "process_name"]
    assert len(processes) == len(LABS) and len(lanes) == len(set(lanes))
    for number, clerks in enumerate([1, dmv.CLIENTS, dmv.POOL], 1):
        names = [name for pid, name in lanes if pid == number]
        assert sum(name.startswith("worker ") for name in names) == clerks
        assert sum(name.startswith("client ") for name in names) == dmv.CLIENTS


def test_the_trace_of_a_client_is_its_latency(tmp_path):
    part = make_part(tmp_path)
    events = read_trace(write_trace(tmp_path))
    first = next(each for each in part.made if each.run.clients == dmv.CLIENTS)
    number = next(
        e["pid"]
        for e in events
        if e["name"] == "process_name"
        and e["args"]["name"].startswith(first.run.lab.title)
    )
    for client in first.clients:
        lane = exports.lane_of(client)
        lived = [
            e for e in events if (e["pid"], e["tid"], e["ph"]) == (number, lane, "X")
        ]
        assert sum(e["dur"] for e in lived) == pytest.approx(client.latency * 1e6)


def test_the_trace_shows_failures(tmp_path):
    events = read_trace(write_trace(tmp_path, failing=2))
    assert sum(e["ph"] == "i" and e["name"] == "timeout" for e in events) == 2 * len(
        LABS
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace('"dur": ', '"duration": ', 1),
        lambda text: text.replace('"name": "thread_name"', '"name": "other"', 1),
        lambda text: re.sub(r'"dur": ([\d.]+)', r'"dur": 9\1', text),
        lambda text: re.sub(r'"ts": ([\d.]+)', r'"ts": -1\1', text, count=1),
        lambda text: text[:-4],
    ],
    ids=["no-duration", "no-name", "overlap", "too-early", "cut"],
)
def test_a_damaged_trace_is_noticed(tmp_path, damage):
    whole = write_trace(tmp_path)
    assert damage(whole) != whole
    with pytest.raises((AssertionError, KeyError, json.JSONDecodeError)):
        read_trace(damage(whole))


# --- JSON and CSV --------------------------------------------------------------------------


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def read_summary(text: str) -> dict:
    """The summary; fails on numbers that JSON does not have."""
    return json.loads(text, parse_constant=refuse_constant)


def write_summary(tmp_path, **more):
    """A summary of one experiment, read back."""
    part = make_part(tmp_path, **more)
    prices = Prices((price("wake-up", [1e-5, 2e-5, 3e-5]),))
    about = About("a title", "mine", "full", [Fact("kernel", "Linux")], prices)
    exports.write_all(about, [part], tmp_path)
    return part, read_summary((tmp_path / "summary.json").read_text())


def test_the_summary_says_what_the_text_says(tmp_path):
    part, summary = write_summary(tmp_path, failing=1)
    (told,) = summary["experiments"]
    assert summary["title"] == "a title" and summary["machine"] == {"kernel": "Linux"}
    assert summary["label"] == "mine" and summary["schema"] == 1
    assert told["question"] == dmv.EXPERIMENT.question
    assert told["failures"] == {"timeout": len(LABS)}
    for row, found in zip(summary["findings"], part.conclusion.findings, strict=True):
        assert row["what"] == found.what and row["verdict"] == found.verdict
        if math.isfinite(found.value):
            assert row["median"] == found.value and row["runs"] == list(found.runs)
    (listed,) = summary["prices"]
    assert listed == dict(name="wake-up", value=2e-5, unit="s", low=1e-5, high=3e-5)
    for chart in told["charts"]:
        assert (tmp_path / chart["csv"]).exists()


def test_the_summary_keeps_its_schema(tmp_path):
    assert faults_of(write_summary(tmp_path)[1]) == []


@pytest.mark.parametrize(
    "damage, fault",
    [
        (lambda s: s.pop("prices"), "prices is missing"),
        (lambda s: s.update(schema=2), "schema 2, not 1"),
        (lambda s: s["findings"][0].update(median="fast"), "findings[0].median"),
        (lambda s: s["findings"][0].update(unit="furlongs"), "findings[0].unit"),
        (lambda s: s["findings"][0].update(verdict="maybe"), "findings[0].verdict"),
        (lambda s: s["findings"].append(s["findings"][0]), "two findings are"),
        (lambda s: s["stamps"].append({"chart": "dmv"}), "stamps[0].words"),
    ],
)
def test_a_summary_of_another_schema_is_noticed(tmp_path, damage, fault):
    summary = write_summary(tmp_path)[1]
    damage(summary)
    assert any(said.startswith(fault) for said in faults_of(summary))


def test_infinity_would_be_noticed_in_the_summary():
    with pytest.raises(ValueError):
        read_summary(json.dumps({"off": math.inf}))
    assert without_infinity({"off": [math.inf, 1.5]}) == {"off": [None, 1.5]}


def read_table(text: str) -> list[dict[str, str]]:
    """A CSV with a header of names, and as many cells in every row."""
    header, *rows = list(csv.reader(text.splitlines()))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in header), header
    assert len(set(header)) == len(header), f"twice the same name: {header}"
    assert all(len(row) == len(header) for row in rows), "a row of another length"
    return [dict(zip(header, row)) for row in rows]


def test_every_csv_has_a_header(tmp_path):
    make_part(tmp_path)
    files = list(tmp_path.glob("*.csv"))
    assert files
    for file in files:
        assert read_table(file.read_text()), f"{file.name} has no rows"


@pytest.mark.parametrize("text", ["1,2\n3,4\n", "a,a\n1,2\n", "a,b\n1\n"])
def test_a_damaged_csv_is_noticed(text):
    with pytest.raises(AssertionError):
        read_table(text)


# --- what other tools print (make crosscheck) ----------------------------------------------

STALL = tools.Behaviour("is stopped", lasts_s=6, stall_s=3)
DEAD = tools.Behaviour("never answers", lasts_s=3, stall_s=3)

WRK = """  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   511.08ms  810.21ms   2.99s    84.11%
  Latency Distribution
     50%   20.00us
     75%  506.00ms
     90%    2.10s
     99%    2.91s
  600 requests in 6.00s, 0.7MB read
  Socket errors: connect 0, read 1, write 0, timeout 2
"""
HEY = """  Slowest:	2.9990 secs
  90% in 0.0003 secs
  0% in 0.0000 secs

Status code distribution:
  [200]	302 responses

Error distribution:
  [4]	Get "http://127.0.0.1:1/": context deadline exceeded
"""
AB = """Complete requests:      11547
Failed requests:        3
  50%      0
  90%      1
 100%   2999 (longest request)
"""


def test_what_other_tools_print_is_read(tmp_path):
    wrk = tools.read_wrk(WRK, tmp_path)
    assert (wrk.sent, wrk.failed) == (600, 3)
    assert wrk.latency == pytest.approx(
        {0.5: 2e-5, 0.75: 0.506, 0.9: 2.1, 0.99: 2.91, 1: 2.99}
    )
    hey = tools.read_hey(HEY, tmp_path)
    assert (hey.sent, hey.failed, hey.latency[0.9], hey.latency[1]) == (
        306,
        4,
        0.0003,
        2.999,
    )
    ab = tools.read_ab(AB, tmp_path)
    assert (ab.sent, ab.failed, ab.latency[0.9], ab.latency[1]) == (
        11547,
        3,
        0.001,
        2.999,
    )


def test_the_truth_passes_and_a_naive_clock_does_not():
    assert STALL.truth == pytest.approx({0.5: 0, 0.75: 1.5, 0.9: 2.4, 0.99: 2.94, 1: 3})
    assert crosscheck.judge(tools.Report(600, 0, STALL.truth), STALL) == "true"
    naive = tools.Report(302, 0, dict.fromkeys(tools.LEVELS, 0.0003) | {1: 3})
    assert crosscheck.judge(naive, STALL) == "FALSE at p75, p90, p99"
    assert crosscheck.judge(tools.Report(0, 0, {}), DEAD) == "FALSE: no failure"
    assert crosscheck.judge(tools.Report(300, 300, {}), DEAD) == "true: 300 failed"
    assert crosscheck.judge(None, DEAD) == "ended without a report"
