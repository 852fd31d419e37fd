"""What the fuzzers started from and what they have found, once more. `make fuzz` looks for more."""

from pathlib import Path

import pytest

from tests.helpers.programs import compiled
from tests.helpers.setting import ROOT, run

FUZZ = Path(__file__).resolve().parent
REPLAY = ROOT / "tests" / "units" / "replay.c"
TARGETS = sorted(FUZZ.glob("*.c"))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.stem)
def test_inputs_that_were_found(target):
    program = compiled(target, REPLAY)
    inputs = [str(path) for path in sorted((FUZZ / "found" / target.stem).iterdir())]
    assert inputs, f"there is nothing to run {target.stem} with"
    done = run([str(program), *inputs])
    assert done.returncode == 0 and done.stderr == "", done.stderr
