"""What is cheap to check of the course: `make test-grader` and `make test-course` do the rest."""

import re
import subprocess

import pytest

from tests.course import (
    exam,
    handed,
    handout,
    handouts,
    hunts,
    names,
    sheets,
    slides,
    variants,
)
from tests.course.checks import gallery, mutants
from tests.course.checks.submissions import ALL
from tests.course.cut import Blank, Drift, Drop, Swap, blank, cut, drop, swap
from tests.course.start import files_of, start
from tests.course.trial import stages
from tests.gallery.variants import HERE as GALLERY

LABS = range(5)


@pytest.mark.parametrize("n", LABS)
def test_a_hand_out_fits_the_reference_and_has_todos(n):
    files = files_of(n)
    assert sum(text.count("TODO: ") for text in files.values()) >= len(
        [step for step in handout.HANDOUTS[n].steps if not isinstance(step, Drop)]
    )


@pytest.mark.parametrize("n", LABS)
def test_stages_are_worth_100_points_and_build_on_earlier_ones(n):
    seen = set()
    for stage in stages(n):
        assert set(stage.needs) <= seen, f"{stage.name} needs what comes later"
        assert len(stage.hints) == 3 and all(stage.hints), stage.name
        seen.add(stage.name)
    assert sum(stage.points for stage in stages(n)) == 100
    assert 10 <= len(seen) <= 12


@pytest.mark.parametrize("n", LABS)
def test_a_sheet_has_the_points_of_today(n):
    assert sheets.sheet(n).read_text() == sheets.with_points(
        n
    ), "python3 -m tests.course.sheets"


@pytest.mark.parametrize("n", LABS)
def test_a_stage_names_a_chapter_that_is_there(n):
    for stage in stages(n):
        file, _, anchor = stage.read.partition("#")
        text = (sheets.ROOT / file).read_text()
        heads = {
            line.lstrip("# ").lower().replace(" ", "-")
            for line in text.splitlines()
            if line.startswith("#")
        }
        assert not anchor or anchor in heads, f"{stage.name}: {stage.read}"


def test_a_renamed_function_stops_the_hand_out(tmp_path):
    (tmp_path / "a.c").write_text("int f(int x)\n{\n    return x;\n}\n")
    assert "TODO: go" in cut(tmp_path, [Blank("a.c", "f", "go", "0")])["a.c"]
    with pytest.raises(Drift, match="a.c has changed: g is defined 0 times"):
        cut(tmp_path, [Blank("a.c", "g", "go")])


def test_a_brace_in_a_comment_or_a_string_does_not_end_a_function():
    text = "int f(int x)\n{\n    /* } */\n    puts(\"}\");\n    return '}';\n}\n\nint g(void)\n{\n}\n"
    assert blank(text, Blank("", "f", "t")).endswith("int g(void)\n{\n}\n")
    assert drop(text, Drop("", "f")) == "int g(void)\n{\n}\n"
    with pytest.raises(Drift):
        swap(text, Swap("", "}", ""))


@pytest.mark.parametrize("number", range(1, len(hunts.HUNTS) + 1))
def test_a_hunt_is_a_small_change_with_a_name(number):
    hunt = hunts.HUNTS[number - 1]
    patch = (GALLERY / f"{hunt.variant}.patch").read_text().partition("\n\n")[2]
    lines = [line for line in patch.splitlines() if line[:1] in "+-"]
    changed = [line for line in lines if not line.startswith(("+++", "---"))]
    assert len(changed) <= 2 * 10 and hunt.name in names.NAMES
    assert sum(line[0] == "+" for line in changed) <= 10
    assert hunt.name not in hunt.symptom


def test_each_name_belongs_to_a_chapter_that_is_there():
    for chapter, meaning in names.NAMES.values():
        file = sheets.ROOT / names.TUTORIAL[chapter]
        assert meaning and file.exists(), f"{file} is not there"


def test_a_hunt_is_handed_out_without_its_name(tmp_path):
    handed.pack(1, tmp_path / "1")
    hunt, files = handed.unpack(tmp_path / "1")
    packed = b"".join(path.read_bytes() for path in (tmp_path / "1").iterdir())
    assert (hunt, files) == handed.read_hunt(1)
    assert hunt.is_named(hunts.HUNTS[0].name) and not hunt.is_named("fd-leak")
    assert b"pthread_create" not in packed
    assert f'"{hunts.HUNTS[0].name}"'.encode() not in packed


