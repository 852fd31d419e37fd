"""Programs in C that test the library from inside."""

import os
import shlex
from pathlib import Path

from tests.helpers.setting import BUILD, ROOT, SANITIZERS, run

WARNINGS = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion".split()
OPTIONS = ["-std=c17", "-g", "-O1", "-pthread", "-D_DEFAULT_SOURCE", *WARNINGS]
INCLUDED = [ROOT / "common", ROOT / "common" / "services", ROOT, ROOT / "tests/fuzz"]


def compiled(*sources: Path) -> Path:
    """The program that the sources and the library make, under the name of the first.

    It has the sanitizers of the library, and is built anew if something is newer.
    """
    program = BUILD / "tests" / sources[0].relative_to(ROOT / "tests").with_suffix("")
    inputs = [*sources, BUILD / "helpers.a"]
    headers = [file for source in sources for file in source.parent.glob("*.h")]
    newest = max(file.stat().st_mtime for file in (*inputs, *headers))
    if program.exists() and program.stat().st_mtime > newest:
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    options = [*OPTIONS, *(f"-iquote{folder}" for folder in INCLUDED)]
    options += [f"-fsanitize={SANITIZERS}"] if SANITIZERS else []
    compiler = shlex.split(os.environ.get("CC", "cc"))
    unfinished = program.with_suffix(".new")
    done = run([*compiler, *options, "-o", str(unfinished), *map(str, inputs)])
    assert (
        done.returncode == 0 and done.stderr == ""
    ), f"cannot build {sources[0]}:\n{done.stderr}"
    return unfinished.rename(program)
