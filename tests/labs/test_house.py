"""The house rules that are cheap to check: rooms with a README, short files and functions, no
circle of includes, plain words, and a Makefile that starts few processes."""

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.setting import ROOT, SANITIZERS, linux_only

MAX_C_LINES, MAX_PYTHON_LINES, MAX_FUNCTION_LINES = 300, 350, 40
MAX_README_LINES, MAX_MAKEFILE_LINES, MAX_PROCESSES = 30, 100, 20
MAX_HELPER_LINES = 250

C_ROOMS = ["lab*", "common/**", "bench/**"]
C_FILES = sorted({file for room in C_ROOMS for file in ROOT.glob(f"{room}/*.[ch]")})
PYTHON_FILES = sorted(ROOT.glob("bench/**/*.py"))
HELPERS = sorted(ROOT.glob("tests/helpers/*.py"))
DOCS = set(ROOT.glob("docs/**/*.[chp]*"))
SOURCES = DOCS.union(
    *(ROOT.glob(f"{top}/**/*.[chp]*") for top in ("lab*", "common", "bench", "tests"))
)
LONGER = {"lab2-thread-per-client/stress.c"}  # a whole program, read alone

# Words that the field has better ones for: STYLE says which.
NOT_PLAIN = re.compile(
    r"\b(bells?|hush|asleep|in bed|alarms?|befall\w*|earn\w*|DEAF|DMV|clerks?)\b"
)
# What is said to a client is part of the story.
STORY = re.compile(r'"[^"\n]*"')


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def lines_of(file: Path) -> int:
    return len(file.read_text().splitlines())


def longer_than(most: int, files: list[Path]) -> dict[str, int]:
    """The files with more lines, and how many."""
    return {named(file): n for file in files if (n := lines_of(file)) > most}


# --- files and functions -------------------------------------------------------------------


def test_a_file_fits_on_a_few_pages():
    assert longer_than(MAX_C_LINES, C_FILES).keys() <= LONGER
    assert longer_than(MAX_PYTHON_LINES, PYTHON_FILES) == {}
    assert longer_than(MAX_HELPER_LINES, HELPERS) == {}, "a helper has one subject"


def c_functions(file: Path) -> list[tuple[str, int]]:
    """Each function's name and lines: from its name to the brace in the first column."""
    found, name, begin = [], "", 0
    for number, line in enumerate(file.read_text().splitlines()):
        head = re.match(r"[A-Za-z].*?(\w+)\(", line)
        if head and not line.endswith(";"):
            name, begin = head[1], number
        elif line == "}" and name:
            found.append((name, number - begin + 1))
            name = ""
    return found


def python_functions(file: Path) -> list[tuple[str, int]]:
    nodes = ast.walk(ast.parse(file.read_text()))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    return [(node.name, node.end_lineno - node.lineno + 1) for node in functions]


def test_a_function_fits_on_a_screen():
    found = {(named(file), *one) for file in C_FILES for one in c_functions(file)}
    found |= {(named(f), *one) for f in PYTHON_FILES for one in python_functions(f)}
    long = sorted(one for one in found if one[2] > MAX_FUNCTION_LINES)
    assert long == [], f"more than {MAX_FUNCTION_LINES} lines"


def test_functions_are_found():
    assert ("main", 3) in [
        (name, min(size, 3))
        for name, size in c_functions(ROOT / "lab1-sequential/server.c")
    ]
    assert len([one for file in C_FILES for one in c_functions(file)]) > 300


def saying(words: re.Pattern, texts: dict[Path, str]) -> dict[str, set]:
    """The files in which words are found, and which."""
    found = {named(file): set(words.findall(text)) for file, text in texts.items()}
    return {name: words for name, words in found.items() if words}


def test_comments_use_the_terms_of_the_field():
    texts = {file: STORY.sub('""', file.read_text()) for file in C_FILES}
    assert saying(NOT_PLAIN, texts) == {}


TEST_FILES = [f for kind in ("c", "h", "py") for f in ROOT.glob(f"tests/**/*.{kind}")]


def test_a_bound_is_called_max():
    bound = re.compile(r"\b(?:MOST|LONGEST|LARGEST)_[A-Z]\w*")
    files = C_FILES + PYTHON_FILES + TEST_FILES
    assert saying(bound, {file: file.read_text() for file in files}) == {}


# --- rooms ---------------------------------------------------------------------------------


def rooms() -> list[Path]:
    """The folders that hold source: whatever git does not ignore and is no mere data."""
    data = {"found", "stages", "whole", "images", "charts", "workflows"}
    return sorted(
        folder
        for folder in {file.parent for file in SOURCES if file not in DOCS}
        if not data & set(folder.parts)
        and "__pycache__" not in folder.parts
        and folder != ROOT / "tests/gallery/faults"
    )


