"""The load generator as a program: its schedule, its addresses, what it needs of the system."""

import csv
import io
import json
import re
import resource
import socket
import subprocess
from pathlib import Path

import pytest

from tests.helpers.labs import find_labs
from tests.helpers.setting import BUILD, GUARD_S

LOAD = BUILD / "bench" / "load"
NEWEST_GLIBC = (2, 31)


def run_load(*arguments, **options):
    """Run it to its end; gives what it wrote, and its records by column."""
    ended = subprocess.run(
        [LOAD, *arguments], capture_output=True, text=True, timeout=GUARD_S, **options
    )
    assert ended.returncode == 0, ended.stderr
    return ended, list(csv.DictReader(io.StringIO(ended.stdout)))


def versions(listing):
    """The oldest version of each symbol in a listing of objdump -T."""
    oldest = {}
    for version, name in re.findall(r"\(?GLIBC_([\d.]+)\)?\s+(\S+)$", listing, re.M):
        number = tuple(map(int, version.split(".")))
        oldest[name] = min(number, oldest.get(name, number))
    return oldest


def symbols_of(path):
    """What objdump says of a program or a library."""
    command = ["objdump", "-T", path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_needs_no_function_that_glibc_2_31_lacks():
    """A function that moved, such as __libc_start_main, counts as what it was first."""
    linked = subprocess.run(["ldd", LOAD], capture_output=True, text=True).stdout
    libraries = [path for path in re.findall(r"=> (/\S+)", linked) if "san" not in path]
    if not any("libc.so.6" in path for path in libraries):
        return  # another C library: nothing is asked of glibc
    offered = {}
    for path in libraries:
        for name, version in versions(symbols_of(path)).items():
            offered[name] = min(version, offered.get(name, version))
    needed = [
        name
        for name in versions(symbols_of(LOAD))
        if offered.get(name, (0,)) > NEWEST_GLIBC
    ]
    assert needed == []


def test_one_seed_gives_one_schedule():
    flags = ["--rate=400", "--arrivals=poisson", "--duration=200ms", "--timeout=20s"]
    flags += ["--rare=bytes 1000", "--rare-per-mille=300"]
    with next(lab for lab in find_labs() if lab.is_concurrent).serve("desk") as server:
        flags += [f"--port={server.port}"]
        runs = [run_load("rate", f"--seed={seed}", *flags)[1] for seed in (7, 7, 8)]
    first, again, other = (
        [
            (int(row["intended"]) - int(rows[0]["intended"]), int(row["bytes"]) > 1000)
            for row in rows
        ]
        for rows in runs
    )
    assert len(first) == len(again) > 40
    assert {is_rare for _, is_rare in first} == {True, False}
    for (start, is_rare), (start_again, is_rare_again) in zip(first, again):
        assert is_rare == is_rare_again
        assert abs(start - start_again) <= 2, "nanoseconds, by rounding"
    assert first[:20] != other[:20]


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_calls_a_server_over_ipv6(host):
    with socket.socket(socket.AF_INET6) as listener:
        try:
            listener.bind(("::1", 0))
        except OSError:
            return  # this system has no IPv6
        listener.listen(8)
        port = listener.getsockname()[1]
        flags = [f"--host={host}", f"--port={port}", "--clients=4", "--timeout=300ms"]
        _, rows = run_load("burst", *flags)
    assert {row["source"] for row in rows} == {"::1"}
    assert {(row["outcome"], row["phase"]) for row in rows} == {("timeout", "wait")}


def test_localhost_is_the_address_that_answers():
    """It has two, and a server may listen on either."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        flags = ["--host=localhost", f"--port={port}", "--clients=2"]
        _, rows = run_load("burst", *flags, "--timeout=300ms")
    assert {row["phase"] for row in rows} == {"wait"}, "connected, and not refused"


def lower_limit():
    """So few descriptors that 100 clients do not fit."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def test_says_that_descriptors_are_too_few():
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        flags = [f"--port={listener.getsockname()[1]}", "--timeout=300ms"]
        few, _ = run_load("burst", "--clients=8", *flags, preexec_fn=lower_limit)
        many, rows = run_load("burst", "--clients=100", *flags, preexec_fn=lower_limit)
    assert "descriptors" not in few.stderr
    assert re.search(r"100 clients need \d+ descriptors, but only 64", many.stderr)
    assert len(rows) == 100, "each attempt has a row all the same"
    assert "client-fault" in {row["outcome"] for row in rows}


def test_says_that_ports_are_too_few():
    first, last = map(
        int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    )
    flags = ["--sources=1", "--timeout=50ms", "--duration=1s", "--port=1"]
    ports = last - first + 1
    asked, _ = run_load("rate", f"--rate={ports + 1}", *flags)
    assert f"{ports + 1} connections need as many ports" in asked.stderr
    asked, _ = run_load("rate", "--rate=10", *flags)
    assert "ports" not in asked.stderr


# ---- What it says when the run is over ----

HEADING = (
    "i,intended,started,connected,sent,first_byte,done,bytes,"
    "outcome,errno,phase,source,port,syn_retransmits"
)
MS = 1_000_000


def write_records(path, ends, gap=10 * MS, late=0):
    """A file of attempts, one each gap; each end is a latency in ns or how it failed."""
    rows = [HEADING]
    for i, end in enumerate(ends):
        due = 1 + i * gap
        start = due + i * late
        done, *how = (
            (due + end, "ok", "", "done") if isinstance(end, int) else (0, *end)
        )
        stamps = f"{due},{start},{start},{start},0,{done}"
        rows.append(f"{i},{stamps},5,{','.join(how)},127.0.0.1,{1024 + i},0")
    path.write_text("\n".join(rows) + "\n")
    return path


def summarise(*arguments):
    """What summary says, as text and as JSON."""
    said, _ = run_load("summary", *arguments)
    told, _ = run_load("summary", "--json", *arguments)
    return said.stdout, [json.loads(line) for line in told.stdout.splitlines()]


def test_percentiles_are_order_statistics(tmp_path):
    path = write_records(tmp_path / "a.csv", [k * MS for k in range(1000, 0, -1)])
    said, [told] = summarise(path)
    assert told["latency_ms"] == {"p50": 500, "p90": 900, "p99": 990, "max": 1000}
    assert "p50 500.0 ms, p90 900.0 ms, p99 990.0 ms, max 1.00 s" in said
    assert (told["attempts"], told["ok"], told["failures"]) == (1000, 1000, [])


@pytest.mark.parametrize("count, known", [(5, 0), (6, 1), (35, 1), (36, 2), (368, 3)])
def test_a_percentile_needs_its_samples(count, known, tmp_path):
    _, [told] = summarise(write_records(tmp_path / "a.csv", [MS] * count))
    values = [told["latency_ms"][name] for name in ("p50", "p90", "p99")]
    assert values == [1] * known + [None] * (3 - known)
    assert told["latency_ms"]["max"] == 1


def test_failures_are_never_answered_and_named(tmp_path):
    ends = (
        [MS] * 380 + [("none", "", "wait")] * 12 + [("reset", "ECONNRESET", "send")] * 8
    )
    said, [told] = summarise(write_records(tmp_path / "a.csv", ends))
    assert told["latency_ms"]["p90"] == 1
    assert told["latency_ms"]["p99"] == told["latency_ms"]["max"] == "never"
    kinds = {tuple(kind.values()) for kind in told["failures"]}
    assert kinds == {("none", "wait", "", 12), ("reset", "send", "ECONNRESET", 8)}
    assert "asked 400, answered 380" in said
    assert "failed 20: 12 none in wait, 8 reset in send (ECONNRESET)" in said


def test_a_generator_that_cannot_keep_its_schedule_says_so(tmp_path):
    said, _ = summarise(write_records(tmp_path / "a.csv", [MS] * 101))
    assert "could start" not in said
    slow = write_records(tmp_path / "b.csv", [MS] * 101, late=10 * MS)
    said, [told] = summarise(slow)
    assert "asked 100/s, could start 50/s" in said
    assert told["late_ms"]["max"] == 1000


def test_a_series_has_a_line_for_each_interval(tmp_path):
    path = write_records(tmp_path / "a.csv", [MS] * 150 + [("none", "", "wait")] * 100)
    said, [told] = summarise("--series=1s", path)
    assert [each["attempts"] for each in told["series"]] == [100, 100, 50]
    assert [each["ok"] for each in told["series"]] == [100, 50, 0]
    assert told["series"][2]["latency_ms"]["p50"] == "never"
    assert said.count("answered") == 1 + 3


def test_several_files_are_each_summed_up(tmp_path):
    paths = [write_records(tmp_path / f"{n}.csv", [MS] * n) for n in (3, 4)]
    said, told = summarise(*paths)
    assert [each["attempts"] for each in told] == [3, 4]
    assert [each["file"] for each in told] == list(map(str, paths))
    assert f"{paths[1]}: asked 4, answered 4" in said


@pytest.mark.parametrize(
    "line", ["", "no,records", HEADING + "\n1,2,x", HEADING + "\n1"]
)
def test_what_is_no_file_of_records_is_refused(line, tmp_path):
    (tmp_path / "a.csv").write_text(line + "\n")
    command = [LOAD, "summary", tmp_path / "a.csv"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=GUARD_S)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1 and "a.csv" in ended.stderr


def test_a_run_says_what_it_has_come_to(tmp_path):
    """With the records apart it says so on standard output, else beside them."""
    with next(lab for lab in find_labs() if lab.is_concurrent).serve("desk") as server:
        flags = [f"--port={server.port}", "--clients=8"]
        beside, rows = run_load("burst", *flags)
        apart, _ = run_load("burst", *flags, f"--output={tmp_path / 'a.csv'}")
        told, _ = run_load("burst", "--json", *flags)
        closed, _ = run_load("closed", "--duration=50ms", *flags)
    assert len(rows) == 8
    for words in (beside.stderr, apart.stdout):
        assert words.startswith("asked 8, answered 8 in ")
        assert "from the intended start p50 " in words
        assert "closed loop" not in words
    assert json.loads(told.stdout)["ok"] == 8
    assert "a closed loop hides stalls" in closed.stderr
    assert summarise(tmp_path / "a.csv")[1][0]["attempts"] == 8
