"""Tests the tests: builds each variant of the gallery and requires that its test fails.

It must fail in that test, by an assertion, and pass when nothing is broken. It has a few tries,
and the row says so if it needed more than one. Run from anywhere:
tests/gallery/check.py [WORD ...] takes only the variants whose description has one of the words.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.gallery.broken import GALLERY, Broken

ROOT = Path(__file__).resolve().parents[2]
JOBS = os.cpu_count() or 1
TRIES = 3  # a race shows itself nearly always, and no test can do better
GUARD_S = 4  # how long a test waits for what a broken server never does
NOT_COPIED = shutil.ignore_patterns(
    "build", "results", "docs", ".git", ".pytest_cache", "__pycache__"
)


class Trouble(Exception):
    """The gallery itself is wrong: the variant does not exist, or is not caught."""


def build(tree: Path) -> None:
    done = subprocess.run(["make", "labs"], cwd=tree, capture_output=True, text=True)
    if done.returncode != 0:
        raise Trouble(f"does not build:\n{done.stderr}")


def failures(tree: Path, tests: list[str]) -> list[str]:
    """Run these tests; returns the message of each failed assertion."""
    report = tree / "report.xml"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--junitxml={report}",
        ]
        + tests,
        cwd=tree,
        env={**os.environ, "GUARD": str(GUARD_S), "BUILD": "build", "SAN": ""},
        capture_output=True,
        text=True,
    )
    if not report.exists() or done.returncode not in (0, 1):
        raise Trouble(f"the tests did not run:\n{done.stdout}{done.stderr}")
    suite = ElementTree.parse(report).getroot().find("testsuite")
    if suite.find(".//error") is not None or int(suite.get("tests")) < len(tests):
        raise Trouble(f"the tests did not run as they should:\n{done.stdout}")
    if suite.get("skipped") != "0":
        raise Trouble(f"skipped:\n{done.stdout}")
    return [failure.get("message") for failure in suite.iter("failure")]


def catch(broken: Broken, tree: Path) -> str:
    """Break the tree, require that the test fails, mend the tree. Returns the test's message."""
    file = tree / broken.file
    whole = file.read_text()
    text = whole
    for old, new in broken.edits:
        if text.count(old) != 1:
            raise Trouble(
                f"stands {text.count(old)} times in {broken.file}, not once:\n{old}"
            )
        text = text.replace(old, new)
    try:
        file.write_text(text)
        build(tree)
        for tries in range(1, TRIES + 1):
            messages = failures(tree, [broken.test])
            if messages:
                break
    finally:
        file.write_text(whole)
    if not messages:
        raise Trouble(f"NOT CAUGHT: {broken.test} passes, {TRIES} times")
    if not messages[0].startswith(("AssertionError", "assert ", "Failed")):
        raise Trouble(f"{broken.test} fails, but not by an assertion:\n{messages[0]}")
    verdict = messages[0].removeprefix("AssertionError: ").splitlines()[0]
    return verdict if tries == 1 else f"{verdict} (only at try {tries})"


def check(broken: Broken, trees: SimpleQueue) -> bool:
    """Check one variant in a tree that is free, and print its row."""
    tree = trees.get()
    try:
        is_caught, verdict = True, catch(broken, tree)
    except Trouble as trouble:
        is_caught, verdict = False, str(trouble)
    finally:
        trees.put(tree)
    mark = "caught" if is_caught else "WRONG "
    test = broken.test.partition("test_")[2].partition("::")[2]
    print(
        f"{mark} {broken.mistake:>3}  {broken.what}\n            {test}\n            {verdict}"
    )
    return is_caught


def main() -> int:
    words = sys.argv[1:]
    chosen = [
        one for one in GALLERY if not words or any(word in one.what for word in words)
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(JOBS + 1) as pool,
    ):
        unbroken, *others = (Path(folder) / str(number) for number in range(JOBS + 1))
        shutil.copytree(ROOT, unbroken, ignore=NOT_COPIED)
        build(unbroken)
        trees = SimpleQueue()
        for tree in others:
            shutil.copytree(unbroken, tree)
            trees.put(tree)
        tests = sorted({broken.test for broken in chosen})
        whole = pool.submit(failures, unbroken, tests)  # beside them: tests mostly wait
        results = list(pool.map(lambda broken: check(broken, trees), chosen))
        if whole.result():
            print(
                "some tests fail although nothing is broken:", *whole.result(), sep="\n"
            )
            return 1
    missed = [one.what for one, is_caught in zip(chosen, results) if not is_caught]
    print(f"{sum(results)} of {len(results)} broken variants were caught")
    for what in missed:
        print(f"not caught: {what}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
