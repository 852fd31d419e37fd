"""The labs' marks, drawn by gnuplot and seen by all kinds of eyes, and in grey print.

Each lab's mark on a curve is drawn as style.gp has it, and every pixel of it is seen through a
simulation. Two marks are as far apart as their pixels are on average (CIE76 dE), over all that
either of them covers. So shape, and whether a mark is filled, count as much as its ink.
"""

import math
import struct
import subprocess
import zlib
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from bench.tell import charts
from tests.bench.test_report import SEEN, lab_colour

pytestmark = pytest.mark.skipif(
    not charts.have_gnuplot(), reason="gnuplot is not installed"
)

SIDE = 60  # pixels
PAPER, COVERED = (100.0, 0.0, 0.0), 5  # white; what differs more than this is a mark
LEAST = {  # between any two of the four labs
    "all cones": 48,
    "protanopia": 37,
    "deuteranopia": 32,
    "tritanopia": 43,
    "grey": 19,
}
DRAW = """
name = 'none'; form = 'png'; title = ''
load '{style}'
set terminal pngcairo size {side}, {side} background rgb 'white'
set output '{file}'
unset label; unset border; unset tics; unset xlabel; unset ylabel
set margins 0, 0, 0, 0
plot [-1:1] [-1:1] '+' using (0):(0) every ::::0 \\
    with points pointtype {shape} pointsize 3.4 linewidth 3 linecolor rgb {ink}
"""


def pixels(png: bytes) -> list[tuple[int, int, int]]:
    """All pixels of an image of 8 bits a colour: PNG, section 9, on filters."""
    place, packed = 8, b""
    while place < len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        data = png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colours = struct.unpack_from(">IIBB", data)
        packed += data if kind == b"IDAT" else b""
        place += 12 + length
    assert depth == 8 and colours in (2, 6)
    step = 3 if colours == 2 else 4
    raw, above, found = zlib.decompress(packed), bytes(width * step), []
    for row in range(height):
        start = row * (width * step + 1)
        line = unfiltered(raw[start], raw[start + 1 :][: width * step], above, step)
        found += [tuple(line[i : i + 3]) for i in range(0, len(line), step)]
        above = line
    return found


def unfiltered(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    """A row without its filter."""
    out = bytearray(line)
    for i, value in enumerate(line):
        left, corner = (out[i - step], above[i - step]) if i >= step else (0, 0)
        up = above[i]
        nearest = min(
            (left, up, corner), key=lambda each: abs(left + up - corner - each)
        )
        guess = (0, left, up, (left + up) // 2, nearest)[kind]
        out[i] = (value + guess) % 256
    return bytes(out)


@cache
def seen(colour: tuple[int, int, int], eyes: str) -> tuple[float, float, float]:
    """A colour as these eyes see it; grey print has only its lightness."""
    name = "#%02x%02x%02x" % colour
    if eyes != "grey":
        return lab_colour(name, eyes)
    return (lab_colour(name, "all cones")[0], 0.0, 0.0)


def draw(folder: Path, shape: str, ink: str) -> list[tuple[int, int, int]]:
    """One mark in the middle of a small page."""
    file = folder / "mark.png"
    script = DRAW.format(
        style=charts.HERE / "style.gp", side=SIDE, file=file, shape=shape, ink=ink
    )
    subprocess.run(["gnuplot"], input=script, text=True, check=True, cwd=folder)
    return pixels(file.read_bytes())


def distance(one: list, other: list, eyes: str) -> float:
    """How far two marks are apart, over all that either covers."""
    apart = []
    for pair in zip(one, other):
        here, there = (seen(colour, eyes) for colour in pair)
        if max(math.dist(here, PAPER), math.dist(there, PAPER)) > COVERED:
            apart.append(math.dist(here, there))
    return sum(apart) / len(apart)


@pytest.fixture(scope="module")
def marks(tmp_path_factory) -> list[list]:
    """The four labs' marks on a curve."""
    folder = tmp_path_factory.mktemp("marks")
    return [draw(folder, f"shape({lab})", f"rgb({lab})") for lab in (1, 2, 3, 4)]


@pytest.mark.parametrize("eyes", LEAST)
def test_the_marks_of_two_labs_are_told_apart(marks, eyes):
    assert set(LEAST) == {*SEEN, "grey"}
    apart = [distance(one, other, eyes) for one, other in combinations(marks, 2)]
    assert min(apart) >= LEAST[eyes], [f"{each:.0f}" for each in apart]


def test_two_marks_of_one_shape_would_be_noticed(tmp_path):
    """Inks alone do not do in grey print: those of labs 3 and 4 are alike there."""
    same = [draw(tmp_path, "7", f"rgb({lab})") for lab in (3, 4)]
    assert distance(*same, "grey") < LEAST["grey"] / 2
    assert distance(*same, "all cones") > LEAST["all cones"]
