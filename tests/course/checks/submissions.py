"""Submissions as students make them: right in another way, wrong in a typical one, or malicious.

Each is the reference with a few edits, or with whole files in place of its own; for each the
points, the first stage that fails, and the cause that is named ("" is silence) are known.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.course.cut import find, functions
from tests.course.reference import lay
from tests.course.start import start

WHOLE = Path(__file__).resolve().parent / "whole"


def put_function(folder: Path, function: str, text: str) -> None:
    """Put another definition in the place of the one function of this name."""
    for file in folder.glob("*.c"):
        whole = file.read_text()
        if function in functions(whole):
            span = find(whole, function)
            file.write_text(whole[: span.begin] + text.rstrip() + whole[span.end :])
            return
    raise AssertionError(f"no file defines {function}")


@dataclass(frozen=True)
class Submission:
    """One submission, and what the grader must say."""

    lab: int
    name: str
    what: str
    points: int
    stage: str = ""  # the first that fails
    cause: str = ""  # how the cause's name begins
    edits: list[tuple[str, str, str]] = field(default_factory=list)  # file, old, new
    variant: dict[str, str] = field(default_factory=dict)  # what a seed would draw

    def lay(self, folder: Path) -> None:
        """Write the submission's files."""
        if self.name == "empty":
            start(self.lab, folder)
            return
        lay(self.lab, folder)
        whole = WHOLE / f"lab{self.lab}-{self.name}"
        if whole.is_dir():
            for file in whole.iterdir():
                if file.suffix == ".part":
                    put_function(folder, file.stem, file.read_text())
                else:
                    shutil.copyfile(file, folder / file.name)
        for name, old, new in self.edits:
            file = folder / name
            text = file.read_text()
            count = text.count(old)
            assert count == 1, f'{self.name}: "{old}" stands in {name} {count} times'
            file.write_text(text.replace(old, new))


S, W, R, Q, T = "server.c", "write.c", "reader.c", "queue.c", "slots.c"
WAIT = "wait.c"


def one(lab, name, what, points, stage="", cause="", *edits):
    return Submission(lab, name, what, points, stage, cause, list(edits))


