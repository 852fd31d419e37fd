"""The list itself: every row is a test, here or elsewhere, or says why it is none."""

import re

from tests.faults.faults import HERE
from tests.faults.rows import ROWS, exists, rows_of


def test_every_row_is_tried_somewhere():
    tried = set()
    for file in HERE.glob("test_*.py"):
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE):
            tried |= set(rows_of(name))
    for number, row in ROWS.items():
        assert number in tried or row.also_in or row.why_not, f"nobody tries {number}"


def test_the_tests_that_rows_point_to_exist():
    for number, row in ROWS.items():
        for test in row.also_in:
            assert exists(test), f"{number} points to {test}, which is not there"
