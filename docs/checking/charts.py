"""Charts come from the bench: taken over by a command, with what they were made by.

A comment `<!-- chart NAME: what it shows -->` asks for a chart that no bench has drawn yet,
or only under a load that made it INVALID; --charts puts it there once there is a good one.
"""

import hashlib
import re
import shutil
from pathlib import Path

from checking.pages import Lie, Page

RECORD = "docs/charts/record.txt"
LATEST = "results/latest"
CHART = re.compile(
    r"^!\[[^\]]*\]\((?:docs/)?(charts/([\w-]+)\.svg)\)\n\n(.+)$", re.MULTILINE
)
WISH = re.compile(r"^<!-- chart ([\w-]+): (.+?) -->$", re.MULTILINE | re.DOTALL)
HEADLINE = re.compile(r"^Bench of .+$", re.MULTILINE)
REVISION = re.compile(r"^revision\s+(\w{7,})", re.MULTILINE)
STAMP = "INVALID"


def take(root: Path, folder: str = LATEST) -> list[str]:
    """Copy the charts that the tutorial wants from results; returns what was done."""
    results = root / folder
    caption = caption_of(results)
    record = read_record(root)
    news = []
    for name in wanted(root):
        chart = results / f"{name}.svg"
        if not chart.is_file():
            news.append(f"{name}: not in {folder}")
        elif STAMP in chart.read_text():
            news.append(f"{name}: stamped {STAMP}, so not taken")
        else:
            shutil.copy(chart, root / "docs" / "charts")
            record[name] = (digest(chart), caption)
            news.append(f"{name}: taken")
    write_record(root, record)
    for page in chapter_files(root):
        page.write_text(with_charts(page.read_text(), record))
    return news


def caption_of(results: Path) -> str:
    """When, where and of what the bench was made."""
    summary = results / "summary.txt"
    if not summary.is_file():
        raise Lie(f"there is no {summary}: run make bench first")
    text = summary.read_text()
    headline, revision = HEADLINE.search(text), REVISION.search(text)
    if not headline or not revision:
        raise Lie(f"{summary} does not say where and of what it was measured")
    return f"{headline[0]}, revision {revision[1][:10]}"


def chapter_files(root: Path) -> list[Path]:
    """The pages that may show charts."""
    return sorted((root / "docs").glob("*.md"))


def wanted(root: Path) -> list[str]:
    """The charts that the tutorial shows, or would like to."""
    texts = [page.read_text() for page in chapter_files(root)]
    shown = [match[2] for text in texts for match in CHART.finditer(text)]
    wished = [match[1] for text in texts for match in WISH.finditer(text)]
    return sorted({*shown, *wished})


def with_charts(text: str, record: dict[str, tuple[str, str]]) -> str:
    """The page with the charts that there are, each over its caption."""

    def granted(match: re.Match) -> str:
        if match[1] not in record:
            return match[0]
        words = " ".join(match[2].split())
        return f"![{words}](charts/{match[1]}.svg)\n\n*caption*"

    def captioned(match: re.Match) -> str:
        if match[2] not in record:
            return match[0]
        before = match[0][: match.start(3) - match.start()]
        return f"{before}*{record[match[2]][1]}*"

    return CHART.sub(captioned, WISH.sub(granted, text))


def read_record(root: Path) -> dict[str, tuple[str, str]]:
    """Each chart's digest and caption."""
    file = root / RECORD
    if not file.is_file():
        return {}
    rows = [row.split("  ", 2) for row in file.read_text().splitlines()]
    return {name: (sum_, caption) for sum_, name, caption in rows}


def write_record(root: Path, record: dict[str, tuple[str, str]]) -> None:
    """The same, for the next time."""
    rows = [
        f"{sum_}  {name}  {caption}\n"
        for name, (sum_, caption) in sorted(record.items())
    ]
    (root / RECORD).write_text("".join(rows))


def digest(file: Path) -> str:
    """What tells a file from any other."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def check_charts(root: Path, page: Page) -> list[Lie]:
    """Each chart must be the bench's, under the caption that belongs to it."""
    record = read_record(root)
    lies = []
    for match in CHART.finditer(page.text):
        where = f"{page.name}:{page.text.count(chr(10), 0, match.start()) + 1}"
        name, file = match[2], root / "docs" / match[1]
        if name not in record:
            lies.append(Lie(f"{where}: {name} was not taken from the bench (--charts)"))
        elif not file.is_file() or digest(file) != record[name][0]:
            lies.append(Lie(f"{where}: {name} is not the chart that the bench drew"))
        elif match[3] != f"*{record[name][1]}*":
            lies.append(Lie(f"{where}: the caption must be *{record[name][1]}*"))
    shown = len(re.findall(r"\]\((?:docs/)?charts/", page.text))
    if shown != len(CHART.findall(page.text)):
        lies.append(
            Lie(f"{page.name}: a chart has an empty line, then its caption below")
        )
    return lies
