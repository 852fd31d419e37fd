"""A real browser for the tests: Chromium without a window, driven by Selenium.

Chromium and its driver are Debian's packages `chromium` and `chromium-driver`, Selenium is
`python3-selenium`; with `chromium-headless-shell` it takes half the CPU. A test asks for the
fixture `page` and waits with `until` for what it wants to see: a page may still be loading, or be
replaced by another.
"""

import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.helpers.kernel import is_alive, is_connected
from tests.helpers.setting import until

if TYPE_CHECKING:  # loaded with a browser only: it takes as long as all of pytest
    from selenium import webdriver

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
DRIVER = shutil.which("chromedriver")
GUARD_S = 60  # a browser takes its time on a busy machine
POLL_S = 0.02  # and each question takes three processes some of it
OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    "--disable-features=BackForwardCache",  # or each page takes a new process
]

in_browser = pytest.mark.skipif(
    None in (find_spec("selenium"), CHROMIUM, DRIVER),
    reason="chromium, chromium-driver and python3-selenium are not all installed",
)


class Page:
    """The page that the browser shows."""

    def __init__(self, driver: "webdriver.Chrome") -> None:
        from selenium.common.exceptions import WebDriverException

        self.driver = driver
        self.refusal = WebDriverException  # what it raises for what cannot be done now

    def open(self, url: str) -> None:
        """Go there, and wait until it is loaded."""
        self.driver.get(url)

    @contextlib.contextmanager
    def visit(self, url: str) -> Iterator[None]:
        """Go to a server for a while. At the end no connection to it stays open."""
        self.open(url)
        yield
        self.allow_scripts(True)
        self.ask("Network.setExtraHTTPHeaders", headers={"Connection": "close"})
        self.open(url)
        last = "fetch('/', {method: 'HEAD'}).then(() => false)"  # of one connection
        port = urlsplit(url).port
        until(lambda: not is_connected(port) or self.value(last), "all are closed")
        self.ask("Network.setExtraHTTPHeaders", headers={})

    def value(self, expression: str) -> object:
        """The value of an expression in JavaScript."""
        return self.driver.execute_script(f"return {expression.strip()}")

    def is_so(self, expression: str) -> bool:
        """Is an expression true now? Not on a page that is being replaced by another."""
        with contextlib.suppress(self.refusal):
            return bool(self.value(f"document.body !== null && ({expression})"))
        return False

    def until(self, expression: str) -> None:
        """Wait until an expression is true, through any loading of pages."""
        end = time.monotonic() + GUARD_S
        while not self.is_so(expression):
            assert time.monotonic() < end, f"still not so: {expression}\n{self.text()}"
            time.sleep(POLL_S)

    def text(self) -> str:
        """What a person can read on the page."""
        return str(self.value("document.body ? document.body.innerText : ''"))

    def element(self, selector: str) -> object:
        """An element, once it is there."""
        self.until(f"!!document.querySelector({json.dumps(selector)})")
        return self.driver.find_element("css selector", selector)

    def click(self, selector: str, which: int = 0) -> None:
        self.element(selector)
        self.driver.find_elements("css selector", selector)[which].click()

    def accept_question(self) -> None:
        """Say yes to the question that a script asks."""
        end = time.monotonic() + GUARD_S
        while True:
            try:
                self.driver.switch_to.alert.accept()
                return
            except self.refusal:
                assert time.monotonic() < end, "no question was asked"
                time.sleep(POLL_S)

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Choose files for an input, as a person does in the dialog."""
        self.element(selector).send_keys("\n".join(map(str, paths)))

    def drop_files(self, selector: str, *paths: Path) -> None:
        """Drag files from elsewhere and drop them on the middle of an element."""
        box = self.element(selector).rect
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        files = {"items": [], "files": [str(path) for path in paths]}
        for step in ("dragEnter", "dragOver", "drop"):
            data = {**files, "dragOperationsMask": 1}
            self.ask("Input.dispatchDragEvent", type=step, data=data, **place)

    def ask(self, method: str, **parameters: object) -> dict:
        """A method of the browser's own protocol, for what WebDriver has no word for."""
        return self.driver.execute_cdp_cmd(method, parameters)

    def allow_scripts(self, are_allowed: bool) -> None:
        """Whether the pages to come may run theirs; `value` works without."""
        self.ask("Emulation.setScriptExecutionDisabled", value=not are_allowed)

    def emulate(
        self, scheme: str = "light", media: str = "", width: int = 0, scale: int = 1
    ) -> None:
        """Show it with these colours, on paper or a screen, on a phone or a desk (0: as is)."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", media=media, features=features)
        if width == 0:
            self.ask("Emulation.clearDeviceMetricsOverride")
            return
        size = {"width": width, "height": 800, "deviceScaleFactor": scale}
        self.ask("Emulation.setDeviceMetricsOverride", mobile=scale > 1, **size)

    def requests(self) -> list[str]:
        """The addresses that it has asked for since it was asked last."""
        told = self.driver.get_log("performance")
        events = [json.loads(entry["message"])["message"] for entry in told]
        sent = [e for e in events if e["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def troubles(self) -> list[str]:
        """What the browser and the scripts of the page have complained about since then."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def reset(self) -> None:
        """For the next test: nothing of the last one stays."""
        self.allow_scripts(True)
        self.emulate()
        self.open("about:blank")


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """A browser of its own, for a `with` block."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability(
        "goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"}
    )
    service = webdriver.chrome.service.Service(DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    page, process = Page(driver), driver.capabilities["goog:processID"]
    try:
        driver.set_page_load_timeout(GUARD_S)
        yield page
    finally:
        with contextlib.suppress(page.refusal):  # it closes before it has answered
            page.ask("Browser.close")  # to quit() alone, one without a window is deaf
        driver.quit()
        until(lambda: not is_alive(process), "the browser has ended")


@pytest.fixture(scope="session")
def one_browser() -> Iterator[Page]:
    """Starting one takes seconds: all tests of a run share it."""
    with browser() as page:
        yield page


@pytest.fixture
def page(one_browser: Page) -> Page:
    """A page on which nothing has happened."""
    one_browser.reset()
    return one_browser
