"""The load generator as a program: its schedule, its addresses, what it needs of the system."""

import csv
import io
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
    flags = ["--rate=400", "--arrivals=poisson", "--duration=200ms", "--timeout=1s"]
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
