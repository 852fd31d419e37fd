"""Terminals in which the commands of a chapter are typed, as a reader types them.

A block ```console is what a terminal shows: `$ ` before a command, then its output.
A line *Terminal 2* above it changes to another window, open at the same time, up to the
next such line. A command may still run when its block ends; the next block of that
terminal goes on where it was. A line that begins with ^C, ^D or ^Z is that key. What else
is typed stands in the note, as `typed:`. What it needs stands there as `needs:` (linux, root,
or a command); elsewhere the block is skipped, but not for want of a command under STRICT.
"""

import contextlib
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import fcntl
import termios
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from checking import typed
from checking.compare import GAP, difference, is_same, without_jobs
from checking.pages import Block, Lie, Page

PROMPT = re.compile("\x02(\\d+)\x03")
BOLD = re.compile("\x1b\\[[0-9;]*m")  # and colours: how it is shown, not what
SHELL = ["bash", "--noprofile", "--norc", "--noediting", "-i"]
ROWS, COLUMNS = 40, 80
PATIENCE_S = 60.0
STOPPED = 148  # what bash says of a program that ^Z has stopped
BACKGROUND_S = 3.0  # for words from the background, after the prompt
SETTLE_S = 0.15  # what comes within this belongs to the block
PACE_S = [0.0]  # how long the reader takes for a line (docs/check.py --pace)
KEPT: list[Path] = []  # a folder for what each terminal showed (docs/check.py --keep)
KEYS = {"^C": "\x03", "^D": "\x04", "^Z": "\x1a"}
FIRST_PORT, PORTS = 9000, 4
PROGRAM = re.compile(r"(?<!-o )(?:\./)?build/[\w-]+/(?:server|client|stress|load)\b")


PORT_LOCK = threading.Lock()
ports_taken: set[int] = set()


def find_ports() -> dict[str, str]:
    """9000 and its neighbours, each with a free port of four digits in its place."""
    with PORT_LOCK:
        return choose_ports()


def choose_ports() -> dict[str, str]:
    """Ports that are free and that no other page of this check has."""
    lowest, highest = 6100, 8900
    start = lowest + os.getpid() * PORTS % (highest - lowest)
    for first in [*range(start, highest, PORTS), *range(lowest, start, PORTS)]:
        wanted = range(first, first + PORTS)
        if all(port not in ports_taken and is_free(port) for port in wanted):
            ports_taken.update(wanted)
            return {str(FIRST_PORT + i): str(port) for i, port in enumerate(wanted)}
    raise Lie("no free ports to run the commands with")


def is_free(port: int) -> bool:
    """Can a server listen there, and does no connection rest in TIME_WAIT there?"""
    with socket.socket() as attempt:
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def with_ports(command: str, ports: dict[str, str]) -> str:
    """The command on the ports that are free now instead of 9000."""
    if "--port" not in command:
        command = PROGRAM.sub(rf"\g<0> --port={FIRST_PORT}", command)
    return replace_words(command, ports)


def replace_words(text: str, words: dict[str, str]) -> str:
    """Each word by another, all at once."""
    return re.sub(
        r"(?<![\w.])(" + "|".join(words) + r")(?!\w|\.\d)",
        lambda match: words[match[1]],
        text,
    )


@dataclass
class Turn:
    """Something typed (or nothing, at first), and what the terminal then shows."""

    typed: str = ""
    is_command: bool = False
    shown: list[str] = field(default_factory=list)


def turns(block: Block) -> list[Turn]:
    """A block as turns."""
    found = [Turn()]
    still_typed = list(block.note.get("typed", []))
    for line in block.lines:
        if line.startswith("$ "):
            found.append(Turn(line[2:], is_command=True))
        elif line[:2] in KEYS:
            echo = [line] if line != "^D" else []
            if line[2:] == GAP:  # ^C...: what is said then does not matter
                echo = [GAP]
            found.append(Turn(KEYS[line[:2]], shown=echo))
        elif still_typed and line == still_typed[0]:
            found.append(Turn(still_typed.pop(0) + "\n", shown=[line]))
        else:
            found[-1].shown.append(line)
    if still_typed:
        raise Lie(f"{block.where}: typed, but not shown: {still_typed[0]!r}")
    return found if found[0].shown else found[1:]


