"""Builds what is preloaded into the servers."""

import pytest

from tests.faults.faults import HERE, Built, program, shim_library
from tests.faults.rows import ROWS, rows_of
from tests.helpers.setting import HAS_PROC, SANITIZERS


def pytest_collection_modifyitems(config, items):
    for item in items:
        if HERE not in item.path.parents:
            continue
        for row in rows_of(item.name):
            assert row in ROWS, f"{item.name}: there is no row {row}"
        if not HAS_PROC:
            item.add_marker(
                pytest.mark.skip(reason="preloads and looks into /proc, as on Linux")
            )


@pytest.fixture(scope="session", autouse=True)
def built(tmp_path_factory):
    """The library to preload, and the client who comes 100,000 times."""
    if not HAS_PROC:
        return
    folder = tmp_path_factory.mktemp("built")
    flags = ["-DNO_MALLOC"] if SANITIZERS else []
    Built.shim = shim_library("inject.so", HERE / "inject.c", folder, *flags)
    Built.visits = program("visits", folder)


@pytest.fixture
def site(tmp_path):
    """A folder to serve."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "page").write_bytes(b"hello")
    return folder
