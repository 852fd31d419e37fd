"""Does the course material tell the truth? `make docs-test` runs this, too."""

import re
import subprocess

import pytest

from tests.course import cell, server, submission
from tests.course.start import ROOT
from tests.course.trial import stages

PAGES = sorted((ROOT / "docs/course").glob("*.md"))
MAKE_FILES = [ROOT / "Makefile", *ROOT.glob("tests/*.mk"), *ROOT.glob("*/*/*.mk")]
MAKE_FILES += ROOT.glob("bench/*.mk")
RULES = "\n".join(file.read_text() for file in dict.fromkeys(MAKE_FILES))
CODE = re.compile(r"```.*?```|`[^`\n]+(?:\n[^`\n]+)?`", re.S)


def page(name):
    return (ROOT / f"docs/course/{name}.md").read_text()


def commands(text):
    """Each `make TARGET NAME=...` in code: the target and the names."""
    for part in CODE.findall(text):
        for words in re.findall(
            r"\bmake ((?:-C \S+ )?[a-z][\w -]*?(?:\s+[A-Z]+=\S+)*)(?=[`;\n]|$)", part
        ):
            target, *rest = re.sub(r"^-C \S+ ", "", words).split()
            yield target, [word.partition("=")[0] for word in rest if "=" in word]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_a_command_has_a_rule_that_reads_what_it_is_given(file):
    for target, names in commands(file.read_text()):
        rule = re.search(rf"^{target}:.*(?:\n\t.*)*", RULES, re.M)
        assert rule, f"{file.name}: make {target} has no rule"
        for name in names:
            assert re.search(
                rf"[$(,]{name}\b", rule[0]
            ), f"{file.name}: make {target} {name}="


def test_commands_are_found():
    assert ("class", ["LAB", "SUBMISSIONS", "JOBS"]) in list(commands(page("class")))


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_a_link_leads_somewhere(file):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text()):
        assert "://" in link or (file.parent / link).exists(), f"{file.name}: {link}"


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_a_program_that_is_named_is_built(file):
    for program in re.findall(r"build/(lab\d[\w-]*/\w+)", file.read_text()):
        assert (ROOT / f"{program}.c").exists(), f"{file.name}: build/{program}"


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_a_module_that_is_named_takes_the_flags_it_is_given(file):
    named = re.findall(r"python3 -m (tests\.course\.\w+)([^\'`]*)", file.read_text())
    for module, rest in named:
        done = subprocess.run(
            ["python3", "-m", module, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        for flag in re.findall(r"--[a-z-]+", rest):
            assert (
                flag in done.stdout + "--no-progress"
            ), f"{file.name}: {module} {flag}"


def test_the_limits_are_those_of_the_grader():
    text = page("class")
    for words in (
        f"{server.PROCESSES} processes",
        f"{server.CPU_S} s of CPU",
        f"{server.MEMORY_BYTES // 10**9} GB",
        f"files of {server.FILE_BYTES // 10**6} MB",
        f"{submission.BUDGET_S} s for all stages",
    ):
        assert words in text, words
    assert cell.MAX_FILE_BYTES >= server.FILE_BYTES


def test_the_sheet_for_assistants_names_stages_that_are_there():
    known = {stage.name for lab in range(5) for stage in stages(lab)}
    text = page("assistants")
    rows = [line for line in text.splitlines() if "stages" in line]
    named = {name for row in rows for name in re.findall(r"`([a-z]+)`", row)}
    named |= set(re.findall(r"STAGE=(\w+)", text))
    assert named and named <= known, named - known


def test_a_sheet_fits_on_one_page():
    for lab in range(5):
        lines = page(f"lab-{lab}").splitlines()
        assert len(lines) <= 45 and max(map(len, lines)) <= 130, f"lab-{lab}.md"
