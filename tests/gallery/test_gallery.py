"""The gallery fits the source and the tests of today; `make test-broken` tries it."""

import re

import pytest

from tests.helpers.mistakes import MISTAKES
from tests.gallery.variants import GALLERIES, ROOT, DoesNotFit, Hunk, read_gallery

ALL = [variant for gallery in GALLERIES for variant in read_gallery(gallery)]


@pytest.mark.parametrize("variant", ALL, ids=lambda variant: variant.name)
def test_a_variant_fits_the_source_and_names_a_test(variant):
    try:
        broken = variant.broken(ROOT)
    except DoesNotFit as why:
        pytest.fail(f"{why}. See tests/gallery/README.md.", pytrace=False)
    assert all(text != file.read_text() for file, text in broken.items())
    file, _, name = variant.test.partition("::")
    name = name.partition("[")[0]
    assert (
        f"def {name}(" in (ROOT / file).read_text()
    ), f"{variant.name}.patch names {name}, which is not in {file}"
    assert variant.mistake in ("", *MISTAKES)


def test_a_hunk_goes_where_its_lines_stand_once():
    hunk = Hunk("a\nb\n", "a\nc\n", "b\n", "c\n")
    assert hunk.apply("a\nb\nb\n") == "a\nc\nb\n"
    assert hunk.apply("x\nb\nz\n") == "x\nc\nz\n"
    for text, count in ("x\nz\n", 0), ("x\nb\nb\n", 2):
        with pytest.raises(DoesNotFit, match=re.escape(f'"b" stands there {count} ti')):
            hunk.apply(text)
