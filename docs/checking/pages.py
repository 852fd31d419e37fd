"""The tutorial as Markdown: its pages, their fenced blocks, what is told to the check."""

import re
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent
ROOT = DOCS.parent

FENCE = re.compile(r"^(`{3,})(.*)$")
TERMINAL = re.compile(r"^\*Terminal (\d+)\*$", re.MULTILINE)
NOTE = re.compile(r"<!--\s*check\b(.*?)-->", re.DOTALL)
TYPED = "typed"  # ```c typed: code that the reader types into a file

# The order in which the book is read; the site has the same.
CHAPTERS = [
    "0-tcp-server",
    "0b-first-server",
    "1-sequential",
    "2-thread-per-client",
    "2b-threads",
    "2c-chat",
    "2d-locks",
    "3-thread-pool",
    "3b-wake-ups",
    "4-timeouts-backlog",
    "4b-backlog",
    "4c-web",
    "4d-files",
    "4e-debugging",
    "5-measuring",
    "6-where-next",
]
APPENDICES = ["a-sockets", "b-clean-up", "c-glossary", "e-python", "house"]
TEACHING = ["d-instructor", "d-solutions"]
BOOK = [f"docs/{name}.md" for name in [*CHAPTERS, *APPENDICES, *TEACHING]]


class Lie(Exception):
    """Something in the tutorial is not so; the message says where, and what is."""


@dataclass(frozen=True)
class Block:
    """A fenced block: ```language about, its lines, and the note just before it."""

    page: "Page"
    line: int  # of the opening fence, from 1
    language: str
    about: str
    lines: list[str]
    note: dict[str, list[str]] = field(default_factory=dict)

    @property
    def terminal(self) -> str:
        """The window that it is typed in: named by the last line *Terminal 2* before it."""
        before = "\n".join(self.page.text.split("\n")[: self.line])
        named = TERMINAL.findall(before)
        return f"terminal {named[-1] if named else 1}"

    @property
    def is_typed(self) -> bool:
        """Is this code for the reader to type, and not only to see?"""
        return self.about == TYPED and "given" not in self.note

    @property
    def where(self) -> str:
        """The place as compilers write it."""
        return f"{self.page.name}:{self.line}"


@dataclass(frozen=True)
class Page:
    """One Markdown file; name is its path from the top of the project."""

    name: str
    text: str

    @property
    def blocks(self) -> list[Block]:
        """All fenced blocks, in the order of the page."""
        found, lines = [], self.text.split("\n")
        number = 0
        while number < len(lines):
            opening = FENCE.match(lines[number])
            number += 1
            if not opening:
                continue
            start = number
            while number < len(lines) and lines[number] != opening[1]:
                number += 1
            language, _, about = opening[2].strip().partition(" ")
            note = read_note(lines[: start - 1])
            body = lines[start:number]
            found.append(Block(self, start, language, about.strip(), body, note))
            number += 1
        return found

    @property
    def prose(self) -> str:
        """The page with its fenced blocks and comments blanked, line for line."""
        lines, fence = [], None
        for line in self.text.split("\n"):
            match = FENCE.match(line)
            if fence is None and match:
                fence = match[1]
            elif fence is not None and line == fence:
                fence, line = None, ""
            lines.append("" if fence is not None else line)
        return re.sub(
            r"<!--.*?-->",
            lambda comment: "\n" * comment[0].count("\n"),
            "\n".join(lines),
            flags=re.DOTALL,
        )


def read_note(before: list[str]) -> dict[str, list[str]]:
    """The note that ends directly above a block: its lines are `key: value`."""
    text = "\n".join(before)
    note: dict[str, list[str]] = {}
    for match in NOTE.finditer(text):
        if text[match.end() :].strip("\n") == "" and text.count("\n", match.end()) < 1:
            for line in match[1].strip().splitlines():
                key, _, value = line.partition(":")
                note.setdefault(key.strip(), []).append(value.strip())
    return note


def read_pages(root: Path = ROOT) -> list[Page]:
    """Every page of the tutorial, chapters in their order, then the labs' own."""
    files = sorted((root / "docs").glob("*.md"), key=place_in_book)
    files += sorted(root.glob("lab*/README.md")) + [root / "README.md"]
    return [read_page(root, file) for file in files if file.is_file()]


def place_in_book(file: Path) -> tuple[int, str]:
    """Chapters in their order, what is in no book behind them."""
    name = f"docs/{file.name}"
    return (BOOK.index(name) if name in BOOK else len(BOOK), name)


def read_others(root: Path = ROOT) -> list[Page]:
    """What else the project has to read, of which only the links are checked."""
    files = sorted(set(root.glob("*.md")) - {root / "README.md"})
    files += [root / folder / "README.md" for folder in ("tests", "bench")]
    return [read_page(root, file) for file in files if file.is_file()]


def read_page(root: Path, file: Path) -> Page:
    """One file as a page."""
    return Page(str(file.relative_to(root)), file.read_text())
