"""The service http on every lab: files for any client that speaks HTTP/1.1, and for nobody else."""

import email.utils
import errno
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from tests.helpers.kernel import MAX_UNSENT
from tests.helpers.setting import GUARD_S, WITHOUT_RIGHTS, linux_only, until
from tests.helpers.web import request, serve

PAGE = b"<p>" + b"x" * 1021
LARGE = 2 * MAX_UNSENT
LONG_AGO = 784111777
LONG_AGO_DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.fixture
def folder(tmp_path):
    """A folder to serve, beside something that must not be."""
    served = tmp_path / "served"
    (served / "sub" / "deep").mkdir(parents=True)
    (served / "page.html").write_bytes(PAGE)
    (served / "sub" / "index.html").write_bytes(b"the index")
    (served / "sub" / "deep" / "a&b<c>.txt").write_bytes(b"0123456789")
    (served / "empty").write_bytes(b"")
    (served / ".hidden").write_bytes(b"SECRET")
    (tmp_path / "secret").write_bytes(b"SECRET")
    os.utime(served / "page.html", (LONG_AGO, LONG_AGO))
    return served


# --- files ---------------------------------------------------------------------------------


def test_a_file_is_served_with_all_that_is_known_of_it(lab, folder):
    with serve(lab, "http", folder) as server:
        reply = server.connect().get("/page.html")
    assert (reply.status, reply.body) == (200, PAGE)
    assert reply["Content-Type"] == "text/html; charset=utf-8"
    assert reply["Last-Modified"] == LONG_AGO_DATE
    assert reply["Accept-Ranges"] == "bytes"
    age = time.time() - email.utils.parsedate_to_datetime(reply["Date"]).timestamp()
    assert -2 <= age < GUARD_S, "Date is now"


def test_head_is_get_without_a_body(lab, folder):
    targets = "/page.html /sub /sub/ /sub/deep/ /missing /empty /sleep/1".split()
    with serve(lab, "http", folder) as server:
        client = server.connect()
        for target in targets:
            got, told = client.get(target), client.ask_for("HEAD", target)
            assert told.status == got.status
            for name in set(got.fields) - {"date"}:
                assert told[name] == got[name], f"{name} of {target}"


def test_types_are_told_by_the_end_of_the_name(lab, tmp_path):
    types = {
        "a.html": "text/html; charset=utf-8",
        "a.HTML": "text/html; charset=utf-8",
        "a.tar.gz": "application/gzip",
        "a.svg": "image/svg+xml",
        "a.c": "text/plain; charset=utf-8",
        "a.flac": "audio/flac",
        "a.ttf": "font/ttf",
        "a.log": "text/plain; charset=utf-8",
        "a.": "text/plain; charset=utf-8",
        "Makefile": "text/plain; charset=utf-8",
        "program": "application/octet-stream",
        "html": "text/plain; charset=utf-8",
        "empty": "application/octet-stream",
    }
    for name in types:
        (tmp_path / name).write_bytes("xä\n".encode() * 300)
    (tmp_path / "program").write_bytes(b"\x7fELF\x00")
    (tmp_path / "empty").write_bytes(b"")
    with serve(lab, "http", tmp_path) as server:
        client = server.connect()
        assert {name: client.get("/" + name)["Content-Type"] for name in types} == types


def test_a_directory_is_its_index_or_a_listing(lab, folder):
    (folder / "latin \xe4").write_bytes(b"x")
    (folder / "sub" / "deep" / "link").symlink_to("a&b<c>.txt")
    os.mkfifo(folder / "sub" / "deep" / "fifo")
    with serve(lab, "http", folder) as server:
        client = server.connect()
        assert client.get("/sub/").body == b"the index"
        listing = client.get("/sub/deep/")
        assert listing["Content-Type"] == "text/html; charset=utf-8"
        page = listing.body.decode()
        assert '<a href="a%26b%3Cc%3E.txt">a&amp;b&lt;c&gt;.txt</a>' in page
        assert (
            "link" not in page and "fifo" not in page
        ), "what cannot be asked for is not listed"
        top = client.get("/").body.decode()
        assert '<a href="sub/">sub/</a>' in top and '<a href="latin%20%C3%A4">' in top
        assert ".hidden" not in top
        assert client.get("/latin%20%C3%A4").body == b"x"


