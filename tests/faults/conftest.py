"""Builds what is preloaded, and prints the list of faults with their results."""

import pytest

from faults import HERE, Built, program, shim_library
from rows import ROWS, rows_of
from servers import HAS_PROC, SANITIZERS, Lab, find_labs

SHORT = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}
ORDER = ["FAILED", "skipped", "ok"]


def pytest_configure(config):
    config.fault_results = {}


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


# --- the list of results -------------------------------------------------------------------


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    is_result = report.when == "call" or report.outcome != "passed"
    if is_result:
        parameters = getattr(item, "callspec", None)
        labs = (
            [p for p in parameters.params.values() if isinstance(p, Lab)]
            if parameters
            else []
        )
        lab = labs[0].name.partition("-")[0] if labs else "-"
        for row in rows_of(item.name):
            outcomes = item.config.fault_results.setdefault(row, {}).setdefault(lab, [])
            outcomes.append(SHORT[report.outcome])


def worst(outcomes: list[str]) -> str:
    return next(one for one in ORDER if one in outcomes)


def result_of(row: str, results: dict) -> str:
    """One word for each lab, or one for all."""
    if row not in results:
        if ROWS[row].does_not_apply:
            return "does not apply"
        return "in `make test`" if ROWS[row].also_in else "not run"
    by_lab = {lab: worst(outcomes) for lab, outcomes in sorted(results[row].items())}
    if set(by_lab) == {"-"}:
        return by_lab["-"]
    names = [lab.name.partition("-")[0] for lab in find_labs()]
    return "  ".join(
        f"{by_lab.get(name, by_lab.get('-', '-')):<7}" for name in names
    ).rstrip()


def pytest_terminal_summary(terminalreporter, config):
    """The table: what can go wrong, and how each lab takes it."""
    results, write = config.fault_results, terminalreporter.write_line
    if not results:
        return
    labs = "  ".join(f"{lab.name.partition('-')[0]:<7}" for lab in find_labs())
    terminalreporter.section("what can go wrong")
    write(f"{'':4} {labs}  what must hold (- where it has no meaning)")
    for name, row in ROWS.items():
        write(f"{name:<4} {result_of(name, results):<{len(labs)}}  {row.claim}")
        if row.does_not_apply:
            write(f"{'':{len(labs) + 7}}{row.does_not_apply}")
    flat = [
        one
        for by_lab in results.values()
        for outcomes in by_lab.values()
        for one in outcomes
    ]
    elsewhere = [
        name for name, row in ROWS.items() if row.also_in and name not in results
    ]
    nowhere = [name for name, row in ROWS.items() if row.does_not_apply]
    failed = [name for name, by_lab in results.items() if "FAILED" in str(by_lab)]
    write(
        f"{len(ROWS)} rows: {len(results)} tried here by {len(flat)} tests, "
        f"{len(elsewhere)} by `make test`, {len(nowhere)} without meaning here; "
        + (f"failed: {' '.join(failed)}" if failed else "none failed")
    )
