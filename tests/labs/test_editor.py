"""The client at a terminal: editing what is typed, with each editor that it may be built with."""

import contextlib
import os
import pty
import subprocess
import termios

import pytest

from tests.helpers.labs import find_labs
from tests.helpers.rooms import lines_up_to, room
from tests.helpers.setting import BUILD, GUARD_S, ROOT, SANITIZERS, until

LAB = find_labs()[-1]
CC = os.environ.get("CC", "cc").split()
BUILDS = {
    "libedit": ["-DWITH_LIBEDIT", "-ledit"],
    "readline": ["-DWITH_READLINE", "-lreadline"],
    "none": [],
}
EDITORS = ["libedit", "readline"]
LEFT, UP, CTRL_C, CTRL_D = b"\x1b[D", b"\x1b[A", b"\x03", b"\x04"


@pytest.fixture(scope="module")
def client(request, tmp_path_factory):
    """The client, built with one of the editors or none."""
    built = tmp_path_factory.mktemp("edited") / "client"
    flags = [f"-fsanitize={SANITIZERS}"] if SANITIZERS else []
    done = subprocess.run(
        [*CC, "-std=c17", "-pthread", "-D_DEFAULT_SOURCE", *flags]
        + ["-iquote", "common", "-iquote", ".", "-o", str(built)]
        + ["lab1-sequential/client.c", "common/editor.c", str(BUILD / "helpers.a")]
        + BUILDS[request.param],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if "No such file" in done.stderr and BUILDS[request.param]:
        pytest.skip(f"{request.param} is not installed")
    assert (done.returncode, done.stderr) == (0, "")
    return built


any_build = pytest.mark.parametrize("client", BUILDS, indirect=True)
any_editor = pytest.mark.parametrize("client", EDITORS, indirect=True)


class Terminal:
    """A terminal with the client at it, and the person before it."""

    def __init__(self, client, port, kind="xterm"):
        self.keyboard, self.line = pty.openpty()
        os.set_blocking(self.keyboard, False)
        self.settings = termios.tcgetattr(self.line)
        self.shown = b""
        self.process = subprocess.Popen(
            [client, f"--port={port}"],
            stdin=self.line,
            stdout=self.line,
            stderr=self.line,
            start_new_session=True,
            env={**os.environ, "TERM": kind},
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
        )

    def type(self, keys):
        os.write(self.keyboard, keys)

    def look(self):
        with contextlib.suppress(OSError):  # nothing new
            self.shown += os.read(self.keyboard, 65536)
        return self.shown

    def until_shown(self, words):
        """Wait for the words; from now on what follows them counts."""
        until(lambda: words in self.look(), f"it shows {words!r}: {self.shown!r}")
        self.shown = self.shown.partition(words)[2]

    def is_as_found(self):
        return termios.tcgetattr(self.line) == self.settings

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.keyboard)
        os.close(self.line)


@contextlib.contextmanager
def at_terminal(client, talk, kind="xterm"):
    serving = room(LAB) if talk == "chat" else LAB.serve(talk)
    with serving as server, Terminal(client, server.port, kind) as terminal:
        terminal.until_shown(b"Ctrl-D ends")
        yield terminal, server


@any_editor
def test_a_line_is_edited_and_can_be_called_back(client):
    with at_terminal(client, "desk") as (terminal, _):
        terminal.type(b"echo tw" + LEFT + b"\x7fo" + LEFT + b"t\x1b[C\x1b[Cx\n")
        terminal.until_shown(b"ok echo towx\r\n")
        terminal.type(b"echo next\n")
        terminal.until_shown(b"ok echo next\r\n")
        terminal.type(UP + UP + b"y\n")
        terminal.until_shown(b"ok echo towxy\r\n")


@contextlib.contextmanager
def in_the_middle_of_a_line(client, kind="xterm"):
    """Half a line is typed in the chat, and then another member says news."""
    with at_terminal(client, "chat", kind) as (terminal, server):
        terminal.until_shown(b"guest1")
        other = server.connect()
        terminal.until_shown(b"guest2")
        terminal.type(b"half a ")
        terminal.until_shown(b"half a ")
        other.send(b"news\n")
        terminal.until_shown(b"guest2: news\r\n")
        yield terminal, other


@any_build
@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_what_others_say_is_shown_at_once_and_what_is_typed_is_kept(client, kind):
    with in_the_middle_of_a_line(client, kind) as (terminal, other):
        terminal.type(b"line\n")
        lines_up_to(other, b"guest1: half a line\n")


@any_editor
def test_what_is_typed_is_shown_again_below_what_others_say(client):
    with in_the_middle_of_a_line(client) as (terminal, _):
        terminal.until_shown(b"half a ")


@any_build
@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["ctrl-c", "ctrl-d"])
def test_the_terminal_is_left_as_it_was_found(client, key):
    with at_terminal(client, "desk") as (terminal, _):
        terminal.type(b"echo one\n")
        terminal.until_shown(b"ok echo one\r\n")
        terminal.type(key)
        terminal.process.wait(GUARD_S)
        assert terminal.is_as_found()


@any_build
def test_many_lines_may_be_pasted(client):
    with at_terminal(client, "desk") as (terminal, _):
        lines = [b"echo line %d" % number for number in range(30)]
        terminal.type(b"".join(line + b"\n" for line in lines))
        for line in lines:
            terminal.until_shown(b"ok " + line + b"\r\n")
