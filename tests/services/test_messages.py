"""Messages by their grammar: what has two meanings is refused, and what is a stranger's as well.

On one lab: what a service says is the same on all of them.
"""

import os
import re
import stat

import pytest

from tests.helpers.labs import find_labs
from tests.helpers.setting import linux_only
from tests.helpers.web import request, serve

LAB = find_labs()[-1]
PAGE = bytes(range(256)) * 40


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "served"
    made.mkdir()
    (made / "page").write_bytes(PAGE)
    (made / "old").write_bytes(b"old")
    return made


# --- lines ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"GET /page HTTP/1.1\r\nHost: localhost\r\nX: y\nContent-Length: 5\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: localhost\r\nX:\n\nGET /old HTTP/1.1\r\n\r\n",
        b"GET /page HTTP/1.1\nHost: localhost\r\n\n",
        b"GET /page HTTP/1.1\nHost: localhost\n\r\n",
    ],
    ids=["a field", "an empty line", "CRLF after LF", "the end"],
)
def test_lines_end_in_lf_all_of_them_or_none(folder, head):
    """To another server a line that ends in LF goes on, and what follows is something else."""
    with serve(LAB, "http", folder) as server:
        client = server.connect()
        client.send(head)
        assert client.reply().status == 400
        client.assert_ended("two readings of one head")


# --- bodies --------------------------------------------------------------------------------

BAD_CHUNKS = {
    "bare CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "control byte in an extension": b"5;a\x01\r\nhello\r\n0\r\n\r\n",
    "NUL in an extension": b"5;a=\0\r\nhello\r\n0\r\n\r\n",
    "no name in an extension": b"5;\r\nhello\r\n0\r\n\r\n",
    "a quoted string without its end": b'5;a="b\r\nhello\r\n0\r\n\r\n',
    "words behind the size": b"5 a\r\nhello\r\n0\r\n\r\n",
    "a trailer that is no field": b"5\r\nhello\r\n0\r\nno field\r\n\r\n",
    "a trailer with a blank name": b"5\r\nhello\r\n0\r\na b: c\r\n\r\n",
    "a trailer with a bare CR": b"5\r\nhello\r\n0\r\na: b\rc\r\n\r\n",
    "a folded trailer": b"5\r\nhello\r\n0\r\na: b\r\n c\r\n\r\n",
    "a trailer that ends in LF": b"5\r\nhello\r\n0\r\na: b\n\r\n",
}
GOOD_CHUNKS = {
    "extensions": b'5;a;b=c ; d = "e\\"\xff"\r\nhello\r\n0;z\r\n\r\n',
    "trailers": b"5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n",
}


@pytest.mark.parametrize("what", BAD_CHUNKS)
def test_chunks_that_break_the_grammar_are_refused(folder, what):
    with serve(LAB, "files", folder) as server:
        client = server.connect()
        client.send(
            request("PUT", "/new", "Transfer-Encoding: chunked") + BAD_CHUNKS[what]
        )
        assert client.reply().status == 400
        client.assert_ended(what)
    assert sorted(os.listdir(folder)) == ["old", "page"]


@pytest.mark.parametrize("what", GOOD_CHUNKS)
def test_chunks_with_all_that_the_grammar_has_are_taken(folder, what):
    with serve(LAB, "files", folder) as server:
        client = server.connect()
        client.send(
            request("PUT", "/new", "Transfer-Encoding: chunked") + GOOD_CHUNKS[what]
        )
        assert client.reply().status in (200, 201)
        assert client.get("/new").body == b"hello", "the connection stays"


# --- lists ---------------------------------------------------------------------------------


@pytest.mark.parametrize("field, wanted", [("If-Match", 412), ("If-None-Match", 200)])
def test_a_tag_with_commas_inside_is_one_tag(folder, field, wanted):
    """Cut at its commas, the middle of it would be the tag of the file."""
    with serve(LAB, "http", folder) as server:
        client = server.connect()
        tag = client.get("/page")["ETag"]
        assert client.get("/page", f'{field}: "a,{tag},b"').status in (wanted, 400)
        assert client.get("/page", f'{field}: "a,b",,{tag}').status != wanted


