"""What the bench starts ends with it: in order, by Ctrl-C, and when the bench is killed."""

import os
import signal
import subprocess
import sys

import pytest

from bench.measure import processes
from tests.helpers.setting import ROOT, until

SLEEPER = ["sleep", "600"]
STARTS_ONE = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from bench.measure.processes import started
with started({SLEEPER!r}) as program:
    print(program.child.pid, flush=True)
    time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if os.path.exists(
        f"/proc/{pid}/stat"
    ):  # killed, and nobody has asked for its status yet
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(") ")[2][0] != "Z"
    return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=str)
def test_a_bench_that_is_killed_leaves_no_server(number):
    bench = subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE], stdout=subprocess.PIPE, text=True
    )
    server = int(bench.stdout.readline())
    assert is_running(server)
    bench.send_signal(number)
    bench.wait()
    until(lambda: not is_running(server), "the server has ended")
    bench.stdout.close()


def test_what_has_ended_is_not_killed_again():
    with processes.started(SLEEPER) as first:
        pass
    assert first.status == -signal.SIGTERM
    assert not is_running(first.child.pid)


@pytest.mark.parametrize("error", [PermissionError, OSError, AttributeError])
def test_a_kernel_without_pidfd_open_is_enough(monkeypatch, error):
    def refuse(*_):
        raise error

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    with processes.started(["sleep", "0.05"]) as program:
        assert processes.await_end(program, 60)
    assert program.status == 0
