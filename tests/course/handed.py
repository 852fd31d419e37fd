"""A hunt as a student has it: the broken files and the symptom, without diff and name."""

import hashlib
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHIPPED = HERE / "handouts/hunts"  # in a tree for students


class NoHunt(Exception):
    """This hunt cannot be made, and why."""


@dataclass(frozen=True)
class Handed:
    """One hunt."""

    number: int
    lab: int
    symptom: str
    test: str  # the one that notices
    stage: str  # or the stage of the lab's grader that does
    digest: str  # of the name

    def is_named(self, name: str) -> bool:
        return digest_of(self.number, name) == self.digest


def digest_of(number: int, name: str) -> str:
    return hashlib.sha256(f"hunt {number}: {name}".encode()).hexdigest()


def from_gallery(number: int) -> tuple[Handed, dict[str, str]]:
    """A hunt, and its broken files by their path in the tree."""
    from tests.course.hunts import HUNTS
    from tests.gallery.variants import HERE as gallery
    from tests.gallery.variants import DoesNotFit, read_variant

    hunt = HUNTS[number - 1]
    try:
        variant = read_variant(gallery / f"{hunt.variant}.patch")
        broken = variant.broken(ROOT)
    except (OSError, DoesNotFit) as why:
        raise NoHunt(f"hunt {number}: {why}") from None
    files = {str(path.relative_to(ROOT)): text for path, text in broken.items()}
    name = digest_of(number, hunt.name)
    return Handed(number, hunt.lab, hunt.symptom, variant.test, hunt.stage, name), files


def pack(number: int, folder: Path) -> None:
    """Write a hunt for a tree for students; zipped, so that nobody reads it by chance."""
    handed, files = from_gallery(number)
    folder.mkdir(parents=True)
    (folder / "hunt.json").write_text(json.dumps(asdict(handed), indent=1) + "\n")
    with zipfile.ZipFile(folder / "files.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def unpack(folder: Path) -> tuple[Handed, dict[str, str]]:
    handed = Handed(**json.loads((folder / "hunt.json").read_text()))
    with zipfile.ZipFile(folder / "files.zip") as archive:
        return handed, {
            name: archive.read(name).decode() for name in archive.namelist()
        }


def numbers() -> list[int]:
    """The hunts that this tree has."""
    if (HERE / "hunts.py").exists():
        from tests.course.hunts import HUNTS

        return list(range(1, len(HUNTS) + 1))
    return sorted(int(folder.name) for folder in SHIPPED.glob("[0-9]*"))


def read_hunt(number: int) -> tuple[Handed, dict[str, str]]:
    """A hunt and its broken files."""
    if (HERE / "hunts.py").exists():
        return from_gallery(number)
    return unpack(SHIPPED / str(number))