LAB0 = [
    one(0, "reference", "the reference", 100),
    one(
        0,
        "no-flush",
        "the line stays in the buffer",
        0,
        "announce",
        "not-flushed",
        (S, "    fflush(stdout);\n", ""),
    ),
    one(
        0,
        "no-reuseaddr",
        "SO_REUSEADDR is forgotten",
        95,
        "restart",
        "M1",
        (
            S,
            "    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);\n",
            "    (void)on;\n",
        ),
    ),
    one(
        0,
        "sigpipe",
        "SIGPIPE ends the server",
        90,
        "vanish",
        "M5",
        (
            S,
            "    signal(SIGPIPE, SIG_IGN); /* writing to a client that has left: an error */\n",
            "",
        ),
    ),
    one(
        0,
        "unchecked-bind",
        "bind is not looked at",
        95,
        "taken",
        "M2",
        (
            S,
            "if (bind(listener, (struct sockaddr *)&address, size) == -1 ||",
            "bind(listener, (struct sockaddr *)&address, size);\n    if (",
        ),
    ),
    one(
        0,
        "no-close",
        "the client is not closed",
        95,
        "leave",
        "M8",
        (S, "        close(client);\n", ""),
    ),
    one(
        0,
        "partial-write",
        "a write is thought to take everything",
        90,
        "much",
        "",
        (
            S,
            "        for (ssize_t i = 0; i < length; i += sent)\n            if ((sent = write(client, bytes + i, (size_t)(length - i))) == -1)\n                return;",
            "        if ((sent = send(client, bytes, (size_t)length, MSG_DONTWAIT)) == -1)\n            return;",
        ),
    ),
    one(
        0,
        "strlen",
        "the length is asked of strlen",
        90,
        "several",
        "M7",
        (S, "#include <stdlib.h>", "#include <stdlib.h>\n#include <string.h>"),
        (
            S,
            "write(client, bytes + i, (size_t)(length - i))",
            "write(client, bytes + i, strnlen(bytes + i, (size_t)(length - i)))",
        ),
    ),
    one(
        0,
        "one-read",
        "one read, one answer, good bye",
        15,
        "echo",
        "",
        (S, "while ((length", "if ((length"),
    ),
    one(
        0,
        "spin-at-end",
        "the end of input is read again and again",
        65,
        "next",
        "M9",
        (S, "sizeof bytes)) > 0)", "sizeof bytes)) >= 0)"),
    ),
    one(
        0,
        "exit-on-error",
        "the failure of one client ends the server",
        90,
        "vanish",
        "M6",
        (S, "                return;", '                err(1, "write");'),
    ),
    one(
        0,
        "port-of-argument",
        "the line says port 0",
        0,
        "announce",
        "port-not-asked",
        (S, "ntohs(address.sin_port));\n    fflush", "atoi(argv[1]));\n    fflush"),
    ),
    one(
        0,
        "silent-failure",
        "a port that is taken ends it without a word",
        95,
        "taken",
        "no-reason",
        (
            S,
            '        err(EXIT_FAILURE, "cannot listen on port %s", argv[1]);',
            "        return 1;",
        ),
    ),
    one(
        0,
        "serves-one",
        "the server ends after its first client",
        65,
        "next",
        "loop-left",
        (S, "        close(client);\n", "        close(client);\n        return 0;\n"),
    ),
    one(
        0,
        "debug-output",
        "a printf is left in the loop",
        95,
        "leave",
        "stray-output",
        (
            S,
            "        serve_client(client);",
            '        printf("client %d\\n", client);\n        fflush(stdout);\n        serve_client(client);',
        ),
    ),
    one(
        0,
        "syntax",
        "a semicolon is missing",
        0,
        "build",
        "",
        (S, "    fflush(stdout);", "    fflush(stdout)"),
    ),
    one(
        0,
        "empty-main",
        "main returns at once",
        0,
        "announce",
        "",
        (
            S,
            "    struct sockaddr_in address = {",
            "    return 0;\n    struct sockaddr_in address = {",
        ),
    ),
    one(
        0,
        "hangs",
        "main waits for ever",
        0,
        "announce",
        "",
        (
            S,
            "    struct sockaddr_in address = {",
            "    pause();\n    struct sockaddr_in address = {",
        ),
    ),
]

