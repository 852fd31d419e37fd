"""A cause is named when the evidence is for it, and nothing is said when it is not."""

import pytest

from tests.course.causes import Evidence, cause_of

IN_PUSH = "main: main > queue_push queue.c:37, in cond_wait\n2 threads: work > queue_pop queue.c:57, in cond_wait"
IN_ACCEPT = "main: main server.c:71, in tcp_accept\n1 thread: work > serve_client server.c:23, in service_talk"
REFUSES = "if (!queue_push(&waiting, client)) service_refuse(client);"
ONE_WORKER = "although the one worker is busy"
CAME = "client 5 is one of 4 that came at once (--threads=4 --queue=0 --when-full=refuse), and expected its greeting"

NAMED = [
    ("port-not-asked", 0, "announce", "for port 0 the line must name the port that the kernel chose, and it says 0", {}),
    ("no-reason", 0, "taken", "port 9 was taken, and the server ended without a word on standard error", {}),
    ("line-limit", 1, "long", "client 1 sent a line of 4097 bytes and was not told that it is too long", {}),
    ("off-by-one", 1, "long", 'client 1 sent "xx... (4097 bytes)" and expected "xxxx... (4097 bytes)", but read "error line too long: 4096"', {}),
    ("not-refused", 2, "shortage", "client 2 came when no thread could be started, and nothing came for 1.0 s", {"source": "slots_give();"}),
    ("no-limit", 2, "limit", 'client 4 sent "echo fourth" and was answered "Hello, client 4.", although three clients are being served, and --max-clients=3', {}),
    ("not-refused", 3, "busy", "client 3 came when worker and queue were taken, and nothing came for 1.0 s", {"threads": IN_ACCEPT, "source": "queue_push(&waiting, client);"}),
    ("waits-although-refuse", 3, "busy", "client 3 came when worker and queue were taken, and nothing came for 1.0 s", {"threads": IN_PUSH, "source": REFUSES}),
    ("refused-although-wait", 3, "wait", f'client 3 connected and was answered "busy: come later", {ONE_WORKER}', {"source": REFUSES}),
    ("not-full-yet", 3, "free", f'{CAME}, but read "busy: come later"', {"source": REFUSES}),
    ("wrong-setting", 4, "backlog", "9 clients came while nobody accepted, with --backlog=3: the kernel let in 9; it lets in one more", {}),
    ("deadline-kept", 4, "honest", 'client 1 sent one request after the other, each in two pieces, and expected "ok", but read "error timed out: the request took too long"', {}),
    ("last-in-first-out", 3, "order", "client 7 was served before client 2, which came earlier", {}),
]  # fmt: skip
SILENT = [
    (2, "shortage", "client 2 came when no thread could be started, and nothing came for 1.0 s", {"source": "service_refuse(client);"}),
    (3, "busy", "client 3 came when worker and queue were taken, and nothing came for 1.0 s", {"threads": IN_ACCEPT, "source": REFUSES}),
    (3, "wait", f'client 3 connected and was answered "Hello, client 3.", {ONE_WORKER}', {"source": REFUSES}),
    (3, "free", f"{CAME}, and nothing came for 1.0 s", {"source": REFUSES}),
    (3, "order", "client 2 was served before client 7, which came later", {}),
    (4, "honest", 'client 1 sent "sleep 600" and expected "ok sleep 600", but read "error timed out: no request came"', {}),
]  # fmt: skip


@pytest.mark.parametrize("name, n, stage, said, more", NAMED)
def test_a_cause_is_named(name, n, stage, said, more):
    cause = cause_of(Evidence(n, stage, said, **{"state": "alive", **more}))
    assert cause is not None and cause.name == name


@pytest.mark.parametrize("n, stage, said, more", SILENT)
def test_nothing_is_named(n, stage, said, more):
    assert cause_of(Evidence(n, stage, said, **{"state": "alive", **more})) is None
