"""Makes a variant of the gallery from a mistake that stands in the working tree.

    break the source as somebody might, and then
    python3 -m tests.gallery.record NAME "What is wrong" TEST [M1]     a new variant
    python3 -m tests.gallery.record NAME                               the old head, a new patch
    git checkout FILE                                                  mends the source

NAME is the file without .patch; faults/NAME is one of the fault suite's. Only committed sources
are compared with, so commit your own work first.
"""

import subprocess
import sys

from tests.gallery.variants import HERE, ROOT, Hunk, read_changes

USAGE = __doc__.partition("\n\n")[2]
MAX_CONTEXT = 6


def is_unique(file: str, hunks: list[Hunk]) -> bool:
    """Does each hunk stand once in the file as it was committed?"""
    committed = subprocess.check_output(
        ["git", "show", f"HEAD:{file}"], cwd=ROOT, text=True
    )
    return all(committed.count(hunk.old) == 1 for hunk in hunks)


def smallest_diff() -> str:
    """What differs from the commit, in C files, with as few lines around it as are needed."""
    for context in range(1, MAX_CONTEXT):
        command = ["git", "diff", f"-U{context}", "HEAD", "--", "*.c", "*.h"]
        diff = subprocess.check_output(command, cwd=ROOT, text=True)
        changes = read_changes(diff)
        if not changes:
            sys.exit("record: no C file differs from the commit: break something first")
        if all(is_unique(file, hunks) for file, hunks in changes.items()):
            break
    lines = diff.splitlines(keepends=True)
    return "".join(one for one in lines if not one.startswith(("diff ", "index ")))


def main() -> None:
    name, *rest = sys.argv[1:] or sys.exit(USAGE)
    patch = HERE / f"{name}.patch"
    if not rest and patch.exists():
        head = patch.read_text().partition("\n\n")[0]
    elif len(rest) in (2, 3):
        what, test, *mistake = rest
        head = "\n".join(
            [what, *(f"Mistake: {one}" for one in mistake), f"Test: {test}"]
        )
    else:
        sys.exit(USAGE)
    patch.write_text(f"{head}\n\n{smallest_diff()}")
    print(patch.relative_to(ROOT))


if __name__ == "__main__":
    main()
