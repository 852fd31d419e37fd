"""The office of the tutorial: what its page computes is what bench/judge predicts, and what was measured."""

import itertools
import json
from pathlib import Path

import pytest

from bench.judge import predictions
from bench.measure.records import NS_PER_S, read_clients
from tests.helpers.browser import in_browser

PAGE = Path(__file__).resolve().parents[2] / "docs" / "office.html"
STORED = Path(__file__).parent / "stored"
LAST_DIGITS = 1e-12  # of two formulas that are equal, but not in their rounding
BURST = dict(arrivals="burst", customers=20, clerks=1, chairs=0, backlog=128)
BURST |= dict(service=0.4, slow=0, slowTime=4, patience=0, rate=2, seed=1)
EACH = 33  # on the clerks' slider: one for everybody
STILL = ("prefers-reduced-motion", "reduce")  # or the browser draws all the time
pytestmark = in_browser


class Office:
    """The page in a browser."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, width=1280, media=(STILL,), settings=""):
        """Show the page anew."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1}
        command = self.browser.execute_cdp_cmd
        command("Emulation.setDeviceMetricsOverride", {**size, "mobile": width < 500})
        features = [{"name": name, "value": value} for name, value in media]
        command("Emulation.setEmulatedMedia", {"features": features})
        self.browser.get("about:blank")
        self.browser.get(f"{PAGE.as_uri()}#{settings}")
        return self

    def run(self, script):
        """The value of an expression in the page, with all digits."""
        return json.loads(
            self.browser.execute_script(
                f"return JSON.stringify({script}, (k, v) => v === Infinity ? 'inf' : v)"
            )
        )

    def call(self, name, *arguments):
        """One of the page's functions."""
        words = ", ".join(
            "Infinity" if each == float("inf") else json.dumps(each)
            for each in arguments
        )
        value = self.run(f"office.{name}({words})")
        return float("inf") if value == "inf" else value

    def compute(self, **settings):
        """The course of all customers."""
        return self.call("compute", BURST | settings)

    def text(self, name):
        return self.browser.find_element("id", name).text


@pytest.fixture(scope="module")
def browser(one_browser):
    one_browser.reset()
    return one_browser.driver


@pytest.fixture(scope="module")
def office(browser):
    return Office(browser).open()


# ---- The same formulas ----

CROWDS = [
    dict(customers=customers, clerks=clerks, slow=slow)
    for customers, clerks, slow in itertools.product((1, 7, 60), (1, 4, EACH), (0, 3))
]


def held_of(crowd):
    slow = min(crowd["slow"], crowd["customers"])
    return [4] * slow + [0.4] * (crowd["customers"] - slow)


