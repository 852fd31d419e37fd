"""Code and diffs in the tutorial are quoted, by name, and compared with the source."""

import contextlib
import os
import re
import subprocess
from pathlib import Path

from checking.compare import GAP, difference, is_same
from checking.pages import TYPED, Block, Lie, Page

# ```c lab1-sequential/server.c:serve_client, or a whole file: ```c docs/demos/lab0.c
QUOTE = re.compile(r"^(?P<file>[\w./-]+\.[ch])(?::(?P<name>\w+))?$")
LANGUAGES_OF_CODE = ("c",)
INVENTED = "invented"  # ```c invented: code that stands nowhere, to show a mistake


def paragraphs(source: str) -> list[list[str]]:
    """What stands at the top level of a C file, each with the comment above it."""
    found: list[list[str]] = []
    current: list[str] = []
    depth = 0
    is_comment = False
    for line in source.split("\n"):
        if not line and depth == 0:
            found.append(current)
            current = []
            continue
        current.append(line)
        if line.startswith("/*"):
            is_comment = True
        if is_comment:
            is_comment = "*/" not in line
            continue
        depth += line.count("{") - line.count("}")
    found.append(current)
    return [paragraph for paragraph in found if paragraph]


def find_named(source: str, name: str) -> list[str] | None:
    """The function, type or declaration of this name, with the comment above it."""
    word = re.compile(rf"\b{name}\b")
    for paragraph in paragraphs(source):
        code = [line for line in paragraph if not line.startswith(("/*", " *", "#"))]
        is_declared = code and (word.search(code[0]) or is_list_with(code, word))
        if is_declared and not is_prototype_of_other(code[0], name):
            return paragraph
    return None


def is_list_with(code: list[str], word: re.Pattern) -> bool:
    """Is this a list of declarations, one of which has the name?"""
    starts = [line for line in code if line[:1] not in (" ", "}", "{")]
    return not any("(" in line for line in starts) and any(
        word.search(line) for line in starts
    )


def is_prototype_of_other(line: str, name: str) -> bool:
    """Does the line define another function, and only use the name in it?"""
    definition = re.match(r"^[\w *]+?(\w+)\(", line)
    return definition is not None and definition[1] != name


def find_source(root: Path, block: Block) -> list[str]:
    """The lines that the block claims to quote."""
    match = QUOTE.match(block.about)
    if not match:
        raise Lie(
            f"{block.where}: a block of C names what it quotes, as in "
            f"```c lab1-sequential/server.c:serve_client; or is ```c {INVENTED}"
        )
    file = root / match["file"]
    if not file.is_file():
        raise Lie(f"{block.where}: there is no {match['file']}")
    if match["name"] is None:
        return file.read_text().split("\n")[:-1]
    found = find_named(file.read_text(), match["name"])
    if found is None:
        raise Lie(f"{block.where}: there is no {match['name']} in {match['file']}")
    return found


def is_quote(block: Block) -> bool:
    """Does the block quote code?"""
    return block.language in LANGUAGES_OF_CODE and block.about not in (INVENTED, TYPED)


def is_exact(shown: list[str], real: list[str]) -> bool:
    """The same lines; a line `...` may leave some out."""
    if GAP not in [line.strip() for line in shown]:
        return shown == real
    parts: list[list[str]] = [[]]
    for line in shown:
        if line.strip() == GAP:
            parts.append([])
        else:
            parts[-1].append(line)
    begin = 0
    for number, part in enumerate(parts):
        places = [
            i
            for i in range(begin, len(real) - len(part) + 1)
            if real[i : i + len(part)] == part
        ]
        if number == 0:
            places = [i for i in places if i == 0]
        elif number == len(parts) - 1:
            places = [i for i in places if i + len(part) == len(real)]
        if not places:
            return False
        begin = places[0] + len(part)
    return True


def check_quote(root: Path, block: Block) -> None:
    """The block must be what the source has."""
    real = find_source(root, block)
    if not is_exact(block.lines, real):
        raise Lie(
            f"{block.where}: {block.about} is not what the source has "
            "(docs/check.py --update copies it):\n" + difference(block.lines, real)
        )


def without_make() -> dict[str, str]:
    """The environment, as if no make had started this."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}


def check_diff(root: Path, block: Block) -> None:
    """A block ```diff make lesson-2 shows what that command prints."""
    if not block.about.startswith("make lesson-"):
        return
    done = subprocess.run(
        block.about.split(),
        cwd=root,
        env=without_make(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    real = [line for line in done.stdout.split("\n")[:-1]]
    real = [line for line in real if not re.match(r"^(---|\+\+\+) ", line)]
    if not is_same(block.lines, real, [r"^@@.*"]):
        raise Lie(
            f"{block.where}: {block.about} prints something else "
            "(docs/check.py --update copies it):\n" + difference(block.lines, real)
        )


STRING = re.compile(r'"((?:[^"\\\n]|\\.)+)"')
WORDS = re.compile(r"[a-z]{4,}")


def phrases(root: Path) -> set[str]:
    """The fixed parts of what the programs can say."""
    sources = "".join(
        re.sub(r'"\s*\n\s*"', "", file.read_text())
        for pattern in ("common/**/*.c", "lab*/*.c", "bench/**/*.c")
        for file in root.glob(pattern)
    )
    parts = {
        part.strip()
        for string in STRING.findall(sources)
        for part in re.split(r"%[-\d.]*[a-z]+|\\n", string)
    }
    return {part for part in parts if len(part) >= 8}


def check_messages(root: Path, block: Block) -> list[Lie]:
    """A block ```text has messages: each line with words must have some of a program's."""
    if block.language != "text":
        return []
    known = phrases(root)
    return [
        Lie(f"{block.where}: no program here says {line.strip()!r}")
        for line in block.lines
        if WORDS.search(line) and not any(phrase in line for phrase in known)
    ]


def updated(root: Path, page: Page) -> str:
    """The page with every quote that leaves nothing out copied anew."""
    lines = page.text.split("\n")
    for block in reversed(page.blocks):
        has_gap = GAP in [line.strip() for line in block.lines]
        if is_quote(block) and not has_gap:
            with contextlib.suppress(Lie):  # the check says so
                real = find_source(root, block)
                lines[block.line : block.line + len(block.lines)] = real
    return "\n".join(lines)
