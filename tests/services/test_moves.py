"""A reader who follows one GET through lab 3 turns few pages: the bar, held."""

import shutil

import pytest

from tests.helpers.setting import SANITIZERS, linux_only
from tests.services.count_moves import MAX_CHANGES, count_moves


@linux_only
@pytest.mark.skipif(bool(SANITIZERS), reason="sanitizers change no call")
@pytest.mark.skipif(shutil.which("uftrace") is None, reason="no uftrace")
def test_a_request_changes_files_seldom():
    found = count_moves("build/moves")
    walk = "\n".join(f"{file}: {', '.join(names)}" for file, names in found)
    files = {file for file, _ in found}
    for one in "queue.c", "service.c", "request.c", "reply.c", "write.c":
        assert any(file.endswith(one) for file in files), f"{one} is missing:\n{walk}"
    changes = len(found) - 1
    assert changes <= MAX_CHANGES, f"{changes} changes of file:\n{walk}"
