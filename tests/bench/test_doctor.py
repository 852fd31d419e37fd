"""make doctor: one screen, in any state of the machine, and each absence has its price."""

import os
import subprocess
import sys

import pytest

from tests.helpers.setting import GUARD_S, ROOT, linux_only

MAX_LINES, MAX_COLUMNS = 24, 100


def doctor(**environment: str) -> subprocess.CompletedProcess:
    kept = {"PATH": os.environ["PATH"], "TERM": "xterm", **environment}
    return subprocess.run(
        [sys.executable, "-m", "bench.measure.doctor"],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
    )


@linux_only
def test_it_fits_one_screen_and_finds_what_is_here():
    done = doctor(LC_ALL="C.UTF-8")
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= MAX_COLUMNS
    for name in ("compiler", "gnuplot", "pytest", "descriptors", "IPv6", "terminal"):
        assert any(line.split()[1] == name for line in lines), name


@linux_only
def test_each_absence_is_told_with_its_price_and_what_mends_it(tmp_path):
    done = doctor(
        PATH=str(tmp_path), LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert done.returncode == 1, "nothing can be built without a compiler"
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    for name, price in [
        ("compiler", "nothing can be built"),
        ("gnuplot", "charts are text"),
        ("browser", "tests of pages are skipped"),
        ("locale", "the demo draws with"),
    ]:
        at = next(i for i, line in enumerate(lines) if line.split()[1:2] == [name])
        assert lines[at].startswith("--") and price in lines[at]
        assert lines[at + 1].strip().startswith(("install ", "export ")), lines[at + 1]


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_move_is_told(term, tmp_path):
    said = doctor(TERM=term or "none", PATH=str(tmp_path)).stdout
    assert "prints its end, without moving" in said