# --- who is asked --------------------------------------------------------------------------

BAD_HOSTS = [
    *("localhost:x", "localhost:65536", "localhost:-1", "localhost:80:80", ":80"),
    *("user@localhost", "[::1", "::1]", "[::1]x", "[127.0.0.1]", "[::g]", "a b"),
    *("localhost/", "%zz", "[]"),
]
OUR_HOSTS = [
    *("localhost", "LOCALHOST:1", "localhost:", "127.0.0.1", "127.9.9.9:80", "[::1]"),
]
STRANGERS = ["elsewhere", "localhost.elsewhere", "127.0.0.1.elsewhere", "192.0.2.1"]


def ask(server, method: str, host: str, target: str = "/page"):
    client = server.connect()
    head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n"
    client.send(f"{head}Connection: close\r\n\r\n".encode())
    return client.reply(for_head=method == "HEAD")


def test_an_authority_that_is_none_is_a_bad_request(folder):
    with serve(LAB, "http", folder) as server:
        for host in BAD_HOSTS:
            assert ask(server, "GET", host).status == 400, host
            if " " not in host:
                target = f"http://{host}/page"
                if host != "localhost/":
                    assert ask(server, "GET", "localhost", target).status == 400, host


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_strangers_are_sent_away_whatever_they_ask_for(folder, method):
    """A page whose name leads to this machine (DNS rebinding) says its own name in Host."""
    with serve(LAB, "files", folder) as server:
        for host in STRANGERS:
            reply = ask(server, method, host)
            assert reply.status == 421, host
            if method != "HEAD":
                assert b"--allow-host" in reply.body
        for host in OUR_HOSTS:
            assert ask(server, method, host).status != 421, host


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_strangers_write_nothing_and_are_told_the_flag(folder, method):
    with serve(LAB, "files", folder) as server:
        for host in STRANGERS:
            reply = ask(server, method, host)
            assert reply.status == 403 and b"--allow-host" in reply.body
    assert (folder / "page").read_bytes() == PAGE


def test_the_target_says_who_is_asked_if_it_says_it(folder):
    """Then Host does not count (RFC 9112 section 3.2.2), in neither direction."""
    with serve(LAB, "files", folder) as server:
        assert ask(server, "DELETE", "localhost", "http://elsewhere/old").status == 403
        assert ask(server, "GET", "elsewhere", "http://localhost/page").status == 200


def test_names_can_be_given_to_a_server(folder):
    with serve(LAB, "http", folder, "--allow-host=desk.example, lab") as server:
        for host in ("desk.example", "Lab:9000", "localhost"):
            assert ask(server, "GET", host).status == 200, host
        assert ask(server, "GET", "example").status == 421


# --- ranges --------------------------------------------------------------------------------


def parts_of(reply) -> list[tuple[str, bytes]]:
    """Each part's Content-Range and its bytes."""
    boundary = re.fullmatch(
        r"multipart/byteranges; boundary=([\w-]+)", reply["Content-Type"]
    )
    _, *parts, end = reply.body.split(b"\r\n--" + boundary[1].encode())
    assert end == b"--\r\n"
    found = []
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        assert b"Content-Type: " in head
        found.append((re.search(r"Content-Range: (.*)", head.decode())[1], body))
    return found


@pytest.mark.parametrize("count", [2, 3, 16])
def test_several_ranges_are_parts(folder, count):
    wanted = [(500 * i, 500 * i + 10 * i) for i in range(count)]
    ranges = ",".join(f"{first}-{last}" for first, last in wanted)
    with serve(LAB, "http", folder) as server:
        client = server.connect()
        reply = client.get("/page", f"Range: bytes={ranges}")
        assert reply.status == 206 and "Content-Range" not in reply
        assert parts_of(reply) == [
            (f"bytes {first}-{last}/{len(PAGE)}", PAGE[first : last + 1])
            for first, last in wanted
        ]
        assert client.get("/page").body == PAGE, "the connection stays"


