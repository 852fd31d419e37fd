"""How long a stage may wait here: a multiple of what the reference needs on this machine.

The reference is graded once, with much patience, and its seconds for each stage are kept in
build/course/ until the stages or the machine's speed change. A tree without the reference has
factors in their place: seconds of the reference by seconds of a yardstick that is shipped.
"""

import hashlib
import json
import os
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FACTORS = HERE / "factors.json"
MULTIPLE = 8
MIN_S, MAX_S = 0.6, 2.0
YARDSTICK_LOOPS = 300_000


def yardstick_s() -> float:
    """A burn loop and a thousand system calls: the best of three, in seconds."""
    best = 1e9
    for _ in range(3):
        begin = time.perf_counter()
        total = 0
        for number in range(YARDSTICK_LOOPS):
            total += number
        for _ in range(1000):
            os.stat("/")
        best = min(best, time.perf_counter() - begin)
    return best


def stages_key(lab: int) -> str:
    """Changes when the stages do."""
    files = (
        f"stages/lab{lab}.py",
        "stages/shared.py",
        "talk.py",
        "server.py",
        "trial.py",
    )
    text = b"".join((HERE / file).read_bytes() for file in files)
    return hashlib.sha256(text).hexdigest()[:16]


def scaled(seconds: dict[str, float]) -> dict[str, float]:
    return {
        name: round(min(MAX_S, max(MIN_S, MULTIPLE * spent)), 2)
        for name, spent in seconds.items()
    }


def seconds_of_reference(lab: int, tree) -> dict[str, float]:
    """Grade the reference and remember how long each stage took."""
    from tests.course.reference import grade_reference

    report = grade_reference(lab, tree)
    return {one["name"]: one["seconds"] for one in report.results if one["passed"]}


def remembered(file: Path, key: str) -> dict[str, float] | None:
    try:
        kept = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return kept["seconds"] if kept.get("key") == key else None


IS_MEASURING: set[int] = set()


def patience_for(lab: int, tree) -> dict[str, float]:
    """For each stage of the lab: seconds to wait for one thing at the first try."""
    if FACTORS.exists():
        factors = json.loads(FACTORS.read_text())[str(lab)]
        unit = yardstick_s()
        return scaled({name: factor * unit for name, factor in factors.items()})
    if lab in IS_MEASURING:
        return {}
    file = tree.build / f"course/lab{lab}.json"
    key = stages_key(lab)
    seconds = remembered(file, key)
    if seconds is None:
        IS_MEASURING.add(lab)
        seconds = seconds_of_reference(lab, tree)
        IS_MEASURING.discard(lab)
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}.new")
        new.write_text(json.dumps({"key": key, "seconds": seconds}, indent=1))
        new.replace(file)
    return scaled(seconds)
