"""report.html in a real browser, opened from disk: nothing is missing, nothing overflows.

On a phone of 360 pixels, on a desk, light and dark, and in print. Each complaint is shown to come
when it should: a page that is damaged on purpose does not pass.
"""

import base64
import html
import re
from pathlib import Path

import pytest

from tests.helpers.browser import Page, in_browser
from tests.helpers.setting import ROOT
from tests.bench.test_exports import LABS, make_part

from bench.tell import charts
from bench.experiments.experiment import Part
from bench.measure.machine import Fact, describe
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
    const drawing = figure.querySelector('svg, pre');
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
  for (const paper of document.querySelectorAll('.paper'))
    if (light(getComputedStyle(paper).backgroundColor) < 0.9)
      say('contrast: a chart is not on white');
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
    assert page.value("document.querySelectorAll('figure svg').length") == len(
        part.conclusion.charts
    )
    assert page.value("document.querySelectorAll('#dmv tbody tr').length") == len(
        part.conclusion.findings
    )


@in_browser
@with_charts
def test_a_chart_on_a_phone_can_be_read(page, report):
    """It keeps a size, and is pushed sideways in its own box."""
    show(page, report, PHONE)
    smallest = page.value(
        "Math.min(...[...document.querySelectorAll('figure svg text')]"
        ".map((e) => e.getBoundingClientRect().height))"
    )
    assert smallest >= 9, f"the smallest words are {smallest:.1f} pixels high"
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
        r"<(?:script|link|img|iframe|object|embed)\b|@import", written
    )
    assert "Bench of a test, &lt;quick&gt; &amp; made up" in written


def test_without_gnuplot_the_charts_are_text(part, tmp_path):
    written = (
        Report("text", [part], [Fact("kernel", "Linux")]).write(tmp_path).read_text()
    )
    assert "<svg" not in written
    for chart in part.conclusion.charts:
        assert html.escape(chart.text) in written
