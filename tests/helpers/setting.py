"""What the tests run on: where the project is, how it was built, and how long to be patient.

Nothing sleeps to wait for something: `until` waits for the thing itself. GUARD_S is how long a
failing test waits; no passing test comes near it.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
GUARD_S = float(os.environ.get("GUARD", "60" if os.environ.get("SAN") else "20"))
POLL_S = 0.002
MEMORY, ROOM = "/dev/shm", 2**31

# In front of a command, if root runs the tests: what root may do beyond its files is taken away.
WITHOUT_RIGHTS = (
    ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
)

SANITIZERS = os.environ.get("SAN", "")
HAS_PROC = sys.platform == "linux"

linux_only = pytest.mark.skipif(
    not HAS_PROC, reason="looks into the kernel through /proc, which only Linux has"
)
plain_only = pytest.mark.skipif(
    SANITIZERS != "", reason="counts memory, of which sanitizers take their own"
)


def until(is_true: Callable[[], object], claim: str) -> None:
    """Wait for the thing itself; a thing that never comes fails with the claim."""
    end = time.monotonic() + GUARD_S
    while not is_true():
        assert time.monotonic() < end, f"still not so after {GUARD_S:g} s: {claim}"
        time.sleep(POLL_S)


def run(command: list[str], **process_options: object) -> subprocess.CompletedProcess:
    """Run a program to its end, which must come by itself."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    try:
        return subprocess.run(
            command, text=True, timeout=GUARD_S, **{**pipes, **process_options}
        )
    except subprocess.TimeoutExpired:
        raise AssertionError(
            f"has not ended after {GUARD_S:g} s: {' '.join(command)}"
        ) from None


def memory_has_room() -> bool:
    """Is there a folder in memory with room for all tests, where programs may run?"""
    with contextlib.suppress(OSError):
        found = os.statvfs(MEMORY)
        forbidden = found.f_flag & (os.ST_NOEXEC | os.ST_NODEV)
        return found.f_bavail * found.f_frsize >= ROOM and not forbidden
    return False


@contextlib.contextmanager
def temporary_files_in_memory() -> Iterator[Path]:
    """In the block, if there is room: on a disk, to write takes ten times as long."""
    place = MEMORY if memory_has_room() else None
    folder = tempfile.mkdtemp(prefix="tests-", dir=place)
    os.chmod(folder, 0o1777)  # some tests run as another user
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        yield Path(folder)
    finally:  # not by TemporaryDirectory, which a fork would remove at its own end
        shutil.rmtree(folder, ignore_errors=True)


def as_another_user() -> list[str]:
    """What begins a command for which limits on a user hold: there are none for root."""
    if os.geteuid():
        return []
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*other, "test", "-r", str(ROOT / "Makefile")]).returncode:
        pytest.skip("another user may not enter this folder")
    return other
