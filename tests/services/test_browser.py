"""The page of the service files in a real browser, with a person who clicks and drops.

Not on lab 1: a browser keeps a connection and asks over another, for which the one clerk, who
waits for the first, is never free.
"""

import os

import pytest

from tests.helpers.browser import in_browser
from tests.helpers.labs import find_labs
from tests.helpers.setting import SANITIZERS
from tests.helpers.web import serve

pytestmark = [
    in_browser,
    pytest.mark.skipif(
        SANITIZERS != "", reason="the page is the same under sanitizers"
    ),
]

LISTED = "[...document.querySelectorAll('td a')].map((link) => link.textContent)"


@pytest.fixture
def roomy():
    """One lab with places for a browser's connections: the page is the same on all."""
    return next(lab for lab in find_labs() if lab.is_concurrent)


@pytest.fixture
def folder(tmp_path):
    served = tmp_path / "served"
    (served / "sub").mkdir(parents=True)
    (served / "old.txt").write_text("old")
    return served


def test_the_listing_names_everything_and_links_work(page, concurrent, folder):
    (folder / "<b>&amp;'\"%41.txt").write_text("strange")
    with serve(concurrent, "files", folder) as server, page.visit(server.url("/")):
        page.until(f"{LISTED}.length === 3")
        assert page.value(LISTED) == ["sub/", "<b>&amp;'\"%41.txt", "old.txt"]
        page.click("td a", 1)
        page.until("document.body.innerText === 'strange'")


def test_chosen_files_are_uploaded(page, concurrent, folder, tmp_path):
    contents = {"one file.bin": os.urandom(3_000_000), "zwei&<ä>.txt": b"two"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    with serve(concurrent, "files", folder) as server, page.visit(server.url("/")):
        page.choose_files("#choose", *(tmp_path / name for name in contents))
        page.until(f"{LISTED}.length === 4")
        for name, content in contents.items():
            assert (folder / name).read_bytes() == content
            assert name in page.value(LISTED)


def test_dropped_files_are_uploaded_to_the_folder_that_is_shown(
    page, roomy, folder, tmp_path
):
    (tmp_path / "dropped.txt").write_text("dropped")
    with serve(roomy, "files", folder) as server, page.visit(server.url("/sub/")):
        page.drop_files("#drop", tmp_path / "dropped.txt")
        page.until(f"{LISTED}.includes('dropped.txt')")
        assert (folder / "sub" / "dropped.txt").read_text() == "dropped"


def test_progress_is_shown_and_a_refusal_can_be_read(page, roomy, folder, tmp_path):
    (tmp_path / "large").write_bytes(b"x" * 2_000_000)
    with serve(roomy, "files", folder, "--upload-limit=1") as server, page.visit(
        server.url("/")
    ):
        page.choose_files("#choose", tmp_path / "large")
        page.until("document.body.innerText.includes('413 Content Too Large')")
        assert page.value("document.querySelectorAll('#uploads progress').length") == 1
        assert "large" in page.text()
    assert sorted(os.listdir(folder)) == ["old.txt", "sub"]


def test_a_file_is_deleted_after_a_question(page, roomy, folder):
    with serve(roomy, "files", folder) as server, page.visit(server.url("/")):
        page.until("document.querySelectorAll('td button').length === 1")
        page.click("td button")
        page.accept_question()
        page.until(f"{LISTED}.length === 1")
    assert os.listdir(folder) == ["sub"]


def test_the_listing_is_sorted_by_a_click(page, roomy, folder):
    """By what is meant, not by how it is written: 9 kB is less than 10 MB."""
    for name, size, day in [("b", 9_000, 3), ("a", 10_000_000, 1), ("c", 5, 2)]:
        with open(folder / name, "wb") as file:
            file.truncate(size)
        os.utime(folder / name, (0, day * 86_400))
    (folder / "old.txt").unlink()
    (folder / "sub").rmdir()
    with serve(roomy, "http", folder) as server, page.visit(server.url("/")):
        page.until(f"{LISTED}.length === 3")
        for column, rising in [(1, "cba"), (2, "acb"), (0, "abc")]:
            for wanted in (rising, rising[::-1]):
                page.click("th button", column)
                page.until(f"{LISTED}.join('') === '{wanted}'")


def test_without_javascript_files_can_be_downloaded(page, roomy, folder):
    page.allow_scripts(False)
    with serve(roomy, "files", folder) as server:
        with page.visit(server.url("/")):
            page.until(f"{LISTED}.length === 2")
            assert page.value("document.querySelector('#drop').offsetHeight") == 0
            target = page.value("document.querySelectorAll('td a')[1].href")
        assert server.connect().get(target).body == b"old"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_light_or_dark_as_wanted(page, roomy, folder, scheme):
    with serve(roomy, "files", folder) as server, page.visit(server.url("/")):
        page.emulate(scheme)
        page.until(f"{LISTED}.length === 2")
        ink = page.value("getComputedStyle(document.body).color")
        assert ink == ("rgb(0, 0, 0)" if scheme == "light" else "rgb(255, 255, 255)")
