"""Tests the tests: builds each variant of the gallery and requires that its test fails.

It must fail in that test, by an assertion, and pass when nothing is broken. It has a few tries,
and the row says so if it needed more than one. From the root of the project:

    python3 -m tests.gallery.check [--gallery=faults] [WORD ...]

takes only the variants whose name or description has one of the words.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.helpers.setting import temporary_files_in_memory
from tests.gallery.variants import GALLERIES, ROOT, DoesNotFit, Variant, read_gallery

CORES = os.cpu_count() or 1
JOBS = 2 * CORES  # most wait: GUARD_S for what does not come
TRIES = 3  # a race shows itself nearly always, and no test can do better
GUARD_S = 4  # how long a test waits for what a broken server never does
NOT_COPIED = shutil.ignore_patterns(
    "build", "results", "docs", ".git", ".pytest_cache", "__pycache__"
)


class Trouble(Exception):
    """The gallery itself is wrong: the variant does not exist, or is not caught."""


def build(tree: Path, what: str) -> None:
    fast = ["make", f"-j{CORES}", what, "CFLAGS=-O1"]
    done = subprocess.run(fast, cwd=tree, capture_output=True, text=True)
    if done.returncode != 0:
        raise Trouble(f"does not build:\n{done.stderr}")


def failures(tree: Path, tests: list[str]) -> list[str]:
    """Run these tests; returns the message of each failed assertion."""
    report = tree / "report.xml"
    report.unlink(missing_ok=True)
    settings = {"GUARD": str(GUARD_S), "BUILD": "build", "SAN": ""}
    settings["PYTHONPYCACHEPREFIX"] = str(tree.parent / "pycache")
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*pytest, f"--junitxml={report}", *tests],
        cwd=tree,
        env={**os.environ, **settings},
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


def catch(variant: Variant, tree: Path) -> str:
    """Break the tree and require that the test fails. Returns the test's message."""
    for file, text in variant.broken(tree).items():
        file.write_text(text)
    lab = re.search(r"\[(lab\d)-", variant.test)
    build(tree, lab.group(1) if lab else "labs")
    for tries in range(1, TRIES + 1):
        messages = failures(tree, [variant.test])
        if messages:
            break
    else:
        raise Trouble(f"NOT CAUGHT: {variant.test} passes, {TRIES} times")
    if not messages[0].startswith(("AssertionError", "assert ", "Failed")):
        raise Trouble(f"{variant.test} fails, but not by an assertion:\n{messages[0]}")
    verdict = messages[0].removeprefix("AssertionError: ").splitlines()[0]
    return verdict if tries == 1 else f"{verdict} (only at try {tries})"


def check(variant: Variant, unbroken: Path) -> bool:
    """Check one variant in a copy of the tree, and print its row."""
    # Where this thread had its last one: what Python compiled there is still right.
    tree = unbroken.with_name(threading.current_thread().name)
    shutil.copytree(unbroken, tree)
    try:
        is_caught, verdict = True, catch(variant, tree)
    except (Trouble, DoesNotFit) as trouble:
        is_caught, verdict = False, str(trouble)
    finally:
        shutil.rmtree(tree)
    mark = "caught" if is_caught else "WRONG "
    test = variant.test.partition("test_")[2].partition("::")[2]
    print(
        f"{mark} {variant.mistake:>3}  {variant.name}: {variant.what}\n"
        f"            {test}\n            {verdict}",
        flush=True,
    )
    return is_caught


def check_all(chosen: list[Variant], folder: Path) -> bool:
    """Check the variants side by side, and that their tests pass when nothing is broken."""
    unbroken = folder / "unbroken"
    shutil.copytree(ROOT, unbroken, ignore=NOT_COPIED)
    build(unbroken, "labs")
    tests = sorted({variant.test for variant in chosen})
    with ThreadPoolExecutor(JOBS + 1) as pool:
        tried = shutil.copytree(unbroken, folder / "tried")
        whole = pool.submit(failures, tried, tests)  # beside them: tests mostly wait
        results = list(pool.map(lambda variant: check(variant, unbroken), chosen))
    if whole.result():
        print("some tests fail although nothing is broken:", *whole.result(), sep="\n")
    print(f"{sum(results)} of {len(results)} broken variants were caught")
    for variant, is_caught in zip(chosen, results):
        if not is_caught:
            print(f"not caught: {variant.name}")
    return all(results) and not whole.result()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gallery", choices=GALLERIES, default="")
    parser.add_argument("words", nargs="*", metavar="WORD")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    chosen = [
        variant
        for variant in read_gallery(asked.gallery)
        if not asked.words
        or any(word in f"{variant.name} {variant.what}" for word in asked.words)
    ]
    if not chosen:
        print(f"no variant has one of the words {' '.join(asked.words)}")
        return 2
    with temporary_files_in_memory() as folder:
        return 0 if check_all(chosen, folder) else 1


if __name__ == "__main__":
    sys.exit(main())
