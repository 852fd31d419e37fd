"""Reads the broken variants: a patch each, under a head that says what is wrong and who notices.

    What somebody did wrong, in one line
    Mistake: M8
    Test: tests/labs/test_contract.py::test_...[lab1-sequential-echo]

Line numbers do not count. A hunk belongs where its lines stand exactly once; should the lines
around the change be others by now, the changed lines alone are looked for.
"""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GALLERIES = {"": HERE, "faults": HERE / "faults"}


class DoesNotFit(Exception):
    """The patch is not, or no longer, one of this source."""


@dataclass(frozen=True)
class Hunk:
    """One change: the lines with what stands around them, and without."""

    old: str
    new: str
    old_core: str
    new_core: str

    def apply(self, text: str) -> str:
        """The text with this change in it."""
        for old, new in ((self.old, self.new), (self.old_core, self.new_core)):
            if old and text.count(old) == 1:
                return text.replace(old, new)
        first = (self.old_core or self.old).lstrip().partition("\n")[0]
        count = text.count(self.old_core or self.old)
        raise DoesNotFit(f'"{first}" stands there {count} times, not once')


@dataclass(frozen=True)
class Variant:
    """A broken variant: what is wrong, the well-known mistake it is, the test that must fail."""

    name: str
    what: str
    mistake: str
    test: str
    changes: dict[str, list[Hunk]]  # by file

    def broken(self, tree: Path) -> dict[Path, str]:
        """The files that it changes, with the text they have then; nothing is written."""
        return {
            tree / file: self.changed(tree / file, hunks)
            for file, hunks in self.changes.items()
        }

    def changed(self, file: Path, hunks: list[Hunk]) -> str:
        name = f"{self.name}.patch no longer fits {file.parent.name}/{file.name}"
        if not file.exists():
            raise DoesNotFit(f"{name}: there is no such file")
        text = file.read_text()
        for hunk in hunks:
            try:
                text = hunk.apply(text)
            except DoesNotFit as why:
                raise DoesNotFit(f"{name}: {why}") from None
        return text


def read_hunk(lines: list[str]) -> Hunk:
    """What stands under one @@."""

    def text(kinds: str, chosen: list[str]) -> str:
        return "".join(f"{line[1:]}\n" for line in chosen if (line[:1] or " ") in kinds)

    changed = [i for i, line in enumerate(lines) if line[:1] in ("+", "-")]
    core = lines[changed[0] : changed[-1] + 1]
    if all(line.startswith("+") for line in core):
        core = []  # nothing to look for but what stands around it
    return Hunk(
        text(" -", lines), text(" +", lines), text(" -", core), text(" +", core)
    )


def read_changes(diff: str) -> dict[str, list[Hunk]]:
    """The hunks of a unified diff, by file."""
    changes: dict[str, list[Hunk]] = {}
    for part in ("\n" + diff).split("\n--- a/")[1:]:
        head, *hunks = part.split("\n@@ ")
        file = head.partition("\n")[0]
        changes[file] = [read_hunk(hunk.rstrip("\n").split("\n")[1:]) for hunk in hunks]
    return changes


def read_variant(patch: Path) -> Variant:
    """One file of the gallery."""
    head, _, diff = patch.read_text().partition("\n\n")
    what, *fields = head.splitlines()
    named = dict(field.split(": ", 1) for field in fields)
    assert named.keys() <= {"Mistake", "Test"} and "Test" in named, patch.name
    changes = read_changes(diff)
    assert changes and all(changes.values()), f"{patch.name} changes nothing"
    return Variant(patch.stem, what, named.get("Mistake", ""), named["Test"], changes)


def read_gallery(gallery: str = "") -> list[Variant]:
    """All variants of the gallery with this name, sorted."""
    return [read_variant(patch) for patch in sorted(GALLERIES[gallery].glob("*.patch"))]
