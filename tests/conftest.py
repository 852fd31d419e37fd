"""Every test that takes a `lab` or a `service` runs for each there is.

A test can ask for the labs of one kind instead: `sequential` or `concurrent`, `limited` (those
with --max-clients), `pool` (--threads), `timed` (--request-timeout) or `patient` (without),
`choosy` (--backlog).
"""

import pytest

from tests.helpers.servers import BUILD, SERVICES, find_labs

MISTAKES = {
    "M1": "addr-in-use: SO_REUSEADDR is missing, set after bind, or mixed up with another name",
    "M2": "unchecked-bind: the result of bind or listen is ignored",
    "M3": "fd-by-reference: the thread got the address of a variable that the loop then changed",
    "M4": "join-or-detach: nobody joins or detaches the threads, or the accept loop joins each",
    "M5": "sigpipe: SIGPIPE is not ignored, so a write to a client that left ends the server",
    "M6": "die-on-client-error: exit or assert where only one client failed",
    "M7": "one-recv-one-message: a recv is not a message, and a send may take only a part",
    "M8": "fd-leak: a socket is not closed on some path, or accept spins when there is none left",
    "M9": "if-or-spin: if instead of while around a wait, or a loop that never waits",
    "M10": "starved-pool: no deadline, or one that every byte moves",
}


def groups() -> dict[str, list]:
    """The labs by what they can do."""
    labs = find_labs()
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
    config.addinivalue_line(
        "markers", "mistake(id): the mistake that a failure usually is"
    )
    for lab in find_labs():
        if not lab.program.exists():
            pytest.exit(
                f"{lab.program} is not there: run make first (BUILD is {BUILD})", 1
            )
    config.lab_groups = groups()


def pytest_generate_tests(metafunc):
    for name, labs in metafunc.config.lab_groups.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, labs, ids=str)
    if "service" in metafunc.fixturenames:
        metafunc.parametrize("service", SERVICES, ids=lambda service: service.name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failure says which of the well-known mistakes it usually is."""
    report = (yield).get_result()
    mistake = item.get_closest_marker("mistake")
    if report.failed and mistake is not None:
        for name in mistake.args:
            report.sections.append(("what this usually is", f"{name} {MISTAKES[name]}"))
