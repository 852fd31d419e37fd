"""Lab 3: workers who take clients from a bounded queue."""

from tests.course.server import Trial
from tests.course.stages import shared
from tests.course.talk import Failed, as_served
from tests.course.trial import Stage

READ = "docs/3-thread-pool.md"
HIT = READ + "#you-will-probably-hit"
LATE_MS = 20  # threads that begin late, as on a busy machine
MUCH_LATER_MS = 150  # longer than a client needs to see that the server is there


def workers(trial: Trial) -> None:
    for count in 2, 5:
        with trial.serve(f"--threads={count}", "desk") as server:
            clients = shared.meets(server, count)
            extra = server.connect()
            clients[0].ask(
                b"barrier %d 60" % (count + 1), b"error barrier 1 of %d" % (count + 1)
            )
            extra.silent(f"{count} clients are being served, and --threads={count}")


def order(trial: Trial) -> None:
    is_last_first = trial.variant.get("line") == "last"
    with trial.serve("--threads=1", "--queue=8", "desk") as server:
        first = server.greeted()
        line = [server.connect() for _ in range(6)]
        for client in line:
            client.send(b"echo %d\n" % client.number)
        shared.all_accepted(server)
        first.ask(b"barrier 1", b"ok barrier 1")
        first.bye()
        came = "later" if is_last_first else "earlier"
        for turn, client in enumerate(line[::-1] if is_last_first else line):
            left = line[: len(line) - turn] if is_last_first else line[turn:]
            server.limits.until(
                lambda left=left: any(one.hears() for one in left),
                f"{len(left)} clients wait in the line, the one that was served has left, and nobody is served",
            )
            ahead = [one.number for one in left if one is not client and one.hears()]
            if ahead and not client.hears():
                raise Failed(
                    f"client {ahead[0]} was served before client {client.number}, which came {came}"
                )
            client.greeted()
            client.expect(b"ok echo %d\n" % client.number)
            client.bye()


def full_waits(trial: Trial) -> None:
    with trial.serve("--threads=1", "--queue=1", "desk") as server:
        first = server.greeted()
        line = [server.connect() for _ in range(5)]
        first.ask(b"barrier 2 60", b"error barrier 1 of 2")
        server.idle("while one client is served and five wait (--threads=1 --queue=1)")
        for client in line:
            client.silent("the one worker is busy", 0)
        first.bye()
        for client in line:
            client.said = "waited in a full line, and one after the other has left,"
        for client in as_served(line):
            client.greeted()
            client.bye()


def full_refuses(trial: Trial) -> None:
    flags = "--threads=1", "--queue=1", "--when-full=refuse"
    with trial.serve(*flags, "desk") as server:
        first = server.greeted()
        waiting = server.connect()
        first.ask(b"barrier 2 40", b"error barrier 1 of 2")
        for _ in range(3):
            refused = server.connect()
            if trial.variant.get("turned") == "oldest":
                waiting, refused = refused, waiting
                refused.said = "was the oldest in a full queue when another came (--when-full=refuse),"
            else:
                refused.said = (
                    "came when worker and queue were taken (--when-full=refuse),"
                )
            shared.told_busy(refused)
        waiting.silent("the one worker is busy", 0)
        first.bye()
        waiting.greeted()
        waiting.bye()
        server.greeted().ask(b"echo hi", b"ok echo hi")


def free_worker(trial: Trial) -> None:
    for threads, places in (4, 0), (2, 2), (4, 0):
        flags = f"--threads={threads}", f"--queue={places}", "--when-full=refuse"
        with trial.serve(*flags, "desk", late_ms=LATE_MS) as server:
            clients = [server.connect() for _ in range(threads + places)]
            for client in clients:
                client.said = (
                    f"is one of {len(clients)} that came at once ({' '.join(flags)}),"
                )
            served = as_served(clients)
            waiting = set(clients)
            for _ in range(threads):
                client = next(served)
                client.greeted()
                waiting.remove(client)
            for client in waiting:
                client.silent("all workers are busy, and there is a place for it")


def idle(trial: Trial) -> None:
    with trial.serve("--threads=4", "desk") as server:
        server.idle("while nobody is there")
        client = server.greeted()
        server.idle("while one client says nothing")
        client.bye()
        server.idle("after the client has left")


def false_alarms(trial: Trial) -> None:
    for first in 1, 2:  # the odd waits of a thread, then the even ones
        wait_falsely(trial, first)


def wait_falsely(trial: Trial, first_alarm: int) -> None:
    with trial.serve("--threads=3", "--queue=1", "desk", alarms=first_alarm) as server:
        for _ in range(2):
            clients = shared.meets(server, 3)
            late = [server.connect() for _ in range(3)]
            clients[0].ask(b"barrier 4 30", b"error barrier 1 of 4")
            for client in clients:
                client.bye()
            for client in late:
                client.greeted()
            for client in late:
                client.bye()
        server.stop()
        if server.ends("all clients have left, and the server was sent SIGTERM") != 0:
            raise Failed("the server did not end with status 0")
    flags = "--threads=6", "--queue=0", "--when-full=refuse"
    with trial.serve(
        *flags, "desk", alarms=first_alarm, late_ms=MUCH_LATER_MS
    ) as server:
        for client in [server.connect() for _ in range(6)]:
            client.said = f"is one of six that came at once ({' '.join(flags)}),"
            client.greeted()


