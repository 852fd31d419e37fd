"""How long a page takes, how long its sentences are, and where a term comes up first."""

import re
from dataclasses import dataclass

from checking.pages import BOOK, CHAPTERS, Lie, Page
from checking.terminals import turns

WORDS_A_MINUTE, SECONDS_A_LINE = 200, 20
MINUTES = 20  # no page of the book takes longer
WORDS_A_SENTENCE = 25

LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\([^)]*\)")
WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
END = re.compile(r"(?<=[.!?:;])[)\"*]*\s+(?=[(\"*`A-Z0-9])")
BOLD = re.compile(r"\*\*([^*]+)\*\*")
TERM = re.compile(r"^\*\*([^*]+)\*\*\.", re.MULTILINE)


def typed_lines(page: Page) -> int:
    """How many lines a reader types: commands, what programs are told, and code."""
    count = 0
    for block in page.blocks:
        if block.language == "console":
            said = [turn.typed for turn in turns(block) if len(turn.typed) > 1]
            count += len(said)
        elif block.is_typed:
            count += sum(bool(WORD.search(line)) for line in block.lines)
    return count


def words(page: Page) -> int:
    """How many words there are outside the fences."""
    return len(plain(page.prose).split())


def minutes(page: Page) -> float:
    """How long a page takes to read and to type."""
    return words(page) / WORDS_A_MINUTE + typed_lines(page) * SECONDS_A_LINE / 60


def plain(text: str) -> str:
    """The words alone: of a link its text, of a picture nothing, no tags."""
    text = LINK.sub(lambda m: "" if m[0].startswith("!") else m[1], text)
    return re.sub(r"</?\w+>", "", text)


def times(pages: list[Page]) -> str:
    """A table for people: each page, its words, its typed lines, its minutes."""
    rows = [f"{'page':34}{'words':>6}{'typed':>7}{'minutes':>9}"]
    rows += [
        f"{page.name:34}{words(page):6}{typed_lines(page):7}{minutes(page):9.1f}"
        for page in pages
    ]
    return "\n".join(rows)


MARK = "<!-- times -->"
TABLE = re.compile(rf"{MARK}\n(?:\n\|[^\n]*(?:\n\|[^\n]*)*\n)?")
MINUTES_OF = re.compile(r"^\d+\. \((\d+) minutes\)", re.MULTILINE)


def table(pages: list[Page]) -> str:
    """How long each chapter takes, in steps of five minutes, for who plans a course."""
    named = {page.name: page for page in pages}
    rows = ["| chapter | read and type | exercises |", "| --- | --- | --- |"]
    for chapter in CHAPTERS:
        page = named[f"docs/{chapter}.md"]
        title = page.text.partition("\n")[0].removeprefix("# ")
        work = sum(map(int, MINUTES_OF.findall(page.text)))
        rows.append(
            f"| [{title}]({chapter}.md) | {rounded(minutes(page))} min |"
            f" {f'{rounded(work)} min' if work else 'projects'} |"
        )
    return f"{MARK}\n\n" + "\n".join(rows) + "\n"


def rounded(value: float) -> int:
    """Up to the next five."""
    return -int(-value // 5) * 5


def check_table(page: Page, pages: list[Page]) -> list[Lie]:
    """The table of times must be as computed."""
    if MARK not in page.text or table(pages) in page.text:
        return []
    return [Lie(f"{page.name}: the table of times is old (docs/check.py --update)")]


def with_table(text: str, pages: list[Page]) -> str:
    """The page with that table computed anew."""
    return TABLE.sub(lambda _: table(pages), text)


@dataclass(frozen=True)
class Sentence:
    """One sentence, and where it begins."""

    where: str
    text: str

    @property
    def length(self) -> int:
        """Its words; what is in brackets at its end proves it, and does not count."""
        return len(WORD.findall(re.sub(r"\([^()]*\)(?=\W*$)", "", self.text)))


def sentences(page: Page) -> list[Sentence]:
    """All sentences outside fences and tables."""
    found = []
    for line, paragraph in paragraphs(page):
        text = plain(paragraph)
        for part in END.split(" ".join(text.split())):
            if part:
                found.append(Sentence(f"{page.name}:{line}", part))
    return found


def paragraphs(page: Page, has_tables: bool = False) -> list[tuple[int, str]]:
    """The paragraphs, points of lists and, if asked for, rows of tables, with their lines."""
    found: list[tuple[int, str]] = []
    current: list[str] = []
    start = 0
    for number, line in enumerate([*page.prose.split("\n"), ""], 1):
        is_row = has_tables and line.startswith("| ") and not line.startswith("| -")
        is_other = line.startswith(("#", "<", "Before: ", "Next: "))
        is_other = is_other or line.startswith("|") and not is_row
        is_point = is_row or re.match(r"^\s*(?:[-*]|\d+\.) |^> ?", line) is not None
        if (not line.strip() or is_other or is_point) and current:
            found.append((start, "\n".join(current)))
            current = []
        if line.startswith("    ") and not current:
            continue  # code
        if line.strip() and not is_other:
            start = number if not current else start
            current.append(re.sub(r"^\s*(?:[-*] |\d+\. |> ?)", "", line))
    return found


def longest(pages: list[Page]) -> list[Sentence]:
    """The sentences that are too long, the longest first."""
    found = [sentence for page in pages for sentence in sentences(page)]
    too_long = [each for each in found if each.length > WORDS_A_SENTENCE]
    return sorted(too_long, key=lambda each: -each.length)


def list_longest(pages: list[Page]) -> str:
    """The same, for people."""
    return "\n".join(
        f"{each.length:3} {each.where}: {each.text}" for each in longest(pages)
    )


def terms(glossary: Page) -> list[str]:
    """The terms of the glossary."""
    return [
        term.strip()
        for entry in TERM.findall(glossary.text)
        for term in entry.split(",")
    ]


def first_use(term: str, book: list[Page]) -> tuple[str, bool] | None:
    """Where a term comes up first, and whether it is explained there, in bold."""
    word = re.compile(rf"\b{re.escape(term)}(?:s|es|ed|ing)?\b", re.IGNORECASE)
    for page in book:
        for line, paragraph in paragraphs(page, has_tables=True):
            text = re.sub(r"`[^`]*`", "`", " ".join(plain(paragraph).split()))
            if word.search(text):
                bold = any(word.search(each) for each in BOLD.findall(text))
                return f"{page.name}:{line}", bold
    return None


def unexplained(glossary: Page, pages: list[Page]) -> list[str]:
    """The terms whose first use does not explain them, with the place."""
    named = {page.name: page for page in pages}
    book = [named[name] for name in BOOK if name in named and name != glossary.name]
    found = []
    for term in terms(glossary):
        use = first_use(term, book)
        if use is None:
            found.append(f"{glossary.name}: {term} is used nowhere")
        elif not use[1]:
            found.append(f"{use[0]}: {term} is used before it is explained")
    return found
