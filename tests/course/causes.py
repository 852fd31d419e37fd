"""What the evidence says the mistake is: most specific first, and nothing when nothing fits.

A cause looks at what the client saw, how the server ended, what it said and where its threads
stand. There is no catch-all: a wrong cause costs a student an hour.
"""

import re
from collections import Counter
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
    is_busy: bool = False  # it computed although nobody asked for anything
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


SAME_CLIENT = r"(?m)^(\d+) threads?: .*\((?:client|connfd|fd|sock|socket)=(\d+)\)"
WAITS = r"in (\w*cond_wait\w*|futex\w*)"
LOCKS = r"in (\w*mutex_lock\w*|lll_lock_wait\w*)"
NOTHING = r"nothing came|could not connect: nothing"
EXITS = r"\b_?[eE]xit\s*\(|\berrx?\s*\(|\babort\s*\(|\bassert\s*\("
STANDARD_OUT = r"\b(1|STDOUT_FILENO)"


def is_at_end(e: Evidence) -> bool:
    """Had the server been asked to stop?"""
    return e.saw("SIGTERM")


def not_flushed(e: Evidence) -> bool:
    prints = e.wrote(r"printf|puts")
    flushes = e.wrote(
        r"fflush|setvbuf|setbuf|setlinebuf|dprintf|\bwrite\s*\(\s*" + STANDARD_OUT
    )
    return (
        e.lab == 0
        and e.saw("has not printed")
        and prints
        and not flushes
        and e.stands(r"accept")
    )


def died_on_client(e: Evidence) -> bool:
    if not e.state.startswith("ended: status") or " clients: " in e.output:
        return False
    if is_at_end(e) and (e.status == 0 or e.lab == 0):
        return False
    if e.stage in ("announce", "taken", "restart") or e.saw("was started"):
        return False
    return e.wrote(EXITS) if e.lab else e.status != 0


def left_loop(e: Evidence) -> bool:
    if e.state != "ended: status 0" or is_at_end(e) or e.saw("was started"):
        return False
    if not e.saw("could not connect|saw an error|nothing came|read the end"):
        return False
    served = re.search(r"clients: [1-9]", e.output)
    return bool(served) if e.lab else e.stage not in ("announce", "taken", "restart")


def lifo(e: Evidence) -> bool:
    match = re.search(r"client (\d+) was served before client 2,", e.said)
    return e.stage == "order" and match is not None and match[1] == "7"


def same_client(e: Evidence) -> bool:
    """Do two threads have the same socket?"""
    counts: Counter[str] = Counter()
    for threads, client in re.findall(SAME_CLIENT, e.threads):
        counts[client] += int(threads)
    return e.lab >= 2 and any(count > 1 for count in counts.values())


def never_signalled(e: Evidence) -> bool:
    """Is there a condition variable that is waited for, and that nobody signals?"""
    waited = re.findall(r"pthread_cond_wait\s*\(\s*&\s*([\w.>-]+)", e.source)
    signalled = re.findall(
        r"pthread_cond_(?:signal|broadcast)\s*\(\s*&\s*([\w.>-]+)", e.source
    )
    return bool(set(waited) - set(signalled))


def no_signal(e: Evidence) -> bool:
    """Somebody waits for a change that has happened."""
    if e.lab == 2:
        return never_signalled(e) and e.stands(WAITS)
    if e.lab != 3 or e.stage == "alarm":
        return False
    workers_wait = e.stands(r"threads?: .*queue_pop.*" + WAITS)
    accepts = e.stands(r"(?m)^main: .*in tcp_accept")
    if e.saw(NOTHING) and workers_wait and accepts and e.wrote(r"queue_push\s*\(\s*&"):
        return True
    main_waits = e.stands(r"(?m)^main: .*queue_(push|await_workers).*" + WAITS)
    return workers_wait and main_waits and never_signalled(e)


