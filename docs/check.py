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

from checking import charts, links, quotes, reading, shape, terminals
from checking.pages import BOOK, ROOT, Lie, Page, read_others, read_pages

AT_ONCE = 4  # they mostly wait
TRIES_ALONE = 2
GLOSSARY = "docs/c-glossary.md"
LEFT_BEHIND = shutil.ignore_patterns(
    ".git", "build", "results", "__pycache__", ".pytest_cache"
)


def check_text(page: Page) -> list[Lie]:
    """What can be checked without running a command."""
    lies = check_targets(ROOT, page)
    lies += shape.check_shape(page) + shape.check_mistakes(ROOT, page)
    if page.name.startswith("docs/"):
        lies += charts.check_charts(ROOT, page)
    for block in page.blocks:
        lies += quotes.check_messages(ROOT, block)
        if quotes.is_quote(block):
            lies += caught(lambda: quotes.check_quote(ROOT, block))
        elif block.language == "diff":
            lies += caught(lambda: quotes.check_diff(ROOT, block))
    return lies


def check_book(book: list[Page], pages: list[Page]) -> list[Lie]:
    """What no page can know alone: its length, its words, its place."""
    lies = [lie for page in pages for lie in reading.check_table(page, book)]
    for page in pages:
        if page.name in BOOK and reading.minutes(page) > reading.MINUTES:
            lies.append(Lie(f"{page.name} takes {reading.minutes(page):.1f} minutes"))
    glossary = next(page for page in book if page.name == GLOSSARY)
    if glossary in pages:
        lies += map(Lie, reading.unexplained(glossary, book))
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
    twice more, alone: a machine that is busy for a moment makes no lie, and a lie stays one.
    """
    pages = [page for page in pages if has_console(page)]
    with tempfile.TemporaryDirectory(prefix="tutorial-") as folder:
        fresh = Path(folder) / "fresh" / "project"  # .. is the reader's own folder
        shutil.copytree(ROOT, fresh, ignore=LEFT_BEHIND)
        found = {page.name: run_page(page, fresh) for page in pages[:1]}
        build(fresh)
        at_once = len(pages) if terminals.PACE_S[0] > 1 else AT_ONCE  # they only wait
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            longest_first = sorted(pages[1:], key=lambda page: -len(page.blocks))
            runs = {p.name: pool.submit(run_copied, p, fresh) for p in longest_first}
            found.update((name, run.result()) for name, run in runs.items())
        for page in pages * TRIES_ALONE:
            if found[page.name]:  # alone: its times may have been the others' fault
                found[page.name] = run_copied(page, fresh)
        return [lie for lies in found.values() for lie in lies]


def has_console(page: Page) -> bool:
    """Is there anything to run on this page?"""
    return any(block.language == "console" for block in page.blocks)


def run_copied(page: Page, built: Path) -> list[Lie]:
    """Run a page in its own copy of the project."""
    copy = Path(tempfile.mkdtemp(dir=built.parent.parent)) / "project"
    shutil.copytree(built, copy)
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
    add("--times", action="store_true", help="only print how long each page takes")
    add("--sentences", action="store_true", help="only print the longest sentences")
    add(
        "--pace",
        type=float,
        default=0,
        metavar="S",
        help="type as slowly as a reader: so many seconds before each line",
    )
    add("--keep", type=Path, metavar="FOLDER", help="keep what each terminal showed")
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
            text = quotes.updated(ROOT, page)
            (ROOT / page.name).write_text(reading.with_table(text, read_pages()))
        pages = [Page(page.name, (ROOT / page.name).read_text()) for page in pages]
    if chosen.times or chosen.sentences:
        print(reading.times(pages) if chosen.times else reading.list_longest(pages))
        return 0
    terminals.PACE_S[0] = chosen.pace
    if chosen.keep:
        chosen.keep.mkdir(parents=True, exist_ok=True)
        terminals.KEPT.append(chosen.keep)
    lies = [lie for page in pages for lie in check_text(page)]
    lies += check_book(read_pages(), pages)
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
