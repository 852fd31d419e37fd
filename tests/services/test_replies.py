"""Every kind of reply, at every place on a connection, ends as its request wants.

A table of three axes: the kind of reply (what is asked, its status), the place (first on the
connection, or behind another reply that stays), and what the request says of the connection and of
its body. Each cell says whether the connection stays; if it does, another request is answered on
it, and if not, nothing that follows is taken for a request. A status in the server's own table
without a row here fails a test, so a new status or kind of reply joins by existing.
"""

import itertools
import re
from dataclasses import dataclass

import pytest

from tests.helpers.setting import ROOT
from tests.helpers.web import serve

PAGE = b"<p>" + b"x" * 1000
# What a body must never be taken for: a request that deletes a file.
SMUGGLED = b"DELETE /victim HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class Kind:
    """One kind of reply: the request that gets it, and its status."""

    status: int
    method: str
    target: str
    fields: tuple[bytes, ...] = ()
    ends: bool = False  # it closes, whatever the request says
    own_body: bytes | None = None  # which the request must have


KINDS = {
    "file": Kind(200, "GET", "/page.html"),
    "file that is empty": Kind(200, "GET", "/empty"),
    "index": Kind(200, "GET", "/sub/"),
    "listing": Kind(200, "GET", "/"),
    "listing by HEAD": Kind(200, "HEAD", "/"),
    "file by HEAD": Kind(200, "HEAD", "/page.html"),
    "work": Kind(200, "GET", "/sleep/0"),
    "created": Kind(201, "PUT", "/new", own_body=b"new"),
    "replaced": Kind(204, "PUT", "/old", own_body=b"old"),
    "deleted": Kind(204, "DELETE", "/doomed"),
    "options": Kind(204, "OPTIONS", "*"),
    "one part": Kind(206, "GET", "/page.html", (b"Range: bytes=0-1",)),
    "two parts": Kind(206, "GET", "/page.html", (b"Range: bytes=0-1,4-5",)),
    "redirect": Kind(301, "GET", "/sub"),
    "unchanged": Kind(304, "GET", "/page.html", (b"If-None-Match: *",)),
    "bad path": Kind(400, "GET", "/%zz"),
    "hidden": Kind(403, "GET", "/.hidden"),
    "written by a stranger": Kind(403, "DELETE", "http://elsewhere/old"),
    "missing": Kind(404, "GET", "/missing"),
    "missing by HEAD": Kind(404, "HEAD", "/missing"),
    "not allowed": Kind(405, "POST", "/page.html"),
    "no file": Kind(409, "DELETE", "/sub"),
    "no length": Kind(411, "PUT", "/new", ends=True),
    "condition": Kind(412, "GET", "/page.html", (b'If-Match: "a,b"',)),
    "too large": Kind(413, "PUT", "/new", (b"Content-Length: 99999999999",), ends=True),
    "long target": Kind(414, "GET", "/" + "x" * 8000, ends=True),
    "no such part": Kind(416, "GET", "/page.html", (b"Range: bytes=5000-",)),
    "expectation": Kind(417, "GET", "/page.html", (b"Expect: more",), ends=True),
    "stranger": Kind(421, "GET", "http://elsewhere/page.html"),
    "many fields": Kind(431, "GET", "/page.html", (b"X: y",) * 100, ends=True),
    "unknown method": Kind(501, "BREW", "/page.html"),
}
# Statuses that a healthy server cannot be made to send here, and the test that sees them.
ELSEWHERE = {
    408: "test_http.py::test_half_a_request_is_told_that_time_is_up",
    500: "test_paths.py::test_c4_a_file_that_cannot_be_opened_is_told",
    503: "test_uploads.py::test_d2_a_temporary_file_that_cannot_be_made_is_told",
    505: "test_http.py::test_what_is_malformed_gets_its_status_and_the_connection_is_closed",
    507: "test_uploads.py::test_d2_a_disk_that_fails_is_told_and_the_old_file_stays",
}


@dataclass(frozen=True)
class Wish:
    """What a request says of its connection and its body, and whether the connection stays."""

    stays: bool
    version: str = "1.1"
    fields: tuple[bytes, ...] = ()
    body: bytes = b""


CHUNKED_BODY = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
WISHES = {
    "nothing": Wish(True),
    "keep-alive": Wish(True, fields=(b"Connection: keep-alive",)),
    "close": Wish(False, fields=(b"Connection: close",)),
    "close wins": Wish(False, fields=(b"Connection: keep-alive, Close",)),
    "close wins from below": Wish(
        False, fields=(b"Connection: close", b"Connection: keep-alive")
    ),
    "1.0": Wish(False, version="1.0"),
    "1.0 keep-alive": Wish(True, version="1.0", fields=(b"Connection: keep-alive",)),
    "1.0 close wins": Wish(
        False, version="1.0", fields=(b"Connection: close, keep-alive",)
    ),
    "a body": Wish(
        False, fields=(b"Content-Length: %d" % len(SMUGGLED),), body=SMUGGLED
    ),
    "a body in chunks": Wish(
        False, fields=(b"Transfer-Encoding: chunked",), body=CHUNKED_BODY
    ),
}