LAB1 = [
    one(1, "reference", "the reference", 100),
    one(1, "own-reader", "a right line reader of another make", 100),
    one(
        1,
        "no-close",
        "the client is not closed",
        95,
        "leave",
        "M8",
        (S, "    close(client);\n", "    ;\n"),
    ),
    one(
        1,
        "no-loop",
        "one client is served, then the server ends",
        50,
        "next",
        "loop-left",
        (S, "    while ((client = tcp_accept", "    if ((client = tcp_accept"),
    ),
    one(
        1,
        "partial-send",
        "a send is thought to take everything",
        90,
        "slow",
        "M7",
        (
            W,
            "            rest += sent;\n            size -= (size_t)sent;\n",
            "            return 0;\n",
        ),
    ),
    one(
        1,
        "send-from-start",
        "after a part the same bytes are sent again",
        90,
        "slow",
        "",
        (W, "            rest += sent;\n            size", "            size"),
    ),
    one(
        1,
        "give-up-on-full",
        "no room is taken for an error",
        90,
        "slow",
        "",
        (
            W,
            "        } else if (wait_to_write(client) == -1) {\n            return -1;\n        }\n    }\n    return 0;\n}\n\n#ifdef",
            "        } else {\n            return -1;\n        }\n    }\n    return 0;\n}\n\n#ifdef",
        ),
    ),
    one(
        1,
        "pipelined-lost",
        "what came behind the first line is thrown away",
        70,
        "segment",
        "M7",
        (R, "            in->start += length;", "            in->start = in->end;"),
    ),
    one(
        1,
        "recv-is-a-line",
        "what has come is taken for a line",
        70,
        "pieces",
        "M7",
        (
            R,
            "        ssize_t more = lf != NULL ? 0 : reader_fill(in);",
            "        ssize_t more = 0;",
        ),
    ),
    one(
        1,
        "without-lf",
        "the LF is not taken with the line",
        10,
        "echo",
        "",
        (R, "? (size_t)(lf - begin) + 1 : there", "? (size_t)(lf - begin) : there"),
    ),
    one(
        1,
        "no-limit",
        "a line may be of any length",
        90,
        "long",
        "line-limit",
        (R, "> longest) {", "> 100000) {"),
    ),
    one(
        1,
        "limit-off-by-one",
        "the CR and LF count",
        90,
        "long",
        "off-by-one",
        (R, "> longest) {", "+ 1 > longest) {"),
    ),
    one(
        1,
        "stale-pointer",
        "begin is computed before the bytes move",
        80,
        "long",
        "crash",
        (
            R,
            "    for (;;) {\n        char *begin = in->bytes + in->start;",
            "    char *begin = in->bytes + in->start;\n    for (;;) {",
        ),
        (R, "            *line = in->bytes + in->start;", "            *line = begin;"),
    ),
    one(
        1,
        "spin",
        "the end of input is asked for again and again",
        95,
        "rude",
        "M9",
        (R, "        if (more == 0) {", "        if (lf != NULL) {"),
    ),
    one(
        1,
        "exit-in-serve",
        "the server exits when a client has gone",
        50,
        "next",
        "M6",
        (S, "    close(client);", "    close(client);\n    _exit(1);"),
    ),
    one(
        1,
        "accepts-only",
        "clients are accepted and never served",
        0,
        "greet",
        "",
        (S, "        serve_client(client);", "        ;"),
    ),
    one(
        1,
        "printf",
        "a printf is left",
        95,
        "stop",
        "stray-output",
        (S, "#include <sys/socket.h>", "#include <stdio.h>\n#include <sys/socket.h>"),
        (
            S,
            "    service_talk(client);",
            '    printf("serving %d\\n", client);\n    fflush(stdout);\n    service_talk(client);',
        ),
    ),
    one(
        1,
        "close-first",
        "the socket is closed before the talk",
        0,
        "greet",
        "",
        (
            S,
            "    service_talk(client);\n    close(client);",
            "    close(client);\n    service_talk(client);",
        ),
    ),
]

