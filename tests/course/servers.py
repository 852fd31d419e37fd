"""Builds all labs' servers with some files in the place of their own: for hunts.

Objects come from the build, or from given/ in a tree for students; only what is replaced is
compiled. Nothing in the suite is written over.
"""

import subprocess
from pathlib import Path

from tests.course.build import FLAGS, PROGRAMS, ROOT, WARN, Tree, first_errors
from tests.course.build import BuildFailed

LABS = sorted(
    {
        path.parent.name
        for path in (*ROOT.glob("lab*/README.md"), *ROOT.glob("lab*/*.c"))
    }
)


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise BuildFailed(first_errors(done.stderr))


def compile_files(files: dict[str, Path], room: Path) -> dict[str, Path]:
    """Compile what is in the place of these files; returns the objects."""
    rooms = ["common", "common/services", "."]
    objects = {}
    for name, source in files.items():
        own = [str(Path(name).parent), *rooms]
        include = [part for one in own for part in ("-iquote", str(ROOT / one))]
        objects[name] = room / name.replace("/", "_").replace(".c", ".o")
        target = ["-o", str(objects[name])]
        run(["cc", *FLAGS, "-O2", *WARN, *include, "-c", str(source), *target])
    return objects


def link_servers(files: dict[str, Path], room: Path, tree: Tree = Tree()) -> Path:
    """Link every lab's server; returns the folder that is built like build/."""
    mine = compile_files(files, room)
    replaced = {Path(name).with_suffix(".o") for name in mine}
    given = [
        one for one in tree.everything(tree.build / "obj") if one[1] not in replaced
    ]
    servers = {
        where.parent.name: path for path, where in given if where.stem == "server"
    }
    rest = [str(path) for path, where in given if where.stem not in PROGRAMS]
    run(["ar", "qc", str(room / "rest.a"), *rest])
    for lab in LABS:
        main = mine.get(f"{lab}/server.c") or servers[lab]
        others = [
            str(one) for name, one in mine.items() if not name.endswith("server.c")
        ]
        program = room / "build" / lab / "server"
        program.parent.mkdir(parents=True)
        command = ["cc", "-pthread", "-o", str(program), str(main), *others]
        run([*command, str(room / "rest.a")])
    return room / "build"
