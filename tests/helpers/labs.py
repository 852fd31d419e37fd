"""The labs and the services there are: whoever adds one is tested by it."""

import functools
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.servers import Server
from tests.helpers.setting import BUILD, ROOT, run


@dataclass(frozen=True)
class Service:
    """What any service can be asked in the contract tests: to give a token back."""

    name: str
    before_token: bytes
    before_answer: bytes
    keeps_cr: bool

    def request(self, token: bytes, end: bytes = b"\n") -> bytes:
        return self.before_token + token + end

    def answer(self, token: bytes, end: bytes = b"\n") -> bytes:
        return self.before_answer + token + (end if self.keeps_cr else b"\n")

    def longest_token(self) -> bytes:
        return b"x" * (4096 - len(self.before_token))


SERVICES = [
    Service("echo", before_token=b"", before_answer=b"", keeps_cr=True),
    Service("desk", before_token=b"echo ", before_answer=b"ok echo ", keeps_cr=False),
]


@dataclass(frozen=True)
class Lab:
    """A folder with a server. What it can do shows in the flags that it has."""

    name: str

    @property
    def program(self) -> Path:
        return BUILD / self.name / "server"

    @property
    def source(self) -> Path:
        return ROOT / self.name / "server.c"

    def __str__(self) -> str:
        return self.name

    @functools.cache
    def flags(self) -> dict[str, str]:
        """Its flags and their defaults, as --help lists them."""
        return dict(
            re.findall(r"^  --([\w-]+)=(.*)$", self.run("--help").stdout, re.MULTILINE)
        )

    def known(self, **values: object) -> list[str]:
        """These flags, as far as this lab has them."""
        named = {name.replace("_", "-"): value for name, value in values.items()}
        return [
            f"--{name}={value}" for name, value in named.items() if name in self.flags()
        ]

    @property
    def is_concurrent(self) -> bool:
        """Does it serve several clients at once?"""
        return bool({"threads", "workers", "max-clients"} & self.flags().keys())

    def places(self, count: int) -> list[str]:
        """The flags with which it serves so many at once, if it can."""
        return self.known(threads=count, workers=count, max_clients=count)

    def serve(
        self, service: str = "echo", *flags: str, **process_options: object
    ) -> Server:
        """A server on any free port, for a `with` block."""
        port = [] if any(flag.startswith("--port") for flag in flags) else ["--port=0"]
        return Server(self, [*port, *flags, service], **process_options)

    def run(
        self, *arguments: str, **process_options: object
    ) -> subprocess.CompletedProcess:
        """Run the server with arguments that must make it end by itself."""
        prefix = process_options.pop("prefix", [])
        return run([*prefix, str(self.program), *arguments], **process_options)


def find_labs() -> list[Lab]:
    """Every lab there is: a new one is tested by existing. Students have no sources of theirs."""
    labs = [Lab(folder.name) for folder in sorted(ROOT.glob("lab*/"))]
    return [lab for lab in labs if lab.source.exists() or lab.program.exists()]
