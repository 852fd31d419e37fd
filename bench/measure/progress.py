"""Where the bench is and how long it will take, for whoever waits for it."""

import shutil
import sys
import time


class Progress:
    """One line on standard error: rewritten on a terminal, now and then elsewhere."""

    def __init__(self, expected_s: float) -> None:
        self.expected_s = expected_s
        self.passed_s = 0.0
        self.begun = time.monotonic()
        self.group = ""
        self.is_terminal = sys.stderr.isatty()

    def show(self, group: str, step: str) -> None:
        """Say what is going on now; off a terminal, only when the group changes."""
        if self.is_terminal:
            self._rewrite(f"{group}, {step}, {self.time_left()}")
        elif group != self.group:
            print(f"{group}, {self.time_left()}", file=sys.stderr, flush=True)
        self.group = group

    def passed(self, expected_s: float) -> None:
        """A step that was expected to take so long is over."""
        self.passed_s += expected_s

    def time_left(self) -> str:
        """The rest of the plan, at the pace so far."""
        elapsed = time.monotonic() - self.begun
        pace = elapsed / self.passed_s if self.passed_s > 1 else 1
        return f"{max(0, self.expected_s - self.passed_s) * pace:.0f} s left"

    def clear(self) -> None:
        """Leave the line to others."""
        if self.is_terminal:
            self._rewrite("")

    def _rewrite(self, line: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[K{line[:width]}")
        sys.stderr.flush()
