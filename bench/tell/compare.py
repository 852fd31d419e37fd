"""Compare two results: python -m bench.tell.compare A B; make compare A=results/... B=..."""

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.judge.estimates import interval
from bench.measure.processes import BenchError, warn
from bench.tell.document import faults_of
from bench.tell.summary import table
from bench.tell.units import words

SAME_SHARE = 0.03  # less is no difference that anybody would notice
# The range of a few runs is shorter than the interval in which more would lie: by so
# many times itself at either end, from Student's t and the mean range of a normal.
WIDER = {3: 1.0, 4: 0.3}
FEWEST = min(WIDER)
EXIT_SAME, EXIT_SLOWER, EXIT_USAGE = 0, 1, 2
SAME, UNCLEAR = "same", "cannot tell"


@dataclass(frozen=True)
class Comparison:
    """One finding in both results."""

    before: dict
    after: dict

    @property
    def ratio(self) -> float:
        """How many times as much as before."""
        before, after = self.before["median"], self.after["median"]
        if before is None or after is None:
            return math.nan
        return after / before if before else (1.0 if after == before else math.nan)

    @property
    def ends(self) -> tuple[float, float]:
        """Between what the ratio lies, if both intervals hold."""
        (low, high), (new_low, new_high) = map(spread, (self.before, self.after))
        if low <= 0:
            return -math.inf, math.inf
        return new_low / high, new_high / low

    @property
    def change(self) -> float:
        """By which share it is worse; below 0 it is better."""
        is_more_better = self.before["better"] == "more"
        return 1 / self.ratio - 1 if is_more_better else self.ratio - 1

    @property
    def verdict(self) -> str:
        """Same, faster or slower, or that nobody can tell."""
        if math.isnan(self.ratio):
            both_none = self.before["median"] is None and self.after["median"] is None
            return SAME if both_none else UNCLEAR
        if abs(self.ratio - 1) <= SAME_SHARE:
            return SAME
        low, high = self.ends
        if min(len(each["runs"]) for each in (self.before, self.after)) < FEWEST:
            return UNCLEAR
        if low <= 1 <= high:
            return UNCLEAR
        word = "slower by" if self.change > 0 else "faster by"
        return f"{word} {abs(self.change):.0%}"

    def cells(self) -> list[str]:
        """One row of the table."""
        unit = self.before["unit"]
        low, high = self.ends
        ends = f" [{low:.2f} to {high:.2f}]" if math.isfinite(low + high) else ""
        return [
            self.before["id"],
            number(self.before["median"], unit),
            number(self.after["median"], unit),
            f"{self.ratio:.3f}{ends}",
            self.verdict,
        ]


def number(value: float | None, unit: str) -> str:
    """A number, or that there is none."""
    return words(math.inf if value is None else value, unit)


def spread(finding: dict) -> tuple[float, float]:
    """From where to where a finding lies, wider than its runs where these are few."""
    runs = [math.inf if each is None else each for each in finding["runs"]]
    found = interval(runs)
    more = WIDER.get(len(runs), 0.0) * (found.high - found.low)
    return found.low - more, found.high + more


def read(folder: Path) -> dict:
    """The summary in a folder of results, if it is one."""
    file = folder / "summary.json" if folder.is_dir() else folder
    try:
        document = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise BenchError(f"cannot read {file}: {error}") from error
    if faults := faults_of(document):
        raise BenchError(f"{file} is no summary of schema 1: {faults[0]}")
    return document


def refusal(before: dict, after: dict) -> str:
    """Why two results cannot be compared; nothing if they can."""
    if before["size"] != after["size"]:
        return f"one is {before['size']}, the other {after['size']}: other durations"
    cores = [
        each["machine"].get("CPU", "").rpartition(", ")[2] for each in (before, after)
    ]
    if cores[0] != cores[1]:
        return f"one had {cores[0]}, the other {cores[1]}"
    if not pairs(before, after):
        return "they have no finding in common"
    return ""


def pairs(before: dict, after: dict) -> list[Comparison]:
    """The findings that both have, in the first one's order."""
    known = {each["id"]: each for each in after["findings"]}
    return [
        Comparison(each, known[each["id"]])
        for each in before["findings"]
        if each["id"] in known
    ]


def differences(before: dict, after: dict) -> Iterator[str]:
    """What the two machines differ in."""
    one, other = before["machine"], after["machine"]
    for name in dict.fromkeys([*one, *other]):
        if one.get(name) != other.get(name):
            yield f"  {name}: {one.get(name, 'nothing')} -> {other.get(name, 'nothing')}"


def compare(before: dict, after: dict) -> int:
    """Print the comparison; returns the exit status."""
    if why := refusal(before, after):
        raise BenchError(f"not comparable: {why}")
    print(
        f"A: {before['label'] or before['title']}\nB: {after['label'] or after['title']}"
    )
    print("\n".join(["", "The machines differ in:", *differences(before, after), ""]))
    found = pairs(before, after)
    rows = [["finding", "A", "B", "B / A", ""], *(each.cells() for each in found)]
    print("\n".join(table(rows)))
    slower = sum(each.verdict.startswith("slower") for each in found)
    faster = sum(each.verdict.startswith("faster") for each in found)
    alike = sum(each.verdict == SAME for each in found)
    unclear = len(found) - slower - faster - alike
    print(
        f"\n{len(found)} findings: {alike} same, {unclear} cannot tell,"
        f" {faster} faster, {slower} slower."
    )
    return EXIT_SLOWER if slower else EXIT_SAME


def main(arguments: list[str]) -> int:
    """0: same or cannot tell; 1: slower; 2: not comparable."""
    try:
        if len(arguments) != 2:
            raise BenchError("compare needs two folders of results: A=... B=...")
        return compare(*(read(Path(each)) for each in arguments))
    except BenchError as error:
        warn(str(error))
        return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