LAB2 = [
    one(2, "reference", "the reference", 100),
    one(2, "semaphore", "right, counted with a semaphore of libc", 100),
    one(
        2,
        "signal-inside",
        "right, with the signal before the unlock",
        100,
        "",
        "",
        (
            T,
            "    available++;\n    pthread_mutex_unlock(&lock);\n    pthread_cond_signal(&given_back);",
            "    available++;\n    pthread_cond_signal(&given_back);\n    pthread_mutex_unlock(&lock);",
        ),
    ),
    one(
        2,
        "sequential",
        "the accept loop serves by itself",
        10,
        "two",
        "sequential",
        (S, "        start_thread(client);", "        serve_client(client);"),
    ),
    one(
        2,
        "join",
        "the accept loop joins each thread",
        10,
        "two",
        "M4",
        (
            S,
            "    if (errno != 0) {",
            "    if (errno == 0)\n        pthread_join(thread, NULL);\n    if (errno != 0) {",
        ),
        (S, "&thread, &small, work", "&thread, NULL, work"),
    ),
    one(
        2,
        "address",
        "the thread gets the address of a variable",
        60,
        "token",
        "M3",
        (S, "(int)(intptr_t)client", "*(int *)client"),
        (S, "work, (void *)(intptr_t)client)", "work, &client)"),
    ),
    one(
        2,
        "no-detach",
        "nobody detaches or joins the threads",
        90,
        "leave",
        "M4",
        (S, "    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);\n", ""),
    ),
    one(
        2,
        "no-limit",
        "no slot is taken",
        65,
        "limit",
        "no-limit",
        (S, "    slots_take();\n", ""),
        (S, "    slots_give();\n    return NULL;", "    return NULL;"),
    ),
    one(
        2,
        "slot-not-given",
        "a slot is not given back",
        65,
        "limit",
        "slot-kept",
        (S, "    slots_give();\n    return NULL;", "    return NULL;"),
    ),
    one(
        2,
        "no-signal",
        "the slot is given back in silence",
        65,
        "limit",
        "no-signal",
        (
            T,
            "    pthread_cond_signal(&given_back); /* one thread at most waits */\n",
            "",
        ),
    ),
    one(
        2,
        "if-for-while",
        "if for while around the wait",
        95,
        "alarm",
        "M9",
        (T, "    while (available == 0)", "    if (available == 0)"),
    ),
    one(
        2,
        "await-if",
        "if for while at the end",
        85,
        "stop",
        "main-returned",
        (T, "    while (available < total)", "    if (available < total)"),
    ),
    one(
        2,
        "spin",
        "a loop without a wait",
        95,
        "idle",
        "M9",
        (
            T,
            "    while (available == 0)\n        pthread_cond_wait(&given_back, &lock);",
            "    while (available == 0) {\n        pthread_mutex_unlock(&lock);\n        pthread_mutex_lock(&lock);\n    }",
        ),
    ),
    one(
        2,
        "usleep",
        "a loop that sleeps a little",
        95,
        "idle",
        "M9",
        (T, "#include <pthread.h>", "#include <pthread.h>\n#include <unistd.h>"),
        (
            T,
            "    while (available == 0)\n        pthread_cond_wait(&given_back, &lock);",
            "    while (available == 0) {\n        pthread_mutex_unlock(&lock);\n        usleep(1000);\n        pthread_mutex_lock(&lock);\n    }",
        ),
    ),
    one(
        2,
        "no-lock",
        "the counter has no lock",
        95,
        "race",
        "data-race",
        (
            T,
            "void slots_give(void)\n{\n    pthread_mutex_lock(&lock);\n    available++;\n    pthread_mutex_unlock(&lock);",
            "void slots_give(void)\n{\n    available++;",
        ),
    ),
    one(
        2,
        "deadlock",
        "the lock is not given back",
        0,
        "greet",
        "lock-kept",
        (T, "    available--;\n    pthread_mutex_unlock(&lock);", "    available--;"),
    ),
    one(
        2,
        "no-await",
        "main returns before the last thread is done",
        85,
        "stop",
        "main-returned",
        (S, "    slots_await_all();\n", ""),
    ),
    one(
        2,
        "no-close",
        "the client is not closed",
        90,
        "leave",
        "M8",
        (S, "    close(client);\n", "    ;\n"),
    ),
    one(
        2,
        "close-in-main",
        "the accept loop closes the client, too",
        0,
        "greet",
        "",
        (
            S,
            "        start_thread(client);",
            "    {\n        start_thread(client);\n        close(client);\n    }",
        ),
    ),
    one(
        2,
        "exit-in-thread",
        "the thread calls exit",
        0,
        "greet",
        "M6",
        (S, "    slots_give();\n    return NULL;", "    slots_give();\n    _exit(0);"),
    ),
    one(
        2,
        "no-refuse",
        "nobody is told when no thread can be started",
        95,
        "shortage",
        "not-refused",
        (
            S,
            "        service_refuse(client);\n        slots_give();\n",
            "        slots_give();\n",
        ),
    ),
    one(
        2,
        "refuse-keeps-slot",
        "the slot of a thread that could not be started is lost",
        95,
        "shortage",
        "slot-kept",
        (
            S,
            "        service_refuse(client);\n        slots_give();\n",
            "        service_refuse(client);\n",
        ),
    ),
    one(
        2,
        "crash",
        "a pointer that leads nowhere",
        0,
        "greet",
        "crash",
        (
            S,
            "    serve_client((int)(intptr_t)client);",
            "    serve_client(*(int *)client);",
        ),
    ),
    one(
        2,
        "off-by-one",
        "one more than the limit",
        75,
        "limit",
        "no-limit",
        (T, "    while (available == 0)", "    while (available < 0)"),
    ),
]