@pytest.mark.parametrize("crowd", CROWDS, ids=str)
def test_a_crowd_is_served_when_judge_says(office, crowd):
    clerks = float("inf") if crowd["clerks"] == EACH else crowd["clerks"]
    expected = predictions.fifo(held_of(crowd), clerks)
    shown = office.compute(**crowd)
    assert shown["done"] == expected
    assert shown["last"] == max(expected)
    assert shown["half"] == sorted(expected)[-(-len(expected) // 2) - 1]


@pytest.mark.parametrize("clerks", (1, 3, EACH))
def test_random_arrivals_are_served_when_judge_says(office, clerks):
    shown = office.compute(arrivals="random", customers=50, clerks=clerks, slow=2)
    kept = float("inf") if clerks == EACH else clerks
    expected = predictions.fifo(shown["held"], kept, shown["arrivals"])
    assert shown["done"] == expected
    assert sorted(shown["held"])[-2:] == [4, 4]


@pytest.mark.parametrize("customers", (1, 5, 100, 1000))
@pytest.mark.parametrize("clerks", (1, 4, float("inf")))
@pytest.mark.parametrize("cores", (2, float("inf")))
def test_the_last_of_a_crowd(office, customers, clerks, cores):
    shown = office.call("lastDone", customers, 0.3, clerks, cores)
    assert shown == predictions.last_done(customers, 0.3, clerks, cores)


@pytest.mark.parametrize("load", (0.1, 0.5, 0.9, 0.99, 1.0, 1.5))
def test_the_wait_at_one_clerk(office, load):
    shown = office.call("pollaczekKhinchine", load / 0.4, 0.4, 0.3)
    assert shown == predictions.pollaczek_khinchine(load / 0.4, 0.4, 0.3)
    wait = office.call("meanWait", BURST | dict(arrivals="random"), load / 0.4)
    in_theory = predictions.deterministic(load / 0.4, 0.4, 1)
    assert wait == pytest.approx(in_theory, rel=LAST_DIGITS), "by another formula"


@pytest.mark.parametrize("clerks", (1, 2, 5, 16, 32))
@pytest.mark.parametrize("load", (0.1, 0.7, 0.95))
def test_the_wait_at_several_clerks(office, clerks, load):
    offered = load * clerks
    share = predictions.erlang_c(clerks, offered)
    assert office.call("erlangC", clerks, offered) == share
    wait = predictions.deterministic(offered / 0.4, 0.4, clerks)
    shown = office.call("deterministic", offered / 0.4, 0.4, clerks)
    assert shown == wait


def test_the_kernels_pauses_and_held_up_clerks(office):
    for linear, until in ((0, 70), (4, 130), (2, 0.5)):
        expected = predictions.syn_times(linear, until)
        assert office.call("synTimes", linear, until) == expected
    for holders, clerks in itertools.product((0, 1, 4, 5, 9), (1, 4)):
        expected = predictions.held_up(holders, clerks, 2.5)
        assert office.call("heldUp", holders, clerks, 2.5) == expected


@pytest.mark.parametrize(
    "customers, backlog", [(10, 4), (30, 4), (60, 16), (60, 1), (20, 128)]
)
@pytest.mark.parametrize("takes", [0.05, 0.1, 0.5])
def test_who_finds_no_room_comes_again_when_judge_says(
    office, customers, backlog, takes
):
    """The kernel's schedule: SYNs that are sent again, and phantoms after them."""
    until = 60
    granted = predictions.Admission(
        inside=1,
        backlog=backlog,
        syns=predictions.syn_times(4, 130),
        revivals=predictions.revival_times(130),
    )
    expected = predictions.admitted(customers, takes, granted, until)
    shown = office.compute(customers=customers, service=takes, backlog=backlog)
    done = [
        each if each != "inf" and each <= until else float("inf")
        for each in shown["done"]
    ]
    assert sorted(done) == expected


# ---- What was measured: stored runs of the generator against labs 1 and 3 ----

MEASURED = [
    ("burst", dict(service=0.4)),
    ("slow-head", dict(service=0.2, slow=1, slowTime=2)),
    ("pool", dict(service=0.4, slow=1, slowTime=2, clerks=4, chairs=16)),
    ("poisson", dict(arrivals="random", rate=2, seed=7, service=0.4)),
]


@pytest.mark.parametrize("run, settings", MEASURED, ids=[run for run, _ in MEASURED])
def test_a_stored_run_was_as_the_page_shows_it(office, run, settings):
    clients = read_clients(STORED / f"{run}.csv")
    shown = office.compute(**settings, customers=len(clients))
    came = [(client.intended - clients[0].intended) / NS_PER_S for client in clients]
    expected = [at - shown["arrivals"][0] for at in shown["arrivals"]]
    assert came == pytest.approx(expected, abs=1e-6), "the same schedule"
    took = sorted(client.latency for client in clients)
    predicted = sorted(done - at for done, at in zip(shown["done"], shown["arrivals"]))
    assert took == pytest.approx(predicted, rel=0.02)
    assert max(took) == pytest.approx(shown["last"], rel=0.02)


def test_a_wrong_prediction_would_be_seen(office):
    """The comparison above can fail: another service time is 5 % off."""
    took = sorted(client.latency for client in read_clients(STORED / "burst.csv"))
    assert took != pytest.approx(sorted(office.compute(service=0.42)["done"]), rel=0.02)


# ---- The page itself ----


def test_the_numbers_on_the_page_are_those_computed(browser):
    office = Office(browser).open(settings="customers=12&clerks=3&service=0.5")
    assert office.text("last") == "2.00 s"
    assert office.text("half") == "1.00 s"
    assert office.text("law").startswith("12 customers ÷ 3 clerks = 4 rounds")
    assert "--threads=3" in office.text("commands")


def test_a_slider_moves_by_keyboard_and_all_follows(browser):
    office = Office(browser).open(settings="customers=12&service=0.5")
    slider = browser.find_element("id", "clerks")
    slider.send_keys("\ue014")  # the arrow to the right
    assert office.text("clerks-said") == "2"
    assert office.text("last") == "3.00 s"
    assert "clerks=2" in browser.current_url
    browser.find_element("tag name", "body").send_keys("3")
    assert office.text("law").startswith("A clerk for each")


def test_each_person_is_where_the_moment_wants_it(browser):
    office = Office(browser).open(settings="customers=12&service=0.5&clerks=2&chairs=4")
    office.run("(isPlaying = false, time = 0.75, show(), 1)")
    kinds = office.run("people.map((g) => g.getAttribute('class').split(' ')[1])")
    assert kinds == ["gone"] * 2 + ["served"] * 2 + ["waits"] * 8
    seated = office.run("people.slice(4).map((g) => g.style.transform)")
    assert len(set(seated)) == 8, "nobody stands where another is"
    assert "8 in line, 2 served, 2 gone" in office.run("seen.textContent")


def test_with_reduced_motion_nothing_moves_by_itself(browser):
    still = Office(browser).open()
    assert still.text("play") == "Play"
    assert still.run("time") == 0
    moving = "getComputedStyle(people[0]).transitionDuration"
    assert still.run(moving) == "0s"
    assert Office(browser).open(media=[]).run(moving) != "0s"


@pytest.mark.parametrize(
    "width, scheme", [(360, "dark"), (768, "light"), (1440, "dark")]
)
def test_fits_the_screen(browser, width, scheme):
    office = Office(browser).open(width, [("prefers-color-scheme", scheme), STILL])
    for scene in range(7):
        office.run(f"(choose({scene}), 1)")
        assert office.run("document.documentElement.scrollWidth") <= width
        beyond = "people.filter((g) => g.getBoundingClientRect().right > innerWidth + 40).length"
        assert office.run(beyond) == 0
    assert not [
        each for each in browser.get_log("browser") if each["level"] == "SEVERE"
    ]


INKS = ["--ink", "--soft", "--lab1", "--lab2", "--lab3", "--link"]


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_words_have_contrast(browser, scheme):
    office = Office(browser).open(media=[("prefers-color-scheme", scheme), STILL])
    style = "getComputedStyle(document.documentElement).getPropertyValue('%s').trim()"
    for ground in ("--page", "--panel", "--floor"):
        for ink in INKS if ground != "--floor" else INKS[:2]:
            pair = [office.run(style % name) for name in (ink, ground)]
            assert contrast(*pair) >= 4.5, (ink, ground)


def contrast(one, other):
    """WCAG 2.2's ratio of two colours."""
    light, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_loads_nothing_from_elsewhere():
    text = PAGE.read_text()
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    assert " src=" not in text
