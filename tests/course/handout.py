"""What each lab hands out: which functions are blank, and what else lies in the folder."""

from dataclasses import dataclass

from tests.course.cut import Blank, Drop, Swap

L1, L2 = "lab1-sequential", "lab2-thread-per-client"
L3, L4 = "lab3-thread-pool", "lab4-timeouts-backlog"


@dataclass(frozen=True)
class Handout:
    """One lab's hand-out."""

    folder: str  # the lab's; "" for lab 0, which has none
    steps: tuple  # how its files are cut
    beside: tuple = ()  # files that are given whole

    def files(self) -> list[str]:
        """The files that the student writes in, as they are called in the tree."""
        return sorted({step.file for step in self.steps})


ACCEPT_LOOP = "accept the next client (tcp_accept) until that returns -1, and serve it."

HANDOUTS = {
    0: Handout(
        "",
        (
            Drop("docs/demos/lab0.c", "serve_client"),
            Blank(
                "docs/demos/lab0.c",
                "main",
                "make a listening socket on 127.0.0.1 and the port in argv[1], print the one line "
                '"listening on 127.0.0.1:PORT", then accept one client after the other and send '
                "back what it sends. The sheet says in which order.",
                "0",
            ),
        ),
    ),
    1: Handout(
        L1,
        (
            Blank(
                f"{L1}/server.c",
                "serve_client",
                "talk with the client (service_talk), then close its socket.",
            ),
            Blank(
                f"{L1}/server.c",
                "main",
                ACCEPT_LOOP,
                "visits_report()",
                after="service_announce(",
            ),
            Blank(
                "common/write.c",
                "write_all",
                "send all of data: a send(2), with MSG_DONTWAIT, may take only a part, so go on "
                "behind it. After a send that failed, wait_to_write says whether to try again.",
                "-1",
            ),
            Drop("common/reader.c", "length_of_words"),
            Blank(
                "common/reader.c",
                "reader_next_line",
                "look for an LF in bytes[start .. end). None there: reader_fill brings more, and "
                "may move the bytes. Then point line at the first byte, take the line (move start "
                "behind it) and return its length. A line that is too long: EMSGSIZE.",
                "0",
            ),
        ),
    ),
}
