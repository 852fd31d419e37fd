#!/usr/bin/env python3
"""Does the tutorial tell the truth? Compares what it shows with what is.

Code is compared with the source, each console block is run and compared with what it
prints, every link is followed, every chart is the bench's own. Exits 1 on any lie.
How blocks are written, and what may vary in them: docs/checking/.
"""

import argparse
import concurrent.futures
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from checking import charts, links, quotes, shape, terminals
from checking.pages import ROOT, Lie, Page, read_others, read_pages

AT_ONCE = 3
LEFT_BEHIND = shutil.ignore_patterns(
    ".git", "build", "results", "__pycache__", ".pytest_cache"
)


def check_text(page: Page) -> list[Lie]:
    """What can be checked without running a command."""
    lies = check_targets(ROOT, page)
    lies += charts.check_charts(ROOT, page) + shape.check_shape(page)
    for block in page.blocks:
        lies += quotes.check_messages(ROOT, block)
        if quotes.is_quote(block):
            lies += caught(lambda: quotes.check_quote(ROOT, block))
        elif block.language == "diff":
            lies += caught(lambda: quotes.check_diff(ROOT, block))
    return lies


def check_targets(root: Path, page: Page) -> list[Lie]:
    """Everything that the page points to."""
    return links.check_links(root, page) + links.check_tests(root, page)


def caught(check: Callable[[], None]) -> list[Lie]:
    """What the check complains of, as a list."""
    try:
        check()
    except Lie as lie:
        return [lie]
    return []


def run_pages(pages: list[Page]) -> list[Lie]:
    """Run the console blocks of the pages, as on a fresh clone.

    The first page finds nothing built, as its reader does. The others run side by side,
    each in a copy of its own: most of their time they wait. What is not as shown is run
    once more, alone: a machine that is busy for a moment makes no lie, and a lie stays one.
    """
    pages = [page for page in pages if has_console(page)]
    with tempfile.TemporaryDirectory(prefix="tutorial-") as folder:
        fresh = Path(folder) / "fresh"
        shutil.copytree(ROOT, fresh, ignore=LEFT_BEHIND)
        found = {page.name: run_page(page, fresh) for page in pages[:1]}
        build(fresh)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            longest_first = sorted(pages[1:], key=lambda page: -len(page.blocks))
            runs = {p.name: pool.submit(run_copied, p, fresh) for p in longest_first}
            found.update((name, run.result()) for name, run in runs.items())
        for page in pages:
            if found[page.name]:  # alone: its times may have been the others' fault
                found[page.name] = run_copied(page, fresh)
        return [lie for lies in found.values() for lie in lies]


def has_console(page: Page) -> bool:
    """Is there anything to run on this page?"""
    return any(block.language == "console" for block in page.blocks)


def run_copied(page: Page, built: Path) -> list[Lie]:
    """Run a page in its own copy of the project."""
    copy = Path(tempfile.mkdtemp(dir=built.parent))
    shutil.copytree(built, copy, dirs_exist_ok=True)
    return run_page(page, copy)


def run_page(page: Page, folder: Path) -> list[Lie]:
    """Run a page, and say how it went."""
    begin = time.monotonic()
    found = caught(lambda: terminals.play(page, folder))
    took = time.monotonic() - begin
    commands = sum(block.language == "console" for block in page.blocks)
    verdict = "NOT as shown" if found else "as shown"
    reason = f" ({str(found[0]).partition(chr(10))[0]})" if found else ""
    print(
        f"{page.name}: {commands} console blocks {verdict}, {took:.1f} s{reason}",
        flush=True,
    )
    return found


def build(copy: Path) -> None:
    """The programs, with which each page but the first may begin."""
    command = ["make", "-s"]
    environment = quotes.without_make()
    done = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise Lie(f"{' '.join(command)} fails:\n{done.stderr}")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("pages", nargs="*", help="parts of names of pages; all if none is given")
    add("--update", action="store_true", help="copy quoted code anew, then check")
    add(
        "--charts",
        nargs="?",
        const=charts.LATEST,
        metavar="FOLDER",
        help=f"first take the charts of a bench over (from {charts.LATEST})",
    )
    add("--text", action="store_true", help="run no console block")
    return parser.parse_args()


def is_chosen(page: Page, parts: list[str]) -> bool:
    """Is the page asked for?"""
    return not parts or any(part in page.name for part in parts)


def main() -> int:
    """Check; returns the exit status."""
    chosen = parse_arguments()
    if chosen.charts:
        print("\n".join(charts.take(ROOT, chosen.charts)))
    pages = [page for page in read_pages() if is_chosen(page, chosen.pages)]
    others = [page for page in read_others() if is_chosen(page, chosen.pages)]
    if chosen.update:
        for page in pages:
            (ROOT / page.name).write_text(quotes.updated(ROOT, page))
        pages = [Page(page.name, (ROOT / page.name).read_text()) for page in pages]
    lies = [lie for page in pages for lie in check_text(page)]
    lies += [lie for page in others for lie in check_targets(ROOT, page)]
    if not chosen.text:
        lies += run_pages(pages)
    for lie in lies:
        print(lie, file=sys.stderr)
    print(f"{len(pages)} pages, links of {len(others)} others, {len(lies)} lies")
    return 1 if lies else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Lie as error:
        sys.exit(f"docs/check.py: {error}")
