"""Makes the folder that a student begins with: the files of one lab, with its functions blank.

    python3 -m tests.course.start LAB DIR       or: make start LAB=2 DIR=../my-lab2
"""

import argparse
import os
import re
import sys
from pathlib import Path

from tests.course.cut import Drift, cut
from tests.course.handout import HANDOUTS
from tests.course.variants import told, variant_of, warn_without_variants

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = Path(__file__).resolve().parent / "handouts"  # in a tree for students

SEED = r"[\w.@+-]*"  # what is a word for make and the shell
MAKEFILE = """\
# Lab {lab}. make builds ./server, make grade says what it can, make watch at every save.
SUITE = {suite}
all grade watch: ; @$(MAKE) --no-print-directory -C $(SUITE) $(@:all=mine) LAB={lab} DIR="$(CURDIR)"{seed}
"""


def files_of(lab: int) -> dict[str, str]:
    """The hand-out's files by the name they have in the student's folder."""
    shipped = SHIPPED / f"lab{lab}"
    if shipped.is_dir():
        return {file.name: file.read_text() for file in sorted(shipped.iterdir())}
    handout = HANDOUTS[lab]
    cuts = cut(ROOT, list(handout.steps))
    names = {Path(file).name: text for file, text in cuts.items()}
    if lab == 0:
        names = {"server.c": names["lab0.c"]}
    for file in handout.beside:
        names[Path(file).name] = (ROOT / file).read_text()
    return names


def sheet_of(lab: int, seed: str) -> dict[str, str]:
    """The sheet, with the student's own variant, and its picture."""
    sheet = ROOT / f"docs/course/lab-{lab}.md"
    text = sheet.read_text()
    files = {}
    for link in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
        picture = (sheet.parent / link).resolve()
        files[picture.name] = picture.read_text()
        text = text.replace(f"({link})", f"({picture.name})")
    own = told(variant_of(lab, seed))
    if own:
        head = f"Yours differs from the lab of the tutorial (seed `{seed}`):\n"
        title, _, rest = text.partition("\n\n")
        text = "\n\n".join(
            [title, "\n".join([head, *(f"- {one}" for one in own)]), rest]
        )
    return {"sheet.md": text, **files}


def start(lab: int, folder: Path, seed: str = "") -> list[str]:
    """Write the folder; returns the names of its files."""
    files = {**files_of(lab), **sheet_of(lab, seed)}
    folder.mkdir(parents=True, exist_ok=True)
    suite = os.path.relpath(ROOT, folder.resolve())
    files["Makefile"] = MAKEFILE.format(
        lab=lab, suite=suite, seed=f" SEED={seed}" if seed else ""
    )
    for name, text in files.items():
        (folder / name).write_text(text)
    return sorted(files)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lab", type=int, choices=range(5), metavar="LAB", help="0 to 4")
    parser.add_argument("folder", type=Path, metavar="DIR", help="new, or empty")
    parser.add_argument("--seed", default="", help="a word: a variant of one's own")
    asked = parser.parse_args()
    if not re.fullmatch(SEED, asked.seed):
        parser.error(f"SEED={asked.seed}: letters, digits and . _ @ + - are accepted")
    return asked


def main() -> int:
    asked = arguments()
    if asked.folder.exists() and (
        not asked.folder.is_dir() or any(asked.folder.iterdir())
    ):
        print(
            f"start: {asked.folder} is there already and not empty. Give a new folder, so "
            "that nothing of yours is written over.",
            file=sys.stderr,
        )
        return 2
    try:
        files = start(asked.lab, asked.folder, asked.seed)
    except (Drift, OSError) as why:
        print(f"start: {why}", file=sys.stderr)
        return 3
    warn_without_variants(asked.lab, asked.seed)
    todos = sum((asked.folder / f).read_text().count("TODO:") for f in files)
    print(f"{asked.folder}: {', '.join(files)}; {todos} TODO{'s' * (todos != 1)}")
    print(f"Next: cd {asked.folder}; read sheet.md; write what is TODO; make grade")
    return 0


if __name__ == "__main__":
    sys.exit(main())
