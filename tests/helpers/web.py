"""Clients and servers of HTTP for the tests.

    with serve(lab, "http", folder) as server:
        reply = server.connect().get("/index.html")
        assert reply.status == 200
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.clients import Client, shown
from tests.helpers.labs import Lab
from tests.helpers.servers import Server
from tests.helpers.setting import GUARD_S


@dataclass(frozen=True)
class Reply:
    """A reply, read whole."""

    status: int
    fields: dict[str, str]
    body: bytes

    def __getitem__(self, name: str) -> str:
        assert (
            name.lower() in self.fields
        ), f"{self.status} without {name}: {self.fields}"
        return self.fields[name.lower()]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.fields


def request(method: str, target: str, *fields: str, version: str = "1.1") -> bytes:
    """The bytes of a request's head."""
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


class WebClient(Client):
    """A client that reads replies strictly."""

    def reply(self, for_head: bool = False) -> Reply:
        """The next reply, with as much body as it says it has."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.line()
            assert line.endswith(
                b"\r\n"
            ), f"a reply that ends after {shown(head + line)}"
            head += line
        first, *lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) (\S.*)", first)
        assert match, f"no status line: {first!r}"
        status = int(match[1])
        fields = dict(re.fullmatch(r"([\w-]+): (.*)", line).groups() for line in lines)
        assert len(fields) == len(lines), f"a field comes twice: {lines}"
        reply = Reply(
            status, {name.lower(): value for name, value in fields.items()}, b""
        )
        if status == 100:
            return reply
        assert "Date" in reply and "Connection" in reply
        if for_head or status in (204, 304):
            return reply
        if reply.fields.get("transfer-encoding") == "chunked":
            assert "Content-Length" not in reply, "two ways to end the body"
            return Reply(status, reply.fields, self.chunks())
        length = int(reply["Content-Length"])
        body = self.read(length)
        assert len(body) == length, f"{len(body)} bytes of {length} of the body arrived"
        return Reply(status, reply.fields, body)

    def chunks(self) -> bytes:
        """A body in chunks, without extensions and trailers."""
        body = []
        while True:
            line = self.line()
            assert re.fullmatch(rb"[0-9a-f]+\r\n", line), f"no chunk: {shown(line)}"
            size = int(line, 16)
            chunk = self.read(size + 2)
            assert len(chunk) == size + 2 and chunk.endswith(b"\r\n"), "a cut chunk"
            if size == 0:
                return b"".join(body)
            body.append(chunk[:-2])

    def ask_for(
        self, method: str, target: str, *fields: str, body: bytes = b""
    ) -> Reply:
        self.send(request(method, target, *fields) + body)
        return self.reply(for_head=method == "HEAD")

    def get(self, target: str, *fields: str) -> Reply:
        return self.ask_for("GET", target, *fields)

    def put(self, target: str, body: bytes, *fields: str) -> Reply:
        return self.ask_for(
            "PUT", target, f"Content-Length: {len(body)}", *fields, body=body
        )


class WebServer(Server):
    """A server whose clients speak HTTP."""

    client_class = WebClient

    def greeted(self, receive_buffer: int | None = None) -> WebClient:
        """Nobody is greeted in HTTP."""
        return self.connect(receive_buffer)

    def url(self, target: str) -> str:
        return f"http://localhost:{self.port}{target}"

    def curl(self, target: str, *options: str) -> str:
        """What curl prints; the status of the reply is its last line."""
        command = ["curl", "-sS", "-w", r"\n%{http_code}", *options, self.url(target)]
        done = subprocess.run(command, capture_output=True, timeout=GUARD_S)
        assert done.returncode == 0, f"curl {' '.join(options)}: {done.stderr.decode()}"
        return done.stdout.decode(errors="replace")


def serve(
    lab: Lab, service: str, folder: Path, *flags: str, **options: object
) -> WebServer:
    """A server of a folder on any free port, for a `with` block."""
    return WebServer(lab, ["--port=0", *flags, service, str(folder)], **options)
