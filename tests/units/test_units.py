"""Unit tests in C, of what is easier to corner there: the queue, the reader, the flags.

Each tests/units/test_*.c is a program whose tests begin with TEST(name).
"""

import os
import re
import shlex
from pathlib import Path

import pytest

from tests.helpers.setting import BUILD, ROOT, SANITIZERS, run

UNITS = Path(__file__).resolve().parent
WARNINGS = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion".split()


def find_tests():
    """Every test, with the program that it is in."""
    for source in sorted(UNITS.glob("test_*.c")):
        for name in re.findall(r"^TEST\((\w+)\)$", source.read_text(), re.MULTILINE):
            yield pytest.param(
                source, name, id=f"{source.stem.removeprefix('test_')}-{name}"
            )


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """Build all programs, with the sanitizers of the library that they are linked with."""
    folder = tmp_path_factory.mktemp("units")
    sanitizers = [f"-fsanitize={SANITIZERS}"] if SANITIZERS else []
    folders = [ROOT / "common", ROOT / "common" / "services", ROOT]
    includes = [f"-iquote{folder}" for folder in folders]
    for source in UNITS.glob("test_*.c"):
        command = [
            *shlex.split(os.environ.get("CC", "cc")),
            *("-std=c17", "-g", "-O1", "-pthread", "-D_DEFAULT_SOURCE"),
            *(*WARNINGS, *sanitizers, *includes),
            *("-o", str(folder / source.stem), str(source), str(BUILD / "helpers.a")),
        ]
        done = run(command)
        assert (
            done.returncode == 0 and done.stderr == ""
        ), f"cannot build {source}:\n{done.stderr}"
    return folder


@pytest.mark.parametrize("source, name", find_tests())
def test_unit(programs, source, name):
    done = run([str(programs / source.stem), name])
    assert (
        done.stderr == "" and done.returncode == 0
    ), f"{done.stderr}status {done.returncode}"
