"""Makes the slides: one HTML file from docs/course/slides.md, with today's code and pictures in it.

    python3 -m tests.course.slides [--out=build/course/slides.html]

Arrow keys or space turn the page, and a browser prints one slide on each. {{code FILE:FUNCTION}} is
quoted by name, {{loop FILE}} is main's accept loop, {{image FILE}} is put into the page.
"""

import argparse
import html
import re
import sys
from pathlib import Path

from tests.course.cut import Drift, find

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "docs/course/slides.md"
STYLE = """
body { margin: 0; font: 30px/1.4 system-ui, sans-serif; color: #1d2733; background: #fff }
section { display: none; box-sizing: border-box; width: 100vw; height: 100vh; padding: 5vh 7vw; overflow: hidden }
section.on { display: block } h1 { margin-top: 28vh; font-size: 2.2em } h2 { margin: 0 0 4vh; font-size: 1.5em }
pre { font: 24px/1.35 ui-monospace, monospace; background: #f4f6f8; padding: .7em 1em; border-radius: 8px; overflow: hidden }
code { background: #f4f6f8 } svg { max-width: 100%; max-height: 72vh } li { margin: .4em 0 }
@page { size: landscape; margin: 0 } @media print { section { display: block; break-after: page } }
"""
SCRIPT = """
const pages = [...document.querySelectorAll('section')];
let at = Math.min(pages.length, Math.max(1, +location.hash.slice(1) || 1)) - 1;
function show(n) { at = Math.min(pages.length - 1, Math.max(0, n)); pages.forEach((p, i) => p.classList.toggle('on', i === at)); history.replaceState(null, '', '#' + (at + 1)); }
addEventListener('keydown', e => { if (['ArrowRight', 'ArrowDown', ' ', 'PageDown'].includes(e.key)) show(at + 1); else if (['ArrowLeft', 'ArrowUp', 'PageUp'].includes(e.key)) show(at - 1); else if (e.key === 'Home') show(0); else if (e.key === 'End') show(pages.length - 1); });
addEventListener('click', () => show(at + 1));
show(at);
"""


def quoted(file: str, function: str) -> str:
    text = (ROOT / file).read_text()
    span = find(text, function)
    return text[span.begin : span.end]


def accept_loop(file: str) -> str:
    body = quoted(file, "main")
    at = body.find("    while ((client = tcp_accept")
    if at == -1:
        raise Drift(f"{file}: main has no accept loop")
    return re.sub(
        r"(?m)^    ", "", body[at : body.index(";", body.index(")) != -1", at)) + 1]
    )


def inserted(line: str) -> str:
    """A line in double braces, as HTML."""
    kind, _, what = line.strip("{}").partition(" ")
    if kind == "image":
        return re.sub(r"^<\?xml.*?\?>\s*", "", (ROOT / what).read_text())
    file, _, function = what.partition(":")
    text = quoted(file, function) if kind == "code" else accept_loop(file)
    return f"<pre>{html.escape(text)}</pre>"


def inline(text: str) -> str:
    text = html.escape(text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)


def slide(text: str) -> str:
    """One slide: a heading, then lines."""
    parts, items = [], []
    for line in text.strip().splitlines():
        if line.startswith("- "):
            items.append(f"<li>{inline(line[2:])}</li>")
            continue
        if items:
            parts.append(f"<ul>{''.join(items)}</ul>")
            items = []
        if line.startswith("{{"):
            parts.append(inserted(line))
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            parts.append(f"<h{level}>{inline(line.lstrip('# '))}</h{level}>")
        elif line:
            parts.append(f"<p>{inline(line)}</p>")
    if items:
        parts.append(f"<ul>{''.join(items)}</ul>")
    return "<section>" + "\n".join(parts) + "</section>"


def slides() -> list[str]:
    return [
        slide(text)
        for text in re.split(r"(?m)^(?=##? )", SOURCE.read_text())
        if text.strip()
    ]


def page() -> str:
    body = "\n".join(slides())
    return f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>One server, many clients</title>\n<style>{STYLE}</style>\n{body}\n<script>{SCRIPT}</script>\n</html>\n'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build/course/slides.html")
    asked = parser.parse_args()
    try:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(page())
    except (Drift, OSError) as why:
        print(f"slides: {why}", file=sys.stderr)
        return 3
    print(
        f"{asked.out}: {len(slides())} slides; arrow keys turn them, and the browser prints them"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