def not_refused(e: Evidence) -> bool:
    """Somebody should be told that it is busy, and no line of the source tells it."""
    where = {2: "shortage", 3: "busy"}.get(e.lab)
    return e.stage == where and e.saw(NOTHING) and not e.wrote(r"service_refuse\s*\(")


def waits_although_refuse(e: Evidence) -> bool:
    return (
        e.lab == 3
        and e.stage == "busy"
        and e.saw(NOTHING)
        and e.stands(r"(?m)^main: .*queue_push.*" + WAITS)
    )


def slot_kept(e: Evidence) -> bool:
    if e.lab != 2 or not e.saw(NOTHING) or not e.stands(r"(?m)^main: .*" + WAITS):
        return False
    return e.stage in ("limit", "shortage") and e.saw(
        "has left now|had left|no thread could be started"
    )


CAUSES: list[Cause] = [
    Cause(
        "memory-bomb",
        lambda e: "more than 3 GB" in e.state,
        "The server took more and more memory until the grader ended it: look for malloc, or for a growing array, in a loop without an end.",
    ),
    Cause(
        "M5 sigpipe",
        lambda e: e.signal == "SIGPIPE",
        "A write to a client that had gone ended the server: SIGPIPE is not ignored.",
    ),
    Cause(
        "endless-loop",
        lambda e: e.signal == "SIGXCPU",
        "The server computed for 12 s of CPU: a loop has no end.",
    ),
    Cause(
        "crash",
        lambda e: e.signal in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL"),
        "The server crashed. SIGSEGV: memory was used that is not there, such as a number taken for a pointer. gdb ./server, then run and bt, shows the line.",
    ),
    Cause(
        "not-flushed",
        not_flushed,
        "The line is still in printf's buffer: into a pipe it leaves when the buffer is full, or with fflush(stdout).",
    ),
    Cause(
        "M1 addr-in-use",
        lambda e: e.stage == "restart" and "Address already in use" in e.errors,
        "The address stays in use for a minute after the server has closed first: SO_REUSEADDR is missing, or set after bind.",
    ),
    Cause(
        "M2 unchecked-bind",
        lambda e: e.stage == "taken"
        and e.saw("says that it listens|as if all were well")
        and e.wrote(r"\bbind\s*\("),
        "The result of bind is not looked at. listen on a socket that is not bound takes any port.",
    ),
    Cause(
        "M3 fd-by-reference",
        lambda e: e.lab == 2
        and e.wrote(r"pthread_create\s*\([^;]*&\s*(client|connfd|fd)\s*\)"),
        "The thread gets the address of a variable, and the accept loop changes that variable before the thread looks. Hand over the number itself.",
    ),
    Cause(
        "M3 fd-by-reference",
        same_client,
        "Several threads have the same socket. Either all got the address of one variable, or two took the same client from the queue.",
    ),
    Cause(
        "sequential",
        lambda e: e.lab >= 2 and e.stands(r"(?m)^main: .*serve_client"),
        "The accept loop serves the client by itself. Hand it over, and accept the next.",
    ),
    Cause(
        "M4 join-or-detach",
        lambda e: e.lab == 2 and e.stands(r"(?m)^main: .*start_thread.*in \w*join"),
        "The accept loop waits for the thread that it has started (pthread_join), so one client is served at a time. Detach instead.",
    ),
    Cause(
        "M4 join-or-detach",
        lambda e: e.lab == 2 and e.stage == "leave" and e.saw("pieces of memory"),
        "Nobody joins or detaches the threads: each that has ended keeps its stack.",
    ),
    Cause(
        "M7 one-recv-one-message",
        lambda e: e.lab == 0
        and e.stage == "several"
        and "\\x00" in e.said
        and e.wrote(r"strn?len|%s|strcpy"),
        "How much came is what read returned. strlen ends at the first byte of value 0.",
    ),
    Cause(
        "lock-kept",
        lambda e: e.stands(LOCKS) and e.saw(NOTHING + "|still runs|has not printed"),
        "A thread waits for a mutex that is never unlocked: it is locked twice, or some path returns without unlocking.",
    ),
    Cause(
        "M9 if-or-spin",
        lambda e: e.stage == "alarm" and e.alarms and not e.stands(LOCKS),
        "The only change in this stage: some pthread_cond_wait return without a reason, as POSIX allows. Look again after each: while, not if.",
    ),
    Cause(
        "M9 if-or-spin",
        lambda e: e.stage in ("idle", "wait") and e.saw("ms of CPU in|woke up"),
        "A thread asks again and again instead of waiting. Block: in read, in poll, on the condition variable.",
    ),
    Cause(
        "M9 if-or-spin",
        lambda e: e.is_busy and e.saw(NOTHING),
        "A loop goes round and round although nothing changes. What must end it: the end of input, or a wait that blocks?",
    ),
    Cause(
        "data-race",
        lambda e: e.saw("ThreadSanitizer reports a data race"),
        "Two threads use the same variable, and at least one of them without the lock. Take the lock around every use.",
    ),
    Cause(
        "no-signal",
        no_signal,
        "A thread waits on a condition variable for something that has happened, and nobody signals: signal after each change that somebody waits for.",
    ),
    Cause(
        "slot-kept",
        slot_kept,
        "A slot is taken and not given back: every path that ends a client's visit must give its slot back.",
    ),
    Cause(
        "no-limit",
        lambda e: e.lab == 2
        and e.stage == "limit"
        and e.saw("was answered .*although three"),
        "More clients are served than --max-clients says: take a slot before each thread starts, and let that wait while none is free.",
    ),
    Cause(
        "queue-not-closed",
        lambda e: e.lab >= 3
        and e.saw("still runs")
        and e.stands(r"queue_pop.*" + WAITS)
        and e.stands("in \\w*join")
        and not e.wrote(r"queue_close\s*\(\s*&"),
        "main waits for the workers, and the workers wait for clients: close the queue before you join.",
    ),
    Cause(
        "signal-for-broadcast",
        lambda e: e.lab >= 3
        and e.saw("still runs")
        and e.stands(r"queue_pop.*" + WAITS)
        and not e.wrote("pthread_cond_broadcast"),
        "Only one worker was woken at the close, and the others still wait: pthread_cond_broadcast wakes all.",
    ),
    Cause(
        "main-returned",
        lambda e: e.lab in (2, 3)
        and e.stage in ("stop", "alarm")
        and e.saw("SIGTERM.*but read the end")
        and e.state == "ended: status 0",
        "main returned before the last thread was done, and the end of main is the end of all threads.",
    ),
    Cause(
        "not-refused",
        not_refused,
        "Nobody tells the client that it cannot be served: service_refuse, which closes it, too.",
    ),
    Cause(
        "waits-although-refuse",
        waits_although_refuse,
        "queue_push waits for a place although the queue was opened not to wait (--when-full=refuse): then it returns false at once.",
    ),
    Cause(
        "refused-although-wait",
        lambda e: e.lab == 3
        and e.stage == "wait"
        and e.saw(r"was answered \"busy.*the one worker is busy"),
        "A newcomer was refused although --when-full=wait: while the queue is full, queue_push waits, if queue->waits.",
    ),
    Cause(
        "not-full-yet",
        lambda e: e.lab == 3
        and e.stage == "free"
        and e.saw(r"that came at once.*read \"busy"),
        "A client was refused although a worker was free. An idle worker is one more place, and nobody is let in before all workers are idle (queue_await_workers).",
    ),
    Cause(
        "last-in-first-out",
        lifo,
        "The client that came last is served first: take from the other end.",
    ),
    Cause(
        "worker-gone",
        lambda e: e.lab == 3
        and e.saw(NOTHING + "|nobody is served")
        and e.stands(r"(?m)^main: .*in tcp_accept")
        and not e.stands(r"queue_pop|serve_client"),
        "All workers have ended: a worker takes the next client when one has left, until queue_pop says -1.",
    ),
    Cause(
        "M6 die-on-client-error",
        died_on_client,
        "The process was ended by exit, err or assert where only one client was done, or had failed. End the visit instead.",
    ),
    Cause(
        "loop-left",
        left_loop,
        "main has left its accept loop although nobody asked for a stop: after one client comes the next.",
    ),
    Cause(
        "stray-output",
        lambda e: e.saw("standard output .*there is also"),
        "Something is printed on standard output, which is for the server's own lines. Look for mistakes with standard error, and take it out at the end.",
    ),
    Cause(
        "M8 fd-leak",
        lambda e: e.saw("more descriptors are open"),
        "A socket stays open after its client has left: close is missing on some path.",
    ),
    Cause(
        "M7 one-recv-one-message",
        lambda e: e.lab == 0
        and e.stage == "much"
        and e.saw("only .* came back")
        and e.stands(r"read|recv"),
        "The server is back in read, and thinks that it sent everything: write may take a part only.",
    ),
    Cause(
        "M7 one-recv-one-message",
        lambda e: e.lab == 1
        and e.stage == "pieces"
        and e.saw("one byte at a time")
        and e.is_alive,
        "What one recv brings is not one line: it may be half a line, or several.",
    ),
    Cause(
        "M7 one-recv-one-message",
        lambda e: e.lab == 1
        and e.stage == "segment"
        and (e.saw("no end yet") or e.saw(NOTHING)),
        "What one recv brings is not one line: it may be half a line, or several.",
    ),
    Cause(
        "M7 one-recv-one-message",
        lambda e: e.lab == 1
        and e.stage == "slow"
        and e.saw(NOTHING + "|only .* came back")
        and e.stands("reader_begin|reader_line"),
        "The server waits for the next request, and thinks that it sent everything: send may take a part only.",
    ),
    Cause(
        "line-limit",
        lambda e: e.lab == 1 and e.stage == "long" and e.saw("not told that it is too"),
        "A line that is longer than longest (without its LF, or CR and LF) is EMSGSIZE. Compare before you return it.",
    ),
    Cause(
        "off-by-one",
        lambda e: e.lab == 1
        and e.stage == "long"
        and e.saw(r"expected \"[xy]+.*read \"error line too long"),
        "A line of exactly 4096 bytes is not too long: what counts is its text, without LF, or CR and LF.",
    ),
    Cause(
        "wrong-setting",
        lambda e: e.lab == 4 and e.stage == "backlog" and e.saw("the kernel let in"),
        "listen gets another number than the one that --backlog says.",
    ),
    Cause(
        "deadline-kept",
        lambda e: e.lab == 4
        and e.stage == "honest"
        and e.saw(r"one request after the other.*timed out: the request took"),
        "Each request took a moment only, but all together were cut: the deadline of the first was kept. Each request has one of its own.",
    ),
    Cause(
        "port-not-asked",
        lambda e: e.lab == 0 and e.saw("and it says 0"),
        "For port 0 the kernel picks a port at bind. getsockname says which.",
    ),
    Cause(
        "no-reason",
        lambda e: e.lab == 0 and e.stage == "taken" and e.saw("without a word"),
        "The failure is noticed, and nobody is told why: perror, or err(3), before the end.",
    ),
    Cause(
        "M10 starved-pool",
        lambda e: e.lab == 4 and e.stage == "dribble" and e.saw("still served"),
        "Each byte moves the deadline. It must be one moment, set when the request begins.",
    ),
    Cause(
        "M10 starved-pool",
        lambda e: e.lab == 4
        and e.stage == "idle"
        and e.saw("said nothing.*nothing came"),
        "A worker waits for a silent client without a deadline.",
    ),
    Cause(
        "M10 starved-pool",
        lambda e: e.lab == 4
        and e.stage == "request"
        and e.saw("half a line and no more.*nothing came"),
        "A worker waits for the rest of a request past its limit: no deadline, or not the one of the request.",
    ),
]


def cause_of(evidence: Evidence) -> Cause | None:
    """The first cause that the evidence fits; none if there is none."""
    for cause in CAUSES:
        if cause.fits(evidence):
            return cause
    return None
