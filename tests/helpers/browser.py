"""A real browser for the tests: Chromium without a window, driven over a pipe.

It speaks the Chrome DevTools Protocol: JSON, each message ended by a NUL
(https://chromedevtools.github.io/devtools-protocol/). Nothing needs to be installed but Chromium.
"""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

GUARD_S = 60  # a browser takes its time to start
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# The browser reads from descriptor 3 and writes to 4: this puts our pipes there.
LAUNCH = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for end, wanted in zip(ends, (3, 4)):
    os.dup2(end, wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


class BetweenPages(Exception):
    """The page that was asked is being replaced by another."""


class Page:
    """A page in the browser."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self.to_browser, self.from_browser = to_browser, from_browser
        self.unread = b""
        self.count = 0
        self.session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        self.call("Page.enable")

    def message(self) -> dict:
        """The next message of the browser."""
        while b"\0" not in self.unread:
            ready = select.select([self.from_browser], [], [], GUARD_S)[0]
            assert ready, f"the browser said nothing for {GUARD_S} s"
            data = os.read(self.from_browser, 65536)
            assert data, "the browser has ended"
            self.unread += data
        message, _, self.unread = self.unread.partition(b"\0")
        return json.loads(message)

    def call(self, method: str, **parameters: object) -> dict:
        """Call a method of the protocol; questions in between are answered with yes."""
        self.count += 1
        number = self.count
        words = {"id": number, "method": method, "params": parameters}
        if self.session:
            words["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(words).encode() + b"\0")
        while (message := self.message()).get("id") != number:
            if message.get("method") == "Page.javascriptDialogOpening":
                self.answer_dialog()
        if "navigated" in message.get("error", {}).get("message", ""):
            raise BetweenPages
        assert "error" not in message, f"{method}: {message['error']}"
        return message["result"]

    def answer_dialog(self) -> None:
        """Say yes, and do not wait: the answer to this may come after another's."""
        self.count += 1
        words = {"id": self.count, "method": "Page.handleJavaScriptDialog"}
        words |= {"params": {"accept": True}, "sessionId": self.session}
        os.write(self.to_browser, json.dumps(words).encode() + b"\0")

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def value(self, expression: str) -> object:
        """The value of an expression in JavaScript."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert (
            "exceptionDetails" not in done
        ), f"{expression}: {done['exceptionDetails']}"
        return done["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression is true, through any loading of pages."""
        end = time.monotonic() + GUARD_S
        while not self.is_so(expression):
            assert time.monotonic() < end, f"still not so: {expression}\n{self.text()}"

    def is_so(self, expression: str) -> bool:
        """Is an expression true now? Not on a page that is still to come."""
        try:
            ready = f"document.body !== null && ({expression})"
            return bool(self.value(ready))
        except BetweenPages:
            return False

    def text(self) -> str:
        """What a person can read on the page."""
        return str(self.value("document.body ? document.body.innerText : ''"))

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Choose files for an input, as a person does in the dialog."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call(
            "DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths]
        )

    def drop_files(self, selector: str, *paths: Path) -> None:
        """Drag files from elsewhere and drop them on the middle of an element."""
        box = f"document.querySelector({selector!r}).getBoundingClientRect()"
        x, y = (
            self.value(f"{box}.{at} + {box}.{size} / 2")
            for at, size in (("x", "width"), ("y", "height"))
        )
        data = {
            "items": [],
            "files": [str(path) for path in paths],
            "dragOperationsMask": 1,
        }
        for step in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=step, x=x, y=y, data=data)


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """A page in a browser of its own, for a `with` block."""
    read_in, to_browser = os.pipe()
    from_browser, write_out = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [*OPTIONS, f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                LAUNCH,
                str(read_in),
                str(write_out),
                CHROMIUM,
                *options,
            ],
            pass_fds=(read_in, write_out),
            stderr=subprocess.DEVNULL,
        )
        os.close(read_in)
        os.close(write_out)
        try:
            page = Page(to_browser, from_browser)
            yield page
            page.session = None
            page.call("Browser.close")
            process.wait(GUARD_S)
        finally:
            process.kill()
            process.wait()
            os.close(to_browser)
            os.close(from_browser)