class Terminal:
    """A window with a shell in it."""

    def __init__(
        self, folder: Path, ports: dict[str, str], page: str = "", name: str = ""
    ) -> None:
        self.ports = ports
        self.page, self.name = page.replace("/", "-"), name
        self.output = ""
        self.is_at_prompt = False
        self.is_port_added = False
        self.status = 0
        self.child, self.master = pty.fork()
        if self.child == 0:
            os.chdir(folder)
            os.environ.update(
                PS1="\x02$?\x03", PS2="", TERM="dumb", LC_ALL="C.UTF-8", HISTFILE=""
            )
            # Python ignores the first; a script's `&` the others, and ^C would do nothing.
            for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)
            os.environ.pop("MAKEFLAGS", None)
            os.environ.pop("MAKELEVEL", None)
            os.closerange(3, 256)  # what the check itself has open
            os.execvp(SHELL[0], SHELL)
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
        self.read_until(lambda: self.is_at_prompt, PATIENCE_S)
        self.output = ""

    def read(self, timeout_s: float) -> bool:
        """Take what has come; False if nothing did."""
        if not select.select([self.master], [], [], timeout_s)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # Linux says so when the shell has ended
            data = b""
        if not data:
            return False
        self.output += data.decode(errors="replace").replace("\r", "")
        for match in PROMPT.finditer(self.output):
            self.is_at_prompt, self.status = True, int(match[1])
        self.output = BOLD.sub("", PROMPT.sub("", self.output))
        return True

    def read_until(self, is_enough, timeout_s: float) -> bool:
        """Read until it is enough; False if it is still not after so long."""
        end = time.monotonic() + timeout_s
        while not is_enough():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.read(min(left, 0.1))
        return True

    def think(self, seconds: float) -> None:
        """Read on while the reader looks for the next key."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(min(left, 0.1))

    def settle(self) -> None:
        """Take what still comes at once."""
        end = time.monotonic() + SETTLE_S
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def lines(self) -> list[str]:
        """What was shown and not yet compared, with the reader's ports."""
        back = {new: old for old, new in self.ports.items()}
        text = replace_words(self.output, back)
        if self.is_port_added:
            text = text.replace(f" --port={FIRST_PORT}", "")
        lines = text.split("\n")
        return lines[:-1] if lines[-1] == "" else lines

    def play(self, block: Block) -> None:
        """Type what the block types, and compare what comes."""
        allowed = {0, STOPPED, *map(int, block.note.get("status", []))}
        all_turns = turns(block)
        for turn, following in zip(all_turns, [*all_turns[1:], None]):
            self.type(turn, block)
            self.compare(turn, following, block)
            if self.is_at_prompt and self.status not in allowed:
                raise Lie(
                    f"{block.where}: `{turn.typed.strip()}` ended with status {self.status}"
                )

    def type(self, turn: Turn, block: Block) -> None:
        """Type a command, a line or a key."""
        if turn.typed:
            self.think(PACE_S[0])
        if not turn.is_command:
            if turn.typed:
                os.write(self.master, turn.typed.encode())
            return
        if not self.read_until(lambda: self.is_at_prompt, PATIENCE_S):
            raise Lie(
                f"{block.where}: `{turn.typed}` cannot be typed: what ran before still runs"
            )
        self.expect_nothing(block.where)
        command = with_ports(turn.typed, self.ports)
        if "--port" in command:  # else, as after fg, it may show an earlier command
            self.is_port_added = "--port" not in turn.typed
        self.is_at_prompt, self.status, self.output = False, 0, ""
        os.write(self.master, command.encode() + b"\n")
        self.read_until(lambda: "\n" in self.output, PATIENCE_S)
        self.output = self.output.partition("\n")[2]  # the echo of the command

    def compare(self, turn: Turn, following: Turn | None, block: Block) -> None:
        """Wait until what is shown has come, and see that nothing else does."""
        varies = block.note.get("varies", [])

        def is_as_shown() -> bool:
            return is_same(turn.shown, self.lines(), varies)

        is_open = turn.is_command and turn.shown[-1:] == [GAP]  # a build, perhaps
        if is_open:
            self.read_until(lambda: self.is_at_prompt, 3 * PATIENCE_S)
        if following is not None and following.is_command:
            self.read_until(lambda: self.is_at_prompt, PATIENCE_S)
            self.read_until(is_as_shown, BACKGROUND_S)
        else:
            says_something = bool(without_jobs(turn.shown))
            self.read_until(
                lambda: self.is_at_prompt or (says_something and is_as_shown()),
                PATIENCE_S if says_something or turn.is_command else 0,
            )
            if following is None:
                self.settle()
        if not is_as_shown():
            raise Lie(
                f"{block.where}: not what is shown:\n"
                + difference(turn.shown, self.lines())
            )
        self.keep(turn)
        self.output = ""

    def keep(self, turn: Turn) -> None:
        """Write down what was typed and shown, if somebody wants to have it."""
        for folder in KEPT:
            prompt = "$ " if turn.is_command else ""
            typed_line = f"{prompt}{turn.typed.strip()}" if turn.typed else "(later)"
            with (folder / f"{self.page}.txt").open("a") as file:
                print(
                    f"--- {self.name}: {typed_line}", *self.lines(), sep="\n", file=file
                )

    def expect_nothing(self, where: str) -> None:
        """Nothing may have been said that no block shows."""
        self.read(0)
        if without_jobs(self.lines()):
            raise Lie(
                f"{where}: the terminal showed more before:\n"
                + difference([], self.lines())
            )

    def close(self) -> None:
        """End what still runs here, by its number, then the shell."""
        for group in self.groups():
            if group > 1:
                try:
                    os.killpg(group, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
        os.close(self.master)
        os.waitpid(self.child, 0)

    def groups(self) -> set[int]:
        """All process groups that began here; a job in the background has its own."""
        found = {self.foreground(), self.child}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has just ended
                fields = stat.read_text().rpartition(")")[2].split()
                group, session = int(fields[2]), int(fields[3])
                found |= {group} if session == self.child else set()
        return found

    def foreground(self) -> int:
        """The process group that has the terminal."""
        try:
            return os.tcgetpgrp(self.master)
        except OSError:
            return -1


def is_skipped(block: Block) -> bool:
    """Does the block need something that this system has not: Linux, or a command?

    Under STRICT every tool was installed before, so there a missing one is a lie.
    """
    missing = [need for need in block.note.get("needs", []) if not has(need)]
    tools = [need for need in missing if need not in ("linux", "root")]
    if tools and missing == tools and os.environ.get("STRICT"):
        raise Lie(f"{block.where}: skipped, for here is no {tools[0]}")
    return bool(missing)


def has(need: str) -> bool:
    """Has this system what a block needs?"""
    if need == "linux":
        return Path("/proc/net/tcp").exists()
    if need == "root":
        return os.geteuid() == 0
    return shutil.which(need) is not None


def play(page: Page, folder: Path) -> None:
    """Run a page: all its console blocks, in order, each in its terminal."""
    ports = find_ports()
    terminals: dict[str, Terminal] = {}
    try:
        for block in page.blocks:
            if block.about == typed.TYPED:
                typed.put(block, folder)
            elif block.language == "console" and not is_skipped(block):
                name = block.terminal
                if name not in terminals:
                    terminals[name] = Terminal(folder, ports, page.name, name)
                terminals[name].play(block)
        for name, terminal in terminals.items():
            terminal.expect_nothing(f"{page.name}: {name}, at the end")
    finally:
        for terminal in terminals.values():
            terminal.close()
