"""Family B: bytes on their way. The slow ones are in test_slow_clients.py."""

import contextlib
import errno
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.faults import ALL_SERVICES, HERE, KIB, MIB, any_service, faulty
from tests.helpers.setting import GUARD_S, plain_only, until
from tests.helpers.web import request

LARGE = 20 * MIB
FAILING = [(name, call) for name in ALL_SERVICES for call in ("send", "recv")] + [
    (name, "sendfile") for name in ("http", "files")
]
LETTERS = bytes(range(ord("a"), ord("z") + 1))


# --- clients who leave ---------------------------------------------------------------------


@pytest.mark.mistake("M5")
@pytest.mark.parametrize("has_half_closed", [False, True], ids=["open", "half-closed"])
@pytest.mark.parametrize("name", ["http", "files"])
def test_b1_a_reset_in_the_middle_of_a_download_ends_only_that(
    lab, name, site, has_half_closed
):
    """sendfile raises SIGPIPE, too, and cannot be told not to."""
    (site / "large").write_bytes(b"x" * LARGE)
    with faulty(lab, name, folder=site) as server:
        for _ in range(3):
            leaving = server.connect(receive_buffer=4096)
            leaving.send(request("GET", "/large"))
            until(leaving.hears, "the reply begins")
            if has_half_closed:
                leaving.half_close()
            leaving.reset()
        assert server.is_served()
        server.until_at_rest()
        assert server.stop().lost == 3


@pytest.mark.mistake("M5", "M6")
@pytest.mark.parametrize("name, call", FAILING)
def test_b1_whatever_fails_for_one_client_ends_only_that(lab, name, site, call):
    (site / "large").write_bytes(b"x" * LARGE)
    with any_service(lab, name, site) as server:
        for error in (errno.EPIPE, errno.ECONNRESET, errno.ENOBUFS):
            server.fail(call, error, times=1)
            client = server.connect()
            with contextlib.suppress(
                OSError
            ):  # it may be cut off before it has said all
                client.socket.sendall(request("GET", "/large"))
                client.socket.shutdown(socket.SHUT_WR)
                while client.socket.recv(65536):
                    pass
            client.close()
            assert server.failed(call) == 1
            assert server.is_served(), errno.errorcode[error]


# --- transfers in pieces -------------------------------------------------------------------


@pytest.mark.mistake("M7")
@pytest.mark.parametrize(
    "call, most", [("send", 1), ("recv", 1), ("send", 7), ("recv", 7)]
)
@pytest.mark.parametrize("name", ALL_SERVICES)
def test_b4_lines_that_are_transferred_in_pieces_arrive_whole(
    lab, name, site, call, most
):
    with any_service(lab, name, site) as server:
        server.shorten(call, most)
        if name in ("echo", "desk", "chat"):
            client = server.greeted()
            words = LETTERS * 100
            answer = client.ask(b"echo " + words)
            assert answer.endswith(words + b"\n")
            client.close()
        assert server.is_served()
        assert server.failed(call) > 1


@pytest.mark.mistake("M7")
@pytest.mark.parametrize("most", [1, 1000])
def test_b4_a_reply_of_the_desk_in_pieces_arrives_whole(lab, most):
    size = 1000 * most
    with faulty(lab, "desk") as server:
        server.shorten("send", most)
        client = server.greeted()
        assert client.ask(b"bytes %d" % size) == b"ok bytes %d\n" % size
        assert client.read(size) == b"x" * size
        assert client.ask(b"echo next") == b"ok echo next\n"


@pytest.mark.mistake("M7")
@pytest.mark.parametrize("call, most", [("sendfile", 999), ("pread", 7), ("send", 999)])
def test_b4_a_file_in_pieces_arrives_whole(lab, site, call, most):
    large = LETTERS * 4000
    (site / "large").write_bytes(large)
    with faulty(lab, "http", folder=site) as server:
        server.shorten(call, most)
        client = server.connect()
        assert client.get("/large").body == large
        assert client.get("/page").body == b"hello"
        assert server.failed(call) > 1


@pytest.mark.mistake("M7")
@pytest.mark.parametrize(
    "call, most", [("write", 7), ("write", 1), ("recv", 1), ("recv", 999)]
)
def test_b4_an_upload_in_pieces_is_stored_whole(lab, site, call, most):
    body = LETTERS * 100
    with faulty(lab, "files", folder=site) as server:
        server.shorten(call, most)
        assert server.connect().put("/new", body).status == 201
        assert server.failed(call) > 1
        assert (site / "new").read_bytes() == body


@pytest.mark.parametrize("call", ["send", "recv", "sendfile"])
def test_b4_a_wait_that_was_in_vain_is_waited_again(lab, site, call):
    """poll may say ready when nothing can be transferred after all (its BUGS in select(2))."""
    large = LETTERS * 40_000
    (site / "large").write_bytes(large)
    with faulty(lab, "http", folder=site) as server:
        server.fail(call, errno.EAGAIN, times=5)
        assert server.connect().get("/large").body == large
        assert server.failed(call) == 5


