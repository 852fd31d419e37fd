"""Each check of the tutorial has been seen to fail: here it does, on purpose."""

import os
import re
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parent / "site"))

import make_site
import check
from checking import charts, compare, links, quotes, reading, shape, terminals, typed
from checking.pages import BOOK, CHAPTERS, Lie, Page, read_others, read_pages

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


def test_bold_and_what_the_shell_says_of_jobs_are_not_compared(tmp_path):
    play(
        tmp_path,
        "```console\n$ printf '\\033[1mbold\\033[0m\\n'\nbold\n$ sleep 60 &\n"
        "$ kill -9 $!; wait\n$ echo done\ndone\n```\n",
    )


def run_a_page(folder, monkeypatch, command, shown):
    """The lies of one page, run by the check as the tutorial's pages are."""
    (folder / "Makefile").write_text("labs:\n")
    monkeypatch.setattr(check, "ROOT", folder)
    monkeypatch.setattr(check, "build", lambda copy: None)
    text = f"```console\n$ {command}\n{shown}\n```\n"
    return check.run_pages([page(text)])


def test_a_page_that_fails_once_is_run_again_alone(tmp_path, monkeypatch):
    project, count = tmp_path / "project", tmp_path / "count"
    project.mkdir()
    once = f"echo x >> {count}; wc -l < {count}"
    assert run_a_page(project, monkeypatch, once, "2") == []
    assert len(run_a_page(project, monkeypatch, "echo true", "false")) == 1


def test_nothing_is_left_running(tmp_path):
    play(tmp_path, "```console\n$ echo $$ > pid; exec sleep 600\n```\n")
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux shows sessions")
def test_a_job_of_a_page_that_failed_is_ended(tmp_path):
    with pytest.raises(Lie):
        play(tmp_path, "```console\n$ sleep 600 & echo $! > pid\nno\n```\n")
    stat = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    until = time.monotonic() + 10
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < until, "the job still runs"


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


OTHERS = ["SECURITY.md", "bench/README.md", "tests/README.md"]


@pytest.mark.parametrize("name", OTHERS)
def test_a_link_that_leads_nowhere_is_caught_in_what_else_there_is_to_read(root, name):
    file = root / name
    file.parent.mkdir(exist_ok=True)
    up = "../" * name.count("/")

    def lies(target):
        file.write_text(f"# Here\n\n[text]({up}{target})\n")
        pages = read_others(root)
        return [lie for page in pages for lie in check.check_targets(root, page)]

    assert lies("docs/other.md#a-part-with-code") == []
    assert len(lies("docs/none.md")) == len(lies("docs/other.md#none")) == 1


def test_what_else_there_is_to_read_is_found():
    assert {page.name for page in read_others()} >= set(OTHERS)


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


def book():
    named = {page.name: page for page in read_pages()}
    return [named[name] for name in BOOK]


@pytest.mark.parametrize("each", book(), ids=lambda each: each.name)
def test_no_page_takes_more_than_20_minutes_to_read_and_type(each):
    assert reading.minutes(each) <= 20, reading.times([each])


def test_no_sentence_has_more_than_25_words():
    assert reading.list_longest(read_pages()) == ""


def test_the_site_has_the_pages_in_the_order_of_the_book():
    nav = (check.ROOT / "docs/site/mkdocs.yml").read_text().partition("\nnav:")[2]
    assert [f"docs/{name}" for name in re.findall(r": ([\w-]+\.md)$", nav, re.M)] == [
        "docs/README.md",
        *BOOK,
        "docs/print.md",
    ]


def test_every_page_of_the_folder_is_in_the_book():
    folder = {page.name for page in read_pages() if page.name.startswith("docs/")}
    assert folder - {"docs/README.md"} == set(BOOK)


@pytest.mark.parametrize("each", book(), ids=lambda each: each.name)
def test_each_page_leads_to_its_neighbours(each):
    here = BOOK.index(each.name)
    foot = each.text.rstrip().rpartition("\n\n")[2].replace("\n", " ")
    for neighbour in BOOK[max(0, here - 1) : here] + BOOK[here + 1 : here + 2]:
        assert f"({Path(neighbour).name})" in foot, foot


