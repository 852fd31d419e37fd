"""Each check of the tutorial has been seen to fail: here it does, on purpose."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parent / "site"))

import make_site
from checking import charts, compare, links, quotes, terminals
from checking.pages import Lie, Page, read_pages

SERVER = """/* A server. */

enum { SEATS = 5 };

/* Serves one. */
static void serve(int client)
{
    talk(client);
    close(client);
}

int main(void)
{
    serve(1);
    puts("the office is closed\\n");
}
"""


@pytest.fixture
def root(tmp_path):
    """A small project with one source file, one test and one page."""
    (tmp_path / "lab1").mkdir()
    (tmp_path / "lab1" / "server.c").write_text(SERVER)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text("def test_it_serves():\n    pass\n")
    (tmp_path / "docs" / "charts").mkdir(parents=True)
    (tmp_path / "docs" / "other.md").write_text(
        "# Other page\n\n## A part, with `code`\n"
    )
    return tmp_path


def page(text):
    return Page("docs/page.md", text)


def only_block(text):
    (block,) = page(text).blocks
    return block


# --- quoted code ---------------------------------------------------------------------------


def quote(name, *lines):
    return only_block("\n".join([f"```c lab1/server.c:{name}", *lines, "```"]))


def test_a_function_is_found_with_its_comment():
    assert quotes.find_named(SERVER, "serve")[0] == "/* Serves one. */"
    assert quotes.find_named(SERVER, "SEATS") == ["enum { SEATS = 5 };"]
    assert quotes.find_named(SERVER, "close") is None


def test_a_true_quote_passes(root):
    quotes.check_quote(root, quote("serve", *quotes.find_named(SERVER, "serve")))
    quotes.check_quote(root, quote("serve", "...", "    close(client);", "}"))


@pytest.mark.parametrize(
    "block",
    [
        quote("serve", "/* Serves one. */", "static void serve(int client)", "{", "}"),
        quote("serve", "...", "    close(listener);", "}"),
        quote("serve", "...", "    talk(client);", "}"),
        quote("serv", "..."),
        only_block("```c lab9/server.c:serve\n```"),
        only_block("```c\nint x;\n```"),
    ],
    ids=[
        "a line less",
        "another line",
        "a gap not shown",
        "no such name",
        "no file",
        "no source",
    ],
)
def test_a_false_quote_is_caught(root, block):
    with pytest.raises(Lie):
        quotes.check_quote(root, block)


def test_update_copies_a_quote_anew(root):
    old = page(
        "Before\n\n```c lab1/server.c:SEATS\nenum { SEATS = 4 };\n```\n\nAfter\n"
    )
    assert "SEATS = 5" in quotes.updated(root, old)


def test_a_diff_that_the_command_does_not_print_is_caught(root):
    (root / "Makefile").write_text("lesson-2: ; @echo '-old'; echo '+new'\n")
    quotes.check_diff(root, only_block("```diff make lesson-2\n-old\n+new\n```"))
    with pytest.raises(Lie):
        quotes.check_diff(root, only_block("```diff make lesson-2\n-old\n+newer\n```"))


def test_a_message_that_no_program_has_is_caught(root):
    said = only_block("```text\nserver: the office is closed\n```")
    unsaid = only_block("```text\nserver: the office is open\n```")
    assert quotes.check_messages(root, said) == []
    assert len(quotes.check_messages(root, unsaid)) == 1


# --- what varies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shown, real",
    [
        ("took 100.4 ms", "took 131 ms"),
        ("took 2.01 s", "took 1.98 s"),
        ("   0.3 ms  |..###", "  12.0 ms  |#"),
        ("a  b", "a b"),
    ],
)
def test_what_may_vary_may(shown, real):
    assert compare.is_same([shown], [real], [])


@pytest.mark.parametrize(
    "shown, real",
    [
        ("took 100.4 ms", "took 2.01 s"),
        ("took 2.01 s", "took 101.0 ms"),
        ("took 2.01 s", "took long"),
        ("20 served", "19 served"),
        ("a  b", "ab"),
    ],
)
def test_what_may_not_vary_is_caught(shown, real):
    assert not compare.is_same([shown], [real], [])


def test_only_what_the_note_names_varies_more():
    assert compare.is_same(["pid 12, 3 threads"], ["pid 99, 3 threads"], [r"pid \d+"])
    assert not compare.is_same(
        ["pid 12, 3 threads"], ["pid 99, 4 threads"], [r"pid \d+"]
    )


def test_a_gap_leaves_lines_out_but_not_the_others():
    assert compare.is_same(["a", "...", "z"], ["a", "b", "c", "z"], [])
    assert not compare.is_same(["a", "...", "z"], ["a", "b", "c"], [])
    assert not compare.is_same(["a"], ["a", "b"], [])


# --- consoles ------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """What never comes is not waited for long."""
    monkeypatch.setattr(terminals, "PATIENCE_S", 2)
    monkeypatch.setattr(terminals, "BACKGROUND_S", 0.2)


def play(folder, text):
    terminals.play(page(text), folder)


def test_what_is_so_passes(tmp_path):
    play(
        tmp_path,
        "```console\n$ cat > words\n```\n\n<!-- check\ntyped: hello\n-->\n```console\nhello\n^D\n"
        "$ cat words; sleep 0.3\nhello\n```\n",
    )


@pytest.mark.parametrize(
    "block",
    [
        "$ echo one\ntwo",
        "$ echo one",
        "$ echo one\none\ntwo",
        "$ false",
        "$ echo one; exit 3",
        "$ sleep 0.05; echo one &",
    ],
    ids=["other", "more", "less", "status", "the shell ends", "late"],
)
def test_what_is_not_so_is_caught(tmp_path, block):
    with pytest.raises(Lie):
        play(tmp_path, f"```console\n{block}\n```\n\n```console\n$ true\n```\n")


def test_words_that_come_too_early_are_caught(tmp_path):
    shown = "```console\n$ (sleep 0.05; echo early) & cat\n```\n"
    with pytest.raises(Lie):
        play(tmp_path, shown + "\n*Terminal 2*\n\n```console\n$ true\n```\n")


def test_a_line_that_is_typed_but_not_shown_is_caught(tmp_path):
    with pytest.raises(Lie):
        play(tmp_path, "<!-- check\ntyped: hi\n-->\n```console\n$ cat\n```\n")


def test_port_9000_is_any_free_port_and_reads_9000(tmp_path):
    ports = {"9000": "7000", "9001": "7001"}
    command = terminals.with_ports("build/lab1-sequential/server desk", ports)
    assert command == "build/lab1-sequential/server --port=7000 desk"
    assert terminals.with_ports("build/bind 9001", ports) == "build/bind 7001"
    assert terminals.with_ports("echo 19000 9000.5", ports) == "echo 19000 9000.5"


def test_nothing_is_left_running(tmp_path):
    play(tmp_path, "```console\n$ echo $$ > pid; exec sleep 600\n```\n")
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# --- links, tests, charts ------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "other.md",
        "other.md#a-part-with-code",
        "#here",
        "https://example.org/x",
        "../lab1/server.c",
    ],
)
def test_a_link_that_leads_somewhere_passes(root, target):
    assert links.check_links(root, page(f"# Here\n\n[text]({target})\n")) == []


@pytest.mark.parametrize(
    "target",
    [
        "none.md",
        "other.md#none",
        "#none",
        "http://example.org/",
        "../../x",
        "images/none.svg",
    ],
)
def test_a_link_that_leads_nowhere_is_caught(root, target):
    assert len(links.check_links(root, page(f"# Here\n\n[text]({target})\n"))) == 1


def test_a_test_that_does_not_exist_is_caught(root):
    assert links.check_tests(root, page("See `test_it_serves`.")) == []
    assert len(links.check_tests(root, page("See `test_it_flies`."))) == 1


@pytest.fixture
def charted(root):
    """The same project with results of a bench, and a page that shows a chart."""
    latest = root / "results" / "latest"
    latest.mkdir(parents=True)
    (latest / "summary.txt").write_text(
        "Bench of today: a machine\n\nrevision  abcdef0123456789\n"
    )
    (latest / "dmv.svg").write_text("<svg/>")
    (root / "docs" / "page.md").write_text("![A chart](charts/dmv.svg)\n\n*none*\n")
    charts.take(root)
    return root


def complaints(root):
    return charts.check_charts(root, page((root / "docs" / "page.md").read_text()))


def test_a_chart_of_the_bench_passes_under_its_caption(charted):
    assert (
        "*Bench of today: a machine, revision abcdef0123*"
        in (charted / "docs/page.md").read_text()
    )
    assert complaints(charted) == []


def test_a_chart_that_was_touched_is_caught(charted):
    (charted / "docs" / "charts" / "dmv.svg").write_text("<svg>better</svg>")
    assert len(complaints(charted)) == 1


def test_a_caption_that_was_touched_is_caught(charted):
    file = charted / "docs" / "page.md"
    file.write_text(file.read_text().replace("today", "last week"))
    assert len(complaints(charted)) == 1


def test_a_chart_without_a_record_is_caught(charted):
    (charted / charts.RECORD).unlink()
    assert len(complaints(charted)) == 1


def test_an_invalid_chart_is_not_taken_and_a_wish_waits(charted):
    page_file, chart = (
        charted / "docs" / "page.md",
        charted / "results" / "latest" / "cost.svg",
    )
    page_file.write_text(
        page_file.read_text() + "\n<!-- chart cost: What it costs -->\n"
    )
    chart.write_text("<svg><text>INVALID: others were busy</text></svg>")
    charts.take(charted)
    assert "<!-- chart cost:" in page_file.read_text()
    chart.write_text("<svg><text>fine</text></svg>")
    charts.take(charted)
    assert "![What it costs](charts/cost.svg)" in page_file.read_text()
    assert complaints(charted) == []


# --- the site ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body, count",
    [
        ('<a href="other.html#here">text</a>', 0),
        ('<a href="https://example.org/">text</a>', 0),
        ('<a href="none.html">text</a>', 1),
        ('<a href="other.html#none">text</a>', 1),
        ('<img src="none.png">', 1),
        ('<script src="https://example.org/x.js"></script>', 1),
    ],
)
def test_what_is_missing_in_the_site_is_caught(tmp_path, monkeypatch, body, count):
    monkeypatch.setattr(make_site, "SITE", tmp_path)
    (tmp_path / "page.html").write_text(f"<body>{body}</body>")
    (tmp_path / "other.html").write_text('<h1 id="here">Here</h1>')
    assert len(make_site.check_site()) == count


# --- the tutorial itself -------------------------------------------------------------------


def test_chapters_1_to_4_are_read_in_20_minutes():
    for chapter in read_pages():
        if Path(chapter.name).name[0] in "1234":
            words = len(chapter.prose.split())
            assert words <= 3000, f"{chapter.name}: {words} words"


def test_every_lab_chapter_has_the_same_shape():
    shape = ["The idea", "Predict", "Run", "The surprise", "You will probably hit"]
    shape += ["Check yourself", "Exercises"]
    for chapter in read_pages():
        if Path(chapter.name).name[0] in "12345" and chapter.name.startswith("docs"):
            headings = [
                line[3:] for line in chapter.prose.split("\n") if line.startswith("## ")
            ]
            assert [h for h in headings if h in shape] == shape, chapter.name