def has_cell(kind: Kind, wish: Wish) -> bool:
    """A request has one body at most, and one length."""
    has_length = any(b"Length" in field for field in kind.fields)
    if kind.status == 417 and wish.version == "1.0":
        return False  # there it means nothing
    if wish.body:
        return kind.own_body is None and not has_length and kind.status != 411
    return True


def message(kind: Kind, wish: Wish) -> bytes:
    """The request of a cell."""
    body = wish.body or kind.own_body or b""
    fields = [*kind.fields, *wish.fields]
    if kind.own_body is not None:
        fields.append(b"Content-Length: %d" % len(kind.own_body))
    first = f"{kind.method} {kind.target} HTTP/{wish.version}".encode()
    lines = [first, b"Host: localhost", *fields]
    return b"\r\n".join([*lines, b"", b""]) + body


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (folder / "page.html").write_bytes(PAGE)
    (folder / "empty").write_bytes(b"")
    (folder / "sub" / "index.html").write_bytes(b"the index")
    return folder


def prepare(site) -> None:
    """The files as each cell finds them."""
    for name in ("old", "doomed", "victim"):
        (site / name).write_bytes(b"here")
    (site / "new").unlink(missing_ok=True)


def stays_after(kind: Kind, wish: Wish) -> bool:
    """A listing does not say how long it is, so to HTTP/1.0 its connection ends it."""
    is_stream = kind.target == "/" and kind.status == 200 and wish.version == "1.0"
    return wish.stays and not kind.ends and not is_stream


def check_cell(server, site, kind: Kind, wish: Wish, is_later: bool, name: str) -> None:
    prepare(site)
    client = server.connect()
    if is_later:  # behind a reply that stays: nothing of it may be taken over
        assert client.get("/sub/").body == b"the index"
    stays = stays_after(kind, wish)
    client.send(message(kind, wish))
    is_streamed = kind.target == "/" and wish.version == "1.0"
    if is_streamed:
        reply = client.reply(for_head=True)
        client.rest()
    else:
        reply = client.reply(for_head=kind.method == "HEAD")
    assert reply.status == kind.status, f"{name}: {reply.status}"
    assert reply["Connection"] == ("keep-alive" if stays else "close"), name
    if stays:
        assert client.get("/page.html").body == PAGE, f"{name}: and then"
    elif not is_streamed:
        client.assert_ended(name)
    client.close()
    assert (site / "victim").exists(), f"{name}: a body was run as a request"


@pytest.mark.parametrize("is_later", [False, True], ids=["first", "later"])
def test_replies_end_as_their_requests_want(lab, site, is_later):
    """One server for all cells of a place: what one leaves behind, the next must not see."""
    with serve(lab, "files", site) as server:
        for kind, what in itertools.product(KINDS, WISHES):
            if has_cell(KINDS[kind], WISHES[what]):
                name = f"{kind}, {'later' if is_later else 'first'}, {what}"
                check_cell(server, site, KINDS[kind], WISHES[what], is_later, name)


def statuses() -> set[int]:
    """All that the server can send, from its own table."""
    table = (ROOT / "common/services/http/status.c").read_text()
    return {int(number) for number in re.findall(r"^\s*\{(\d{3}),", table, re.M)}


def test_every_status_has_a_row():
    rows = {kind.status for kind in KINDS.values()} | set(ELSEWHERE)
    assert len(statuses()) > 20
    assert statuses() - rows == set(), "a status without a row in KINDS"
    assert rows - statuses() == set(), "a row without a status"


def test_a_status_that_others_test_is_in_those_tests():
    for status, where in ELSEWHERE.items():
        file, name = where.split("::")
        (found,) = [p for p in (ROOT / "tests").rglob(file)]
        text = found.read_text()
        assert f"def {name}(" in text and str(status) in text, where


@pytest.mark.parametrize(
    "sent",
    [
        b"HEAD / HTTP/1.1\r\n\r\n",
        b"HEAD /x HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"HEAD /x HTTP/3.0\r\nHost: localhost\r\n\r\n",
        b"HEAD /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"HEAD / HTTP/1.1\r\nX: " + b"x" * 20000,
    ],
    ids=["no host", "bad host", "version", "target", "length", "long"],
)
def test_head_never_has_content(lab, site, sent):
    with serve(lab, "http", site) as server:
        client = server.connect()
        client.send(sent)
        assert client.rest().endswith(b"\r\n\r\n")


NO_REQUESTS = [
    *(b"GET /a.txt", b"GET", b"hello there", b"GET / HTTP/1.1 x"),
    *(b"GET /a b HTTP/1.1", b"G\x01T / HTTP/1.1"),
]


def test_a_line_that_can_begin_no_request_is_answered_when_it_ends(lab, site):
    """Nobody waits for the end of its head: a person who typed it does not know of one."""
    with serve(lab, "http", site) as server:
        for line, end in itertools.product(NO_REQUESTS, (b"\n", b"\r\n")):
            client = server.connect()
            client.send(line + end)
            assert client.reply().status == 400, line
            client.close()


def test_a_field_that_is_none_is_answered_when_it_ends(lab, site):
    with serve(lab, "http", site) as server:
        client = server.connect()
        client.send(b"GET / HTTP/1.1\r\nHost : localhost\r\n")
        assert client.reply().status == 400
