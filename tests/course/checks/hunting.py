"""Each hunt as it is handed out has its complaint; with the suite's own files it has none.

    python3 -m tests.course.checks.hunting [N ...]
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.course.handed import numbers, read_hunt
from tests.course.hunt import ROOT, built_with, complaint, lay


def said_of(number: int, folder: Path) -> str:
    """What the judge says of a folder; empty if it is mended."""
    with tempfile.TemporaryDirectory() as room:
        hunt, build = built_with(number, folder, Path(room))
        return complaint(hunt, build, Path(room))


def judge(number: int) -> str:
    """What is wrong with a hunt; empty if nothing."""
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room) / "mine"
        lay(number, folder)
        if not said_of(number, folder):
            return "nothing is wrong with it as it is handed out"
        for path in read_hunt(number)[1]:
            shutil.copyfile(ROOT / path, folder / Path(path).name)
        said = said_of(number, folder)
        return f"with the suite's own file there is still a complaint: {said}" * bool(
            said
        )


def main() -> int:
    chosen = [int(word) for word in sys.argv[1:]] or numbers()
    wrong = 0
    for number in chosen:
        difference = judge(number)
        wrong += bool(difference)
        print(
            f"{'WRONG' if difference else 'ok   '} hunt {number} {difference}".rstrip()
        )
        sys.stdout.flush()
    print(f"{len(chosen) - wrong} of {len(chosen)} hunts can be hunted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