LAB3 = [
    one(3, "reference", "the reference", 100),
    one(3, "linked-list", "right, with a linked list", 100),
    one(
        3,
        "one-condition",
        "right, with one condition variable and broadcasts",
        100,
        "",
        "",
        (
            Q,
            "    pthread_cond_signal(&queue->not_empty);\n    return has_place;",
            "    pthread_cond_broadcast(&queue->not_full);\n    return has_place;",
        ),
        (
            Q,
            "    pthread_cond_signal(&queue->not_full);",
            "    pthread_cond_broadcast(&queue->not_full);",
        ),
        (
            Q,
            "        pthread_cond_wait(&queue->not_empty, &queue->lock);",
            "        pthread_cond_wait(&queue->not_full, &queue->lock);",
        ),
        (
            Q,
            "    pthread_cond_broadcast(&queue->not_empty);",
            "    pthread_cond_broadcast(&queue->not_full);",
        ),
    ),
    one(
        3,
        "serves-itself",
        "the accept loop serves by itself",
        10,
        "workers",
        "sequential",
        (
            S,
            "        if (!queue_push(&waiting, client))\n            service_refuse(client);",
            "        serve_client(client);",
        ),
    ),
    one(
        3,
        "pop-if",
        "if for while in pop",
        95,
        "alarm",
        "M9",
        (
            Q,
            "    while (queue->pushed == queue->popped && !queue->is_closed)",
            "    if (queue->pushed == queue->popped && !queue->is_closed)",
        ),
    ),
    one(
        3,
        "push-if",
        "if for while in push",
        95,
        "alarm",
        "M9",
        (
            Q,
            "    while (is_full(queue) && queue->waits)",
            "    if (is_full(queue) && queue->waits)",
        ),
    ),
    one(
        3,
        "lifo",
        "the newest is taken first",
        50,
        "order",
        "last-in-first-out",
        (
            Q,
            "queue->clients[queue->popped++ % queue->length]",
            "queue->clients[--queue->pushed % queue->length]",
        ),
    ),
    one(
        3,
        "no-signal-push",
        "push wakes nobody",
        0,
        "greet",
        "no-signal",
        (
            Q,
            "    pthread_cond_signal(&queue->not_empty);\n    return has_place;",
            "    return has_place;",
        ),
    ),
    one(
        3,
        "no-signal-pop",
        "pop tells nobody of the place",
        0,
        "greet",
        "no-signal",
        (
            Q,
            "    pthread_cond_signal(&queue->not_full);\n    while (queue->pushed",
            "    while (queue->pushed",
        ),
    ),
    one(
        3,
        "no-broadcast",
        "close wakes only one worker",
        85,
        "stop",
        "signal-for-broadcast",
        (
            Q,
            "    pthread_cond_broadcast(&queue->not_empty);",
            "    pthread_cond_signal(&queue->not_empty);",
        ),
    ),
    one(
        3,
        "no-close",
        "the queue is not closed",
        85,
        "stop",
        "queue-not-closed",
        (S, "    queue_close(&waiting);\n", ""),
    ),
    one(
        3,
        "no-join",
        "main returns before the workers are done",
        85,
        "stop",
        "main-returned",
        (
            S,
            "    for (int i = 0; i < threads; i++)\n        pthread_join(workers[i], NULL);\n    queue_free(&waiting);\n",
            "",
        ),
    ),
    one(
        3,
        "refuse-forgotten",
        "who has no place is forgotten",
        80,
        "busy",
        "not-refused",
        (
            S,
            "        if (!queue_push(&waiting, client))\n            service_refuse(client);",
            "        queue_push(&waiting, client);",
        ),
    ),
    one(
        3,
        "idle-is-no-place",
        "an idle worker is no place",
        90,
        "free",
        "not-full-yet",
        (Q, ">= queue->capacity + queue->idle", ">= queue->capacity"),
    ),
    one(
        3,
        "always-waits",
        "the queue waits whatever --when-full says",
        80,
        "busy",
        "waits-although-refuse",
        (Q, "    while (is_full(queue) && queue->waits)", "    while (is_full(queue))"),
    ),
    one(
        3,
        "never-waits",
        "the queue refuses whatever --when-full says",
        85,
        "wait",
        "refused-although-wait",
        (Q, "    while (is_full(queue) && queue->waits)", "    while (0)"),
    ),
    one(
        3,
        "pop-spins",
        "a worker asks again and again",
        95,
        "idle",
        "M9",
        (
            Q,
            "    while (queue->pushed == queue->popped && !queue->is_closed)\n        pthread_cond_wait(&queue->not_empty, &queue->lock);",
            "    while (queue->pushed == queue->popped && !queue->is_closed) {\n        pthread_mutex_unlock(&queue->lock);\n        pthread_mutex_lock(&queue->lock);\n    }",
        ),
    ),
    one(
        3,
        "push-unlocked",
        "push does not lock",
        80,
        "wait",
        "M9",
        (
            Q,
            "bool queue_push(struct queue *queue, int client)\n{\n    pthread_mutex_lock(&queue->lock);",
            "bool queue_push(struct queue *queue, int client)\n{",
        ),
        (
            Q,
            "    pthread_mutex_unlock(&queue->lock);\n    /* After",
            "    /* After",
        ),
        (
            Q,
            "    while (is_full(queue) && queue->waits)\n        pthread_cond_wait(&queue->not_full, &queue->lock);",
            "    while (is_full(queue) && queue->waits)\n        ;",
        ),
    ),
    one(
        3,
        "lock-kept",
        "push keeps the lock when full",
        80,
        "busy",
        "lock-kept",
        (
            Q,
            "    bool has_place = !is_full(queue);",
            "    bool has_place = !is_full(queue);\n    if (!has_place)\n        return false;",
        ),
    ),
    one(
        3,
        "pop-twice",
        "the client at the head is not taken out",
        0,
        "greet",
        "M3",
        (Q, "queue->popped++ %", "queue->popped %"),
    ),
    one(
        3,
        "worker-leaves",
        "a worker serves one client and goes home",
        0,
        "greet",
        "worker-gone",
        (
            S,
            "    while ((client = queue_pop(&waiting)) != -1)",
            "    if ((client = queue_pop(&waiting)) != -1)",
        ),
    ),
    one(
        3,
        "no-close-client",
        "the client is not closed",
        95,
        "leave",
        "M8",
        (S, "    close(client);\n", "    ;\n"),
    ),
    one(
        3,
        "exit-in-worker",
        "a worker calls exit at its end",
        85,
        "stop",
        "M6",
        (S, "    return unused;", "    _exit(3);"),
    ),
    one(
        3,
        "start-no-workers",
        "no worker is ever idle: await is wrong",
        0,
        "greet",
        "",
        (
            Q,
            "    while (queue->idle < queue->workers)",
            "    while (queue->idle <= queue->workers)",
        ),
    ),
]

