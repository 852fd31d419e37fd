"""Every chapter has one shape, in one order, so that a reader knows where to look."""

import re
from pathlib import Path

from checking.pages import BOOK, Lie, Page

SHAPE = [
    "The idea",
    "The code|The diff",
    "Predict",
    "Run",
    "The surprise",
    "You will probably hit",
    "Check yourself",
    "Exercises",
    "What you can do now",
]
CHAPTER = re.compile(r"^docs/[0-6][a-z]?-[\w-]+\.md$")
PICTURE = re.compile(r"^!\[[^\]]+\]\(images/[\w-]+\.svg\)$", re.MULTILINE)
EXERCISE = re.compile(
    r"^(\d+)\. (.*?)(?=^\d+\. |^<details>|\Z)", re.MULTILINE | re.DOTALL
)
LASTS = re.compile(r"^\((?:\d+ minutes|an? \w+|\w+ \w+s)\) ")
CHECKED = re.compile(
    r"\*Checked\s+by:\*.*`(?:test_\w+|make\s+(?:grade|hunt|test)\b[^`]*)`", re.DOTALL
)
BROKEN = re.compile(r"\*Break it[.,]")
NAMED = re.compile(r"names\s+(?:M\d|none\s+of|anything)|would\s+name\s+M\d")
HINTS = """\
<details>
<summary>Hints for {}</summary>
.+?
<details>
<summary>Another hint</summary>
.+?
</details>

</details>"""
HEADING = re.compile(r"^## +(.+?)\s*$", re.MULTILINE)
FOLDED = "<details>"


def check_shape(page: Page) -> list[Lie]:
    """What a chapter lacks; other parts may stand between those of the shape."""
    return check_opening(page) + (check_parts(page) if CHAPTER.match(page.name) else [])


def check_opening(page: Page) -> list[Lie]:
    """A page with commands says what must still run from the page before."""
    has_console = any(block.language == "console" for block in page.blocks)
    if page.name not in BOOK[1:] or not has_console:
        return []
    opening = " ".join(page.prose.partition("\n## ")[0].split())
    if re.search(r"needs to run", opening):
        return []
    return [Lie(f"{page.name}: does not say whether anything needs to run before")]


def check_parts(page: Page) -> list[Lie]:
    """The parts of a chapter, and what each of them must have."""
    parts = [part for part in HEADING.findall(page.prose) if is_of_shape(part)]
    lies = []
    if len(parts) != len(SHAPE) or not all(map(is_part, parts, SHAPE)):
        lies.append(Lie(f"{page.name}: must have {SHAPE}, in this order; has {parts}"))
    folded = section(page, "Check yourself").count(FOLDED)
    if folded < 2:
        lies.append(Lie(f"{page.name}: only {folded} folded answers"))
    if not re.search(r"^1\. ", section(page, "Predict"), re.MULTILINE):
        lies.append(Lie(f"{page.name}: nothing to predict"))
    if not PICTURE.search(page.text):
        lies.append(Lie(f"{page.name}: no picture"))
    lies += check_exercises(page)
    return lies


def check_exercises(page: Page) -> list[Lie]:
    """Each says how long it takes and how it is checked, and has hints of two levels."""
    part = section(page, "Exercises")
    lies = []
    for number, text in EXERCISE.findall(part):
        hints = re.compile(HINTS.format(number), re.DOTALL)
        lacks = {
            "how long it takes": LASTS.search(text),
            "how it is checked": CHECKED.search(text),
            "two levels of hints": hints.search(part),
            "which mistake is named": not BROKEN.search(text) or NAMED.search(text),
        }
        where = f"{page.name}: exercise {number} does not say"
        lies += [
            Lie(f"{where} {what}") for what, is_there in lacks.items() if not is_there
        ]
    return lies


def check_mistakes(root: Path, page: Page) -> list[Lie]:
    """Where an exercise says which mistake a test names, a broken variant has proved it."""
    proved = {
        (test, mistake)
        for patch in root.glob("tests/gallery/*.patch")
        for test in re.findall(r"^Test: \S+::(\w+)", patch.read_text(), re.MULTILINE)
        for mistake in re.findall(r"^Mistake: (M\d+)", patch.read_text(), re.MULTILINE)
    }
    lies = []
    for number, text in EXERCISE.findall(section(page, "Exercises")):
        tests = re.findall(r"`(test_\w+)`", text) if BROKEN.search(text) else []
        said = set(re.findall(r"name[sd]?\s+(M\d+)", text))
        known = {mistake for test, mistake in proved if test in tests}
        if tests and said != known:
            what = f"exercise {number} names {said or 'no mistake'}, the gallery {known or 'none'}"
            lies.append(Lie(f"{page.name}: {what}"))
    return lies


def is_part(heading: str, part: str) -> bool:
    """Is the heading this part of the shape?"""
    return re.fullmatch(part, heading) is not None


def is_of_shape(heading: str) -> bool:
    """Is the heading any part of the shape?"""
    return any(is_part(heading, part) for part in SHAPE)


def section(page: Page, name: str) -> str:
    """What stands below a heading, up to the next."""
    found = re.search(
        rf"^## {name}\n(.*?)(?=^## |\Z)", page.prose, re.MULTILINE | re.DOTALL
    )
    return found[1] if found else ""
