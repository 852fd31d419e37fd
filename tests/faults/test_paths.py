"""Family C: what a path may lead to, and files that change. Most of it is in tests/services/test_http.py."""

import ctypes
import errno
import os
import threading

import pytest

from tests.faults.faults import MIB, faulty
from tests.helpers.setting import until
from tests.helpers.web import WebClient, request

LARGE = 20 * MIB
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def drop_roots_right_to_read_everything() -> None:
    """So that root, who runs tests in containers, is forbidden what everybody is."""
    for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0)


def test_c4_what_may_not_be_read_is_forbidden(lab, site):
    (site / "closed").write_bytes(b"SECRET")
    (site / "closed").chmod(0)
    (site / "folder").mkdir(mode=0)
    options = {"preexec_fn": drop_roots_right_to_read_everything}
    with faulty(lab, "files", folder=site, **options) as server:
        client = server.connect()
        for target in ("/closed", "/folder/", "/folder/page"):
            assert client.get(target).status == 403, target
        client.close()
        client = server.connect()
        assert client.put("/folder/new", b"new").status == 403


def identity(path) -> tuple:
    """What may not change: not the time of the last access, for the server sweeps folders."""
    facts = os.lstat(path)
    return facts.st_ino, facts.st_mode, facts.st_size, facts.st_mtime_ns


@pytest.mark.parametrize("what", ["fifo", "socket", "folder", "loop"])
def test_c4_an_upload_on_what_is_no_file_neither_waits_nor_harms(lab, site, what):
    make = {
        "fifo": lambda path: os.mkfifo(path),
        "socket": lambda path: os.mknod(path, 0o140644),
        "folder": lambda path: os.mkdir(path),
        "loop": lambda path: os.symlink("loop", path),
    }
    make[what](site / what)
    before = identity(site / what)
    with faulty(lab, "files", folder=site) as server:
        for method in ("PUT", "DELETE"):
            client = server.connect()
            reply = client.ask_for(method, f"/{what}", "Content-Length: 3", body=b"new")
            assert reply.status in (403, 404, 409), f"{method}: {reply.status}"
            client.close()
        assert server.is_served()
    assert identity(site / what) == before
    assert sorted(os.listdir(site)) == sorted(["page", what])


@pytest.mark.parametrize(
    "call, error", [("openat", errno.EIO), ("openat", errno.EMFILE)]
)
def test_c4_a_file_that_cannot_be_opened_is_told(lab, site, call, error):
    with faulty(lab, "http", folder=site) as server:
        client = server.connect()
        server.fail(call, error)
        assert client.get("/page").status in (500, 503)
        assert client.get("/page").body == b"hello", "the connection is still good"


def test_c5_a_file_that_vanishes_while_it_is_sent_arrives_whole(lab, site):
    (site / "large").write_bytes(b"x" * LARGE)
    with faulty(lab, "http", folder=site) as server:
        client = server.connect(receive_buffer=65536)
        client.send(request("GET", "/large"))
        until(client.hears, "the reply begins")
        (site / "large").unlink()
        assert client.reply().body == b"x" * LARGE
        assert client.get("/large").status == 404


def test_c5_a_file_that_cannot_be_read_on_ends_its_reply_short(lab, site):
    """A broken disk: what is missing is never filled up, and the connection is not kept."""
    (site / "large").write_bytes(b"x" * LARGE)
    with faulty(lab, "http", folder=site) as server:
        for call in ("sendfile", "pread"):
            server.fail(call, errno.EIO)
            client = server.connect()
            client.send(request("GET", "/large") + request("GET", "/page"))
            heard = b""
            try:
                heard = client.rest()
            except AssertionError:
                pass  # the second request was not read: a reset is in order
            assert len(heard) < LARGE and b"hello" not in heard
            assert server.failed(call) == 1
            assert server.is_served()


def test_c6_a_file_that_is_replaced_all_the_time_is_never_a_mix(concurrent, site):
    size, turns = MIB, 30
    with faulty(concurrent, "files", *concurrent.places(3), folder=site) as server:
        (site / "changing").write_bytes(b"a" * size)
        is_over = threading.Event()

        def replace_it():
            client = WebClient(server.address)
            while not is_over.is_set():
                for letter in (b"b", b"a"):
                    assert client.put("/changing", letter * size).status == 204
            client.close()

        replacing = threading.Thread(target=replace_it)
        replacing.start()
        try:
            client = server.connect()
            for _ in range(turns):
                body = client.get("/changing").body
                assert body in (b"a" * size, b"b" * size), "old and new are mixed"
        finally:
            is_over.set()
            replacing.join()


@pytest.mark.parametrize(
    "size", [2**31 - 3, 2**31, 2**31 + 3, 2**32 - 3, 2**32, 2**32 + 3]
)
def test_c7_files_around_2_and_4_gib_are_exact(lab, site, size):
    with open(site / "sparse", "wb") as file:
        file.truncate(size)
        file.seek(size - 3)
        file.write(b"end")
    with faulty(lab, "http", folder=site) as server:
        client = server.connect()
        assert client.ask_for("HEAD", "/sparse")["Content-Length"] == str(size)
        assert client.get("/sparse", "Range: bytes=-3").body == b"end"
        last = client.get("/sparse", f"Range: bytes={size - 4}-{size + 10}")
        assert (last.status, last.body) == (206, b"\0end")
        assert last["Content-Range"] == f"bytes {size - 4}-{size - 1}/{size}"
        assert client.get("/sparse", f"Range: bytes={size}-").status == 416
        client.close()
