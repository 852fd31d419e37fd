"""Starts and ends: what is never given back, and moments that are hard to hit.

100,000 clients in turn, and resets at random points, are rows A13 and A14 in test_accepting.py."""

import random
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.faults import ALL_SERVICES, HERE
from tests.helpers.clients import Client
from tests.helpers.servers import SUMMARY
from tests.helpers.setting import GUARD_S, SANITIZERS
from tests.helpers.web import WebClient

STARTS = 500
AT_ONCE = 8
LATEST_S = 0.05

VALGRIND = [
    *("valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible"),
    *("--errors-for-leak-kinds=definite,indirect,possible", "--error-exitcode=99"),
    *("--track-fds=yes", "--log-file=%s", f"--suppressions={HERE / 'valgrind.supp'}"),
]


def start_and_stop(lab, moment_s: float) -> int:
    """Start a server and send it SIGTERM after so long. Returns its status."""
    process = subprocess.Popen(
        [lab.program, "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        time.sleep(moment_s)  # a moment at random
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=GUARD_S)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"hangs, stopped {1000 * moment_s:.1f} ms old") from None
    finally:
        process.kill()
        process.wait()
    assert errors == ""
    if process.returncode == -signal.SIGTERM:
        assert output == "", "it was killed although it had announced itself"
    else:
        assert process.returncode == 0
        *announced, summary = output.splitlines()
        assert SUMMARY.fullmatch(summary), output
        assert all(re.search(r": listening on [\d.]+:\d+ ", line) for line in announced)
    return process.returncode


@pytest.mark.skipif(
    SANITIZERS == "thread",
    reason="ThreadSanitizer (gcc 12) may lose a signal during the first call that blocks",
)
def test_f3_l1_500_starts_that_are_stopped_at_once_end_in_order(lab, record_property):
    """SIGTERM after 0 to 50 ms: an orderly end or, before the handlers stand, the signal's."""
    random_moments = random.Random(1)
    moments = [random_moments.uniform(0, LATEST_S) for _ in range(STARTS)]

    def one_after_the_other(its_moments):
        return [start_and_stop(lab, moment) for moment in its_moments]

    shares = [moments[first::AT_ONCE] for first in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        in_order = sum(done.count(0) for done in pool.map(one_after_the_other, shares))
    told = (
        f"{in_order} of {STARTS} ended in order, the others before the handlers stood"
    )
    record_property("measured", told)
    assert in_order > 0, "the moments were too early for any of them"


def visit(address, name: str) -> None:
    """A conversation that uses much of the service."""
    if name in ("http", "files"):
        client = WebClient(address)
        for target in ("/page", "/", "/missing", "/../page"):
            client.get(target)
            client.close()
            client = WebClient(address)
        client.put("/new", b"x" * 100_000)
    else:
        client = Client(address)
        client.greeting()
        for words in (
            b"hello",
            b"/nick me",
            b"/who",
            b"bytes 1000",
            b"barrier 2 1",
            b"x" * 5000,
        ):
            client.send(words + b"\n")
        client.half_close()
        while client.receive():
            pass
    client.close()
    Client(address).reset()


@pytest.mark.skipif(
    SANITIZERS != "", reason="valgrind cannot run what was built with a sanitizer"
)
@pytest.mark.skipif(
    shutil.which("valgrind") is None, reason="valgrind is not installed"
)
@pytest.mark.parametrize("name", ALL_SERVICES)
def test_l2_valgrind_finds_nothing_lost(lab, name, site, tmp_path):
    log = tmp_path / "valgrind"
    valgrind = [part.replace("%s", str(log)) for part in VALGRIND]
    folder = [str(site)] if name in ("http", "files") else []
    process = subprocess.Popen(
        [*valgrind, lab.program, "--port=0", *lab.places(3), name, *folder],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(re.search(r"listening on \S+:(\d+) ", process.stdout.readline())[1])
        for _ in range(3):
            visit(("127.0.0.1", port), name)
        idle = Client(("127.0.0.1", port))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=3 * GUARD_S)
        idle.close()
        report = log.read_text()
        assert process.returncode == 0, report
        assert "ERROR SUMMARY: 0 errors" in report, report
        assert not re.search(
            r"(definitely|indirectly|possibly) lost: [1-9]", report
        ), report
    finally:
        process.kill()
        process.wait()