LAB4 = [
    one(4, "reference", "the reference", 100),
    one(
        4,
        "no-idle",
        "no idle limit",
        55,
        "idle",
        "M10",
        (
            R,
            "receive(in, deadline_after(limit_ns), limit_ns, tries_first)",
            "receive(in, NEVER, 0, tries_first)",
        ),
    ),
    one(
        4,
        "no-request",
        "no request limit",
        50,
        "request",
        "M10",
        (
            R,
            "    in->deadline = deadline_after(wait_limits.request_ns);\n    in->is_upload",
            "    in->deadline = NEVER;\n    in->is_upload",
        ),
    ),
    one(
        4,
        "per-recv",
        "the deadline is for each recv",
        85,
        "dribble",
        "M10",
        (
            R,
            "receive(in, in->deadline, wait_limits.request_ns, false)",
            "receive(in, deadline_after(wait_limits.request_ns), wait_limits.request_ns, false)",
        ),
    ),
    one(
        4,
        "per-visit",
        "the limit is for the whole visit",
        90,
        "honest",
        "deadline-kept",
        (
            R,
            "    in->deadline = deadline_after(wait_limits.request_ns);",
            "    if (in->deadline == NEVER)\n        in->deadline = deadline_after(wait_limits.request_ns);",
        ),
    ),
    one(
        4,
        "backlog-fixed",
        "the backlog is not the chosen one",
        95,
        "backlog",
        "wrong-setting",
        (S, "service_listen(backlog)", "service_listen(SOMAXCONN)"),
        (S, "#include <unistd.h>", "#include <sys/socket.h>\n#include <unistd.h>"),
    ),
    one(
        4,
        "deadline-last",
        "right: a test of the deadline that changes nothing",
        100,
        "",
        "",
        (
            WAIT,
            "        if (timeout == 0)\n            return LATE;",
            "        if (timeout == 0 && deadline != NEVER)\n            return LATE;",
        ),
    ),
    one(
        4,
        "never-is-zero",
        "NEVER is taken for a moment that has passed",
        95,
        "wait",
        "M9",
        (
            WAIT,
            "    if (deadline == NEVER)\n        return -1;",
            "    if (deadline == NEVER)\n        return 0;",
        ),
    ),
    one(
        4,
        "spins",
        "poll with no timeout, again and again",
        95,
        "wait",
        "M9",
        (WAIT, "wait_poll(polled, 3, timeout)", "wait_poll(polled, 3, 0)"),
    ),
    one(
        4,
        "idle-for-request",
        "the idle limit is used for both",
        50,
        "request",
        "M10",
        (
            R,
            "    in->deadline = deadline_after(wait_limits.request_ns);\n    in->is_upload",
            "    in->deadline = deadline_after(wait_limits.idle_ns);\n    in->is_upload",
        ),
    ),
]