@pytest.mark.parametrize(
    "ranges",
    ["0-9,5-19", "0-,-1", ",".join(f"{9 * i}-{9 * i}" for i in range(17)), "0-1,x"],
    ids=["overlapping", "overlapping at the end", "17", "no range"],
)
def test_what_is_no_set_of_ranges_for_us_is_the_whole_file(folder, ranges):
    with serve(LAB, "http", folder) as server:
        reply = server.connect().get("/page", f"Range: bytes={ranges}")
        assert (reply.status, reply.body) == (200, PAGE)


def test_ranges_behind_the_end_are_left_out(folder):
    with serve(LAB, "http", folder) as server:
        client = server.connect()
        reply = client.get("/page", "Range: bytes=0-1,999999-")
        assert (reply.status, reply.body) == (206, PAGE[:2])
        assert reply["Content-Range"] == f"bytes 0-1/{len(PAGE)}"
        assert client.get("/page", "Range: bytes=999998-,999999-").status == 416


@pytest.mark.parametrize("range_, status", [("0-", 416), ("-1", 200), ("-0", 416)])
def test_ranges_of_an_empty_file(folder, range_, status):
    (folder / "empty").touch()
    with serve(LAB, "http", folder) as server:
        assert server.connect().get("/empty", f"Range: bytes={range_}").status == status


# --- what is somebody's --------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o660])
def test_a_file_that_is_replaced_keeps_its_mode(folder, mode):
    (folder / "old").chmod(mode)
    with serve(LAB, "files", folder) as server:
        assert server.connect().put("/old", b"new").status == 204
    assert (folder / "old").read_bytes() == b"new"
    assert stat.S_IMODE(os.stat(folder / "old").st_mode) == mode


@linux_only
def test_a_file_that_is_replaced_keeps_its_owner(folder):
    if os.geteuid() != 0:
        pytest.skip("only root can give files away, which sanitizers do not change")
    os.chown(folder / "old", 12345, 23456)
    with serve(LAB, "files", folder) as server:
        assert server.connect().put("/old", b"new").status == 204
    found = os.stat(folder / "old")
    assert (found.st_uid, found.st_gid) == (12345, 23456)


def test_only_temporaries_of_the_servers_own_form_are_removed(folder):
    ours = ".upload-123456-7"
    others = [
        ".upload-",
        ".upload-notes",
        ".upload-1-2.txt",
        ".upload-1-x",
        ".upload-1",
    ]
    for name in [ours, *others]:
        (folder / name).write_bytes(b"mine")
    (folder / "sub").mkdir()
    (folder / "sub" / ours).touch()
    with serve(LAB, "files", folder) as server:
        client = server.connect()
        assert client.get("/").status == 200
        assert (folder / ours).exists(), "nothing is removed before an upload"
        assert client.put("/new", b"new").status == 201
        assert not (folder / ours).exists()
        assert (folder / "sub" / ours).exists(), "no walk through the tree"
    for name in others:
        assert (folder / name).exists(), name


# --- words and types -----------------------------------------------------------------------


def test_the_words_say_what_was_wrong(folder):
    with serve(LAB, "files", folder) as server:
        told = server.connect().put("/" + "x" * 256, b"new")
        assert told.status == 409 and b"too long" in told.body
        told = server.connect().put("/new", b"new", "Content-Range: bytes 0-2/9")
        assert told.status == 400 and b"whole files" in told.body


TYPES = {
    "text/plain": "Makefile server.c run.py app.log film.srt notes.txt settings.toml",
    "font/woff2": "letters.woff2",
    "audio/flac": "song.flac",
    "video/mp4": "film.mp4",
    "image/svg+xml": "drawing.svg",
    "application/pdf": "paper.pdf",
    "application/octet-stream": "program",
}


def test_types_are_those_that_people_expect(folder):
    with serve(LAB, "http", folder) as server:
        client = server.connect()
        for wanted, names in TYPES.items():
            for name in names.split():
                content = b"\x7fELF\0\0" if name == "program" else b"words\n"
                (folder / name).write_bytes(content)
                assert client.get(f"/{name}")["Content-Type"].startswith(wanted), name
