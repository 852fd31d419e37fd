"""Every link leads somewhere: to a file, to a heading, or to a well-formed address."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from checking.pages import Lie, Page

LINK = re.compile(
    r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)"
)
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
TEST = re.compile(r"`(test_\w+)`")
MISTAKE = re.compile(r"\bM(?:[1-9]|10)\b")


def anchor(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    text = re.sub(r"[^\w\- ]", "", text.lower())
    return text.replace(" ", "-")


def anchors(page_text: str) -> set[str]:
    """All anchors of a page; a heading that comes again gets a number."""
    prose = Page("", page_text).prose
    seen: dict[str, int] = {}
    found = set(re.findall(r'<a (?:id|name)="([^"]+)"', page_text))
    for heading in HEADING.findall(prose):
        name = anchor(heading)
        times = seen.get(name, 0)
        seen[name] = times + 1
        found.add(f"{name}-{times}" if times else name)
    return found


def check_links(root: Path, page: Page) -> list[Lie]:
    """What is wrong with the links of a page."""
    prose = page.prose
    lies = []
    for match in LINK.finditer(prose):
        line = prose.count("\n", 0, match.start()) + 1
        trouble = trouble_with(root, page, match[1])
        if trouble:
            lies.append(Lie(f"{page.name}:{line}: {match[1]}: {trouble}"))
    return lies


def trouble_with(root: Path, page: Page, target: str) -> str | None:
    """Why a link leads nowhere, or None."""
    parts = urlsplit(target)
    if parts.scheme:
        is_good = parts.scheme == "https" and "." in parts.netloc
        return None if is_good else "not an https address"
    file = root / page.name
    if parts.path:
        file = (file.parent / parts.path).resolve()
        if not file.is_relative_to(root.resolve()):
            return "leads out of the project"
        if not file.exists():
            return "there is no such file"
    if parts.fragment and file.suffix == ".md":
        text = page.text if not parts.path else file.read_text()
        if parts.fragment not in anchors(text):
            return "there is no such heading"
    return None


def check_tests(root: Path, page: Page) -> list[Lie]:
    """Every test that the tutorial names must exist."""
    sources = "".join(
        file.read_text()
        for pattern in ("*.py", "*.c")
        for file in (root / "tests").rglob(pattern)
    )
    return [
        Lie(f"{page.name}: there is no test {name} in tests/")
        for name in sorted(set(TEST.findall(page.prose)))
        if not re.search(rf"\b{name}\b", sources)
    ]
