"""The built site in a real browser, from disk: make docs-browser.

Needs what make docs needs, and chromium, chromium-driver and python3-selenium.
"""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from checking.pages import BOOK, ROOT
from tests.helpers.browser import Page, in_browser, one_browser, page  # fixtures

SITE = ROOT / "build" / "docs"
PAGES = sorted(path.name for path in SITE.glob("*.html") if path.name != "404.html")
PHONE, DESK = 360, 1280
CHAPTER, OTHER = "1-sequential.html", "2-thread-per-client.html"
BOXES = ".task-list-item input[type=checkbox]"
TICKED = f"Array.from(document.querySelectorAll('{BOXES}'), (box) => box.checked)"

pytestmark = [
    in_browser,
    pytest.mark.skipif(not PAGES, reason="build/docs is not there: make docs"),
]


def visit(page: Page, name: str) -> None:
    page.open((SITE / name).as_uri())


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_it_opens_on_the_office(page, width):
    page.emulate(width=width)
    visit(page, "index.html")
    top = "document.querySelector('iframe.office').getBoundingClientRect().top"
    page.until(f"{top} < innerHeight / 2")
    page.driver.switch_to.frame(page.element("iframe.office"))
    page.until("document.querySelectorAll('input[type=range]').length > 0")


def test_search_works_from_disk(page):
    page.emulate(width=DESK)
    visit(page, CHAPTER)
    page.click("input.md-search__input")
    page.element("input.md-search__input").send_keys("phantom")
    found = (
        "Array.from(document.querySelectorAll('.md-search-result__link'), a => a.href)"
    )
    page.until(f"{found}.some(href => href.includes('4b-backlog.html'))")
    assert not any("print.html" in href for href in page.value(found))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_missing_or_loaded_from_a_network(page, name):
    page.requests(), page.troubles()  # of the test before
    visit(page, name)
    assert [url for url in page.requests() if url.startswith("http")] == []
    assert page.troubles() == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_every_page_without_sideways_scrolling(page, name):
    page.emulate(width=PHONE, scale=3)
    visit(page, name)
    assert page.value("document.documentElement.scrollWidth") <= PHONE


@pytest.mark.parametrize("scheme, is_dark", [("light", False), ("dark", True)])
def test_page_and_diagram_follow_the_colour_scheme(page, scheme, is_dark):
    page.emulate(scheme=scheme)
    visit(page, "3-thread-pool.html")
    paper = page.value("getComputedStyle(document.body).backgroundColor")
    text = "document.querySelector('.diagram text')"
    assert (brightness(paper) < 128) == is_dark
    assert (brightness(page.value(f"getComputedStyle({text}).fill")) > 128) == is_dark


def brightness(colour: str) -> float:
    """0 for black, 255 for white."""
    red, green, blue = [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]
    return (red + green + blue) / 3


def test_next_leads_through_the_whole_book(page):
    visit(page, "index.html")
    visited = []
    while href := page.value("document.querySelector('.md-footer__link--next')?.href"):
        page.open(href)
        visited.append(href.rsplit("/", 1)[1])
    book = [f"{Path(name).stem}.html" for name in BOOK]
    assert visited == [*book, "print.html"]


def test_colours_that_were_chosen_stay(page):
    is_dark = "document.body.getAttribute('data-md-color-scheme') === 'slate'"
    page.emulate(width=DESK)
    visit(page, "index.html")
    labels = page.driver.find_elements(
        "css selector", "[data-md-component=palette] label"
    )
    next(each for each in labels if each.is_displayed()).click()
    page.until(is_dark)
    visit(page, CHAPTER)
    page.until(is_dark)


def test_progress_stays_in_the_browser_and_is_shown_in_the_contents(page):
    visit(page, CHAPTER)
    page.value("localStorage.clear()")
    page.requests()
    visit(page, CHAPTER)
    count = len(page.value(TICKED))
    assert page.value(TICKED) == [False] * count and count >= 3
    page.click(BOXES, which=0)
    page.click(BOXES, which=2)
    ticked = [True, False, True] + [False] * (count - 3)
    visit(page, OTHER)  # has ticks of its own
    assert not any(page.value(TICKED))
    visit(page, CHAPTER)
    assert page.value(TICKED) == ticked
    visit(page, "index.html")
    marks = "Array.from(document.querySelectorAll('.progress'), (mark) => mark.textContent.trim())"
    assert page.value(marks) == [f"2/{count}"]
    assert [url for url in page.requests() if url.startswith("http")] == []
