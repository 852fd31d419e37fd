"""Builds DIR/server from a student's folder, to be tried by hand; the compiler's words are shown.

    python3 -m tests.course.mine LAB DIR       or: make, in the student's folder
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.course import cell as cells
from tests.course.build import (
    ROOT,
    BuildFailed,
    Tree,
    compile_script,
    furnish,
    run_compiler,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lab", type=int, choices=range(5), metavar="LAB")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    asked = parser.parse_args()
    if not asked.folder.is_dir():
        print(f"mine: {asked.folder} is not a folder", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as room:
        try:
            names = furnish(asked.lab, asked.folder, Path(room), Tree(asked.build))
            cell = cells.open_cell(Path(room))
            script = compile_script(asked.lab, names, Path(room), "server")
            print(
                run_compiler(cell, script).replace("src/", ""), end="", file=sys.stderr
            )
        except BuildFailed as why:
            print(f"it does not build:\n{why}", file=sys.stderr)
            return 1
        shutil.copy(Path(room) / "out/server", asked.folder / "server")
    print(f"built {asked.folder}/server")
    return 0


if __name__ == "__main__":
    sys.exit(main())
