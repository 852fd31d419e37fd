"""Writes the points into the sheets, docs/course/lab-N.md, from the stages themselves.

    python3 -m tests.course.sheets [--check]       --check: say whether they are as they should be
"""

import argparse
import sys
from pathlib import Path

from tests.course.trial import stages

ROOT = Path(__file__).resolve().parents[2]
HEAD = "## Points\n"


def sheet(lab: int) -> Path:
    return ROOT / f"docs/course/lab-{lab}.md"


def points(lab: int) -> str:
    """The table of a lab's stages: each runs when what it needs has passed."""
    rows = [
        f"| `{stage.name}` | {stage.points} | {stage.title} | {', '.join(stage.needs)} |"
        for stage in stages(lab)
    ]
    return "\n".join(
        [
            "| stage | points | a client sees that the server | needs |",
            "|---|--:|---|---|",
            *rows,
        ]
    )


def with_points(lab: int) -> str:
    """The sheet, with the points of today's stages."""
    text, head, _ = sheet(lab).read_text().partition(HEAD)
    if not head:
        raise ValueError(f"{sheet(lab)} has no line {HEAD.strip()}")
    return f"{text}{HEAD}\n{points(lab)}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    stale = [lab for lab in range(5) if sheet(lab).read_text() != with_points(lab)]
    for lab in stale:
        print(f"docs/course/lab-{lab}.md: its points are not those of the stages")
        if not asked.check:
            sheet(lab).write_text(with_points(lab))
    return 1 if stale and asked.check else 0


if __name__ == "__main__":
    sys.exit(main())
