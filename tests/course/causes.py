"""What the evidence says the mistake is: most specific first, and nothing when nothing fits.

A cause looks at what the client saw, how the server ended, what it said and where its threads
stand. There is no catch-all: a wrong cause costs a student an hour.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """All that is known of one failure."""

    lab: int
    stage: str
    said: str
    state: str = ""
    signal: str = ""
    status: int | None = None
    errors: str = ""
    output: str = ""
    threads: str = ""  # joined by line ends
    source: str = ""  # the student's files without comments
    alarms: bool = False  # the server ran with false alarms

    def saw(self, pattern: str) -> bool:
        return bool(re.search(pattern, self.said))

    def stands(self, pattern: str) -> bool:
        return bool(re.search(pattern, self.threads))

    def wrote(self, pattern: str) -> bool:
        return bool(re.search(pattern, self.source, re.S))

    @property
    def is_alive(self) -> bool:
        return self.state == "alive"


@dataclass(frozen=True)
class Cause:
    """A mistake by name, when the evidence is for it, and what to say."""

    name: str
    fits: Callable[[Evidence], bool]
    words: str


CAUSES: list[Cause] = [
    Cause(
        "memory-bomb",
        lambda e: "more than 3 GB" in e.state,
        "The server took more and more memory until the grader ended it: look for malloc, or for growing arrays, in a loop without an end.",
    ),
    Cause(
        "M5 sigpipe",
        lambda e: e.signal == "SIGPIPE",
        "A write to a client that had gone ended the server: SIGPIPE is not ignored.",
    ),
    Cause(
        "endless-loop",
        lambda e: e.signal == "SIGXCPU",
        "The server computed for 12 s of CPU without an end: a loop does not end when its client has.",
    ),
    Cause(
        "port-not-flushed",
        lambda e: e.saw("has not printed")
        and e.lab == 0
        and not e.wrote(
            r"fflush|setvbuf|setbuf|setlinebuf|dprintf|\bwrite\s*\(\s*(1|STDOUT_FILENO)"
        )
        and e.wrote("printf|puts"),
        "The line is still in the buffer of printf: into a pipe it leaves only when the buffer is full, or with fflush(stdout).",
    ),
    Cause(
        "M1 addr-in-use",
        lambda e: e.stage == "restart" and "Address already in use" in e.errors,
        "The address is in use for a minute after the server has closed a connection first: SO_REUSEADDR is missing, or set after bind.",
    ),
    Cause(
        "M2 unchecked-bind",
        lambda e: e.stage == "taken"
        and e.saw("says that it listens|as if all were well")
        and e.wrote(r"\bbind\s*\("),
        "The result of bind is not looked at. listen on a socket that is not bound takes any port.",
    ),
]


def cause_of(evidence: Evidence) -> Cause | None:
    """The first cause that the evidence fits; none if there is none."""
    for cause in CAUSES:
        if cause.fits(evidence):
            return cause
    return None