@pytest.mark.parametrize("file", rooms(), ids=named)
def test_a_room_says_how_to_read_it(file):
    readme = file / "README.md"
    assert readme.exists(), f"{named(file)} has no README.md"
    if file != ROOT / "tests":
        assert lines_of(readme) <= MAX_README_LINES
    listed = set(re.findall(r"`([a-z][\w.-]+\.(?:c|h|py))`", readme.read_text()))
    missing = sorted(listed - {one.name for one in SOURCES})
    assert not missing, f"{named(readme)} names {missing}, which is nowhere"


def test_each_question_is_answered_by_a_path_that_exists():
    table = (ROOT / "tests/README.md").read_text().partition("| question | the way |")
    rows = table[2].partition("\n\n")[0].splitlines()[2:]
    assert len(rows) == 10
    for row in rows:
        way = re.findall(r"`([^`]+)`", row)
        folder = ROOT / "".join(name for name in way if name.endswith("/"))
        files = [folder / name for name in way if re.search(r"\.\w+$", name)]
        assert files and all(file.exists() for file in files), row
        for name in way:
            if "/" not in name and "." not in name:
                assert re.search(rf"\b{name}\(", files[-1].read_text()), row
        assert row.count("README") <= 2, row


INCLUDE_PATHS = ("", "common", "common/services")


def included(file: Path) -> list[Path]:
    """The project's own files that a file includes."""
    names = re.findall(r'^#include "(.+)"', file.read_text(), re.MULTILINE)
    found = []
    for name in names:
        places = [file.parent / name, *(ROOT / path / name for path in INCLUDE_PATHS)]
        found += [place.resolve() for place in places if place.exists()][:1]
    return found


def owners(file: Path) -> list[Path]:
    """A header stands for the file that implements it."""
    return [
        one
        for one in (file, file.with_suffix(".c"), file.with_suffix(".h"))
        if one.exists()
    ]


def test_no_circle_of_includes():
    needs = {
        file.with_suffix(""): {
            other.with_suffix("") for one in owners(file) for other in included(one)
        }
        - {file.with_suffix("")}
        for file in C_FILES
    }

    def circle(unit: Path, path: tuple[Path, ...]) -> list[Path]:
        if unit in path:
            return [*path[path.index(unit) :], unit]
        if unit in done:
            return []
        done.add(unit)
        return next(
            filter(None, (circle(n, (*path, unit)) for n in needs.get(unit, ()))), []
        )

    done: set[Path] = set()
    for unit in needs:
        found = circle(unit, ())
        assert not found, "need each other: " + ", ".join(map(named, found))


def test_the_matrix_of_machines_names_tests_that_exist():
    text = (ROOT / "tests/README.md").read_text().partition("## On which machines")[2]
    rows = [
        line.split("|")[2:-1] for line in text.splitlines() if line.startswith("| ")
    ]
    cells = [cell.strip() for row in rows[1:] for cell in row]
    untried, of_all = re.search(r"(\d+) of (\d+) cells", text).groups()
    assert (cells.count("untried"), len(cells)) == (int(untried), int(of_all))
    written = "\n".join(file.read_text() for file in ROOT.glob("tests/**/test_*.py"))
    for cell in cells:
        assert cell in ("-", "untried") or re.fullmatch(
            r"`(test_\w+|\.\w+/.+)`", cell
        ), cell
    for name in re.findall(r"`(\.\w+/[\w/.]+)`", text):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in written, name


# --- make ----------------------------------------------------------------------------------


def make(*arguments: str) -> subprocess.CompletedProcess:
    command = ["make", "-C", str(ROOT), "--no-print-directory", *arguments]
    environment = {
        name: value for name, value in os.environ.items() if name != "MAKEFLAGS"
    }
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_the_makefile_fits_on_two_screens():
    assert lines_of(ROOT / "Makefile") <= MAX_MAKEFILE_LINES


@linux_only
@pytest.mark.parametrize("target", ["all", "help"])
def test_make_starts_few_processes(target, tmp_path):
    assert make(target).returncode == 0
    trace = tmp_path / "trace"
    strace = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=fork,vfork,clone,clone3",
        "-o",
        str(trace),
    ]
    done = subprocess.run(
        [*strace, "make", "-C", str(ROOT), target], capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    calls = [
        line for line in trace.read_text().splitlines() if "CLONE_THREAD" not in line
    ]
    started = [line for line in calls if re.search(r"(fork|clone3?)\(|resumed", line)]
    assert 1 <= len(started) <= MAX_PROCESSES, "\n".join(started)


def test_nothing_is_linked_to_dev_null():
    scripts = [ROOT / "Makefile", *ROOT.glob("**/*.mk"), *(ROOT / ".ci").iterdir()]
    for script in scripts:
        assert not re.search(r"-o\s*/dev/null", script.read_text()), named(script)


@pytest.mark.parametrize(
    "setting", ["CC=another-cc", "CFLAGS=-O1 -DOTHER", "LDFLAGS=-s"]
)
def test_another_setting_builds_anew(setting):
    same = [f"SAN={SANITIZERS}"]
    assert make("-q", "labs", *same).returncode == 0, "what is built is not up to date"
    assert make("-q", "labs", *same, setting).returncode == 1
