"""No server outlives the bench, not even if the bench is killed and can end nothing itself.

A small shell reads from a pipe which programs run. When the bench is gone, in whatever way, the
pipe ends, and the shell kills those that are left. A cursor that was hidden it shows again.
"""

import os
import subprocess
import sys

WATCH = """
running= cursor=
while read -r sign group; do
    case $sign in
    +) running="$running $group" ;;
    cursor) cursor=$group ;;
    *)  others=
        for each in $running; do
            [ "$each" = "$group" ] || others="$others $each"
        done
        running=$others ;;
    esac
done
for group in $running; do kill -s KILL -- "-$group"; done 2>/dev/null
[ "$cursor" != hidden ] || printf '\\033[?25h'
"""


class Guardian:
    """The shell and the pipe to it; begun when the first program starts."""

    def __init__(self) -> None:
        self.pipe = -1

    def begin(self) -> None:
        """Start the shell, out of reach of the terminal's Ctrl-C."""
        read_end, self.pipe = os.pipe()
        self.child = subprocess.Popen(
            ["/bin/sh", "-c", WATCH],
            stdin=read_end,
            stdout=None if sys.stdout.isatty() else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read_end)

    def tell(self, sign: str, group: int | str) -> None:
        """A process group runs from now on (+), or has ended (-); the cursor is hidden, or shown."""
        if self.pipe == -1:
            self.begin()
        os.write(self.pipe, f"{sign} {group}\n".encode())


GUARDIAN = Guardian()
