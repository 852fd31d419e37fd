"""Cuts a hand-out from the reference: the bodies of named functions become TODOs.

Nothing is marked in the source: a function is found by its name, so a renamed one is an error that
says so. The comment above it, its contract, stays.
"""

import re
from dataclasses import dataclass
from pathlib import Path

WIDTH = 78
TOKEN = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | [{}]""",
    re.S | re.X,
)


class Drift(Exception):
    """The reference no longer has what the hand-out is cut by."""


@dataclass(frozen=True)
class Blank:
    """One function that the student writes, or the end of one."""

    file: str  # in the tree
    function: str
    todo: str  # what to write, in sentences
    result: str = ""  # what the empty body returns
    after: str = ""  # keep the body up to the end of the statement with this text


@dataclass(frozen=True)
class Drop:
    """A helper that students invent themselves: it goes with its comment."""

    file: str
    function: str


@dataclass(frozen=True)
class Swap:
    """Text that stands once in the file, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Span:
    """Where a function stands: its signature, its opening brace, and behind its end."""

    begin: int
    brace: int
    end: int


def find(text: str, function: str) -> Span:
    """The definition of function, which there must be once."""
    heads = list(
        re.finditer(rf"^\w[^\n;#={{}}]*\b{function}\([^;{{}}]*\)\n?\s*\{{", text, re.M)
    )
    if len(heads) != 1:
        raise Drift(f"{function} is defined {len(heads)} times, not once")
    depth, brace = 0, heads[0].end() - 1
    for token in TOKEN.finditer(text, brace):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return Span(heads[0].start(), brace, token.end())
    raise Drift(f"the body of {function} has no end")


def functions(text: str) -> list[str]:
    """The names of all functions that the text defines."""
    heads = re.findall(
        r"^(?!static const|struct|enum)\w[^\n;#={}]*\b(\w+)\([^;{}]*\)\n\{", text, re.M
    )
    return heads


def parameters(signature: str) -> list[str]:
    """The names of the parameters."""
    inside = signature[signature.index("(") + 1 : signature.rindex(")")]
    if inside.strip() in ("void", ""):
        return []
    return [re.findall(r"\w+", part)[-1] for part in inside.split(",")]


def comment(words: str) -> str:
    """A comment of lines that fit."""
    lines = ["    /*"]
    for word in ("TODO: " + words).split():
        if len(lines[-1]) + len(word) + 1 > WIDTH:
            lines.append("     *")
        lines[-1] += " " + word
    return "\n".join(lines) + " */\n"


def statement_end(body: str, text: str, function: str) -> int:
    """Behind the line on which the statement with this text ends."""
    if body.count(text) != 1:
        raise Drift(f'{function}: "{text}" stands there {body.count(text)} times')
    return body.index("\n", body.index(";", body.index(text))) + 1


def blank(text: str, one: Blank) -> str:
    """The text with one function emptied."""
    span = find(text, one.function)
    body = text[span.brace + 2 : span.end - 1]
    if one.after:
        kept = body[: statement_end(body, one.after, one.function)] + "\n"
    else:
        names = parameters(text[span.begin : span.brace])
        kept = "".join(f"    (void){name};\n" for name in names)
    result = f"    return {one.result};\n" if one.result else ""
    end = text[span.end - 1 :]
    return text[: span.brace + 1] + "\n" + kept + comment(one.todo) + result + end


def drop(text: str, one: Drop) -> str:
    """The text without a function and without the comment directly above it."""
    span = find(text, one.function)
    head = text[: span.begin]
    if head.endswith("*/\n"):
        head = head[: head.rindex("/*")]
    return head + text[span.end :].lstrip("\n")


def swap(text: str, one: Swap) -> str:
    if text.count(one.old) != 1:
        raise Drift(f'"{one.old}" stands there {text.count(one.old)} times, not once')
    return text.replace(one.old, one.new)


STEPS = {Blank: blank, Drop: drop, Swap: swap}


def cut(root: Path, steps: list) -> dict[str, str]:
    """The files that the steps name, cut; by their path in the tree."""
    files: dict[str, str] = {}
    for one in steps:
        text = files.get(one.file) or (root / one.file).read_text()
        try:
            files[one.file] = STEPS[type(one)](text, one)
        except Drift as why:
            raise Drift(f"{one.file} has changed: {why}") from None
    return files
