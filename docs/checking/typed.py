"""Code that the reader types, step by step: the check types it, too.

A block ```c typed has a note that says where it goes:

    file: ../my-lab0/server.c       the whole file, if nothing else is said
    for: pause();                   the lines that it takes the place of, or
    after: serve_client(client);    the line that it follows, or
    before: int main(               the line that it precedes
    given:                          it stands there already: the reader need not type it

A line is named by a part of it that no other line has.
"""

from pathlib import Path

from checking.pages import TYPED, Block, Lie

__all__ = ["TYPED", "put"]


def put(block: Block, folder: Path) -> None:
    """Change the file as the reader would."""
    if "file" not in block.note:
        raise Lie(f"{block.where}: a block that is typed says into which file")
    file = folder / block.note["file"][0]
    places = [key for key in ("for", "after", "before") if key in block.note]
    if not places:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(block.lines) + "\n")
        return
    lines = file.read_text().split("\n")
    at = [find(lines, part, block) for part in block.note[places[0]]]
    begin, end = {
        "for": (at[0], at[-1] + 1),
        "after": (at[0] + 1, at[0] + 1),
        "before": (at[0], at[0]),
    }[places[0]]
    file.write_text("\n".join(lines[:begin] + block.lines + lines[end:]))


def find(lines: list[str], part: str, block: Block) -> int:
    """The number of the only line with this part."""
    found = [number for number, line in enumerate(lines) if part in line]
    if len(found) != 1:
        raise Lie(f"{block.where}: {len(found)} lines have {part!r}, and one must")
    return found[0]
