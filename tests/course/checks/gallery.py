"""Every gallery variant of code that students write loses exactly the stages listed for it.

    python3 -m tests.course.checks.gallery [--jobs=N] [WORD ...]

A stage that is not tried, because it needs one that failed, is lost as well. Where threads race, a
variant may lose more than it must.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.course.build import Tree
from tests.course.handout import HANDOUTS
from tests.course.patience import patience_for
from tests.course.reference import lay
from tests.course.submission import grade
from tests.course.trial import stages
from tests.gallery.variants import ROOT, Variant, read_gallery


@dataclass(frozen=True)
class Loss:
    """What a variant loses in a lab."""

    lab: int
    must: str  # names of stages
    may: str = ""  # as well, by luck


AFTER_TWO = "token crowd limit rude shortage idle leave stop race alarm"
AFTER_GREET = "workers order token wait busy free idle leave stop race alarm"

LOSSES = {
    "backlog-ignored": Loss(4, "backlog"),
    "client-not-closed": Loss(1, "leave"),
    "deadline-per-recv": Loss(4, "dribble"),
    "exit-on-thread-error": Loss(2, "shortage"),
    "fd-by-reference": Loss(2, "token race", f"two {AFTER_TWO}"),
    "full-although-idle": Loss(3, "free alarm"),
    "idle-worker-not-announced": Loss(3, f"greet {AFTER_GREET}"),
    "join-in-accept-loop": Loss(2, f"two {AFTER_TWO}"),
    "line-limit-off-by-one": Loss(1, "long"),
    "no-thread-limit": Loss(2, "limit shortage idle alarm"),
    "partial-send": Loss(1, "slow"),
    "pipelined-lost": Loss(1, "segment long slow"),  # slow asks twice at once
    "recv-is-a-request": Loss(1, "pieces segment long"),
    "signal-for-broadcast": Loss(3, "stop alarm"),
    "signal-only-when-empty": Loss(3, "race", AFTER_GREET),
    "slow-reader-cut": Loss(1, ""),  # the limit is lab 4's, which writes no write.c
    "spin-at-end-of-input": Loss(1, "order rude leave stop"),  # who only says bye
    "threads-not-detached": Loss(2, "leave"),
    "wait-with-if": Loss(3, "alarm"),
    "wait-with-if-all-slots": Loss(2, "stop alarm"),
    "wait-with-if-push": Loss(3, "alarm"),
    "wait-with-if-slot": Loss(2, "alarm"),
    "wait-with-if-start": Loss(3, "alarm"),
}


def of_lab_code() -> list[Variant]:
    """The variants that change only files in which some lab has a blank."""
    written = [set(handout.files()) for handout in HANDOUTS.values()]
    return [
        one
        for one in read_gallery()
        if any(set(one.changes) <= files for files in written)
    ]


def lost(variant: Variant, lab: int) -> set[str]:
    """The stages without points when the variant is handed in."""
    with tempfile.TemporaryDirectory() as folder:
        lay(lab, Path(folder))
        for path, text in variant.broken(ROOT).items():
            (Path(folder) / path.name).write_text(text)
        report = grade(lab, Path(folder))
    return {one["name"] for one in report.results if not one["passed"]}


def judge(variant: Variant) -> tuple[Variant, str]:
    """What is not as listed; empty if nothing."""
    loss = LOSSES[variant.name]
    must, may = set(loss.must.split()), set(loss.may.split())
    seen = lost(variant, loss.lab)
    if must <= seen <= must | may:
        return variant, ""
    order = [stage.name for stage in stages(loss.lab)]
    told = " ".join(name for name in order if name in seen) or "nothing"
    return variant, f"loses {told}; listed: {loss.must or 'nothing'}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    chosen = [
        one
        for one in of_lab_code()
        if not asked.words or any(word in one.name for word in asked.words)
    ]
    for lab in sorted({LOSSES[one.name].lab for one in chosen}):
        patience_for(lab, Tree())
    wrong = 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        for variant, difference in pool.map(judge, chosen):
            wrong += bool(difference)
            mark = "WRONG" if difference else "ok   "
            lab = LOSSES[variant.name].lab
            print(f"{mark} lab{lab} {variant.name}: {difference or variant.what}")
            sys.stdout.flush()
    print(f"{len(chosen) - wrong} of {len(chosen)} variants lose what is listed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
