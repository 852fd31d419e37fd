"""The ten mistakes that people make most, and what a failure must show to look like one.

A test names those that it would notice, `@pytest.mark.mistake("M5")`; a failure that shows the
evidence says so, any other failure says nothing of them.
"""

import re

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

# Where the tutorial tells it.
CHAPTERS = {
    "M1": "docs/a-sockets.md",
    "M2": "docs/0-tcp-server.md",
    "M3": "docs/2-thread-per-client.md",
    "M4": "docs/2b-threads.md",
    "M5": "docs/a-sockets.md",
    "M6": "docs/b-clean-up.md",
    "M7": "docs/0b-first-server.md",
    "M8": "docs/1-sequential.md",
    "M9": "docs/3-thread-pool.md",
    "M10": "docs/4-timeouts-backlog.md",
}

# Regular expressions for what a failure says (its lines with E, not the source of the test), and
# then the stories of its servers: alive or not, last words, where the threads stand.
EVIDENCE = {
    "M1": r"Address already in use",
    "M2": r"has not ended|listening on",
    "M3": r"the answer of another client|(?s:nothing came.*token of client.*is alive.*"
    r"stand in\s+a thread: [^\n]*tcp_accept[^\n]*\Z)",  # nobody serves it, nobody will
    "M4": r"keeps its stack|(?s:(?:nothing came|error barrier \d+ of \d+).*is alive.*"
    r"a thread: start_thread \([^\n]*in main)",  # main itself waits, and not for a slot
    "M5": r"was killed by SIGPIPE",
    "M6": r"ended with exit status [1-9]|was killed by SIGABRT",
    "M7": r"(?s)nothing came.*is alive.*\b(?:reader_\w+|receive) \(|"
    r"(?:assert .* == |of \d+ arrived).*is alive|"
    r"has read what the client sent.*is alive.*in tcp_accept \(",
    "M8": r"descriptors are open|(?s:ended with exit status [1-9].*Too many open files)|"
    r"out of descriptors: .*with nothing to do|(?s:out of descriptors.*ended with exit status)",
    "M9": r"with nothing to do|again and again|all threads wait: nobody asks",
    "M10": r"(?s)(?:nothing came|every byte|each byte|still waits|was cut|gone after).*is alive",
}


def looks_like(names: tuple[str, ...], said: str, stories: list[str]) -> list[str]:
    """What a failure looks like, of these mistakes: a line for each that the evidence fits."""
    told = [line[1:] for line in said.splitlines() if line.startswith("E ")]
    seen = "\n".join([*told, *stories])
    fitting = [name for name in names if re.search(EVIDENCE[name], seen)]
    return [f"{name} {MISTAKES[name]}. Read {CHAPTERS[name]}" for name in fitting]
