"""Records the runs that test_office.py compares with the page: python -m tests.bench.record_stored

Nobody chooses: each run is made by the bench's own rule, up to five times until its gates
pass, and the first that passes is stored, never the best. If one never passes, nothing is.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from bench.judge import stamps
from bench.measure.labs import find_labs
from bench.measure.runs import Generator, Measured, Run, burst, perform
from tests.helpers.setting import BUILD, ROOT

STORED = Path(__file__).parent / "stored"
EVERY_TRY_S = 1000  # of patience: five tries, however long
RANDOM = {"rate": 2, "arrivals": "poisson", "seed": 7, "duration": "16s"}
PLANS = {
    "burst": (1, burst(20, "sleep 400"), {}),
    "slow-head": (1, burst(20, "sleep 200", head="sleep 2000"), {}),
    "pool": (3, burst(20, "sleep 400", head="sleep 2000"), {"threads": 4}),
    "poisson": (1, (Generator("rate", RANDOM | {"say": "sleep 400"}),), {}),
}


def record(name: str, raw: Path) -> Measured:
    """One run, by the bench's rule."""
    number, generators, flags = PLANS[name]
    lab = find_labs(ROOT, BUILD)[number - 1]
    run = Run("stored", "stored", name, lab, generators, 1, 20, flags, effect_s=8)
    load = BUILD / "bench" / "load"
    patience = stamps.Patience(EVERY_TRY_S)
    return patience.make_valid(lambda: perform(run, load, raw))


def main() -> int:
    """Record all of them; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        made = {name: record(name, Path(folder)) for name in PLANS}
        for name, each in made.items():
            failed = [stamps.reasons(e) for e in (*each.failed_tries, each) if e.faults]
            print(f"{name}: {each.tries} tries; {'; '.join(failed) or 'none failed'}")
        if any(each.faults for each in made.values()):
            print("nothing is stored")
            return 1
        for name, each in made.items():
            records = Path(folder) / f"{each.run.name}.clients.csv"
            shutil.copy(records, STORED / f"{name}.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
