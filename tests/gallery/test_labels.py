"""What a failure is said to look like: from evidence as the gallery's servers give it, else nothing."""

import pytest

from tests.helpers.mistakes import CHAPTERS, EVIDENCE, MISTAKES, looks_like
from tests.helpers.setting import ROOT

NOTHING = "E   AssertionError: client 5: reading: nothing came for 4 s"
ALIVE = "lab2-thread-per-client is alive\nits threads stand in\n"
ACCEPTS = "  a thread: wait_or_notified (wait.c:44), in tcp_accept (tcp.c:200), in main (server.c:65)"
JOINS = "  a thread: start_thread (server.c:41), in main (server.c:68)"
TAKES = "  a thread: slots_take (slots.c:21), in start_thread (server.c:41), in main (server.c:68)"
READS = "  a thread: recv (socket2.h:38), in receive (reader.c:69), in reader_begin (reader.c:107)"
TOKEN = "client 5: sent b'token of client 1\\n', closed its half\n"
DIED = "lab2-thread-per-client ended with exit status 1"

FITS = [
    ("M3", NOTHING, TOKEN + ALIVE + ACCEPTS),
    ("M4", NOTHING, f"{ALIVE}{READS}\n{JOINS}"),
    ("M5", NOTHING, "lab2-thread-per-client was killed by SIGPIPE"),
    ("M6", NOTHING, DIED),
    ("M7", NOTHING, ALIVE + READS),
    ("M8", "E   AssertionError: 204 descriptors are open, 4 were at the start", ALIVE),
    ("M8", "E   AssertionError: still not so: it is out of descriptors", DIED),
    (
        "M9",
        "E   AssertionError: idle: 250 ms of CPU in 250 ms with nothing to do.",
        ALIVE,
    ),
]
SILENT = [
    ("M3", NOTHING, f"{TOKEN}{ALIVE}{ACCEPTS}\n{READS}"),  # somebody is being served
    ("M4", NOTHING, f"{ALIVE}{READS}\n{TAKES}"),  # main waits for a slot, as it should
    ("M5", "E   AssertionError: it ended with status 0", "it ended with exit status 0"),
    ("M7", NOTHING, DIED),
    ("M8", "E   AssertionError: no answer", DIED),
    ("M9", "E   AssertionError: still not so after 4 s: the greeting has come", ALIVE),
    ("M10", NOTHING, DIED),
    (
        "M3",
        "    assert answer, 'the answer of another client'",
        ALIVE,
    ),  # the test's source
]


@pytest.mark.parametrize("name, said, story", FITS)
def test_a_mistake_is_named_when_the_evidence_fits(name, said, story):
    assert looks_like((name,), said, [story]) == [
        f"{name} {MISTAKES[name]}. Read {CHAPTERS[name]}"
    ]


@pytest.mark.parametrize("name, said, story", SILENT)
def test_nothing_is_said_when_it_does_not(name, said, story):
    assert looks_like((name,), said, [story]) == []


def test_each_mistake_has_evidence_and_a_chapter_that_is_there():
    assert MISTAKES.keys() == EVIDENCE.keys() == CHAPTERS.keys()
    assert all((ROOT / chapter).exists() for chapter in CHAPTERS.values())
