#!/usr/bin/env python3
"""Builds the site of the tutorial in build/docs, from the Markdown that GitHub shows.

It stages the pages in build/docs-pages (diagrams inline, quoted files as pages of their own,
everything on one page to print), runs mkdocs, makes search work from disk, and then looks
whether every link of the site leads somewhere and nothing is loaded from a network.
"""

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from checking.links import LINK, anchor
from checking.pages import BOOK, DOCS, FENCE, NOTE, ROOT, TERMINAL, TYPED

PAGES = ROOT / "build" / "docs-pages"
SITE = ROOT / "build" / "docs"
DIAGRAM = re.compile(r"^!\[([^\]]*)\]\((images/[\w-]+\.svg)\)$", re.MULTILINE)
PICTURE = re.compile(r"^(!\[[^\]]*\]\((charts/[\w-]+\.svg)\))$", re.MULTILINE)
HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*$")
OFFICE = re.compile(r"^\[The office\]\(office\.html\).*?\n\n", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--(?!\s*check).*?-->\n*", re.DOTALL)
SHOWN_OFFICE = """<iframe class="office" src="office.html" title="The office: move a slider,
and watch the line form and dissolve" loading="lazy"></iframe>

[Open the office on a page of its own](office.html){target=_blank}

"""
LANGUAGES = {".c": "c", ".h": "c", ".py": "python", ".yml": "yaml"}
PDF = SITE / "tutorial.pdf"


# --- from what GitHub shows to what mkdocs takes -------------------------------------------


def staged(text: str, is_print: bool = False) -> str:
    """A page for mkdocs."""
    text = COMMENT.sub("", NOTE.sub("", text))
    text = OFFICE.sub("" if is_print else SHOWN_OFFICE, text)
    text = TERMINAL.sub(r'<p class="terminal">Terminal \1</p>', text)
    text = DIAGRAM.sub(lambda match: inline(match[2]), text)
    text = PICTURE.sub(r"[\1](\2)", text)  # larger on a phone
    opened = "<details open markdown>" if is_print else "<details markdown>"
    text = text.replace("<details>", opened)
    return "\n".join(fence(line) for line in text.split("\n"))


def fence(line: str) -> str:
    """An opening fence: what it says of its block becomes the title."""
    match = FENCE.match(line)
    if not match or not match[2]:
        return line
    language, _, about = match[2].partition(" ")
    is_title = about not in ("", "invented", TYPED)
    return f"{match[1]}{language}" + (
        f' title="{about.replace(":", ": ")}"' if is_title else ""
    )


def inline(name: str) -> str:
    """A diagram as part of the page, where it takes the page's colours."""
    svg = (DOCS / name).read_text()
    svg = re.sub(r"<style>.*?</style>\n?", "", svg, flags=re.DOTALL)
    return re.sub(r"\n+", "\n", svg).strip()


def source_page(path: Path) -> str:
    """A file of the project as a page."""
    language = LANGUAGES.get(path.suffix, "text")
    return f"# {path.relative_to(ROOT)}\n\n````{language}\n{path.read_text()}````\n"


def with_sources(text: str, sources: set[Path]) -> str:
    """Links to files of the project lead to their pages; notes which these are."""

    def replaced(match: re.Match) -> str:
        target = match[1]
        if not target.startswith("../"):
            return match[0]
        path = (DOCS / target.partition("#")[0]).resolve()
        path = path / "README.md" if path.is_dir() else path
        sources.add(path)
        page = f"source/{path.relative_to(ROOT)}.md"
        return match[0].replace(f"({target})", f"({page})")

    return LINK.sub(replaced, text)


def chapter_files() -> list[Path]:
    """All pages in the order of the book."""
    return [DOCS / "README.md", *(ROOT / name for name in BOOK)]


def on_one_page(files: list[Path]) -> str:
    """All chapters after one another, with links that stay on the page."""
    parts = [one_chapter(file) for file in files]
    return "\n\n".join(parts)


def one_chapter(file: Path) -> str:
    """A chapter whose headings have anchors with the chapter's name in front."""
    lines, closing = [], None
    for line in staged(file.read_text(), is_print=True).split("\n"):
        mark, heading = FENCE.match(line), HEADING.match(line)
        if closing is None and mark:
            closing = mark[1]
        elif closing is not None and line == closing:
            closing = None
        elif closing is None and heading:
            line = f"{line} {{#{place(file, heading)}}}"
        elif closing is None and line.startswith(("Before: ", "Next: ")):
            line = ""
        lines.append(line)
    return LINK.sub(lambda match: local(match, file), "\n".join(lines))


def place(file: Path, heading: re.Match) -> str:
    """The anchor of a heading on the one page."""
    own = "" if heading[1] == "#" else f"--{anchor(heading[2])}"
    return f"{file.stem}{own}".lower()


def local(match: re.Match, file: Path) -> str:
    """A link between chapters as a link on the one page."""
    parts = urlsplit(match[1])
    is_chapter = not parts.scheme and (parts.path.endswith(".md") or not parts.path)
    if not is_chapter or parts.path.startswith("../") or match[0].startswith("!"):
        return match[0]
    own = f"--{parts.fragment}" if parts.fragment else ""
    name = f"{Path(parts.path).stem or file.stem}{own}".lower()
    return match[0].replace(f"({match[1]})", f"(#{name})")


def stage() -> None:
    """Write the pages that mkdocs reads."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    sources: set[Path] = set()
    files = chapter_files()
    for file in files:
        text = with_sources(staged(file.read_text()), sources)
        (PAGES / file.name).write_text(text)
    (PAGES / "print.md").write_text(with_sources(on_one_page(files), sources))
    for source in sources:
        page = PAGES / "source" / f"{source.relative_to(ROOT)}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(source_page(source))
    shutil.copytree(DOCS / "charts", PAGES / "charts")
    shutil.copytree(DOCS / "images", PAGES / "images")
    shutil.copy(DOCS / "office.html", PAGES)  # as it is
    for name in ("extra.css", "progress.js"):
        shutil.copy(HERE / name, PAGES)


# --- the site ------------------------------------------------------------------------------


def run_mkdocs() -> None:
    """Let mkdocs build; it says what it minds."""
    command = ["mkdocs", "build", "--quiet", "--clean", "-f", str(HERE / "mkdocs.yml")]
    if shutil.which("mkdocs") is None:
        sys.exit("make docs needs mkdocs: make deps WITH=docs installs it")
    if subprocess.run(command).returncode != 0:
        sys.exit(
            "mkdocs failed. Besides mkdocs it needs the theme mkdocs-material:"
            " make deps WITH=docs, or pip install mkdocs-material"
        )


def let_search_work_from_disk() -> None:
    """Put the index and the worker into a script, for pages that may fetch nothing."""
    file = SITE / "search" / "search_index.json"
    found = json.loads(file.read_text())
    found["docs"] = [
        entry
        for entry in found["docs"]
        if not entry["location"].startswith("print.html")
    ]
    index = json.dumps(found, ensure_ascii=False)
    file.write_text(index)
    worker = next(SITE.glob("assets/javascripts/workers/search.*.js")).read_text()
    script = (HERE / "offline.js").read_text()
    words = {"INDEX": index, "WORKER": json.dumps(worker.partition("//# source")[0])}
    script = re.sub(r"\b(INDEX|WORKER)\b(?=[\])])", lambda m: words[m[1]], script)
    (SITE / "search" / "offline.js").write_text(script)


class Links(HTMLParser):
    """What a page of the site links to, loads and can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        """Note what a tag refers to."""
        given = dict(attributes)
        if given.get("id"):
            self.places.add(given["id"])
        if tag == "a" and given.get("href"):
            self.targets.append(given["href"])
        for name in ("src", "href"):
            is_loaded = tag != "a" and given.get("rel") not in (
                "canonical",
                "prev",
                "next",
            )
            if is_loaded and given.get(name):
                self.loaded.append(given[name])


def check_site() -> list[str]:
    """What is wrong with the links of the site."""
    pages = {file: Links(file.read_text()) for file in SITE.rglob("*.html")}
    trouble = []
    for file, links in pages.items():
        if file.name == "404.html":  # made for a server: its links begin at the root
            continue
        for target in links.loaded:
            if urlsplit(target).scheme in ("http", "https"):
                trouble.append(
                    f"{file.relative_to(SITE)} loads {target} from a network"
                )
        for target in links.targets + links.loaded:
            parts = urlsplit(html.unescape(target))
            if parts.scheme or parts.netloc:
                continue
            path = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            path = path / "index.html" if path.is_dir() else path
            if not path.exists():
                trouble.append(f"{file.relative_to(SITE)}: no {target}")
            elif parts.fragment and path in pages:
                if unquote(parts.fragment) not in pages[path].places:
                    trouble.append(f"{file.relative_to(SITE)}: no place {target}")
    return trouble


def make_pdf() -> str:
    """The one page as a PDF, if there is a browser to print it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        return "no chromium, so no PDF: print build/docs/print.html from any browser"
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu"]
    command += ["--no-pdf-header-footer", f"--print-to-pdf={PDF}"]
    command.append((SITE / "print.html").as_uri())
    try:
        subprocess.run(command, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "chromium did not finish the PDF"
    return f"for a lecture: {PDF.relative_to(ROOT)}"


def main() -> int:
    """Build; returns the exit status."""
    stage()
    run_mkdocs()
    let_search_work_from_disk()
    trouble = check_site()
    for line in trouble:
        print(line, file=sys.stderr)
    if trouble:
        return 1
    if "--no-pdf" not in sys.argv:
        print(make_pdf())
    print(f"the site: {(SITE / 'index.html').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
