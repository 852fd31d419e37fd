"""Lab 2: a thread for each client, up to a limit."""

from tests.course.server import Server, Trial
from tests.course.stages import shared
from tests.course.talk import Client, Failed
from tests.course.trial import Stage

READ = "docs/2-thread-per-client.md"
HIT = READ + "#you-will-probably-hit"


def two(trial: Trial) -> None:
    with trial.serve("desk") as server:
        first, second = server.greeted(), server.connect()
        second.said = "connected while client 1 says nothing,"
        second.greeted()
        second.ask(b"echo hi", b"ok echo hi")
        first.ask(b"echo hi", b"ok echo hi")
    with trial.serve("desk") as server:
        shared.meets(server, 2)


def crowd(trial: Trial) -> None:
    with trial.serve("desk") as server:
        shared.meets(server, 50)


def limit(trial: Trial) -> None:
    if trial.variant.get("full") == "refuse":
        limit_refuses(trial)
        return
    with trial.serve("--max-clients=3", "desk") as server:
        first, *others = shared.meets(server, 3)
        fourth = server.connect()
        fourth.send(b"echo fourth\n")
        first.ask(b"barrier 4 50", b"error barrier 1 of 4")
        fourth.silent("three clients are being served, and --max-clients=3")
        first.bye()
        fourth.said = "came as the fourth of --max-clients=3, and one has left now,"
        fourth.greeted()
        fourth.expect(b"ok echo fourth\n")
        others[0].bye()
        fifth = server.connect()
        fifth.said = "came when one of three had left,"
        fifth.greeted()


def limit_refuses(trial: Trial) -> None:
    """The variant: a newcomer does not wait."""
    with trial.serve("--max-clients=3", "desk") as server:
        first, *_ = shared.meets(server, 3)
        for _ in range(2):
            client = server.connect()
            client.said = "came as the fourth of --max-clients=3,"
            shared.told_busy(client)
        first.ask(b"echo hi", b"ok echo hi")
        first.leave()

        def is_served() -> bool:
            return server.connect().line().startswith(b"Hello")

        server.limits.until(is_served, "one of three has left, and nobody is served")


def shortage(trial: Trial) -> None:
    with trial.serve("--max-clients=2", "desk", no_thread=2) as server:
        first = server.greeted()
        second = server.connect()
        second.said = "came when no thread could be started,"
        if not second.line().startswith(b"busy: "):
            second.fail("was not told that the server is busy")
        second.ended()
        first.ask(b"echo hi", b"ok echo hi")
        if not server.errors():
            raise Failed(
                "a thread could not be started, and standard error does not say so"
            )
        third = server.connect()
        third.said = "came after one for which no thread could be started,"
        third.greeted()
        third.ask(b"echo hi", b"ok echo hi")


def idle(trial: Trial) -> None:
    with trial.serve("--max-clients=2", "desk") as server:
        server.idle("while nobody is there")
        first = server.greeted()
        server.greeted()
        server.connect()
        first.ask(b"echo hi", b"ok echo hi")
        server.idle("while two clients say nothing and a third waits (--max-clients=2)")


def false_alarms(trial: Trial) -> None:
    for first in 1, 2:  # the odd waits of a thread, then the even ones
        wait_falsely(trial, first)


def one_after_the_other(server: Server) -> Client:
    """With --max-clients=1, two pairs of clients; returns one more."""
    for _ in range(2):
        first, second = server.greeted(), server.connect()
        first.ask(b"barrier 1", b"ok barrier 1")
        first.ask(b"barrier 2 40", b"error barrier 1 of 2")
        second.silent("one client is being served, and --max-clients=1")
        first.bye()
        second.greeted()
        second.bye()
    return server.greeted()


def wait_falsely(trial: Trial, first_alarm: int) -> None:
    with trial.serve("--max-clients=1", "desk", alarms=first_alarm) as server:
        if trial.variant.get("full") == "refuse":
            last = server.greeted()
            shared.told_busy(server.connect())
        else:
            last = one_after_the_other(server)
        last.send(b"sleep 150\n")
        server.in_service(last)
        server.stop()
        last.said = 'sent "sleep 150", then the server was sent SIGTERM,'
        last.expect(b"ok sleep 150\n")
        if server.ends("the last client was answered after SIGTERM") != 0:
            raise Failed("the server did not end with status 0")


