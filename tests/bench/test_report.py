"""report.html in a real browser, opened from disk: nothing is missing, nothing overflows.

On a phone of 360 pixels, on a desk, light and dark, and in print. Each complaint is shown to come
when it should: a page that is damaged on purpose does not pass.
"""

import base64
import html
import math
import re
from itertools import combinations
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from tests.helpers.browser import Page, in_browser
from tests.helpers.setting import ROOT
from tests.bench.test_exports import LABS, make_part

from bench.tell import charts
from bench.experiments.experiment import Conclusion, Experiment, Finding, Part
from bench.measure.machine import Fact, describe
from bench.tell import report_drawing as drawing
from bench.tell import report_opening as opening
from bench.tell.report import Report

PHONE, DESK = 360, 1280
with_charts = pytest.mark.skipif(
    not charts.have_gnuplot(), reason="gnuplot is not installed"
)

# What is wrong with the page that is open, as a list of sentences.
COMPLAIN = r"""
(() => {
  const found = [], width = WIDTH;
  const say = (words) => found.push(words);
  if (document.documentElement.scrollWidth > width)
    say(`overflow: the page is ${document.documentElement.scrollWidth} wide`);
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('.paper') && !element.matches('.paper')) continue;
    const box = element.getBoundingClientRect();
    if (box.width && (box.right > width + 0.5 || box.left < -0.5))
      say(`overflow: ${element.tagName} ${element.textContent.slice(0, 40)}`);
  }
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i)))
    say(`missing: the id ${id} is not unique`);
  const text = document.documentElement.outerHTML;
  for (const [, id] of text.matchAll(/(?:href="#|url\(['"&quot;]*#)([\w-]+)/g))
    if (!ids.includes(id)) say(`missing: nothing has the id ${id}`);
  for (const figure of document.querySelectorAll('figure')) {
    const drawing = [...figure.querySelectorAll('svg, pre')].find((e) => e.getBoundingClientRect().width);
    const box = drawing && drawing.getBoundingClientRect();
    if (!box || box.height < 100 || box.width < Math.min(width, 600) * 0.8)
      say(`missing: the drawing of ${figure.id}`);
    if (figure.querySelector('svg') && !figure.querySelector('svg text'))
      say(`missing: words on the drawing of ${figure.id}`);
    if (!figure.querySelector('figcaption').textContent.trim())
      say(`missing: the caption of ${figure.id}`);
  }
  const light = (colour) => {
    const parts = colour.match(/[\d.]+/g).slice(0, 3).map((part) => {
      const c = part / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  for (const name of ['p', 'a', 'th', 'td', '.notes', '.kept', '.missed', 'figcaption']) {
    const element = document.querySelector(name);
    if (!element) continue;
    const ink = light(getComputedStyle(element).color);
    const contrast = (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
    if (contrast < 4.5) say(`contrast: ${name} has ${contrast.toFixed(1)}`);
  }
  for (const paper of document.querySelectorAll('.paper')) {
    const ground = light(getComputedStyle(paper).backgroundColor);
    for (const word of paper.querySelectorAll('svg text')) {
      const ink = light(getComputedStyle(word).fill);
      const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
      if (contrast < 4.5) say(`contrast: "${word.textContent.trim()}" on a chart has ${contrast.toFixed(1)}`);
    }
  }
  return found;
})()
"""


def show(
    page: Page, report: Path, width: int, scheme: str = "light", media: str = ""
) -> None:
    """Open a page from disk, in a window of this width."""
    page.emulate(scheme, media, width, scale=2 if width == PHONE else 1)
    page.requests(), page.troubles()  # those of the last page
    page.open(report.as_uri())


@pytest.fixture(scope="module")
def part(tmp_path_factory) -> Part:
    """An experiment that was made up; its chart is drawn beside its CSV."""
    folder = tmp_path_factory.mktemp("results")
    made = make_part(folder, failing=1)
    charts.keep_scripts(made.conclusion.charts, folder)
    if charts.have_gnuplot():
        for chart in made.conclusion.charts:
            charts.draw(chart, folder)
    (folder / "gates.csv").write_text("run,gate\n")
    return made