CHEATS = [
    one(
        1,
        "fork-bomb",
        "forks for ever",
        0,
        "greet",
        "",
        (S, "    int listener", "    while (1)\n        fork();\n    int listener"),
    ),
    one(
        1,
        "memory-bomb",
        "takes all memory",
        0,
        "greet",
        "",
        (
            S,
            "#include <sys/socket.h>",
            "#include <stdlib.h>\n#include <string.h>\n#include <sys/socket.h>",
        ),
        (
            S,
            "    int listener",
            "    while (1) {\n        char *more = malloc(100000000);\n        if (more)\n            memset(more, 1, 100000000);\n    }\n    int listener",
        ),
    ),
    one(
        1,
        "output-bomb",
        "prints without end",
        0,
        "greet",
        "",
        (
            S,
            "    int listener",
            '    while (write(1, "0123456789abcdef", 16))\n        ;\n    int listener',
        ),
    ),
    one(
        1,
        "kills-parent",
        "kills the grader",
        0,
        "greet",
        "",
        (S, "#include <sys/socket.h>", "#include <signal.h>\n#include <sys/socket.h>"),
        (
            S,
            "    int listener",
            "    kill(getppid(), 9);\n    kill(-1, 9);\n    int listener",
        ),
    ),
    one(
        1,
        "forged",
        "writes a report of its own, into whatever is open",
        0,
        "greet",
        "",
        (
            S,
            "#include <sys/socket.h>",
            "#include <stdio.h>\n#include <string.h>\n#include <sys/socket.h>",
        ),
        (
            S,
            "    int listener",
            '    for (int fd = 1; fd < 64; fd++) {\n        char path[64];\n        snprintf(path, sizeof path, "/proc/%d/fd/%d", getppid(), fd);\n        FILE *other = fopen(path, "w");\n        const char *forged = "{\\"name\\": \\"greet\\", \\"passed\\": true, \\"ran\\": true, \\"said\\": \\"\\", \\"tries\\": 1, \\"seconds\\": 0, \\"looks\\": []}\\n{\\"name\\": \\"end\\"}\\n";\n        if (other) {\n            fputs(forged, other);\n            fclose(other);\n        }\n        if (write(fd, forged, strlen(forged)) < 0)\n            continue;\n    }\n    return 0;\n    int listener',
        ),
    ),
    one(
        2,
        "background",
        "leaves a process behind that sleeps",
        0,
        "greet",
        "",
        (
            S,
            "    int listener",
            "    if (fork() == 0) {\n        setsid();\n        sleep(1000);\n    }\n    return 0;\n    int listener",
        ),
    ),
    one(
        1,
        "includes-reference",
        "includes the reference's source",
        0,
        "build",
        "",
        (
            W,
            "#include <errno.h>",
            '#include "../../common/write.c"\n#include <errno.h>',
        ),
    ),
    one(
        1,
        "endless-loop",
        "computes without end",
        0,
        "greet",
        "",
        (
            S,
            "    int listener",
            "    for (volatile int i = 0;; i++)\n        ;\n    int listener",
        ),
    ),
]