STAGES = [
    Stage(
        "greet",
        10,
        "one client after the other is greeted and answered",
        shared.greets,
        READ + "#the-diff",
        (
            "What runs in the new thread, and what does it get from the accept loop?",
            "start_thread and work: the number of the socket goes into the pointer and comes out again.",
            "pthread_create(&thread, &small, work, (void *)(intptr_t)client);\nwork: serve_client((int)(intptr_t)client);",
        ),
    ),
    Stage(
        "two",
        15,
        "a second client is served while the first says nothing",
        two,
        READ + "#the-diff",
        (
            "What does the accept loop do while a client is being served?",
            "start_thread: it must come back at once. Nothing in it may wait for the client.",
            "No pthread_join there: the threads are detached.",
        ),
        ("greet",),
    ),
    Stage(
        "token",
        10,
        "of 20 clients at one instant each gets its own answer",
        shared.tokens,
        HIT,
        (
            "Whose variable does the new thread read, and when?",
            "start_thread: the argument of pthread_create. The loop goes on before the thread looks.",
            "(void *)(intptr_t)client hands over the number; &client would be the address of a variable that changes.",
        ),
        ("two",),
    ),
    Stage(
        "crowd",
        10,
        "fifty clients are served at once",
        crowd,
        READ + "#what-a-clerk-costs",
        (
            "How many threads may run, and who counts?",
            "slots: as many as --max-clients says, by default 1000.",
            "slots_take waits while none is free, and only then.",
        ),
        ("two",),
    ),
    Stage(
        "limit",
        10,
        "at the limit the next client waits, and is served when one leaves",
        limit,
        READ + "#the-diff",
        (
            "Who notices that a client has left?",
            "work gives its slot back; slots_give tells whoever waits for one.",
            "slots_give: lock, free++, signal, unlock.",
        ),
        ("two",),
    ),
    Stage(
        "rude",
        5,
        "outlives clients that vanish",
        shared.rude,
        HIT,
        (
            "What may a thread do when its client has gone?",
            "work: end, and nothing more. exit ends the whole process.",
            "return NULL;",
        ),
        ("two",),
    ),
    Stage(
        "shortage",
        5,
        "a thread that cannot be started costs only its client",
        shortage,
        HIT,
        (
            "What does pthread_create return, and who has the client then?",
            "start_thread: on an error the client is still yours, and so is the slot.",
            "service_refuse(client);\nslots_give();",
        ),
        ("limit",),
    ),
    Stage(
        "idle",
        5,
        "uses no CPU while nobody says anything",
        idle,
        "docs/3-thread-pool.md#you-will-probably-hit",
        (
            "What does a thread do while it waits for a slot?",
            "slots_take: pthread_cond_wait in a loop, which blocks.",
            "while (no slot is free)\n    pthread_cond_wait(&changed, &lock);",
        ),
        ("limit",),
    ),
    Stage(
        "leave",
        10,
        "150 clients leave nothing behind (strict)",
        shared.leaves_nothing,
        HIT,
        (
            "Who frees the stack of a thread that has ended, and who closes its socket?",
            "Detach the threads (or the attribute small), and close in serve_client.",
            "pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED); it is given to pthread_create",
        ),
        ("two",),
        strict=True,
    ),
    Stage(
        "stop",
        10,
        "a stop finishes the request in service (strict)",
        shared.stops,
        "docs/b-clean-up.md",
        (
            "What happens to all threads when main returns?",
            "The end of main: wait until the last thread has given its slot back.",
            "slots_await_all(); before return visits_report();",
        ),
        ("two",),
        strict=True,
    ),
    Stage(
        "race",
        5,
        "ThreadSanitizer finds no race",
        shared.no_race,
        HIT,
        (
            "Which variables do two threads use, and under which lock?",
            "The line that the report names.",
            "pthread_mutex_lock before you read or write what others change; unlock behind it.",
        ),
        ("two",),
    ),
    Stage(
        "alarm",
        5,
        "a wait that returns without a reason changes nothing",
        false_alarms,
        "docs/3-thread-pool.md#you-will-probably-hit",
        (
            "What is true when pthread_cond_wait returns?",
            "Each pthread_cond_wait: look again at what you wait for.",
            "while, not if, around every pthread_cond_wait",
        ),
        ("limit", "stop"),
    ),
]
