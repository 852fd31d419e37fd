"""Whether a server that has nothing to do does nothing: judged by its share of the time."""

import contextlib
import time
from collections.abc import Iterator

from tests.helpers.servers import Server

IDLE_MS = 250  # how long one should look
MAX_IDLE_SHARE = 0.2  # a loop that never waits uses all the time that it gets


@contextlib.contextmanager
def assert_idle(server: Server, why: str) -> Iterator[None]:
    """In the block, which takes a while, the server uses next to no CPU."""
    began, before = time.monotonic(), server.cpu_s()
    yield
    used, passed = server.cpu_s() - before, time.monotonic() - began
    assert used <= MAX_IDLE_SHARE * passed, (
        f"{why}: {1000 * used:.0f} ms of CPU in {1000 * passed:.0f} ms with nothing to do. "
        "Somewhere a loop asks again and again instead of waiting."
    )


def pass_time(lab, ms: float) -> None:
    """Let time pass: that in which a server of its own is asked to sleep."""
    with lab.serve("desk") as clock:
        assert clock.greeted().ask(b"sleep %d" % ms) == b"ok sleep %d\n" % ms
