"""What the fuzzers started from and what they have found, once more. `make fuzz` looks for more."""

import os
import shlex
from pathlib import Path

import pytest

from tests.helpers.setting import BUILD, ROOT, SANITIZERS, run

FUZZ = Path(__file__).resolve().parent
REPLAY = ROOT / "tests" / "units" / "replay.c"
TARGETS = sorted(FUZZ.glob("*.c"))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.stem)
def test_inputs_that_were_found(target):
    program = BUILD / "fuzz" / f"replay-{target.stem}"
    program.parent.mkdir(exist_ok=True)
    sanitizers = [f"-fsanitize={SANITIZERS}"] if SANITIZERS else []
    sources = [str(target), str(REPLAY), str(BUILD / "helpers.a")]
    built = run(
        [
            *shlex.split(os.environ.get("CC", "cc")),
            *("-std=c17", "-g", "-O1", "-pthread", "-D_DEFAULT_SOURCE", *sanitizers),
            *(f"-iquote{ROOT / 'common'}", f"-iquote{ROOT / 'common' / 'services'}"),
            *(f"-iquote{FUZZ}", "-o", str(program), *sources),
        ]
    )
    assert built.returncode == 0 and built.stderr == "", built.stderr
    inputs = [str(path) for path in sorted((FUZZ / "found" / target.stem).iterdir())]
    assert inputs, f"there is nothing to run {target.stem} with"
    done = run([str(program), *inputs])
    assert done.returncode == 0 and done.stderr == "", done.stderr
