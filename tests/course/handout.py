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
    2: Handout(
        L2,
        (
            Blank(
                f"{L2}/slots.c",
                "slots_take",
                "under the lock: wait until a slot is free, then it is yours.",
            ),
            Blank(
                f"{L2}/slots.c",
                "slots_give",
                "under the lock: one more is free. Tell whoever waits.",
            ),
            Blank(
                f"{L2}/slots.c",
                "slots_await_all",
                "under the lock: wait until all slots are free.",
            ),
            Blank(
                f"{L2}/server.c",
                "work",
                "the new thread: serve the client, then give the slot back.",
                "NULL",
            ),
            Blank(
                f"{L2}/server.c",
                "start_thread",
                "take a slot, then start a thread (work, with the attribute small) and hand it the "
                "number of the socket. If it cannot be started: say so, refuse the client "
                "(service_refuse), and give the slot back.",
            ),
            Blank(
                f"{L2}/server.c",
                "main",
                "start a thread for each client that tcp_accept returns. After the last: wait "
                "until all threads are done, for the end of main is the end of all.",
                "visits_report()",
                after="service_announce(",
            ),
        ),
        (f"{L2}/slots.h",),
    ),
    3: Handout(
        L3,
        (
            Blank(
                f"{L3}/queue.c",
                "queue_await_workers",
                "under the lock: wait until as many are idle as there are workers.",
            ),
            Drop(f"{L3}/queue.c", "is_full"),
            Blank(
                f"{L3}/queue.c",
                "queue_push",
                "under the lock: while the queue is full, wait for a place, or turn the client "
                "away (false) if the queue does not wait. Put it in; wake a worker.",
                "false",
            ),
            Blank(
                f"{L3}/queue.c",
                "queue_pop",
                "under the lock: you are idle, which is one more place: say so. Wait for a client "
                "or for the close. Take the client at the head; -1 if closed and empty.",
                "-1",
            ),
            Blank(
                f"{L3}/queue.c",
                "queue_close",
                "under the lock: nobody will join any more. Wake all workers.",
            ),
            Blank(
                f"{L3}/server.c",
                "work",
                "lab 1's loop, with queue_pop for tcp_accept.",
                "unused",
            ),
            Blank(
                f"{L3}/server.c",
                "main",
                "push each client that tcp_accept returns; refuse one that has no place. After the "
                "last: close the queue, join every worker, free the queue.",
                "visits_report()",
                after="service_announce(",
            ),
        ),
        (f"{L3}/queue.h",),
    ),
    4: Handout(
        L4,
        (
            Blank(
                "common/wait.c",
                "milliseconds_until",
                "what is left until the deadline, rounded up; -1 for NEVER, 0 when it has passed.",
                "-1",
            ),
            Blank(
                "common/wait.c",
                "wait_or_notified",
                "poll fd, stop_fd() (if a stop ends the wait) and pipe together, until the deadline. "
                "Check the deadline first, each time round. An interrupted poll is no end.",
                "LATE",
            ),
            Blank(
                "common/reader.c",
                "reader_begin",
                "the client is idle: visit_in_request(false). Unless bytes are there already, "
                "receive the first, for wait_limits.idle_ns at most (first_ns, if that is set and "
                "no request has_begun before). Then this one has begun: visit_in_request(true), "
                "and its deadline is request_ns from now. It is no upload yet. After a stop was asked "
                "for (stop_requested), do not wait, and let none begin: return 0.",
                "0",
            ),
            Swap(
                f"{L4}/server.c",
                "service_listen(backlog)",
                "service_listen(4096 /* TODO: what --backlog says */)",
            ),
        ),
    ),
}