def pool_flags(function):
    return lambda trial: function(trial, "--threads=4", "--queue=40")


def stops(trial: Trial) -> None:
    shared.stops(trial, "--threads=4", "--queue=40")
    with trial.serve("--threads=1", "desk") as server:
        client = server.greeted()
        client.send(b"sleep 120\n")
        server.in_service(client)
        server.stop()
        client.said = (
            'sent "sleep 120", then the server was sent SIGTERM (--threads=1),'
        )
        client.expect(b"ok sleep 120\n")
        server.ends("the last client was answered after SIGTERM")


STAGES = [
    Stage(
        "greet",
        10,
        "one client after the other is greeted and answered",
        lambda trial: shared.greets(trial, "--threads=2", late_ms=LATE_MS),
        READ + "#the-diff",
        (
            "What does a worker do, and where do its clients come from?",
            "work: lab 1's loop, with queue_pop for tcp_accept. main: queue_push for serve_client.",
            "while ((client = queue_pop(&waiting)) != -1)\n    serve_client(client);",
        ),
    ),
    Stage(
        "workers",
        15,
        "as many are served at once as there are workers, and not one more",
        workers,
        READ + "#the-diff",
        (
            "Which thread serves, and which only accepts?",
            "main: push each client; the workers pop. Nothing else calls serve_client.",
            "while ((client = tcp_accept(listener)) != -1)\n    if (!queue_push(&waiting, client))\n        service_refuse(client);",
        ),
        ("greet",),
    ),
    Stage(
        "order",
        10,
        "first come, first served",
        order,
        READ + "#the-queue",
        (
            "At which end does a client join, and at which end is one taken?",
            "queue_push writes at pushed, queue_pop reads at popped; both only grow.",
            "clients[pushed++ % length] = client;   client = clients[popped++ % length];",
        ),
        ("workers",),
    ),
    Stage(
        "token",
        10,
        "of 20 clients at one instant each gets its own answer",
        pool_flags(shared.tokens),
        HIT,
        (
            "May two workers take the same client?",
            "queue_pop: look, take and count under one lock.",
            "lock; while (empty) wait; client = clients[popped++ % length]; unlock",
        ),
        ("order",),
    ),
    Stage(
        "wait",
        10,
        "when the queue is full, newcomers wait",
        full_waits,
        READ + "#back-pressure",
        (
            "What does queue_push do when there is no place?",
            "queue_push: wait on not_full; queue_pop signals it.",
            "while (is_full(queue) && queue->waits)\n    pthread_cond_wait(&queue->not_full, &queue->lock);",
        ),
        ("order",),
    ),
    Stage(
        "busy",
        10,
        "with --when-full=refuse newcomers are told that it is busy",
        full_refuses,
        READ + "#back-pressure",
        (
            "What does queue_push return to the accept loop when there is no place, and who tells the client?",
            "main: service_refuse for a client that queue_push did not take.",
            "if (!queue_push(&waiting, client))\n    service_refuse(client);",
        ),
        ("order",),
    ),
    Stage(
        "free",
        5,
        "nobody is refused while a worker is free",
        free_worker,
        READ + "#the-queue",
        (
            "How many clients may be in the queue while two workers are idle?",
            "What counts as full: an idle worker is one more place.",
            "pushed - popped >= capacity + idle, where idle counts the workers in queue_pop",
        ),
        ("busy",),
    ),
    Stage(
        "idle",
        5,
        "uses no CPU while nobody says anything",
        idle,
        HIT,
        (
            "What does a worker do while the queue is empty?",
            "queue_pop: pthread_cond_wait in a loop, which blocks.",
            "while (is_empty(queue) && !queue->is_closed)\n    pthread_cond_wait(&queue->not_empty, &queue->lock);",
        ),
        ("workers",),
    ),
    Stage(
        "leave",
        5,
        "150 clients that leave in every way leave nothing behind (strict)",
        pool_flags(shared.leaves_nothing),
        HIT,
        (
            "Who closes a client that a worker has served?",
            "serve_client: close, whatever the service did. And a worker outlives its clients.",
            "service_talk(client);\nclose(client);",
        ),
        ("workers",),
        strict=True,
    ),
    Stage(
        "stop",
        10,
        "a stop sends all workers home and finishes the request in service (strict)",
        stops,
        "docs/b-clean-up.md",
        (
            "How does a worker that waits in queue_pop learn that nobody comes any more?",
            "queue_close: is_closed, and wake all of them. main: then join each.",
            "queue->is_closed = true;\npthread_cond_broadcast(&queue->not_empty);",
        ),
        ("workers",),
        strict=True,
    ),
    Stage(
        "race",
        5,
        "ThreadSanitizer finds no race",
        pool_flags(shared.no_race),
        HIT,
        (
            "Which fields of the queue do two threads use, and under which lock?",
            "The line that the report names.",
            "pthread_mutex_lock(&queue->lock) before the first look, unlock behind the last",
        ),
        ("workers",),
    ),
    Stage(
        "alarm",
        5,
        "a wait that returns without a reason changes nothing",
        false_alarms,
        HIT,
        (
            "What is true when pthread_cond_wait returns?",
            "Each pthread_cond_wait: look again at what you wait for.",
            "while, not if, around every pthread_cond_wait",
        ),
        ("wait", "free", "stop"),
    ),
]
