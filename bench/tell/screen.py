"""The terminal that a demo draws on: its size, its colours, its letters, and Ctrl-Z."""

import contextlib
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator

from bench.measure.guardian import GUARDIAN

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
CLEAR_LINE, CLEAR_BELOW, CLEAR_ALL = "\x1b[K", "\x1b[J", "\x1b[H\x1b[2J"
COLOUR = re.compile(r"\x1b\[[\d;]*m")
# For a terminal that has no other letters than those of ASCII.
ASCII = str.maketrans({"·": ".", "█": "#", "┆": "|", "×": "x", "✓": "v"})


def is_live() -> bool:
    """Can frames be drawn over each other?"""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def has_colours() -> bool:
    """Not where somebody has asked for none: https://no-color.org."""
    return is_live() and not os.environ.get("NO_COLOR")


def printable(text: str) -> str:
    """The text in the letters that standard output has."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
        return text
    except UnicodeEncodeError:
        return text.translate(ASCII).encode("ascii", "replace").decode()


def shorten(line: str, columns: int) -> str:
    """The line, with its colours, in so many columns at most."""
    kept, room = "", columns
    for part in re.split(f"({COLOUR.pattern})", line):
        if not COLOUR.fullmatch(part):
            part = part[:room]
            room -= len(part)
        kept += part
    return kept


class Screen:
    """A terminal on which each frame is drawn over the one before."""

    def __init__(self) -> None:
        self.height = 0
        self.size = self.look()
        self.stopped_s = 0.0  # how long Ctrl-Z has held us

    @staticmethod
    def look() -> tuple[int, int]:
        """Its columns and rows now."""
        return tuple(shutil.get_terminal_size())

    def draw(self, lines: list[str]) -> None:
        """Draw a frame; it is cut to what the terminal has."""
        columns, rows = self.look()
        start = f"\x1b[{self.height}A\r" if self.height else ""
        if (columns, rows) != self.size:  # what was drawn is in disorder
            self.size, start = (columns, rows), CLEAR_ALL
        lines = [shorten(line, columns - 1) for line in lines[: rows - 1]]
        if not has_colours():
            lines = [COLOUR.sub("", line) for line in lines]
        text = "".join(f"{line}{CLEAR_LINE}\n" for line in lines)
        sys.stdout.write(printable(start + text + CLEAR_BELOW))
        sys.stdout.flush()
        self.height = len(lines)

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Without a cursor until the block ends, and with one while Ctrl-Z stops us."""
        before = signal.signal(signal.SIGTSTP, self.pause)
        self.say(HIDE_CURSOR)
        try:
            yield
        finally:
            self.say(SHOW_CURSOR)
            signal.signal(signal.SIGTSTP, before)

    def pause(self, number: int, _: object) -> None:
        """Stop as the shell expects it, and go on below what the shell has written."""
        self.say(SHOW_CURSOR)
        began = time.monotonic()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # here we stop; `fg` lets us go on
        signal.signal(number, self.pause)
        self.stopped_s += time.monotonic() - began
        self.height = 0
        self.say(HIDE_CURSOR)

    @staticmethod
    def say(control: str) -> None:
        GUARDIAN.tell("cursor", "hidden" if control == HIDE_CURSOR else "shown")
        sys.stdout.write(control)
        sys.stdout.flush()
