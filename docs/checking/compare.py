"""Is what a command printed what the tutorial shows? What varies is allowed for.

- A line `...` stands for any number of lines.
- A duration, as 12.3 ms or 2.01 s, may be half or twice the shown one, and a bit more:
  machines differ and are busy. What matters, as 0.1 s or 2 s, is still told apart.
- A bar, as |....####, may be any bar.
- What matches a `varies:` pattern of the note may be anything that matches it too.
- What the shell says of a command in the background, as [1] 5310, [1]+ Done and [1]+ Killed,
  is left out: it comes when it likes.
- Runs of spaces are equal, for columns move with the width of what varies.
"""

import difflib
import re

DURATION = r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>ms|us|s)\b"
BAR = r"\|[.#]+$"
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
SLACK_LOW_S, SLACK_HIGH_S = 0.02, 0.4
GAP = "..."
WAITS = re.compile(r"waiting for (?:\d+ of \d+ customers \(|an answer from )")
JOB = re.compile(r"^\[\d+\](?: \d+$|[-+ ] +(?:Done|Exit \d+|Terminated|Killed)\b)")

Token = tuple[str, object]


def tokens(line: str, varies: list[str]) -> list[Token]:
    """A line as literal text and the kinds of things that vary in it."""
    kinds = [f"(?P<any{i}>{pattern})" for i, pattern in enumerate(varies)]
    kinds += [f"(?P<duration>{DURATION})", f"(?P<bar>{BAR})"]
    found: list[Token] = []
    end = 0
    for match in re.finditer("|".join(kinds), line):
        if match.end() == match.start():
            continue
        found.append(literal(line[end : match.start()]))
        end = match.end()
        if match["duration"]:
            found.append(("duration", float(match["number"]) * UNITS[match["unit"]]))
        else:
            found.append((match.lastgroup or "any", None))
    found.append(literal(line[end:]))
    return found


def literal(text: str) -> Token:
    """Text that must be so, but for the number of spaces."""
    return ("text", re.sub(r"\s+", " ", text))


def is_same_token(shown: Token, real: Token) -> bool:
    """Are these alike enough?"""
    if shown[0] != real[0]:
        return False
    if shown[0] != "duration":
        return shown[1] == real[1]
    low = 0.5 * shown[1] - SLACK_LOW_S
    return low <= real[1] <= 2 * shown[1] + SLACK_HIGH_S


def is_same_line(shown: str, real: str, varies: list[str]) -> bool:
    """Is this line what was shown, but for what may vary?"""
    left, right = tokens(shown.strip(), varies), tokens(real.strip(), varies)
    return len(left) == len(right) and all(map(is_same_token, left, right))


def is_same(shown: list[str], real: list[str], varies: list[str]) -> bool:
    """Are all lines what was shown?"""
    return match_lines(without_jobs(shown), without_jobs(real), varies)


def without_jobs(lines: list[str]) -> list[str]:
    """The lines without what comes or not by the pace of the machine: the shell's notices of
    what ended in the background, and that a client waits for more than a second."""
    return [line for line in lines if not (JOB.match(line) or WAITS.match(line))]


def match_lines(shown: list[str], real: list[str], varies: list[str]) -> bool:
    """The same, line for line, with gaps."""
    if not shown:
        return not real
    if shown[0].strip() == GAP:
        return any(
            match_lines(shown[1:], real[skipped:], varies)
            for skipped in range(len(real) + 1)
        )
    return (
        bool(real)
        and is_same_line(shown[0], real[0], varies)
        and match_lines(shown[1:], real[1:], varies)
    )


def difference(shown: list[str], real: list[str]) -> str:
    """What is shown (-) and what is so (+), for people."""
    lines = difflib.unified_diff(shown, real, "shown", "real", lineterm="", n=2)
    return "\n".join(f"    {line}" for line in lines)
