"""Unit tests in C, of what is easier to corner there: the queue, the reader, the flags.

Each tests/units/test_*.c is a program whose tests begin with TEST(name).
"""

import re
from pathlib import Path

import pytest

from tests.helpers.programs import compiled
from tests.helpers.setting import run


def find_tests():
    """Every test, with the program that it is in."""
    for source in sorted(Path(__file__).resolve().parent.glob("test_*.c")):
        for name in re.findall(r"^TEST\((\w+)\)$", source.read_text(), re.MULTILINE):
            yield pytest.param(
                source, name, id=f"{source.stem.removeprefix('test_')}-{name}"
            )


@pytest.mark.parametrize("source, name", find_tests())
def test_unit(source, name):
    done = run([str(compiled(source)), name])
    assert (
        done.stderr == "" and done.returncode == 0
    ), f"{done.stderr}status {done.returncode}"
