"""How far a reader who follows one request has to turn pages."""

import shutil

import pytest

from tests.helpers.setting import SANITIZERS
from tests.services import count_moves


@pytest.mark.skipif(
    shutil.which("uftrace") is None or bool(SANITIZERS), reason="needs uftrace"
)
def test_a_request_is_followed_with_few_changes_of_file():
    found = count_moves.count_moves("build/moves")
    assert len(found) > 10, found
    assert len(found) - 1 <= count_moves.MAX_CHANGES, found
