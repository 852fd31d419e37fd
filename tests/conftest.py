"""Every test that takes a `lab` or a `service` runs for each there is.

A test can ask for the labs of one kind instead: `sequential` or `concurrent`, `limited` (those
with --max-clients), `pool` (--threads), `timed` (--request-timeout) or `patient` (without),
`choosy` (--backlog).
"""

import os
import signal

import pytest

from tests.helpers.browser import one_browser, page  # fixtures
from tests.helpers.labs import SERVICES, Lab, find_labs
from tests.helpers.models import find_models
from tests.helpers.mistakes import looks_like
from tests.helpers.processes import failures
from tests.helpers.setting import BUILD
from tests.skips import forbidden


def groups_of(labs: list[Lab]) -> dict[str, list[Lab]]:
    """Labs, or models, by what they can do."""
    return {
        "lab": labs,
        "sequential": [lab for lab in labs if not lab.is_concurrent],
        "concurrent": [lab for lab in labs if lab.is_concurrent],
        "limited": [lab for lab in labs if "max-clients" in lab.flags()],
        "pool": [lab for lab in labs if "threads" in lab.flags()],
        "patient": [lab for lab in labs if "request-timeout" not in lab.flags()],
        "timed": [lab for lab in labs if "request-timeout" in lab.flags()],
        "choosy": [lab for lab in labs if "backlog" in lab.flags()],
    }


def pytest_configure(config):
    for number in (signal.SIGHUP, signal.SIGINT):  # as nohup and & leave them
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    config.addinivalue_line(
        "markers", "mistake(id): the mistake that a failure usually is"
    )
    for lab in find_labs():
        if not lab.program.exists():
            pytest.exit(
                f"{lab.program} is not there: run make first (BUILD is {BUILD})", 1
            )
    config.lab_groups = groups_of(find_labs())


def pytest_generate_tests(metafunc):
    if metafunc.definition.path.parent.name == "models":
        generate_for_models(metafunc)
        return
    for name, labs in metafunc.config.lab_groups.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, labs, ids=str)
    if "service" in metafunc.fixturenames:
        metafunc.parametrize("service", SERVICES, ids=lambda service: service.name)


def generate_for_models(metafunc):
    """In tests/models the same groups are of models, each with what can hold for it."""
    for name, models in groups_of(find_models()).items():
        if name not in metafunc.fixturenames:
            continue
        able = [model for model in models if model.can(metafunc.function)]
        if "service" not in metafunc.fixturenames:
            metafunc.parametrize(name, able, ids=str)
            continue
        pairs = [(m, s) for m in able for s in SERVICES if m.speaks(s.name)]
        ids = [f"{model}-{service.name}" for model, service in pairs]
        metafunc.parametrize(f"{name},service", pairs, ids=ids)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    failures.clear()


def claim(item) -> str:
    """What a test claims, in words: an assert without a message says so much at least."""
    name, _, case = item.name.partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return words + (f" ({case.rstrip(']')})" if case else "")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failure tells what was claimed, how its servers were, and a mistake that fits."""
    report = (yield).get_result()
    if not report.failed:
        return
    report.sections.append(("this is not so", claim(item)))
    for story in failures:
        report.sections.append(("the server", story))
    for marker in item.iter_markers("mistake"):
        for line in looks_like(marker.args, report.longreprtext, failures):
            report.sections.append(("what this looks like", line))


def pytest_terminal_summary(terminalreporter):
    """With STRICT=1 a test that is skipped for want of a tool is a failure."""
    if os.environ.get("STRICT") != "1":
        return
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2]
        if forbidden(reason):
            terminalreporter.write_line(
                f"may not be skipped: {report.nodeid}: {reason}"
            )


def pytest_sessionfinish(session):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("STRICT") == "1" and session.exitstatus == 0 and reporter:
        skipped = [report.longrepr[2] for report in reporter.stats.get("skipped", [])]
        if any(map(forbidden, skipped)):
            session.exitstatus = 1
