"""Why a test may be skipped in CI: for the system or the build, never for want of a tool.

With STRICT=1, which .ci/run sets, any other skip fails the run.
"""

import re

ALLOWED = [
    r"only Linux has",  # macOS
    r"sanitizers",  # what they change: memory, start-up time, guards of their own
    r"no ELF files",  # macOS
    r"another user may not enter",  # a checkout in a home of mode 750
    r"loopback only",  # a machine without a network
]


def forbidden(reason: str) -> bool:
    """May no test be skipped for this reason?"""
    return not any(re.search(one, reason) for one in ALLOWED)