# --- words, sentences, minutes -------------------------------------------------------------


def test_minutes_are_words_and_typed_lines():
    text = (
        "word " * 200
        + "\n\n```console\n$ true\n$ true\n```\n\n```c typed\nint x;\n}\n```"
    )
    assert reading.typed_lines(page(text)) == 3
    assert reading.minutes(page(text)) == pytest.approx(2)


def test_given_code_is_not_typed():
    text = "<!-- check\nfile: x.c\ngiven:\n-->\n```c typed\nint x;\n```"
    assert reading.typed_lines(page(text)) == 0


LONG = "This sentence is far too long " + "and goes on " * 8


@pytest.mark.parametrize(
    "text, count",
    [
        (LONG + "to its end.", 1),
        (LONG.replace("and goes", ". And goes") + ".", 0),
        ("- " + LONG + "in a list.", 1),
        ("| " + LONG + " |", 0),
        ("```text\n" + LONG + "\n```", 0),
        ("Short ([proof](https://example.org/a/b/c)).", 0),
    ],
)
def test_a_long_sentence_is_found(text, count):
    assert len(reading.longest([page(text)])) == count


GLOSSARY = Page("docs/c-glossary.md", "**socket**. An end.\n\n**lost**. Gone.\n")


@pytest.mark.parametrize(
    "text, trouble",
    [
        ("A **socket** is one end. It is **lost**.", []),
        ("A socket is an end: **socket**. **lost**.", []),
        ("Two sockets.\n\nA **socket** is one end. **lost**.", ["socket"]),
        ("| **socket** | an end, **lost** |", []),
        ("A **socket**.", ["lost"]),
        ("`socket` is a call. A **socket** is **lost**.", []),
    ],
)
def test_a_term_used_before_it_is_explained_is_found(text, trouble):
    pages = [Page(BOOK[0], text), GLOSSARY]
    found = reading.unexplained(GLOSSARY, pages)
    assert len(found) == len(trouble)
    assert all(term in line for term, line in zip(trouble, found))


def test_an_old_table_of_times_is_caught(monkeypatch):
    monkeypatch.setattr(reading, "CHAPTERS", ["one"])
    chapter = Page("docs/one.md", "# One\n\n1. (7 minutes) Try.\n")
    guide = Page("docs/guide.md", f"{reading.MARK}\n\n| old |\n")
    assert len(reading.check_table(guide, [chapter])) == 1
    new = Page(guide.name, reading.with_table(guide.text, [chapter]))
    assert "| [One](one.md) | 5 min | 10 min |" in new.text
    assert reading.check_table(new, [chapter]) == []


# --- code that the reader types ------------------------------------------------------------


def type_all(folder, *blocks):
    text = "\n\n".join(
        f"<!-- check\nfile: x.c\n{note}\n-->\n```c typed\n{code}\n```"
        for note, code in blocks
    )
    for block in page(text).blocks:
        typed.put(block, folder)
    return (folder / "x.c").read_text()


def test_code_is_typed_where_the_note_says(tmp_path):
    assert (
        type_all(
            tmp_path,
            ("", "one\ntwo\nthree"),
            ("for: two", "2"),
            ("before: 2", "1.5"),
            ("after: 2", "2.5"),
            ("for: 2.5\nfor: three", "3"),
        )
        == "one\n1.5\n2\n3\n"
    )


def test_a_place_that_is_not_there_or_twice_is_caught(tmp_path):
    for note in ("for: none", "for: e"):
        with pytest.raises(Lie):
            type_all(tmp_path, ("", "one\nthree"), (note, "x"))


def test_a_slow_reader_types_slowly(tmp_path, monkeypatch):
    monkeypatch.setattr(terminals, "PACE_S", [0.3])
    begin = time.monotonic()
    play(tmp_path, "```console\n$ true\n$ true\n```\n")
    assert time.monotonic() - begin >= 0.6
    with pytest.raises(Lie):  # what has ended meanwhile has said so meanwhile
        play(tmp_path, "```console\n$ (sleep 0.1; echo now) &\n$ true\n```\n")


