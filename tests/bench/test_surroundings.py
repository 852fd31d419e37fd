"""The bench where machines differ: file systems without links, gnuplot without PNG,
a second bench, and Ctrl-C before anything has begun."""

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bench.measure import surroundings
from bench.measure.processes import BenchError
from bench.tell import charts, results
from tests.helpers.setting import (
    BUILD,
    GUARD_S,
    ROOT,
    as_another_user,
    linux_only,
    until,
)

BENCH = [sys.executable, str(ROOT / "bench" / "run.py"), f"--build={BUILD}"]
QUICK = ["--quick", "--experiment=prices"]  # the shortest there is


def bench_command(folder, *flags: str) -> list[str]:
    return [*BENCH, *QUICK, f"--results={folder}", *flags]


# --- results -------------------------------------------------------------------------------


def test_without_links_the_results_are_named(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(type(tmp_path), "symlink_to", refuse)
    results.link_latest(tmp_path / "2026")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "2026" in said and "Operation not permitted" in said


def test_a_folder_named_latest_stays(tmp_path, capsys):
    (tmp_path / "latest" / "mine").mkdir(parents=True)
    results.link_latest(tmp_path / "2026")
    assert (tmp_path / "latest" / "mine").is_dir()
    assert "look there instead" in capsys.readouterr().err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["latest"]


# --- gnuplot -------------------------------------------------------------------------------

WITHOUT = """#!/bin/sh
case "$*" in
*form=*{form}*)
    echo "unknown or ambiguous terminal type; type just 'set terminal' for a list" >&2
    exit 1 ;;
esac
exec {gnuplot} "$@"
"""


def gnuplot_without(form: str, tmp_path, monkeypatch) -> None:
    """Put a gnuplot first on the path that cannot draw this."""
    tool = tmp_path / "bin" / "gnuplot"
    tool.parent.mkdir()
    tool.write_text(WITHOUT.format(form=form, gnuplot=shutil.which("gnuplot")))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")


@pytest.fixture
def chart(tmp_path):
    """The smallest chart there is, in a folder of its own."""
    (tmp_path / "dot.csv").write_text("1,1\n2,2\n")
    (tmp_path / "dot.gp").write_text(
        "if (form eq 'png') set terminal pngcairo; else set terminal svg\n"
        "set output name.'.'.(form eq 'png' ? 'png' : 'svg')\n"
        "set datafile separator ','\nplot name.'.csv'\n"
    )
    return charts.Chart("dot", "dot", "a dot", "")


def test_without_png_all_charts_are_svg(chart, tmp_path, monkeypatch, capsys):
    gnuplot_without("png", tmp_path, monkeypatch)
    charts.draw(chart, tmp_path)
    assert (tmp_path / "dot.svg").exists() and not (tmp_path / "dot.png").exists()
    assert (
        "no dot.png, only SVG: unknown or ambiguous terminal" in capsys.readouterr().err
    )


def test_without_svg_nothing_is_drawn_and_it_is_said_why(chart, tmp_path, monkeypatch):
    gnuplot_without("svg", tmp_path, monkeypatch)
    with pytest.raises(BenchError, match="cannot draw dot: unknown or ambiguous"):
        charts.draw(chart, tmp_path)


# --- a whole bench -------------------------------------------------------------------------


@linux_only
def test_a_second_bench_is_told_of_the_first(tmp_path):
    first = subprocess.Popen(
        bench_command(tmp_path / "1"),
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: list(tmp_path.glob("*.lock")), "the first has begun")
        until(lambda: next(tmp_path.glob("*.lock")).read_text(), "and says who it is")
        second = subprocess.Popen(
            bench_command(tmp_path / "2"),
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = second.stderr.readline()
        second.terminate()
        second.communicate()
        assert f"another bench runs on this machine (process {first.pid})" in line
    finally:
        first.terminate()
        first.wait()


@linux_only
@pytest.mark.parametrize("after_ms", [0, 15, 30, 60, 120, 180, 240])
def test_ctrl_c_in_the_first_moments_is_no_traceback(tmp_path, after_ms):
    bench = subprocess.Popen(
        ["sh", "-c", f"{recipe_of_bench()} --results={tmp_path}"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Ignored is what a script's background leaves to its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(after_ms / 1000)  # nothing is waited for: any moment must do
    bench.send_signal(signal.SIGINT)

    def has_ended() -> bool:  # before Python listens, nothing happens
        bench.send_signal(signal.SIGINT)
        return bench.poll() is not None

    until(has_ended, "the bench has ended")
    assert "Traceback" not in bench.stderr.read()
    assert bench.returncode in (-signal.SIGINT, 130, 1)
    bench.stderr.close()


@functools.cache
def recipe_of_bench() -> str:
    """What `make bench` tells the shell."""
    flags = [f"B={BUILD}", "QUICK=1", "EXPERIMENT=dmv"]
    done = subprocess.run(
        ["make", "-n", "bench", *flags], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout[done.stdout.index("trap '' INT") :].replace("\\\n", "").strip()


@pytest.fixture
def open_folder():
    """A folder that every user may write to. pytest's own ones it closes again."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


@linux_only
@pytest.mark.parametrize(
    "limit, told, more",
    [
        ("nofile", "64 descriptors", "ulimit -n"),
        ("nproc", "64 processes", "ulimit -u"),
    ],
)
def test_it_says_first_what_is_too_little(open_folder, limit, told, more):
    few = [*as_another_user(), "prlimit", f"--{limit}=64"]
    bench = subprocess.Popen(
        [*few, *bench_command(open_folder / "results")],
        env={**os.environ, "TMPDIR": str(open_folder), "PYTHONPATH": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = bench.stderr.readline()
    bench.terminate()
    bench.communicate(timeout=GUARD_S)
    assert told in said and f"(more: {more} " in said, said


def test_few_ports_are_told(monkeypatch, capsys):
    monkeypatch.setattr(surroundings, "sysctl", lambda _: "40000 40009")
    surroundings.warn_of_limits()
    assert "10 ports" in capsys.readouterr().err