def test_a_directory_without_its_slash_is_redirected(lab, folder):
    (folder / "a b").mkdir()
    with serve(lab, "http", folder) as server:
        client = server.connect()
        for target, location in [
            ("/sub", "/sub/"),
            ("//sub?x=1&y", "/sub/?x=1&y"),
            ("/x/../sub/./deep", "/sub/deep/"),
            ("/a%20b", "/a%20b/"),
        ]:
            reply = client.get(target)
            assert (reply.status, reply["Location"]) == (301, location)
        (folder / "sub" / "index.html").unlink()
        (folder / "sub" / "index.html").mkdir()
        assert (
            client.get("/sub/").status == 403
        ), "no loop when the index is a directory"


def test_a_file_ends_with_its_name(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        beyond = "/page.html/ /page.html/x /sub/index.html/".split()
        for target in (*beyond, "/" + "x" * 300):
            assert client.get(target).status == 404, target


def test_a_query_changes_nothing_about_a_file(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        assert client.get("/page.html?a=b&c/../..%00").body == PAGE
        assert client.get("http://localhost:80/page.html?x").body == PAGE


# --- nothing else --------------------------------------------------------------------------

ESCAPES = """
    /../secret /sub/../../secret /..%2fsecret /%2e%2e/secret /%2E%2E%2Fsecret
    /sub%2f..%2f..%2fsecret /.%2e/secret /..;/secret /..\\secret /..%5csecret
    /%252e%252e/secret /..%c0%afsecret /%c0%ae%c0%ae/secret /%uff0e%uff0e/secret
    //../secret /./../secret /sub/deep/../../../secret /.hidden /%2ehidden
    /sub/../.hidden http://localhost/../secret /secret%00.html /.. /sub/../..
    /../served/page.html /out /out/ /out/secret /link /loop /loop/x /absolute /in
    /dir/
""".split()


def test_nothing_outside_the_folder_is_served(lab, folder):
    (folder / "out").symlink_to("..")
    (folder / "link").symlink_to("../secret")
    (folder / "absolute").symlink_to(folder.parent / "secret")
    (folder / "loop").symlink_to("loop")
    (folder / "in").symlink_to("page.html")
    (folder / "dir").symlink_to("sub")
    with serve(lab, "http", folder) as server:
        for escape in ESCAPES:
            client = server.connect()
            reply = client.get(escape)
            client.close()
            assert reply.status in (
                400,
                403,
                404,
            ), f"{escape} was answered {reply.status}"
            assert b"SECRET" not in reply.body and b"xxx" not in reply.body


def test_what_can_be_no_name_is_a_bad_request(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        for bad in ("/%", "/%1", "/%zz", "/a%00b", "/%c0%af", "/%ff", "/%ed%a0%80"):
            assert client.get(bad).status == 400, bad


def test_only_files_and_directories_are_served(lab, folder, monkeypatch):
    os.mkfifo(folder / "fifo")
    monkeypatch.chdir(folder)  # the address of a socket may not be as long as a path
    with socket.socket(socket.AF_UNIX) as unix, serve(lab, "http", folder) as server:
        unix.bind("socket")
        client = server.connect()
        for name in ("fifo", "socket"):
            assert client.get("/" + name).status == 403, name


def test_a_device_is_not_served(lab, folder):
    try:
        os.mknod(folder / "zero", 0o020644, os.makedev(1, 5))
        open(folder / "zero").close()
    except OSError:
        pytest.skip(
            "devices can be made by root only, on a file system that allows them"
        )
    with serve(lab, "http", folder) as server:
        assert server.connect().get("/zero").status == 403


def test_a_file_that_may_not_be_read_is_forbidden(lab, folder):
    (folder / "page.html").chmod(0)
    with serve(lab, "http", folder, prefix=WITHOUT_RIGHTS) as server:
        assert server.connect().get("/page.html").status == 403


# --- conditions and ranges -----------------------------------------------------------------


def test_who_has_the_file_already_is_told_so(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        etag = client.get("/page.html")["ETag"]
        for field, status in [
            (f"If-None-Match: {etag}", 304),
            (f'If-None-Match: "other", W/{etag}', 304),
            ("If-None-Match: *", 304),
            ('If-None-Match: "other"', 200),
            (f"If-Modified-Since: {LONG_AGO_DATE}", 304),
            ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", 304),
            ("If-Modified-Since: Sun Nov  6 08:49:37 1994", 304),
            ("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 200),
            ("If-Modified-Since: yesterday", 200),
            (f"If-Match: {etag}", 200),
            ("If-Match: *", 200),
            (f"If-Match: W/{etag}", 412),
            ('If-Match: "other"', 412),
            ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 412),
            (f"If-Unmodified-Since: {LONG_AGO_DATE}", 200),
        ]:
            assert client.get("/page.html", field).status == status, field
        unchanged = client.get("/page.html", f"If-None-Match: {etag}")
        assert unchanged["ETag"] == etag and "Content-Length" not in unchanged
        tag_wins = ('If-None-Match: "other"', f"If-Modified-Since: {LONG_AGO_DATE}")
        assert client.get("/page.html", *tag_wins).status == 200
        assert client.get("/missing", f"If-None-Match: {etag}").status == 404


def test_a_changed_file_has_another_tag(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        before = client.get("/page.html")["ETag"]
        (folder / "new").write_bytes(PAGE)
        os.utime(folder / "new", (LONG_AGO, LONG_AGO))
        (folder / "new").rename(folder / "page.html")
        assert (
            client.get("/page.html")["ETag"] != before
        ), "another file, of the same time and size"


def test_ranges(lab, folder):
    digits = "/sub/deep/a%26b%3Cc%3E.txt"
    with serve(lab, "http", folder) as server:
        client = server.connect()
        for asked, status, body in [
            *(
                ("bytes=0-0", 206, b"0"),
                ("bytes=2-4", 206, b"234"),
                ("bytes=7-", 206, b"789"),
            ),
            *(("bytes=-3", 206, b"789"), ("bytes=-99", 206, b"0123456789")),
            *(("bytes=8-99", 206, b"89"), ("BYTES=0-1", 206, b"01")),
            *(("bytes=9-999999999999999999999", 200, None), ("bytes=4-2", 200, None)),
            *(
                ("bytes=0-1,1-4", 200, None),
                ("bytes=x", 200, None),
                ("bytes=-", 200, None),
            ),
            *(("bytes=1", 200, None), ("lines=1-2", 200, None), ("bytes", 200, None)),
            *(
                ("bytes=10-", 416, None),
                ("bytes=10-20", 416, None),
                ("bytes=-0", 416, None),
            ),
        ]:
            reply = client.get(digits, f"Range: {asked}")
            assert reply.status == status, asked
            if status == 206:
                first = b"0123456789".index(body)
                assert reply.body == body
                assert (
                    reply["Content-Range"]
                    == f"bytes {first}-{first + len(body) - 1}/10"
                )
            elif status == 416:
                assert reply["Content-Range"] == "bytes */10"
            else:
                assert reply.body == b"0123456789"
        assert client.get("/empty", "Range: bytes=0-").status == 416
        assert client.get("/empty", "Range: bytes=-5").status == 200
        assert client.ask_for("HEAD", digits, "Range: bytes=0-1").status == 200


def test_a_range_is_given_to_who_has_the_same_file(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        etag = client.get("/page.html")["ETag"]
        for state, status in [
            *((etag, 206), (LONG_AGO_DATE, 206), ('"other"', 200), (f"W/{etag}", 200)),
            ("Sun, 06 Nov 1994 08:49:38 GMT", 200),
        ]:
            reply = client.get("/page.html", "Range: bytes=0-2", f"If-Range: {state}")
            assert reply.status == status, state


def test_files_of_more_than_4_gib(lab, tmp_path):
    size = 2**32 + 3
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(size)
        file.seek(size - 3)
        file.write(b"end")
    with serve(lab, "http", tmp_path) as server:
        client = server.connect()
        assert client.ask_for("HEAD", "/sparse")["Content-Length"] == str(size)
        assert client.get("/sparse", "Range: bytes=-3").body == b"end"
        assert client.get("/sparse", f"Range: bytes={size - 4}-").body == b"\0end"


# --- the conversation ----------------------------------------------------------------------


def test_a_connection_serves_many_requests(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        for _ in range(100):
            assert client.get("/page.html").body == PAGE
            assert (
                client.get("/missing").status == 404
            ), "a file that is not there ends nothing"


@pytest.mark.parametrize(
    "version, field, stays",
    [
        *(("1.1", "X: y", True), ("1.1", "Connection: close", False)),
        *(("1.1", "Connection: x, CLOSE", False), ("1.0", "X: y", False)),
        *(("1.0", "Connection: Keep-Alive", True), ("1.0", "Connection: close", False)),
    ],
)
def test_who_stays_and_who_leaves(lab, folder, version, field, stays):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        client.send(request("GET", "/page.html", field, version=version))
        reply = client.reply()
        assert reply.body == PAGE
        assert reply["Connection"] == ("keep-alive" if stays else "close")
        if stays:
            assert client.get("/page.html").body == PAGE
        else:
            client.assert_ended("after the last reply")


def test_pipelined_requests_are_answered_in_order(lab, folder):
    for number in range(100):
        (folder / str(number)).write_bytes(b"%d" % number)
    with serve(lab, "http", folder) as server:
        client = server.connect()
        client.send(b"".join(request("GET", f"/{number}") for number in range(100)))
        assert [client.reply().body for _ in range(100)] == [
            b"%d" % n for n in range(100)
        ]


def test_what_follows_the_last_request_is_ignored(lab, folder):
    last = request("GET", "/page.html", "Connection: close")
    with serve(lab, "http", folder) as server:
        client = server.connect()
        client.send(last + request("GET", "/missing") * 10_000)
        assert client.reply().body == PAGE
        client.assert_ended("after Connection: close")


def test_a_request_may_come_one_byte_at_a_time(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        for byte in request("GET", "/page.html"):
            client.send(bytes([byte]))
            until(lambda: client.unacknowledged() == 0, "a byte arrives alone")
        assert client.reply().body == PAGE


def test_who_half_closes_gets_the_whole_answer(lab, folder):
    (folder / "large").write_bytes(b"x" * LARGE)
    with serve(lab, "http", folder) as server:
        client = server.connect()
        client.send(request("GET", "/large"))
        client.half_close()
        assert len(client.reply().body) == LARGE
        client.assert_ended("after a half-close and the answer")


def test_empty_lines_before_a_request_are_overlooked(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        client.send(b"\r\n\n" + request("GET", "/page.html") + b"\r\n")
        assert client.reply().body == PAGE
        assert client.get("/page.html").body == PAGE


def test_lines_may_end_in_lf_alone(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        client.send(request("GET", "/page.html").replace(b"\r\n", b"\n"))
        assert client.reply().body == PAGE


def test_options_lists_the_methods(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        for target in ("*", "/", "/page.html"):
            reply = client.ask_for("OPTIONS", target)
            assert (reply.status, reply["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_work_can_be_ordered_by_its_path(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        before = time.monotonic(), server.cpu_s()
        assert client.get("/sleep/100").body == b"ok\n"
        assert time.monotonic() - before[0] >= 0.1
        assert client.get("/burn/50").body == b"ok\n"
        assert server.cpu_s() - before[1] >= 0.05
        assert client.get("/sleep/600001").status == 400
        assert (
            client.get("/sleep/").status == 404 and client.get("/burn/x").status == 404
        )


# --- bad requests --------------------------------------------------------------------------

HOST = b"Host: localhost\r\n"


def with_fields(*fields: bytes) -> bytes:
    return (
        b"GET /page.html HTTP/1.1\r\n"
        + HOST
        + b"".join(f + b"\r\n" for f in fields)
        + b"\r\n"
    )


CLOSING = {
    "two lengths": (400, with_fields(b"Content-Length: 1", b"Content-Length: 1")),
    "two lengths in one": (400, with_fields(b"Content-Length: 1, 1")),
    "a length and a coding": (
        400,
        with_fields(b"Content-Length: 1", b"Transfer-Encoding: chunked"),
    ),
    "a coding and a length": (
        400,
        with_fields(b"Transfer-Encoding: chunked", b"Content-Length: 1"),
    ),
    "a negative length": (400, with_fields(b"Content-Length: -1")),
    "a length with a sign": (400, with_fields(b"Content-Length: +1")),
    "a length in hex": (400, with_fields(b"Content-Length: 0x1")),
    "an empty length": (400, with_fields(b"Content-Length:")),
    "a length past 64 bits": (
        400,
        with_fields(b"Content-Length: 18446744073709551617"),
    ),
    "two codings": (
        400,
        with_fields(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    ),
    "an unknown coding": (501, with_fields(b"Transfer-Encoding: gzip, chunked")),
    "a hidden coding": (501, with_fields(b"Transfer-Encoding: xchunked")),
    "a coding in HTTP/1.0": (
        400,
        b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    "a folded line": (400, with_fields(b"X: a", b" b")),
    "a fold at the start": (400, b"GET / HTTP/1.1\r\n " + HOST + b"\r\n"),
    "a bare CR": (400, with_fields(b"X: a\rY: b")),
    "a CR before the end": (400, with_fields(b"X: a\r")),
    "a space before the colon": (400, with_fields(b"Content-Length : 1")),
    "a tab before the colon": (400, with_fields(b"X\t: 1")),
    "no name": (400, with_fields(b": 1")),
    "no colon": (400, with_fields(b"X")),
    "a NUL in a value": (400, with_fields(b"X: a\0b")),
    "a NUL in a name": (400, with_fields(b"X\0: b")),
    "a NUL in the target": (400, b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, with_fields(HOST.strip())),
    "a bad host": (400, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    "an empty host": (400, b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    "a host with a path": (400, b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "no version": (400, b"GET /\r\n\r\n"),
    "a strange version": (400, b"GET / HTTP/one\r\n" + HOST + b"\r\n"),
    "a version in small letters": (400, b"GET / http/1.1\r\n" + HOST + b"\r\n"),
    "a version of three digits": (400, b"GET / HTTP/1.10\r\n" + HOST + b"\r\n"),
    "HTTP/2.0": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/0.9": (505, b"GET / HTTP/0.9\r\n" + HOST + b"\r\n"),
    "two spaces": (400, b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a space at the end": (400, b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n"),
    "a tab for a space": (400, b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n"),
    "a method that is none": (400, b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "bytes that are not ASCII": (400, "GET /ä HTTP/1.1\r\n".encode() + HOST + b"\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "an unknown expectation": (417, with_fields(b"Expect: more")),
    "a target that is too long": (
        414,
        b"GET /" + b"x" * 8000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    ),
    "a line without an end": (414, b"GET /" + b"x" * 20_000),
    "a field that is too long": (431, with_fields(b"X: " + b"x" * 20_000)),
    "101 fields": (431, with_fields(*[b"X: y"] * 100)),
    "half a request": (400, b"GET / HTTP/1.1\r\n" + HOST),
    "a body that nobody wants": (
        405,
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\n" + HOST + b"\r\n12345",
    ),
    "a body with GET": (200, with_fields(b"Content-Length: 5") + b"GET /"),
}
STAYING = {
    "a method in small letters": (501, b"get / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "an unknown method": (501, b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "PUT": (405, b"PUT / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "CONNECT": (405, b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n"),
    "TRACE": (405, b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n"),
    "GET *": (400, b"GET * HTTP/1.1\r\n" + HOST + b"\r\n"),
    "100 fields": (200, with_fields(*[b"X: y"] * 99)),
    "a target of 8000 bytes": (
        404,
        b"GET " + b"/x" * 4000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    ),
    "HTTP/1.7": (200, b"GET /page.html HTTP/1.7\r\n" + HOST + b"\r\n"),
    "an expectation of HTTP/1.0": (
        200,
        b"GET /page.html HTTP/1.0\r\nConnection: keep-alive\r\nExpect: x\r\n\r\n",
    ),
    "a value of all that may be": (200, with_fields(b"X: \t\x80\xff~ ")),
}


def test_what_is_malformed_gets_its_status_and_the_connection_is_closed(lab, folder):
    with serve(lab, "http", folder) as server:
        for what, (status, sent) in CLOSING.items():
            client = server.connect()
            client.send(sent)
            if what == "half a request":
                client.half_close()
            reply = client.reply()
            assert (
                reply.status == status
            ), f"{what}: {status} is expected, {reply.status} came"
            assert reply["Connection"] == "close", what
            client.assert_ended(what)
            client.close()


def test_what_is_understood_does_not_close_the_connection(lab, folder):
    with serve(lab, "http", folder) as server:
        for what, (status, sent) in STAYING.items():
            client = server.connect()
            client.send(sent)
            reply = client.reply()
            assert (
                reply.status == status
            ), f"{what}: {status} is expected, {reply.status} came"
            assert ("Allow" in reply) == (status == 405), what
            assert client.get("/page.html").body == PAGE, f"the connection after {what}"
            client.close()


def test_an_error_is_read_although_the_client_goes_on_sending(lab, folder):
    head = request("POST", "/", "Content-Length: 10000000")
    with serve(lab, "http", folder) as server:
        client = server.connect()
        client.send(head + b"x" * 10_000_000)
        assert client.reply().status == 405
        client.assert_ended("after the error")


def test_the_reader_of_an_error_is_not_held_for_long(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        client.send(b"nonsense\r\n\r\n")
        client.reply()
        assert client.rest() == b""
        next_one = server.connect()
        assert next_one.get("/page.html").status == 200


def test_who_never_stops_sending_is_cut_off(lab, folder):
    with serve(lab, "http", folder) as server:
        client = server.connect()
        client.send(request("POST", "/", "Content-Length: 999999999999"))
        client.reply()
        end = time.monotonic() + GUARD_S
        with pytest.raises(ConnectionError):
            while time.monotonic() < end:
                client.socket.sendall(b"x" * 1_000_000)


# --- deadlines -----------------------------------------------------------------------------


def test_half_a_request_is_told_that_time_is_up(timed, folder):
    with serve(timed, "http", folder, "--request-timeout=200ms") as server:
        client = server.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: loc")
        assert client.reply().status == 408
        client.assert_ended("after 408")
        assert server.stop().timed_out == 1


def test_a_dribbling_client_is_told_that_time_is_up(timed, folder):
    with serve(timed, "http", folder, "--request-timeout=300ms") as server:
        client = server.connect()
        client.send(b"GET / HTTP/1.1\r\n")
        while not client.hears(0.02):
            client.send(b"X")
        assert client.reply().status == 408


def test_a_silent_client_is_sent_home_without_a_word(timed, folder):
    with serve(timed, "http", folder, "--idle-timeout=200ms") as server:
        silent, idle = server.connect(), server.connect()
        assert idle.get("/page.html").status == 200
        for client in (silent, idle):
            client.assert_ended("a client who says nothing more")
        assert server.stop().timed_out == 2


def test_who_does_not_read_is_sent_home(timed, folder):
    (folder / "large").write_bytes(b"x" * LARGE)
    with serve(timed, "http", folder, "--write-timeout=300ms") as server:
        client = server.connect(receive_buffer=4096)
        client.send(request("GET", "/large"))
        until(client.hears, "the reply begins")
        other = server.connect()
        assert other.get("/page.html").body == PAGE
        until(
            lambda: server.footprint().descriptors == server.at_start.descriptors + 1,
            "gone",
        )
        client.close()
        assert server.stop().timed_out == 1


# --- stopping and refusing -----------------------------------------------------------------


def test_a_stop_delivers_a_download_and_lets_the_idle_go(concurrent, folder):
    (folder / "large").write_bytes(b"x" * LARGE)
    with serve(concurrent, "http", folder, *concurrent.places(2)) as server:
        idle, busy = server.connect(), server.connect(receive_buffer=65536)
        assert idle.get("/page.html").status == 200
        server.until_idle()  # the reply is read; its thread may still be on its way to wait
        busy.send(request("GET", "/large"))
        until(busy.hears, "the reply begins")
        server.send_signal(signal.SIGTERM)
        assert "waiting for 1 " in server.says()
        idle.assert_ended("an idle client when the server stops")
        assert len(busy.reply().body) == LARGE
        busy.assert_ended("after the last reply")
        assert server.ended().served == 2


def test_a_reply_during_a_stop_says_that_it_is_the_last(lab, folder):
    with serve(lab, "http", folder) as server:
        client, before = server.connect(), server.cpu_s()
        client.send(request("GET", "/burn/500"))
        until(lambda: server.cpu_s() > before + 0.1, "the work has begun")
        server.send_signal(signal.SIGTERM)
        reply = client.reply()
        assert (reply.status, reply["Connection"]) == (200, "close")
        client.assert_ended("after the last reply")
        assert server.ended().served == 1


def test_who_cannot_be_served_is_told_so(pool, folder):
    flags = ["--threads=1", "--queue=0", "--when-full=refuse"]
    with serve(pool, "http", folder, *flags) as server:
        inside = server.connect()
        assert inside.get("/page.html").status == 200
        refused = server.connect()
        refused.send(request("GET", "/page.html"))
        head, _, body = refused.rest().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nRetry-After: 1" in head and b"\r\nConnection: close" in head
        assert body.startswith(b"503 ")


# --- files that change ---------------------------------------------------------------------


def test_a_file_that_shrinks_ends_its_reply_short(lab, folder):
    (folder / "large").write_bytes(b"x" * LARGE)
    with serve(lab, "http", folder) as server:
        client = server.connect(receive_buffer=65536)
        client.send(request("GET", "/large"))
        until(client.hears, "the reply begins")
        os.truncate(folder / "large", 100)
        assert len(client.rest()) < LARGE
        assert server.stop().lost == 1


def test_a_file_that_grows_ends_where_it_was_said_to(lab, folder):
    (folder / "large").write_bytes(b"x" * LARGE)
    with serve(lab, "http", folder) as server:
        client = server.connect(receive_buffer=65536)
        client.send(request("GET", "/large"))
        until(client.hears, "the reply begins")
        with open(folder / "large", "ab") as file:
            file.write(b"y" * 1000)
        assert client.reply().body == b"x" * LARGE
        assert client.get("/page.html").body == PAGE


def test_a_file_that_is_replaced_is_served_as_it_was(lab, folder):
    (folder / "large").write_bytes(b"x" * LARGE)
    with serve(lab, "http", folder) as server:
        client = server.connect(receive_buffer=65536)
        client.send(request("GET", "/large"))
        until(client.hears, "the reply begins")
        (folder / "new").write_bytes(b"y" * LARGE)
        (folder / "new").rename(folder / "large")
        assert client.reply().body == b"x" * LARGE
        assert client.get("/large").body == b"y" * LARGE


# --- real clients --------------------------------------------------------------------------

curl_only = pytest.mark.skipif(
    shutil.which("curl") is None, reason="curl is not installed"
)
nc_only = pytest.mark.skipif(shutil.which("nc") is None, reason="nc is not installed")


@curl_only
def test_curl_downloads_and_resumes(lab, folder, tmp_path):
    large = os.urandom(LARGE)
    (folder / "large").write_bytes(large)
    part = tmp_path / "part"
    part.write_bytes(large[: LARGE // 3])
    with serve(lab, "http", folder) as server:
        assert server.curl("/large", "-C", "-", "-o", str(part)) == "\n206"
        assert part.read_bytes() == large
        assert server.curl("/sub", "-L") == "the index\n200"
        assert server.curl("/page.html", "--http1.0") == PAGE.decode() + "\n200"
        assert server.curl("/page.html", "-I").endswith("200")
        assert server.curl("/../secret", "--path-as-is").endswith("400")


@curl_only
def test_curl_keeps_its_connection(lab, folder):
    with serve(lab, "http", folder) as server:
        url = server.url("/page.html")
        command = ["curl", "-sS", "-w", "%{num_connects}", "-o", "/dev/null", url]
        both = [*command, "--next", *command[1:]]
        done = subprocess.run(both, capture_output=True, text=True, timeout=GUARD_S)
        assert done.stdout == "10", "one connection for the first, none for the second"


@nc_only
def test_nc_can_ask_by_hand(lab, folder):
    with serve(lab, "http", folder) as server:
        done = subprocess.run(
            ["nc", "localhost", str(server.port)],
            input=b"GET /page.html HTTP/1.0\n\n",
            capture_output=True,
            timeout=GUARD_S,
        )
        assert done.stdout.startswith(b"HTTP/1.1 200 OK\r\n") and done.stdout.endswith(
            PAGE
        )


# --- the command line ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["http", "files"])
def test_a_folder_that_cannot_be_served_is_said_so(lab, tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    for argument, reason in [("missing", errno.ENOENT), ("file", errno.ENOTDIR)]:
        path = str(tmp_path / argument)
        done = lab.run("--port=0", name, path)
        assert done.returncode == 2 and done.stdout == ""
        assert (
            done.stderr
            == f"server: cannot serve the directory {path}: {os.strerror(reason)}\n"
        )


def test_a_folder_that_cannot_be_read_is_said_so(lab, tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    done = lab.run("--port=0", "http", str(tmp_path / "closed"), prefix=WITHOUT_RIGHTS)
    assert done.returncode == 2 and "Permission denied" in done.stderr


def test_the_folder_is_needed(lab):
    done = lab.run("--port=0", "http")
    assert done.returncode == 2 and "http DIR" in done.stderr


# --- system calls --------------------------------------------------------------------------


@linux_only
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_small_file_takes_six_system_calls(lab, folder, tmp_path):
    trace = tmp_path / "trace"
    with serve(lab, "http", folder) as server:
        client = server.connect()
        assert client.get("/page.html").status == 200
        command = ["strace", "-f", "-o", str(trace), "-p", str(server.process.pid)]
        strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        strace.stderr.readline()  # it is attached
        if "ptrace" in (trace.read_text() if trace.exists() else ""):
            pytest.skip("strace may not attach here")
        for _ in range(100):
            client.get("/page.html")
        strace.send_signal(signal.SIGINT)
        strace.wait(GUARD_S)
    names = [
        line.split()[1].partition("(")[0] for line in trace.read_text().splitlines()
    ]
    served = [name for name in names if name.isidentifier()]
    assert served.count("sendto") == 100, "one write for a head and its small body"
    assert len(served) < 100 * 7, f"{len(served) / 100} system calls for a small file"