def test_what_was_typed_and_shown_can_be_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(terminals, "KEPT", [tmp_path])
    play(tmp_path, "```console\n$ echo kept\nkept\n```\n")
    kept = (tmp_path / "docs-page.md.txt").read_text()
    assert kept == "--- terminal 1: $ echo kept\nkept\n"


def test_what_waits_in_the_background_hides_no_command(tmp_path, monkeypatch):
    monkeypatch.setattr(terminals, "PACE_S", [0.3])
    said = "echo 'waiting for 2 of 2 customers (Ctrl-C shows the table)'"
    shown = f"$ (sleep 0.1; {said}) &\n$ echo here\nhere\n"
    play(tmp_path, f"```console\n{shown}```\n")


def test_a_block_that_needs_what_is_not_here_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("STRICT", raising=False)
    needs = "<!-- check\nneeds: {}\n-->\n```console\n$ false\n```\n".format
    for need in ("root", "no-such-command"):
        play(tmp_path, needs(need))
    monkeypatch.setenv("STRICT", "1")
    play(tmp_path, needs("root"))
    with pytest.raises(Lie):  # CI installs all tools first
        play(tmp_path, needs("no-such-command"))


# --- the shape of a chapter ----------------------------------------------------------------

CHAPTER = "\n".join(
    [
        "# 1. One",
        "## The idea",
        "## The diff",
        "## Predict",
        "1. How many?",
        "## Run",
        "## The surprise",
        "## A part of its own",
        "## You will probably hit",
        "## Check yourself",
        "<details>",
        "<details>",
        "## Exercises",
        "## What you can do now",
        "![A picture](images/one.svg)",
    ]
)


def shape_of(text):
    return shape.check_shape(Page("docs/1-one.md", text))


def test_a_chapter_of_the_right_shape_passes():
    assert shape_of(CHAPTER) == []
    assert shape_of(CHAPTER.replace("The diff", "The code")) == []


@pytest.mark.parametrize(
    "part",
    [
        "## The idea",
        "## The diff",
        "## The surprise",
        "## Exercises",
        "## What",
        "![",
        "1. How",
        "<det",
    ],
)
def test_a_chapter_without_a_part_is_caught(part):
    lines = CHAPTER.split("\n")
    missing = next(line for line in lines if line.startswith(part))
    lines.remove(missing)
    assert len(shape_of("\n".join(lines))) == 1


def test_parts_in_another_order_are_caught():
    swapped = CHAPTER.replace("## Run", "## X").replace("## The idea", "## Run")
    assert len(shape_of(swapped.replace("## X", "## The idea"))) == 1


def test_a_part_inside_a_code_block_does_not_count():
    assert len(shape_of(CHAPTER.replace("## Run", "```text\n## Run\n```"))) == 1


EXERCISE = """## Exercises

1. (5 minutes) *Break it.* Try. *Checked by:*
   `test_it`, whose message names M5.

<details>
<summary>Hints for 1</summary>

Look.

<details>
<summary>Another hint</summary>

Look again.

</details>

</details>
"""


@pytest.mark.parametrize(
    "part", ["", "(5 minutes) ", "`test_it`", "names M5", "Another"]
)
def test_an_exercise_that_lacks_something_is_caught(part):
    asked = CHAPTER.replace("## Exercises", EXERCISE.replace(part, "", 1))
    assert len(shape_of(asked)) == (1 if part else 0)


@pytest.mark.parametrize(
    "opening, count", [("Nothing needs to run.", 0), ("Hello.", 1)]
)
def test_a_page_that_says_not_what_must_run_is_caught(opening, count):
    text = f"# B\n\n{opening}\n\n## More\n\n```console\n$ true\n```\n"
    assert len(shape.check_shape(Page("docs/b-clean-up.md", text))) == count


def test_every_chapter_is_looked_at():
    names = [page.name for page in read_pages() if shape.CHAPTER.match(page.name)]
    assert names == [f"docs/{name}.md" for name in CHAPTERS]
