"""What mistakes are called, and the chapter that each belongs to."""

TUTORIAL = {
    "0": "docs/0-tcp-server.md",
    "1": "docs/1-sequential.md",
    "2": "docs/2-thread-per-client.md",
    "3": "docs/3-thread-pool.md",
    "4": "docs/4-timeouts-backlog.md",
    "A": "docs/a-sockets.md",
    "B": "docs/b-clean-up.md",
    "2b": "docs/2b-threads.md",
    "2d": "docs/2d-locks.md",
    "3b": "docs/3b-wake-ups.md",
    "4b": "docs/4b-backlog.md",
    "4c": "docs/4c-web.md",
    "4d": "docs/4d-files.md",
}

NAMES = {
    "addr-in-use": ("A", "SO_REUSEADDR is missing or comes too late"),
    "unchecked-bind": ("0", "the result of bind or listen is ignored"),
    "fd-by-reference": ("2", "a thread got the address of a variable that changes"),
    "join-or-detach": (
        "2",
        "threads are never freed, or waited for in the wrong place",
    ),
    "sigpipe": ("A", "a write to a client that has gone ends the process"),
    "die-on-client-error": ("2", "exit where only one client, or one call, had failed"),
    "one-recv-one-message": (
        "1",
        "a recv is taken for a message, or a send for all of it",
    ),
    "fd-leak": ("1", "a socket stays open on some path"),
    "if-or-spin": (
        "3",
        "if instead of while around a wait, or a loop that never blocks",
    ),
    "starved-pool": ("4", "no deadline, or one that every byte moves"),
    "no-limit": ("2b", "nothing bounds how many there are"),
    "lost-wakeup": ("3", "too few are woken, or nobody: a thread sleeps for ever"),
    "off-by-one": ("1", "one too many, or one too few"),
    "not-full-yet": ("3", "called full although there is a place"),
    "reset-not-end": ("3", "closed with unread input: the client reads a reset"),
    "stop-too-late": ("B", "a stop is not heard, or something goes on after it"),
    "stop-too-early": ("B", "a stop cuts off what is in service"),
    "wrong-setting": ("4b", "a flag is read and not used, or not looked at"),
    "check-then-act": ("2d", "looked first, acted later, and the world had changed"),
    "lock-held-waiting": ("2d", "a lock is held while a client is waited for"),
    "checked-too-early": ("4c", "checked before decoding or resolving, not after"),
    "half-a-result": ("4d", "what is not complete is kept, or left behind"),
}
