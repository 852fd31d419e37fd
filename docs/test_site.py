"""The built site in a real browser, from disk. Skipped where there is no browser to ask.

Needs build/docs (make docs), chromium, chromedriver and selenium
(apt install chromium chromium-driver python3-selenium).
"""

import time
from pathlib import Path

import pytest

webdriver = pytest.importorskip("selenium.webdriver")

SITE = Path(__file__).resolve().parent.parent / "build" / "docs"
PAGES = sorted(path.name for path in SITE.glob("*.html") if path.name != "404.html")
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}

pytestmark = pytest.mark.skipif(not PAGES, reason="build/docs is not there: make docs")


@pytest.fixture(scope="module")
def browser():
    """A browser without a window."""
    options = webdriver.ChromeOptions()
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1280,900",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        driver = webdriver.Chrome(options=options)
    except Exception as error:
        pytest.skip(f"no browser to ask: {error}")
    yield driver
    driver.quit()


def visit(browser, name):
    browser.get((SITE / name).as_uri())


def until(found, limit_s=10):
    """What is found at last; None if nothing is."""
    end = time.monotonic() + limit_s
    while not (result := found()) and time.monotonic() < end:
        time.sleep(0.05)
    return result


def test_search_works_from_disk(browser):
    visit(browser, "1-sequential.html")
    browser.find_element("css selector", "input.md-search__input").click()
    browser.find_element("css selector", "input.md-search__input").send_keys("phantom")
    links = until(
        lambda: browser.find_elements("css selector", ".md-search-result__link")
    )
    targets = [link.get_attribute("href") for link in links or []]
    assert any("4-timeouts-backlog.html" in target for target in targets), targets
    assert not any("print.html" in target for target in targets), targets


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_missing_or_loaded_from_a_network(browser, name):
    visit(browser, name)
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert [url for url in loaded if url.startswith("http")] == []
    assert [
        entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"
    ] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_every_page_without_sideways_scrolling(browser, name):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        visit(browser, name)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{width} px wide"
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme, is_dark", [("light", False), ("dark", True)])
def test_page_and_diagram_follow_the_colour_scheme(browser, scheme, is_dark):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    visit(browser, "3-thread-pool.html")
    page, ink = browser.execute_script(
        "return [getComputedStyle(document.body).backgroundColor,"
        " getComputedStyle(document.querySelector('.diagram text')).fill]"
    )
    assert (brightness(page) < 128) == is_dark, page
    assert (brightness(ink) > 128) == is_dark, ink


def brightness(colour):
    """0 for black, 255 for white, of rgb(...) or rgba(...) upon the opposite of itself."""
    red, green, blue = [float(part) for part in colour.strip("rgba()").split(",")[:3]]
    return (red + green + blue) / 3


def test_next_and_previous_lead_through_the_book(browser):
    visit(browser, "index.html")
    visited = []
    while links := browser.find_elements("css selector", ".md-footer__link--next"):
        visit(browser, links[0].get_attribute("href").rsplit("/", 1)[1])
        visited.append(browser.current_url.rsplit("/", 1)[1])
    assert visited[:3] == [
        "0-tcp-server.html",
        "1-sequential.html",
        "2-thread-per-client.html",
    ]
    assert visited[-1] == "print.html"


def test_colours_that_were_chosen_stay(browser):
    def is_dark():
        script = "return document.body.getAttribute('data-md-color-scheme')"
        return browser.execute_script(script) == "slate"

    visit(browser, "index.html")
    before = is_dark()
    until(lambda: [each for each in toggles(browser) if each.is_displayed()])[0].click()
    assert until(lambda: is_dark() != before)
    visit(browser, "1-sequential.html")
    assert until(lambda: is_dark() != before)


def toggles(browser):
    return browser.find_elements("css selector", "[data-md-component=palette] label")
