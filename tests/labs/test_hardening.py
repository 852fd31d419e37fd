"""What the built programs are guarded by: looked up in the files, for a flag that the compiler
does not pass on leaves no trace in the Makefile. HARDEN there says what each flag is for."""

import re
import shutil
import subprocess

import pytest

from tests.helpers.setting import BUILD, ROOT, SANITIZERS, linux_only

PROGRAMS = sorted(
    BUILD / source.relative_to(ROOT).with_suffix("")
    for source in ROOT.glob("lab*/*.c")
    if re.search(r"^int main\(", source.read_text(), re.MULTILINE)
)


def is_elf(program) -> bool:
    return program.read_bytes()[:4] == b"\x7fELF"


pytestmark = [
    pytest.mark.skipif(
        SANITIZERS != "", reason="sanitizers guard their builds in ways of their own"
    ),
    pytest.mark.skipif(
        shutil.which("readelf") is None, reason="readelf is not installed"
    ),
    pytest.mark.skipif(
        not all(map(is_elf, PROGRAMS)),
        reason="the programs are no ELF files, which is what readelf reads",
    ),
]


@pytest.fixture(params=PROGRAMS, ids=lambda path: f"{path.parent.name}-{path.name}")
def program(request):
    return request.param


def read(program, part: str) -> str:
    """One part of the file as readelf shows it, each header in one line."""
    done = subprocess.run(
        ["readelf", "--wide", part, str(program)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def imports(program) -> set[str]:
    """The functions that the program takes from libraries."""
    rows = (row.split() for row in read(program, "--dyn-syms").splitlines())
    return {row[7].partition("@")[0] for row in rows if "UND" in row and len(row) > 7}


def test_its_code_lies_at_an_address_that_nobody_knows(program):
    assert "DYN" in re.search(r"Type:\s+(.*)", read(program, "--file-header"))[1]
    assert re.search(r"FLAGS_1.*\bPIE\b", read(program, "--dynamic"))


def test_its_table_of_functions_cannot_be_written(program):
    """All functions are looked up at the start, and then the table is closed (full RELRO)."""
    assert "GNU_RELRO" in read(program, "--program-headers")
    assert re.search(
        r"BIND_NOW|FLAGS_1.*\bNOW\b", read(program, "--dynamic")
    ), "functions are looked up when they are first called, so the table stays open"


def test_no_memory_is_both_written_and_run(program):
    headers = read(program, "--program-headers")
    stack = re.search(r"GNU_STACK\s.*", headers)
    assert stack and "E" not in stack[0].split()[6], "the stack can be run"
    loaded = re.findall(r"^  LOAD\s.*", headers, re.MULTILINE)
    assert loaded and not any(re.search(r"\bRWE\b", row) for row in loaded)
    assert "TEXTREL" not in read(program, "--dynamic"), "code is written at the start"


def test_a_buffer_that_overflows_ends_it(program):
    names = imports(program)
    assert "__stack_chk_fail" in names, "no canary before return addresses"
    if "ld-musl" not in read(program, "--program-headers"):  # which has no such checks
        assert any(
            name.startswith("__") and name.endswith("_chk") for name in names
        ), "no call of libc is checked for the size of its buffer (_FORTIFY_SOURCE)"


def test_it_looks_for_libraries_where_the_system_does(program):
    """A search path of its own would let others put a library into it."""
    assert not re.search(r"\((RPATH|RUNPATH)\)", read(program, "--dynamic"))


OLDEST_GLIBC = (2, 31)  # of Debian 11 and Ubuntu 20.04
AT_START = {"__libc_start_main"}  # of the compiler's own start-up files


@linux_only
def test_the_generator_needs_no_function_that_glibc_2_31_lacks():
    done = subprocess.run(
        ["objdump", "-T", str(BUILD / "bench" / "load")],
        capture_output=True,
        text=True,
        check=True,
    )
    needed = re.findall(r"\*UND\*.*\bGLIBC_([\d.]+)\)?\s+(\S+)", done.stdout)
    assert len(needed) > 50 or "GLIBC" not in done.stdout, "musl names no versions"
    too_young = {name for version, name in needed if numbers(version) > OLDEST_GLIBC}
    assert too_young <= AT_START


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
