"""Writes the zip of an autograder for Gradescope, and turns a grade.json into its results.json.

    python3 -m tests.course.gradescope LAB --zip=FILE
    python3 -m tests.course.gradescope LAB --from=grade.json --to=results.json
"""

import argparse
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.course.trial import stages

ROOT = Path(__file__).resolve().parents[2]
SETUP = """\
#!/bin/sh
# Gradescope runs this once, when the image is made.
set -eu
apt-get update -qq
apt-get install -y -qq --no-install-recommends gcc libc6-dev make python3 gdb bubblewrap util-linux
make -C /autograder/source/suite labs
"""
RUN = """\
#!/bin/sh
# Gradescope runs this for each submission.
suite=/autograder/source/suite
cd "$suite" || exit 1
mkdir -p /autograder/results
python3 -m tests.course.grade {lab} /autograder/submission --json=/autograder/results/grade.json --no-progress
python3 -m tests.course.gradescope {lab} --from=/autograder/results/grade.json --to=/autograder/results/results.json
"""
EXECUTABLE = 0o755 << 16


def result_of(one: dict, title: str) -> dict:
    """One stage as Gradescope's test."""
    said = "" if one["passed"] else "\n".join(filter(None, [one["said"], one["cause"]]))
    return {
        "name": f"{one['name']}: {title}",
        "score": one["points"],
        "max_score": one["max"],
        "status": "passed" if one["passed"] else "failed",
        "output": said,
        "visibility": "visible",
    }


def results(grade: dict) -> dict:
    """Gradescope's results.json; without a grade.json there are no points, and a word on why."""
    titles = {stage.name: stage.title for stage in stages(grade["lab"])}
    seconds = sum(one["seconds"] for one in grade["stages"])
    words = "".join(
        f"Not limited on this machine: {one}\n" for one in grade["limits_missing"]
    )
    return {
        "score": grade["score"],
        "execution_time": round(seconds),
        "output": words + ("Provisional.\n" if grade["provisional"] else ""),
        "stdout_visibility": "hidden",
        "tests": [
            result_of(one, titles.get(one["name"], "builds")) for one in grade["stages"]
        ],
    }


def convert(source: Path, target: Path) -> None:
    try:
        answer = results(json.loads(source.read_text()))
    except (OSError, ValueError, KeyError) as why:
        answer = {
            "score": 0,
            "output": f"The grader did not come to its end: {why}",
            "tests": [],
        }
    target.write_text(json.dumps(answer, indent=1) + "\n")


def write_zip(lab: int, file: Path) -> None:
    """The autograder: two scripts, and the suite as it is committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("setup.sh", SETUP),
            ("run_autograder", RUN.format(lab=lab)),
        ):
            info = zipfile.ZipInfo(name)
            info.external_attr = EXECUTABLE
            archive.writestr(info, text)
        for name in listed.stdout.decode().split("\0"):
            if (
                name
                and (ROOT / name).is_file()
                and not name.startswith(("docs/charts", ".github"))
            ):
                archive.write(ROOT / name, f"suite/{name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lab", type=int, choices=range(5), metavar="LAB")
    parser.add_argument("--zip", type=Path)
    parser.add_argument("--from", dest="source", type=Path)
    parser.add_argument("--to", type=Path)
    asked = parser.parse_args()
    if asked.source and asked.to:
        convert(asked.source, asked.to)
        return 0
    if not asked.zip:
        parser.error("give --zip=FILE, or --from=grade.json --to=results.json")
    try:
        write_zip(asked.lab, asked.zip)
    except (OSError, subprocess.SubprocessError) as why:
        print(f"gradescope: {why}", file=sys.stderr)
        return 3
    print(
        f"{asked.zip}: {asked.zip.stat().st_size // 1024} KiB; upload it as the autograder of lab {asked.lab}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