def test_a_hand_out_has_no_exam(tmp_path):
    handouts.copy_tree(tmp_path, handouts.written_by_students())
    handouts.hide_answers(tmp_path)
    assert not (tmp_path / "tests/course/exam.py").exists()
    assert "exam" not in (tmp_path / "tests/course/course.mk").read_text()
    names = {path.name for path in tmp_path.rglob("*")}
    assert not names & {"queue.c", "slots.c", "hunts.py", "d-solutions.md", "lab0.c"}


def test_the_tutorial_of_a_hand_out_has_no_code_that_students_write():
    for chapter in sorted((sheets.ROOT / "docs").glob("[0-9]*.md")):
        text = handouts.without_answers(chapter.read_text())
        for line in ("slots_await_all();\n", "queue->popped++ %", "visit_in_request("):
            fenced = re.findall(r"^```c.*?^```$", text, re.M | re.S)
            assert not any(line in one for one in fenced), f"{chapter.name}: {line}"


def test_there_are_hunts_for_each_of_the_ten_mistakes():
    used = {hunt.name for hunt in hunts.HUNTS}
    assert len(hunts.HUNTS) >= 20 and used <= set(names.NAMES)
    assert set(list(names.NAMES)[:10]) <= used


def test_the_table_has_60_submissions_of_different_names():
    assert len(ALL) >= 60
    assert len({(one.lab, one.name) for one in ALL}) == len(ALL)


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"lab{one.lab}-{one.name}")
def test_a_submission_fits_the_reference(one, tmp_path):
    one.lay(tmp_path)
    assert (tmp_path / "server.c").exists()


def test_a_seed_draws_one_of_the_variants_and_a_sheet_says_it(tmp_path):
    drawn = {str(variants.variant_of(3, f"anna-{n}")) for n in range(40)}
    assert len(drawn) == 3 and variants.variant_of(3, "") == {}
    start(3, tmp_path / "mine", "anna-1")
    sheet = (tmp_path / "mine/sheet.md").read_text()
    assert all(one in sheet for one in variants.told(variants.variant_of(3, "anna-1")))
    assert "SEED=anna-1" in (tmp_path / "mine/Makefile").read_text()


def test_each_variant_has_a_right_submission_and_a_public_one():
    for lab, choices in variants.CHOICES.items():
        for choice in choices:
            points = [
                one.points for one in ALL if one.variant == choice and one.lab == lab
            ]
            assert max(points) == 100 and min(points) < 100, choice


def test_every_gallery_variant_of_lab_code_is_in_the_table():
    assert {one.name for one in gallery.of_lab_code()} == set(gallery.LOSSES)
    for name, loss in gallery.LOSSES.items():
        known = {stage.name for stage in stages(loss.lab)}
        assert set(f"{loss.must} {loss.may}".split()) <= known, name


def test_every_equivalent_is_a_mutant_of_today_and_has_a_reason():
    every = {one.key for lab in LABS for one in mutants.all_mutants(lab)}
    assert mutants.equivalents() <= every, mutants.equivalents() - every
    groups = mutants.EQUIVALENT.read_text().split("\n\n")[1:]
    assert all(group.startswith("# ") for group in groups)


def test_start_writes_over_nothing(tmp_path):
    start(2, tmp_path / "mine")
    done = subprocess.run(
        ["python3", "-m", "tests.course.start", "2", str(tmp_path / "mine")],
        cwd=sheets.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "not empty" in done.stderr


def test_a_seed_gives_the_same_exam_and_another_gives_another():
    assert exam.exam(7, True) == exam.exam(7, True)
    assert exam.exam(7, False) != exam.exam(8, False)
    assert len(exam.questions(7)) == len(exam.BANK)


def test_an_answer_follows_from_its_question():
    for seed in range(40):
        first = exam.questions(seed)[0]
        count, ms = map(int, re.findall(r"(\d+) clients.* (\d+) ms", first.text)[0])
        assert f"{count * ms} ms" in first.answer


def test_every_folded_question_is_one_of_gift():
    asked = exam.folded()
    text = exam.gift()
    assert len(asked) > 20 and text.count("{####") == len(asked)
    assert all(question and answer for _, question, answer in asked)


def test_the_slides_have_todays_code_and_pictures():
    made = slides.slides()
    assert len(made) >= 20 and "queue_pop" in slides.page()
    assert sum("<svg" in one for one in made) >= 5
    assert "tcp_accept" in slides.accept_loop("lab1-sequential/server.c")
    with pytest.raises(Drift):
        slides.quoted("lab1-sequential/server.c", "no_such_function")


def test_the_rubric_names_stages_that_exist():
    text = (sheets.ROOT / "docs/course/rubric.md").read_text()
    known = {stage.name for n in LABS for stage in stages(n)}
    rows = [line for line in text.splitlines() if re.match(r"\|.*\| lab", line)]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert rows and named <= known, named - known