@pytest.fixture(scope="module")
def report(part, tmp_path_factory) -> Path:
    """The report of it."""
    folder = next(tmp_path_factory.getbasetemp().glob("results*"))
    facts = describe(ROOT, LABS[0].program)
    return Report("Bench of a test, <quick> & made up", [part], facts).write(folder)


def complaints(
    page: Page, report: Path, width: int, scheme: str = "light"
) -> list[str]:
    """All that is wrong with a page, in sentences."""
    show(page, report, width, scheme)
    found = page.value(COMPLAIN.replace("WIDTH", str(width)))
    needed = [url for url in page.requests() if url != report.as_uri()]
    found += [f"missing: it needs {url[:60]}" for url in needed]
    found += [f"missing: the browser says {words}" for words in page.troubles()]
    links = page.value("[...document.links].map((a) => a.getAttribute('href'))")
    for link in links:
        if not link.startswith("#") and not (report.parent / link).exists():
            found.append(f"missing: the file {link}")
    return found


@in_browser
@with_charts
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_missing_and_nothing_overflows(page, report, width, scheme):
    assert complaints(page, report, width, scheme) == []
    background = page.value("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


@in_browser
@with_charts
def test_all_that_was_found_is_on_the_page(page, report, part):
    show(page, report, DESK)
    shown = page.value("document.body.innerText")
    said = [
        *part.conclusion.notes,
        *(chart.caption for chart in part.conclusion.charts),
    ]
    for finding in part.conclusion.findings:
        said += [finding.what, finding.measured_words, finding.predicted_words]
    for fact in describe(ROOT, LABS[0].program):
        said += [fact.name, fact.value]
    assert [words for words in said if words not in shown] == []
    assert page.value("document.querySelectorAll('figure .wide svg').length") == len(
        part.conclusion.charts
    )
    assert page.value("document.querySelectorAll('#dmv tbody tr').length") == len(
        part.conclusion.findings
    )


SMALLEST = (
    "Math.min(...[...document.querySelectorAll('figure svg text')]"
    ".map((e) => e.getBoundingClientRect().height).filter((height) => height))"
)

CUT = """[...document.querySelectorAll('.paper.tall svg')].flatMap((svg) => {
  const paper = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.width && box.right > paper.right + 1;
  }).map((text) => text.textContent);
})"""


@in_browser
@with_charts
def test_a_chart_on_a_phone_is_tall_and_whole(page, report):
    """Nothing is cut, and nothing has to be pushed aside."""
    show(page, report, PHONE)
    smallest = page.value(SMALLEST)
    assert smallest >= 9, f"the smallest words are {smallest:.1f} pixels high"
    assert page.value(CUT) == []
    box = "document.querySelector('.paper.tall svg').getBoundingClientRect()"
    assert page.value(f"{box}.height > {box}.width && {box}.width > 280")
    assert page.value(
        "[...document.querySelectorAll('.paper.tall')].every((e) => e.scrollWidth <= e.clientWidth)"
    )
    assert page.value("!document.querySelector('.paper.wide').offsetWidth")
    show(page, report, DESK)
    assert page.value("!document.querySelector('.paper.tall').offsetWidth")


@in_browser
@with_charts
def test_without_a_tall_drawing_the_wide_one_is_pushed_sideways(page, report):
    """It keeps a size at which it can be read, in its own box."""
    only_wide = report.with_name("wide.html")
    written = report.read_text().replace('class="has-tall"', 'class=""')
    only_wide.write_text(written)
    show(page, only_wide, PHONE)
    assert page.value(SMALLEST) >= 9
    paper = "document.querySelector('.paper')"
    assert page.value(f"{paper}.scrollWidth > {paper}.clientWidth")
    assert page.value(f"getComputedStyle({paper}).overflowX") == "auto"


@in_browser
@with_charts
def test_on_paper_a_chart_is_whole(page, report, tmp_path):
    """In print nothing can be pushed: what does not fit would be lost."""
    show(page, report, 700, "dark", media="print")
    assert page.value(COMPLAIN.replace("WIDTH", "700")) == []
    assert page.value(
        "[...document.querySelectorAll('.paper')].every((e) => e.scrollWidth <= e.clientWidth)"
    )
    printed = base64.b64decode(page.ask("Page.printToPDF")["data"])
    assert printed.startswith(b"%PDF-") and len(printed) > 10_000


DAMAGES = (
    "wide-line picture script no-caption no-drawing no-words no-id double-id no-file pale"
    " foreign-id wide-drawing"
)


@in_browser
@with_charts
@pytest.mark.parametrize(
    "find, put, complaint",
    [
        (r"</nav>", f"</nav><pre>{'wide ' * 100}</pre>", "overflow: the page"),
        (r"</nav>", '</nav><img src="chart.png" alt="">', "missing: it needs"),
        (r"</nav>", "</nav><script>nowhere()</script>", "missing: the browser says"),
        (
            r"<figcaption>.*?</figcaption>",
            "<figcaption></figcaption>",
            "missing: the caption",
        ),
        (r"(?s)<svg\b.*?</svg>", "", "missing: the drawing"),
        (r"(?s)<text\b.*?</text>", "", "missing: words on the drawing"),
        (r'<section id="machine">', "<section>", "missing: nothing has the id machine"),
        (
            r'<section id="machine">',
            '<section id="dmv">',
            "missing: the id dmv is not unique",
        ),
        (
            r"<a href=\"dmv.csv\">",
            '<a href="other.csv">',
            "missing: the file other.csv",
        ),
        (r"--soft: #5a5a5a", "--soft: #cccccc", "contrast: "),
        (r"#dmv-gpPt", "#gpPt", "missing: nothing has the id gpPt"),
        (r"min-width: 44rem", "min-width: 90rem; margin-left: -40rem", ""),
    ],
    ids=DAMAGES.split(),
)
def test_a_damaged_page_is_noticed(page, report, find, put, complaint):
    whole = report.read_text()
    damaged = report.with_name("damaged.html")
    damaged.write_text(re.sub(find, lambda match: put, whole))
    assert damaged.read_text() != whole
    found = complaints(page, damaged, PHONE)
    if complaint:
        assert [each for each in found if complaint in each], found
    else:
        assert (
            found == []
        ), "what happens in a chart's own box is no overflow of the page"


# --- without a browser ---------------------------------------------------------------------


def test_the_page_needs_nothing_beside_it(report):
    written = report.read_text()
    assert not re.findall(
        r"<(?:link|img|iframe|object|embed)\b|<script[^>]|@import", written
    )
    assert "Bench of a test, &lt;quick&gt; &amp; made up" in written


def test_without_gnuplot_the_charts_are_text(part, tmp_path):
    written = (
        Report("text", [part], [Fact("kernel", "Linux")]).write(tmp_path).read_text()
    )
    assert "<svg" not in written
    for chart in part.conclusion.charts:
        assert html.escape(chart.text) in written


# --- what one sees first --------------------------------------------------------------------


def made_up(experiment: str, *findings: Finding) -> Part:
    """An experiment with these findings and nothing else."""
    return Part(
        Experiment(experiment, "what?", None, None), Conclusion([*findings], [], []), []
    )


FOUND = [
    made_up(
        "dmv",
        Finding("lab1-sequential", "slow head: second done", [1.1], 1.0, 1.05),
        Finding("lab2-thread-per-client", "slow head: second done", [0.1], 0.1, 0.1),
    ),
    made_up(
        "work",
        Finding("lab1-sequential", "waits: last of 20", [0.4], 0.4, 0.41),
        Finding("lab2-thread-per-client", "waits: last of 20", [0.02], 0.02, 0.03),
        Finding("lab1-sequential", "computes: last of 20", [0.5], 0.4, 0.41),
        Finding("lab2-thread-per-client", "computes: mean / lab3's", [1.9], unit="1"),
    ),
    made_up(
        "silent",
        Finding("lab3-thread-pool", "silent: nobody served for", [math.inf], 0.8, 0.8),
        Finding("lab4-timeouts", "silent: nobody served for", [0.2], 0.2, 0.21),
    ),
    made_up(
        "crowd",
        *(
            Finding(lab, f"waits: last of {n}", [n * each], n * each, n * each, "s", n)
            for lab, each in (("lab1-sequential", 0.002), ("lab2-thread", 0.0003))
            for n in (10, 100, 1000)
        ),
    ),
]


@pytest.fixture(scope="module")
def invented(tmp_path_factory) -> Path:
    """A report of what was made up, without charts."""
    folder = tmp_path_factory.mktemp("invented")
    (folder / "gates.csv").write_text("run,gate\n")
    return Report("invented", FOUND, [Fact("kernel", "Linux")]).write(folder)


def test_four_sentences_say_what_was_found():
    said = opening.sentences(FOUND)
    assert [each.number for each in said] == [
        "1.10 s",
        "100 ms",
        "× 1.9",
        "never → 200 ms",
    ]
    assert [each.experiment for each in said] == ["dmv", "dmv", "work", "silent"]
    without = opening.sentences(FOUND[:2] + FOUND[3:])
    assert without[-1].number == "2.00 s → 300 ms", "another takes its place"
    assert opening.sentences([]) == []


def test_the_overview_has_one_axis_for_all():
    axis = opening.choose_axis([0.02, 0.4, 0.2, math.inf, 0])
    assert (axis.low, axis.high) == (0.01, 1.0)
    assert axis.share(0.1) == pytest.approx(0.5)
    assert axis.share(math.inf) == 1 and axis.share(0) == 0
    drawn = opening.overview(FOUND)
    assert drawn.count('role="row"') == 1 + 4
    assert drawn.count('role="cell"') == 4 * 3
    assert drawn.count("not measured") == 4 * 3 - 5
    assert 'style="width: 80.1%"' in drawn, "0.4 s between 10 ms and 1 s"


@in_browser
@pytest.mark.parametrize("width", [PHONE, 768, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_opening_fits(page, invented, width, scheme):
    assert complaints(page, invented, width, scheme) == []
    rows = page.value("document.querySelectorAll('.overview .track').length")
    assert rows == 5
    pairs = "[...document.querySelectorAll('.headlines a, .overview a')]"
    targets = page.value(f"{pairs}.every((a) => document.querySelector(a.hash))")
    assert targets


# --- marks that answer ----------------------------------------------------------------------


@in_browser
@with_charts
def test_a_bar_says_what_it_is_by_pointer_and_keyboard(page, report):
    show(page, report, DESK)
    marks = page.value("document.querySelectorAll('.wide .mark').length")
    assert marks == 2 * 20 * len(LABS), "waiting and served, of 20 clients on each lab"
    page.element(".paper.wide").send_keys(Keys.ARROW_DOWN)
    said = page.value("document.querySelector('.mark-said').textContent")
    assert re.fullmatch(r"number 1 in line: waited .*, served in .*, done at .*", said)
    page.element(".paper.wide").send_keys(Keys.ARROW_DOWN)
    assert "number 2 in line" in page.value(
        "document.querySelector('.mark-said').textContent"
    )
    bar = page.driver.find_elements("css selector", ".wide .mark polygon")[4]
    webdriver.ActionChains(page.driver).move_to_element(bar).perform()
    assert "number 5 in line" in page.value(
        "document.querySelector('.mark-said').textContent"
    )


def test_bars_are_not_named_where_they_cannot_be_counted():
    row = {"rank": "1", "begun_s": "0.5", "ended_s": "0.6"}
    bar = "<polygon points='0,0 1,1'/>"
    named = drawing.named_bars(bar, [row])
    assert "<title>number 1 in line: waited 500 ms, served in 100 ms" in named
    assert drawing.named_bars(bar + bar, [row]) == bar + bar
    row["ended_s"] = "NaN"
    assert "not served" in drawing.named_bars(bar, [row])


# --- predict first --------------------------------------------------------------------------

MEASURED = "document.querySelectorAll('.guess .measured').length"
COVERED = "document.body.classList.contains('guessing')"


def drag(page: Page, points: list[tuple[float, float]]) -> None:
    """Draw with the pointer, in shares of the chart's width and height."""
    svg = page.element(".guess svg")
    size = svg.size
    chain = webdriver.ActionChains(page.driver, duration=10)
    at = [((x - 0.5) * size["width"], (y - 0.5) * size["height"]) for x, y in points]
    chain.move_to_element_with_offset(svg, *at[0]).click_and_hold()
    for x, y in at[1:]:
        chain.move_to_element_with_offset(svg, x, y)
    chain.release().perform()


@in_browser
def test_what_was_measured_is_hidden_until_a_guess_is_drawn(page, invented):
    show(page, invented, DESK)
    page.value("localStorage.clear()")
    page.driver.refresh()
    assert not page.value(COVERED)
    page.click("#predict-first")
    assert page.value(COVERED)
    assert page.value("!document.querySelector('.headlines').offsetWidth")
    assert page.value("!document.querySelector('#crowd table').offsetWidth")
    assert page.value(MEASURED) == 0
    page.driver.execute_script(
        "document.querySelector('.guess').scrollIntoView({block: 'center'})"
    )
    drag(page, [(0.35, 0.7), (0.45, 0.6), (0.6, 0.5), (0.75, 0.4), (0.96, 0.2)])
    assert page.value(MEASURED) == 1, "that lab's curve, and no other"
    said = page.value("document.querySelector('.guess-said').textContent")
    assert re.search(r"lab1: off by a factor of \d+\.\d\d", said)
    assert page.value(COVERED), "the other lab is still to be guessed"


@in_browser
def test_a_guess_can_be_drawn_by_keyboard_and_is_kept(page, invented):
    show(page, invented, PHONE)
    page.value("localStorage.clear()")
    page.driver.refresh()
    page.click("#predict-first")
    for lab in range(2):
        page.click(".guess-labs button", lab)
        chart = page.element(".guess svg")
        chart.send_keys(Keys.ARROW_LEFT * 5 + Keys.ARROW_UP)
        chart.send_keys((Keys.ARROW_RIGHT + Keys.ARROW_DOWN) * 2)
    assert page.value(MEASURED) == 2
    assert not page.value(COVERED), "all was guessed: all may be seen"
    page.driver.refresh()
    page.until(f"{MEASURED} === 2")
    assert page.value("document.querySelectorAll('.guess .mine-dot').length") == 6


@in_browser
def test_without_a_script_nothing_is_hidden(page, invented):
    page.allow_scripts(False)
    try:
        show(page, invented, DESK)
        assert page.value("!!document.querySelector('.headlines').offsetWidth")
        assert page.value("!!document.querySelector('#crowd table').offsetWidth")
        assert page.value("!document.querySelector('.guess').offsetWidth")
        assert page.value("!document.querySelector('#predict-first')")
    finally:
        page.allow_scripts(True)


# --- inks that everybody can tell apart ------------------------------------------------------

# Machado, Oliveira and Fernandes, 2009: what is seen without one kind of cone (severity 1).
SEEN = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}
LEAST = {  # between any two of the four labs: fills, in CIE76 dE
    "light": {"all cones": 53, "protanopia": 22, "deuteranopia": 17, "tritanopia": 16},
    "dark": {"all cones": 43, "protanopia": 33, "deuteranopia": 33, "tritanopia": 33},
}


def inks(scheme: str) -> list[str]:
    """The fills of the four labs in a scheme."""
    css = (charts.HERE / "report.css").read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    return re.findall(r"--lab[1-4]: (#\w{6})", light if scheme == "light" else dark)[:4]


def linear(colour: str) -> list[float]:
    """A colour as amounts of light."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]


def lab_colour(colour: str, cones: str) -> tuple[float, float, float]:
    """CIELAB of what is seen of a colour."""
    light = linear(colour)
    seen = [
        min(1, max(0, sum(k * part for k, part in zip(row, light))))
        for row in SEEN[cones]
    ]
    white = (0.95047, 1.0, 1.08883)
    to_xyz = (
        (0.4124, 0.3576, 0.1805),
        (0.2126, 0.7152, 0.0722),
        (0.0193, 0.1192, 0.9505),
    )
    x, y, z = (
        sum(k * part for k, part in zip(row, seen)) / of
        for row, of in zip(to_xyz, white)
    )
    f = lambda t: t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
    return 116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))


def least_distance(colours: list[str], cones: str) -> float:
    """The distance of the two that are nearest to each other."""
    seen = [lab_colour(colour, cones) for colour in colours]
    return min(math.dist(one, other) for one, other in combinations(seen, 2))


@pytest.mark.parametrize("scheme", LEAST)
@pytest.mark.parametrize("cones", SEEN)
def test_labs_differ_for_everybody(scheme, cones):
    assert len(inks(scheme)) == 4
    assert least_distance(inks(scheme), cones) >= LEAST[scheme][cones]


def test_two_like_inks_would_be_noticed():
    red, green = "#c04040", "#609040"
    assert least_distance([red, green], "all cones") > 60
    assert least_distance([red, green], "deuteranopia") < 25
