"""The first make on a machine that is not ours: where it stands, who builds, in which locale."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.helpers.setting import GUARD_S, ROOT, linux_only, plain_only

COPIED = [
    "Makefile",
    ".ci",
    "common",
    "bench",
    "tests",
    *(p.name for p in ROOT.glob("lab*")),
]
NOT_COPIED = shutil.ignore_patterns("__pycache__", "found", "gallery")
PATH = os.environ["PATH"]

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
            folder.mkdir(exist_ok=True)
            shutil.copy(source, folder)
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


def test_it_builds_elsewhere_what_cannot_be_written(checkout, open_folder):
    """In a folder with an umlaut, without a home, in a locale of ASCII; and as another user, if root
    runs the tests, for whom all can be written."""
    elsewhere = open_folder / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    elsewhere.chmod(0o777)
    for path in (checkout, *checkout.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    other = (
        {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    try:
        assert (
            make(checkout, "lab1", **other).returncode != 0
        ), "it can be written after all"
        assert_built(make(checkout, "lab1", f"B={elsewhere}", **other))
    finally:
        for path in (checkout, *checkout.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
    assert (elsewhere / "lab1-sequential" / "server").exists()