EMPTY = [
    one(0, "empty", "the hand-out as it is", 0, "announce"),
    *(one(lab, "empty", "the hand-out as it is", 0, "greet") for lab in (1, 2, 3, 4)),
]

# It crashes in half of its runs, and that is named; else its bytes are wrong, and nothing is.
CAUSE_BY_LUCK = {"stale-pointer"}
# What luck decides: at most so many points, and any stage may be the first that fails.
RACES = {"address", "push-unlocked", "no-lock", "pop-twice"}

LAST_FIRST = (Q, "queue->popped++ %", "--queue->pushed %")
OLDEST_TURNED = (
    (Q, "#include <stdlib.h>", '#include <stdlib.h>\n\n#include "service.h"'),
    (
        Q,
        "    bool has_place = !is_full(queue);",
        "    if (is_full(queue) && queue->pushed != queue->popped)\n        service_refuse(queue->clients[queue->popped++ % queue->length]);\n    bool has_place = !is_full(queue);",
    ),
)
REFUSE_AT_LIMIT = (
    ("slots.h", "void slots_take(void);", "bool slots_take(void);"),
    ("slots.h", "#define SLOTS_H\n", "#define SLOTS_H\n#include <stdbool.h>\n"),
    (T, "void slots_take(void)", "bool slots_take(void)"),
    (
        T,
        "    while (available == 0)\n        pthread_cond_wait(&given_back, &lock);\n    available--;\n    pthread_mutex_unlock(&lock);",
        "    bool is_free = available > 0;\n    if (is_free)\n        available--;\n    pthread_mutex_unlock(&lock);\n    return is_free;",
    ),
    (
        S,
        "    slots_take();\n",
        "    if (!slots_take()) {\n        service_refuse(client);\n        return;\n    }\n",
    ),
)
REFUSE, LAST, OLDEST = {"full": "refuse"}, {"line": "last"}, {"turned": "oldest"}
BOTH = {**LAST, **OLDEST}


def drawn(lab, name, what, variant, points, stage, *edits):
    """A submission to a variant that a seed has drawn."""
    return Submission(lab, name, what, points, stage, "", list(edits), variant)


VARIANTS = [
    drawn(2, "public-refuse", "the public solution, but refuse", REFUSE, 75, "limit"),
    drawn(2, "own-refuse", "right: refuses", REFUSE, 100, "", *REFUSE_AT_LIMIT),
    drawn(3, "public-last", "the public solution, but a stack", LAST, 50, "order"),
    drawn(3, "own-last", "right: a stack", LAST, 100, "", LAST_FIRST),
    drawn(3, "public-oldest", "the public solution, but oldest", OLDEST, 80, "busy"),
    drawn(3, "own-oldest", "right: oldest", OLDEST, 100, "", *OLDEST_TURNED),
    drawn(3, "half-both", "oldest, but no stack", BOTH, 50, "order", *OLDEST_TURNED),
    drawn(3, "own-both", "right: both", BOTH, 100, "", LAST_FIRST, *OLDEST_TURNED),
]

# Each lab's reference, its empty hand-out, some wrong ones, and what must not help: for CI.
SOME = {
    "no-flush", "unchecked-bind", "partial-send", "printf", "no-await", "pop-if", "lifo",
    "per-recv", "no-idle", "kills-parent", "forged", "background",
}  # fmt: skip

ALL = [*EMPTY, *LAB0, *LAB1, *LAB2, *LAB3, *LAB4, *VARIANTS, *CHEATS]
