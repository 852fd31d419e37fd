"""The ten mistakes that people make most, and what a failure must show to look like one.

A test names those that it would notice, `@pytest.mark.mistake("M5")`; a failure that shows the
evidence says so, any other failure says nothing of them.
"""

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

# Regular expressions for what a failure says, the stories of its servers included.
EVIDENCE = {
    "M1": r"Address already in use",
    "M2": r"has not ended|listening on",
    "M3": r"token",
    "M4": r"barrier \d+ of \d+|stacks|in pthread_join",
    "M5": r"was killed by SIGPIPE",
    "M6": r"ended with exit status [1-9]|was killed by SIGABRT",
    "M7": r"(?s).",
    "M8": r"descriptors are open|ended with exit status|out of descriptors|Too many open",
    "M9": r"with nothing to do|uses no CPU|still not so|again and again",
    "M10": r"nothing came|every byte|each byte|still waits|was cut|gone after",
}
