"""The folder of results: a new one for each bench, and latest, which points to it."""

import contextlib
import datetime
import itertools
import shutil
from pathlib import Path

from bench.measure.processes import BenchError, warn


def make_folder(results: Path) -> Path:
    """A new folder named after this second, with a place for raw records."""
    now = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")
    names = itertools.chain([now], (f"{now}-{n}" for n in itertools.count(2)))
    try:
        results.mkdir(parents=True, exist_ok=True)
        folder = next(results / name for name in names if not (results / name).exists())
        (folder / "raw").mkdir(parents=True)
    except OSError as error:
        raise BenchError(f"cannot write to {results}: {error.strerror}") from error
    return folder


def link_latest(folder: Path) -> None:
    """Let latest point to the newest results, at no moment to nothing."""
    new = folder.parent / ".latest"
    try:
        new.unlink(missing_ok=True)
        new.symlink_to(folder.name)
        new.replace(folder.parent / "latest")
    except OSError as error:  # no links on this file system, or a folder of that name
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        warn(
            f"latest cannot point to {short(folder)}: {error.strerror}; look there instead"
        )


def discard(folder: Path) -> None:
    """Remove a folder in which nothing was measured."""
    shutil.rmtree(folder, ignore_errors=True)


def short(path: Path) -> str:
    """A path as a person would type it here."""
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)
