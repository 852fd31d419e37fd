"""The demo in terminals of all kinds: a pseudo-terminal of a given size, or none at all."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from bench.measure.processes import OWN_GROUP
from tests.helpers.setting import BUILD, GUARD_S, ROOT, linux_only, until

ESCAPE = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[\d;]*m")
SHOW_CURSOR, HIDE_CURSOR, CLEAR_ALL = "\x1b[?25h", "\x1b[?25l", "\x1b[H\x1b[2J"
pytestmark = linux_only  # looks at processes
DEMO = [sys.executable, str(ROOT / "bench" / "demo.py"), f"--build={BUILD}"]


class Terminal:
    """A demo on a pseudo-terminal."""

    def __init__(self, columns: int, rows: int, *flags: str, **environment: str):
        self.ours, theirs = pty.openpty()
        self.resize(columns, rows)
        self.text = ""
        kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.demo = subprocess.Popen(
            [*DEMO, *flags],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            env={**kept, "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment},
            **OWN_GROUP,
        )
        os.close(theirs)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(
            self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0)
        )

    def read(self) -> bool:
        """Take in what it draws; False at the end."""
        with contextlib.suppress(OSError):  # EIO: nobody has the other side any more
            if not select.select([self.ours], [], [], 0.05)[0]:
                return True
            data = os.read(self.ours, 65536)
            self.text += data.decode(errors="replace").replace("\r\n", "\n")
            return bool(data)
        return False

    def until_drawn(self, what: str) -> None:
        end = time.monotonic() + GUARD_S
        while what not in self.text:
            assert (
                self.read() and time.monotonic() < end
            ), f"no {what!r} in {self.text!r}"

    def ended(self) -> int:
        """Read to the end. Returns the exit status."""
        while self.read():
            pass
        return self.demo.wait(GUARD_S)

    def is_stopped(self) -> bool:
        self.read()
        with open(f"/proc/{self.demo.pid}/stat") as stat:
            return stat.read().rpartition(") ")[2][0] == "T"

    def close(self) -> None:
        self.demo.kill()
        self.demo.wait()
        self.demo.stderr.close()
        os.close(self.ours)


@pytest.fixture
def terminal():
    """Makes terminals, and ends what runs on them."""
    made = []

    def make(*arguments: object, **environment: str) -> Terminal:
        made.append(Terminal(*arguments, **environment))
        return made[-1]

    yield make
    for each in made:
        each.close()


def highest_frame(text: str) -> int:
    return max(int(up) for up in re.findall(r"\x1b\[(\d+)A", text))


def longest_line(text: str) -> int:
    return max(
        len(line) for line in ESCAPE.sub("", text).replace("\r", "\n").split("\n")
    )


@pytest.mark.parametrize("columns, rows", [(80, 24), (60, 12), (80, 40), (200, 60)])
def test_a_frame_fits_the_terminal(terminal, columns, rows):
    shown = terminal(columns, rows, "--work=20")
    assert shown.ended() == 0, shown.text
    assert highest_frame(shown.text) < rows, "frames roll into the scrollback"
    assert longest_line(shown.text) <= columns
    is_compact = "✓ done" in shown.text
    assert is_compact == (rows < 30), "what there is is used"
    assert shown.text.count(SHOW_CURSOR) == shown.text.count(HIDE_CURSOR) == 1


def test_a_resize_is_followed(terminal):
    shown = terminal(80, 24, "--work=100")
    shown.until_drawn("✓ done")
    assert CLEAR_ALL not in shown.text
    shown.resize(200, 60)
    shown.until_drawn(CLEAR_ALL)
    shown.until_drawn("┆ predicted to be done")
    assert shown.ended() == 0


def test_no_color_is_honoured(terminal):
    assert COLOUR.search(_text(terminal(80, 24, "--work=20")))
    assert not COLOUR.search(_text(terminal(80, 24, "--work=20", NO_COLOR="1")))


def _text(shown: Terminal) -> str:
    assert shown.ended() == 0, shown.text
    return shown.text


def test_a_dumb_terminal_gets_lines(terminal):
    text = _text(terminal(80, 24, "--work=20", TERM="dumb"))
    assert "\x1b" not in text and "20/20" in text


@pytest.mark.parametrize("locale", ["POSIX", "C.UTF-8"])
def test_a_pipe_gets_lines_in_any_locale(locale):
    done = subprocess.run(
        [*DEMO, "--work=20", "--customers=3"],
        capture_output=True,
        timeout=GUARD_S,
        env={
            **os.environ,
            "LC_ALL": locale,
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
        },
    )
    assert done.returncode == 0 and done.stderr == b""
    assert b"\x1b" not in done.stdout and b"3/3" in done.stdout
    assert ("█".encode() in done.stdout) == (locale == "C.UTF-8")


def test_ctrl_z_gives_the_cursor_back_and_fg_goes_on(terminal):
    shown = terminal(80, 24, "--work=100")
    shown.until_drawn("✓ done")
    shown.demo.send_signal(signal.SIGTSTP)
    until(shown.is_stopped, "the demo has stopped")
    assert shown.text.rstrip().endswith(SHOW_CURSOR)
    before = len(shown.text)
    shown.demo.send_signal(signal.SIGCONT)
    assert shown.ended() == 0
    assert HIDE_CURSOR in shown.text[before:]
    assert "You stopped the demo for" in shown.text.replace("\n", " ")
    assert shown.text.count(SHOW_CURSOR) == 2


def test_ctrl_c_ends_it_in_one_line(terminal):
    shown = terminal(80, 24, "--work=500")
    shown.until_drawn("✓ done")
    shown.demo.send_signal(signal.SIGINT)
    assert shown.ended() == 130
    assert shown.demo.stderr.read() == b"demo: interrupted\n"
    assert shown.text.rstrip().endswith(SHOW_CURSOR)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_no_server_outlives_it(terminal, number):
    shown = terminal(80, 24, "--work=500")
    shown.until_drawn("✓ done")
    servers = children_of(shown.demo.pid)
    assert len(servers) >= 4
    shown.demo.send_signal(number)
    shown.ended()
    until(lambda: not any(map(is_running, servers)), "all servers have ended")
    assert shown.text.rstrip().endswith(SHOW_CURSOR), "the cursor stays hidden"


def children_of(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
