"""The first make on a machine that is not ours: where it stands, who builds, in which locale."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.helpers.setting import GUARD_S, ROOT, linux_only, plain_only

COPIED = ["Makefile", ".ci", "common", "bench", *(p.name for p in ROOT.glob("lab*"))]
COPIED += ["tests/checks.mk", "tests/course/course.mk"]
NOT_COPIED = shutil.ignore_patterns("__pycache__")
QUICKLY = "CFLAGS=-O0"
PATH = os.environ["PATH"]
NO_UTF8 = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # whatever Python would do
BENCH = ["--quick", "--experiment=capacity", "--repeats=1"]  # the shortest there is

pytestmark = [linux_only, plain_only]


@pytest.fixture
def open_folder():
    """A temporary folder that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture
def checkout(open_folder):
    """A copy of the project in a folder with a space and an umlaut in its name."""
    folder = open_folder / "Übung eins"
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=NOT_COPIED)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    return folder


def make(folder, *arguments: str, **options: object) -> subprocess.CompletedProcess:
    """make in this folder, with next to nothing in the environment."""
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={"PATH": PATH, "LC_ALL": "POSIX", **options.pop("env", {})},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=10 * GUARD_S,
        **options,
    )


def assert_built(done: subprocess.CompletedProcess) -> None:
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and "warning" not in done.stdout


@pytest.fixture
def read_only(checkout):
    """The same, where nothing can be written."""
    everything = [checkout, *checkout.rglob("*")]
    for path in everything:
        path.chmod(path.stat().st_mode & ~0o222)
    yield checkout
    for path in everything:
        path.chmod(path.stat().st_mode | 0o200)


def other_user() -> dict:
    """How to run as another user, if root runs the tests, for whom all can be written."""
    return (
        {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    )


def test_it_builds_and_runs_elsewhere_what_cannot_be_written(read_only, open_folder):
    """In a folder with an umlaut, without a home, in a locale of ASCII, as another user."""
    elsewhere = open_folder / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    elsewhere.chmod(0o777)
    other = other_user()
    assert make(read_only, "lab1", **other).returncode != 0, "it can be written"

    built = [f"B={elsewhere}", QUICKLY]
    assert_built(make(read_only, "-j4", "all", *built, **other))
    assert (elsewhere / "lab1-sequential" / "server").exists()
    assert (elsewhere / "bench" / "load").exists()

    demo = make(read_only, "demo", "WORK=20", "CUSTOMERS=5", *built, **other)
    assert demo.returncode == 0 and demo.stderr == "", demo.stderr
    assert demo.stdout.count("5/5") >= 4

    results = elsewhere / "Maß und Zahl"
    bench = subprocess.run(
        ["/usr/bin/env", "python3", "bench/run.py", f"--build={elsewhere}"]
        + [f"--results={results}", *BENCH],
        cwd=read_only,
        env={"PATH": f"/usr/bin:{PATH}", "LC_ALL": "POSIX", **NO_UTF8},
        capture_output=True,
        timeout=10 * GUARD_S,
        **other,
    )
    assert bench.returncode == 0, bench.stderr
    assert b"Traceback" not in bench.stderr
    assert next(results.glob("2*/report.html")).stat().st_size > 1000
    summary = next(results.glob("2*/summary.txt")).read_text(encoding="utf-8")
    assert "capacity" in summary.lower()


def test_without_linux_the_bench_says_so_before_it_builds(checkout, open_folder):
    """A fake uname. What macOS itself does only macOS can show."""
    fake = open_folder / "uname"
    fake.write_text("#!/bin/sh\necho Darwin\n")
    fake.chmod(0o755)
    mac = {"env": {"PATH": f"{open_folder}:{PATH}"}}
    done = make(checkout, "bench", **mac)
    assert done.returncode != 0
    assert (
        "make bench needs Linux, for its generator; here run make test" in done.stderr
    )
    assert "  cc " not in done.stdout
    assert not (checkout / "build" / "obj").exists()