# --- too much of it ------------------------------------------------------------------------

ENDLESS = {
    "echo": b"",
    "desk": b"echo ",
    "chat": b"/me ",
    "http": b"GET / HTTP/1.1\r\nX: ",
    "files": b"PUT /new HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;",
}


@plain_only
@pytest.mark.parametrize("name", ALL_SERVICES)
def test_b12_memory_does_not_grow_with_a_line_without_end(lab, name, site):
    with any_service(lab, name, site) as server:
        assert server.is_served()
        before_kib = server.status_kib("VmHWM")
        for _ in range(5):
            client = server.connect()
            client.send(ENDLESS[name])
            client.socket.setblocking(True)
            try:
                for _ in range(10):
                    client.socket.sendall(b"x" * MIB)
            except ConnectionError:
                pass  # it has had enough of it
            client.close()
            server.until_at_rest()
        growth_kib = server.status_kib("VmHWM") - before_kib
        assert growth_kib < MIB // KIB, f"{growth_kib} KiB more"


# --- what could hide a second request ------------------------------------------------------

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
HIDING = {
    "a length and chunks": [
        *("Content-Length: 5", "Transfer-Encoding: chunked"),
    ],
    "chunks and a length": [
        "Transfer-Encoding: chunked",
        f"Content-Length: {len(SMUGGLED) + 5}",
    ],
    "two lengths": ["Content-Length: 0", f"Content-Length: {len(SMUGGLED)}"],
    "a length twice": ["Content-Length: 0", "Content-Length: 0"],
    "a list of lengths": [f"Content-Length: 0, {len(SMUGGLED)}"],
    "a negative length": ["Content-Length: -1"],
    "a length with a sign": ["Content-Length: +0"],
    "a length in hex": ["Content-Length: 0x0"],
    "a length past 63 bits": ["Content-Length: 18446744073709551616"],
    "a length that ends in a letter": ["Content-Length: 0a"],
    "chunks twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "chunks in a list": ["Transfer-Encoding: chunked, chunked"],
    "chunks that are not the last": ["Transfer-Encoding: chunked, identity"],
    "an unknown coding": ["Transfer-Encoding: xchunked"],
    "a space before the colon": ["Transfer-Encoding : chunked"],
    "a vertical tab": ["Transfer-Encoding:\x0bchunked"],
    "a folded coding": ["Transfer-Encoding:\r\n chunked"],
    "a hidden line end": ["X: y\rTransfer-Encoding: chunked"],
    "chunks in HTTP/1.0": None,
}


@pytest.mark.parametrize("name", ["http", "files"])
def test_b15_what_could_hide_a_request_is_refused_and_ends_the_connection(
    lab, name, site
):
    (site / "smuggled").write_bytes(b"SMUGGLED")
    with faulty(lab, name, folder=site) as server:
        for what, fields in HIDING.items():
            client = server.connect()
            if fields is None:
                head = request(
                    "PUT", "/new", "Transfer-Encoding: chunked", version="1.0"
                )
            else:
                head = request("PUT", "/new", *fields)
            client.send(head + b"0\r\n\r\n" + SMUGGLED)
            reply = client.reply()
            assert reply.status in (400, 405, 413, 501), f"{what}: {reply.status}"
            assert reply.status != 405 or name == "http", what
            assert reply["Connection"] == "close", what
            client.assert_ended(f"after {what}")
            client.close()
        assert sorted(os.listdir(site)) == ["page", "smuggled"]


# --- peers that vanish ---------------------------------------------------------------------

RETRANSMITS, KEEPS_ALIVE = (
    "01",
    "02",
)  # which timer runs: see proc_net_tcp.rst of the kernel


def timer_of(server, client) -> str:
    """The kernel's timer for the server's end of this connection."""
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, _, timer, *_ = row.split()
        if [int(end.split(":")[1], 16) for end in (local, remote)] == [
            server.port,
            client.port,
        ]:
            return timer.split(":")[0]
    raise AssertionError("the kernel does not know this connection")


def test_b20_the_kernel_asks_now_and_then_whether_the_peer_is_there(lab):
    """The backstop for a peer that lost its power or its network (SO_KEEPALIVE, tcp(7))."""
    with faulty(lab, "echo") as server:
        client = server.greeted()
        until(
            lambda: timer_of(server, client) != RETRANSMITS, "the greeting has arrived"
        )
        assert (
            timer_of(server, client) == KEEPS_ALIVE
        ), "a silent peer is never asked for"


@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare")
def test_b20_a_reader_whose_network_is_gone_is_sent_home(timed, site):
    """In a network of its own, which is switched off in the middle of a download."""
    (site / "large").write_bytes(b"x" * LARGE)
    command = ["unshare", "-rn", sys.executable, str(HERE / "vanish.py")]
    done = subprocess.run(
        [*command, str(timed.program), str(site)],
        capture_output=True,
        text=True,
        timeout=2 * GUARD_S,
    )
    if done.stderr.startswith("unshare: "):
        pytest.skip(f"no network of one's own can be had here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert "1 timed out" in done.stdout, done.stdout + done.stderr
