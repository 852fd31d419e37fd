"""Every chapter has one shape, in one order, so that a reader knows where to look."""

import re

from checking.pages import Lie, Page

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
CHECKED = re.compile(r"\*Checked\s+by:\*")
EXERCISE = re.compile(r"^\d+\. ", re.MULTILINE)
HEADING = re.compile(r"^## +(.+?)\s*$", re.MULTILINE)
FOLDED = "<details>"


def check_shape(page: Page) -> list[Lie]:
    """What a chapter lacks; other parts may stand between those of the shape."""
    if not CHAPTER.match(page.name):
        return []
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
    exercises = section(page, "Exercises")
    count, checked = len(EXERCISE.findall(exercises)), len(CHECKED.findall(exercises))
    if count != checked:
        lies.append(
            Lie(f"{page.name}: {count} exercises, {checked} say how they are checked")
        )
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
