"""The service files on every lab: http, and uploads that appear whole or not at all."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from tests.helpers.idleness import IDLE_MS, pass_time
from tests.helpers.setting import GUARD_S, linux_only, plain_only, until
from tests.helpers.web import request, serve

MEGABYTE = 1_000_000
TEMPORARY = ".upload-"

curl_only = pytest.mark.skipif(
    shutil.which("curl") is None, reason="curl is not installed"
)
root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can mount a small disk"
)


@pytest.fixture
def folder(tmp_path):
    served = tmp_path / "served"
    (served / "sub").mkdir(parents=True)
    (served / "old").write_bytes(b"old")
    return served


def names(folder) -> list[str]:
    return sorted(os.listdir(folder))


def temporaries(folder) -> list[str]:
    return [name for name in names(folder) if name.startswith(TEMPORARY)]


def chunked(*chunks: bytes) -> bytes:
    return (
        b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        + b"0\r\n\r\n"
    )


def begin_upload(
    server, target: str, *fields: str, declared: int = MEGABYTE, sent: int = 1000
):
    """A client that has sent the first bytes of an upload, and the server has them."""
    client = server.connect()
    client.send(
        request("PUT", target, f"Content-Length: {declared}", *fields) + b"x" * sent
    )
    return client


def until_stored(folder, size: int) -> None:
    """Wait until a temporary file has so many bytes."""

    def is_stored() -> bool:
        return any(
            (folder / name).stat().st_size >= size for name in temporaries(folder)
        )

    until(is_stored, "a temporary file has what was sent")


# --- what can be done ----------------------------------------------------------------------


def test_a_file_is_uploaded_replaced_and_deleted(lab, folder):
    with serve(lab, "files", folder) as server:
        client = server.connect()
        created = client.put("/sub/new%20name", b"first")
        assert (created.status, (folder / "sub" / "new name").read_bytes()) == (
            201,
            b"first",
        )
        assert client.put("/sub/new%20name", b"second").status == 204
        got = client.get("/sub/new%20name")
        assert got.body == b"second"
        assert client.ask_for("DELETE", "/sub/new%20name").status == 204
        assert client.ask_for("DELETE", "/sub/new%20name").status == 404
        assert client.get("/sub/new%20name").status == 404
        assert names(folder / "sub") == []


def test_a_body_may_be_empty_and_may_come_in_chunks(lab, folder):
    with serve(lab, "files", folder) as server:
        client = server.connect()
        assert client.put("/empty", b"").status == 201
        for body, content in [
            (chunked(), b""),
            (chunked(b"one", b"x" * 100_000, b"two"), b"one" + b"x" * 100_000 + b"two"),
            (b"3;name=value\r\nabc\r\n00\r\nTrailer: x\r\n\r\n", b"abc"),
            (b"A ; x\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        ]:
            chunks = client.ask_for(
                "PUT", "/chunks", "Transfer-Encoding: chunked", body=body
            )
            assert chunks.status in (201, 204)
            assert client.get("/chunks").body == content
        assert (folder / "empty").read_bytes() == b""


def test_uploads_can_be_pipelined(lab, folder):
    sizes = range(0, 3000, 100)
    with serve(lab, "files", folder) as server:
        client = server.connect()
        for size in sizes:
            client.send(
                request("PUT", f"/{size}", f"Content-Length: {size}") + b"x" * size
            )
            client.send(request("GET", f"/{size}"))
        for size in sizes:
            assert client.reply().status == 201
            assert client.reply().body == b"x" * size


def test_an_upload_may_come_one_byte_at_a_time(lab, folder):
    upload = request("PUT", "/new", "Transfer-Encoding: chunked") + chunked(
        b"slow", b"ly"
    )
    with serve(lab, "files", folder) as server:
        client = server.connect()
        for byte in upload:
            client.send(bytes([byte]))
            until(lambda: client.unacknowledged() == 0, "a byte arrives alone")
        assert client.reply().status == 201
        assert client.get("/new").body == b"slowly"


def test_a_client_that_expects_it_is_asked_to_continue(lab, folder):
    ask = ["Content-Length: 5", "Expect: 100-continue"]
    with serve(lab, "files", folder) as server:
        client = server.connect()
        client.send(request("PUT", "/new", *ask))
        assert client.reply().status == 100
        client.send(b"hello")
        assert client.reply().status == 201
        client.send(request("PUT", "/no/such/folder", *ask))
        assert client.reply().status == 409, "the body is not asked for in vain"
        client.assert_ended("after an error before the body")


def test_options_lists_the_methods(lab, folder):
    with serve(lab, "files", folder) as server:
        client = server.connect()
        assert (
            client.ask_for("OPTIONS", "/")["Allow"] == "GET, HEAD, PUT, DELETE, OPTIONS"
        )
        assert client.ask_for("POST", "/")["Allow"] == "GET, HEAD, PUT, DELETE, OPTIONS"


# --- conditions ----------------------------------------------------------------------------


def test_nothing_is_overwritten_or_deleted_against_a_condition(lab, folder):
    with serve(lab, "files", folder) as server:
        client = server.connect()
        etag = client.get("/old")["ETag"]
        client.close()

        def put_anew(*arguments) -> int:
            """The status of an upload on a connection of its own: an error ends that."""
            client = server.connect()
            status = client.put(*arguments).status
            client.close()
            return status

        for field in (
            "If-None-Match: *",
            f"If-None-Match: {etag}",
            'If-Match: "other"',
        ):
            assert put_anew("/old", b"new", field) == 412, field
            client = server.connect()
            assert client.ask_for("DELETE", "/old", field).status == 412, field
            client.close()
        assert put_anew("/none", b"new", "If-Match: *") == 412
        assert (
            names(folder) == ["old", "sub"] and (folder / "old").read_bytes() == b"old"
        )
        assert put_anew("/old", b"new", f"If-Match: {etag}") == 204
        assert put_anew("/old", b"newer", f"If-Match: {etag}") == 412
        client = server.connect()
        assert client.put("/none", b"new", "If-None-Match: *").status == 201
        assert client.put("/old", b"newer", 'If-None-Match: "other"').status == 204


def test_a_condition_is_looked_at_again_when_the_body_is_there(concurrent, folder):
    with serve(concurrent, "files", folder) as server:
        slow = begin_upload(server, "/new", "If-None-Match: *", declared=2000)
        until_stored(folder, 1000)
        assert server.connect().put("/new", b"the first").status == 201
        slow.send(b"x" * 1000)
        assert slow.reply().status == 412
        assert (folder / "new").read_bytes() == b"the first"


def test_two_uploads_of_one_name_do_not_mix(concurrent, folder):
    with serve(concurrent, "files", folder, *concurrent.places(2)) as server:
        contents = [bytes([letter]) * MEGABYTE for letter in b"ab"]
        clients = [server.connect() for _ in contents]
        for client in clients:
            client.send(request("PUT", "/new", f"Content-Length: {MEGABYTE}"))
        half = MEGABYTE // 2
        for part in (slice(0, half), slice(half, MEGABYTE)):
            for client, content in zip(clients, contents):
                client.send(content[part])
        assert sorted(client.reply().status for client in clients) == [201, 204]
        assert (folder / "new").read_bytes() in contents


def test_of_many_who_must_not_overwrite_one_wins(concurrent, folder):
    with serve(concurrent, "files", folder, *concurrent.places(16)) as server:
        contents = [b"%d" % number * 1000 for number in range(16)]
        clients = [server.connect() for _ in contents]
        for client, content in zip(clients, contents):
            head = request(
                "PUT", "/new", "If-None-Match: *", f"Content-Length: {len(content)}"
            )
            client.send(head + content)
        statuses = [client.reply().status for client in clients]
        assert sorted(statuses) == [201] + [412] * 15
        assert (folder / "new").read_bytes() == contents[statuses.index(201)]


# --- what is refused -----------------------------------------------------------------------

BODY = ["Content-Length: 3"]
REFUSED = {
    "no length": (411, "/new", []),
    "a part of a file": (400, "/new", [*BODY, "Content-Range: bytes 0-2/10"]),
    "a folder": (409, "/sub", BODY),
    "a folder with its slash": (409, "/sub/", BODY),
    "the root": (409, "/", BODY),
    "a folder that does not exist": (409, "/no/new", BODY),
    "a file for a folder": (409, "/old/new", BODY),
    "a name that is too long": (409, "/" + "x" * 256, BODY),
    "a link": (409, "/link", BODY),
    "a link for a folder": (409, "/out/new", BODY),
    "a FIFO": (409, "/fifo", BODY),
    "a hidden name": (403, "/.new", BODY),
    "a temporary name": (403, "/.upload-1-1", BODY),
    "a way out": (400, "/../new", BODY),
    "an encoded slash": (400, "/a%2fnew", BODY),
    "a NUL": (400, "/new%00", BODY),
    "a line end": (400, "/new%0a", BODY),
    "an encoded way out": (400, "/%2e%2e/new", BODY),
    "a name that is no text": (400, "/%ff", BODY),
    "another host": (403, "/new", BODY),
}


def test_what_cannot_be_uploaded_is_said_so_and_changes_nothing(lab, folder):
    (folder / "link").symlink_to("old")
    (folder / "out").symlink_to("..")
    os.mkfifo(folder / "fifo")
    before = names(folder), names(folder.parent)
    with serve(lab, "files", folder) as server:
        for what, (status, target, fields) in REFUSED.items():
            sent = request("PUT", target, *fields) + b"new"
            if what == "another host":
                sent = sent.replace(b"Host: localhost", b"Host: localhost.example.org")
            client = server.connect()
            client.send(sent)
            reply = client.reply()
            assert (
                reply.status == status
            ), f"{what}: {status} is expected, {reply.status} came"
            client.assert_ended(f"after the refusal of {what}")
            client.close()
            assert (names(folder), names(folder.parent)) == before, what
    assert (folder / "old").read_bytes() == b"old"


def test_only_files_are_deleted(lab, folder):
    (folder / "link").symlink_to("old")
    with serve(lab, "files", folder) as server:
        client = server.connect()
        for target, status in [
            *(("/sub", 409), ("/sub/", 409), ("/", 409), ("/link", 409), ("/.x", 403)),
            *(("/../served/old", 400), ("/no/old", 404), ("/old/", 404)),
        ]:
            assert client.ask_for("DELETE", target).status == status, target
    assert names(folder) == ["link", "old", "sub"]


BAD_CHUNKS = [
    *(
        b"x\r\n",
        b"-1\r\n",
        b"0x5\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b"\r\n",
        b";x\r\n",
        b" 5\r\n",
        b" 5;x\r\nhello\r\n0\r\n\r\n",
    ),
    *(
        b"5\nhello\n0\n\n",
        b"5\r\nhello!\r\n",
        b"5\r\nhello\n",
        b"5\r\nhell\r\n0\r\n\r\n",
    ),
    *(
        b"1" * 16 + b"\r\n",
        b"5;" + b"x" * 5000 + b"\r\n",
        b"0\r\n" + b"T: x\r\n" * 200 + b"\r\n",
    ),
]


def test_bad_chunks_are_refused_and_nothing_is_stored(lab, folder):
    with serve(lab, "files", folder) as server:
        for body in BAD_CHUNKS:
            client = server.connect()
            client.send(request("PUT", "/new", "Transfer-Encoding: chunked") + body)
            assert client.reply().status == 400, body[:40]
            client.assert_ended(f"after {body[:40]!r}")
            client.close()
            assert names(folder) == ["old", "sub"]


def test_an_upload_over_the_limit_is_refused(lab, folder):
    over = 1024 * 1024 + 1
    with serve(lab, "files", folder, "--upload-limit=1") as server:
        for head, body in [
            (f"Content-Length: {over}", b"x" * over),
            ("Content-Length: 999999999999999999", b"x" * 10 * MEGABYTE),
            ("Transfer-Encoding: chunked", chunked(b"x" * 10 * MEGABYTE)),
            (
                "Transfer-Encoding: chunked",
                b"fffffffffffffff\r\n" + b"x" * 10 * MEGABYTE,
            ),
        ]:
            client = server.connect()
            client.send(request("PUT", "/new", head) + body)
            assert client.reply().status == 413, head
            client.assert_ended("after 413")
            client.close()
        assert names(folder) == ["old", "sub"]
        assert server.connect().put("/new", b"x" * (over - 1)).status == 201


def test_the_service_http_takes_no_uploads(lab, folder):
    with serve(lab, "http", folder) as server:
        for method in ("PUT", "DELETE"):
            client = server.connect()
            client.send(request(method, "/old", *BODY) + b"new")
            reply = client.reply()
            assert (reply.status, reply["Allow"]) == (405, "GET, HEAD, OPTIONS")
            client.close()
    assert (folder / "old").read_bytes() == b"old"


def own_address() -> str | None:
    """An address of this machine that others can reach, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        try:
            outward.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        return outward.getsockname()[0]


@pytest.mark.skipif(
    own_address() in (None, "127.0.0.1"), reason="there is loopback only"
)
def test_uploads_come_over_loopback_unless_asked_otherwise(lab, folder):
    address = own_address()
    for flags, status in [([], 403), (["--uploads=anywhere"], 204)]:
        with serve(lab, "files", folder, f"--host={address}", *flags) as server:
            client = server.connect()
            assert client.get("/old").status == 200, "downloads are for everybody"
            client.close()
            client = server.connect()
            assert client.put("/old", b"new").status == status
            client.close()


# --- uploads that do not come to their end -------------------------------------------------


@pytest.mark.parametrize("leave", ["half_close", "reset", "close"])
@pytest.mark.parametrize("target", ["/new", "/old"])
def test_an_upload_that_is_cut_off_leaves_nothing(lab, folder, leave, target):
    with serve(lab, "files", folder) as server:
        client = begin_upload(server, target)
        until_stored(folder, 1000)
        getattr(client, leave)()
        if leave == "half_close":
            assert client.reply().status == 400
        until(lambda: names(folder) == ["old", "sub"], "the temporary file is gone")
    assert (folder / "old").read_bytes() == b"old"


def test_chunks_that_are_cut_off_leave_nothing(lab, folder):
    with serve(lab, "files", folder) as server:
        client = server.connect()
        client.send(
            request("PUT", "/old", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n"
        )
        client.half_close()
        assert client.reply().status == 400
    assert names(folder) == ["old", "sub"] and (folder / "old").read_bytes() == b"old"


def test_what_a_killed_server_leaves_is_swept_by_the_next(lab, folder):
    with serve(lab, "files", folder) as server:
        begin_upload(server, "/old")
        until_stored(folder, 1000)
        server.process.kill()
        server.process.wait()
    (folder / "sub" / (TEMPORARY + "1-1")).write_bytes(b"older still")
    assert temporaries(folder) != []
    assert (folder / "old").read_bytes() == b"old"
    with serve(lab, "files", folder) as server:
        client = server.connect()
        assert client.get("/old").body == b"old"
        assert len(temporaries(folder)) == 1, "nothing is removed at start"
        assert client.put("/old", b"new").status == 204
        assert temporaries(folder) == []
        assert len(temporaries(folder / "sub")) == 1, "nothing was uploaded there"
        assert client.put("/sub/new", b"new").status == 201
        assert names(folder / "sub") == ["new"]


def test_the_uploads_of_a_living_server_are_not_swept(lab, folder):
    with serve(lab, "files", folder) as server:
        client = begin_upload(server, "/new", declared=2000)
        until_stored(folder, 1000)
        with serve(lab, "files", folder) as other:
            assert other.connect().put("/other", b"x").status == 201
            assert len(temporaries(folder)) == 1
        client.send(b"x" * 1000)
        assert client.reply().status == 201
    assert (folder / "new").read_bytes() == b"x" * 2000


def test_temporary_files_can_be_neither_had_nor_seen(concurrent, folder):
    with serve(concurrent, "files", folder) as server:
        begin_upload(server, "/new")
        until_stored(folder, 1000)
        (name,) = temporaries(folder)
        other = server.connect()
        assert other.get("/" + name).status == 403
        assert other.ask_for("DELETE", "/" + name).status == 403
        assert TEMPORARY not in other.get("/").body.decode()


# --- disks and deadlines -------------------------------------------------------------------


def test_a_file_that_may_not_be_so_large_is_refused(lab, folder):
    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, MEGABYTE))

    with serve(lab, "files", folder, preexec_fn=limit_files) as server:
        client = server.connect()
        client.send(request("PUT", "/old", f"Content-Length: {5 * MEGABYTE}"))
        client.send(b"x" * 5 * MEGABYTE)
        assert client.reply().status == 507
        client.assert_ended("after 507")
        assert (
            names(folder) == ["old", "sub"] and (folder / "old").read_bytes() == b"old"
        )
        client.close()
        assert server.connect().put("/old", b"new").status == 204


@root_only
@linux_only
def test_a_full_disk_is_said_so_and_the_old_file_stays(lab, tmp_path):
    command = "mount -t tmpfs -o size=2M,nr_inodes=10 none".split() + [str(tmp_path)]
    if subprocess.run(command, stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        (tmp_path / "old").write_bytes(b"old")
        with serve(lab, "files", tmp_path) as server:
            client = server.connect()
            client.send(request("PUT", "/old", f"Content-Length: {5 * MEGABYTE}"))
            client.send(b"x" * 5 * MEGABYTE)
            assert client.reply().status == 507
            assert (
                names(tmp_path) == ["old"] and (tmp_path / "old").read_bytes() == b"old"
            )
            client.close()
            client = server.connect()
            statuses = [client.put(f"/{number}", b"x").status for number in range(8)]
            client.close()
            assert statuses[0] == 201
            last = server.connect()
            assert (
                507 in statuses or last.put("/last", b"x").status == 507
            ), "no inodes are left"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_long_upload_earns_time_by_its_bytes(timed, folder):
    with serve(timed, "files", folder, "--request-timeout=5s") as server:
        client = begin_upload(server, "/new", declared=100_000, sent=0)
        for stored in range(20_000, 120_000, 20_000):  # 6 s in all
            client.send(b"x" * 20_000)
            if stored < 100_000:
                until_stored(folder, stored)
                pass_time(timed, 1500)
        assert client.reply().status == 201
        assert client.get("/new").body == b"x" * 100_000


def test_an_upload_that_stands_still_is_told_that_time_is_up(timed, folder):
    with serve(timed, "files", folder, f"--request-timeout={IDLE_MS}ms") as server:
        client = begin_upload(server, "/new", sent=10)
        assert client.reply().status == 408
        client.assert_ended("after 408")
        assert names(folder) == ["old", "sub"]
        assert server.stop().timed_out == 1


def test_an_upload_that_dribbles_is_told_that_time_is_up(timed, folder):
    with serve(timed, "files", folder, f"--request-timeout={IDLE_MS}ms") as server:
        client = begin_upload(server, "/new", sent=1)
        while not client.hears(0.02):  # 50 bytes/s
            client.send(b"x")
        assert client.reply().status == 408
        until(lambda: names(folder) == ["old", "sub"], "nothing is left of it")


def test_a_stop_finishes_an_upload(lab, folder):
    with serve(lab, "files", folder) as server:
        client = begin_upload(server, "/new", declared=2000)
        until_stored(folder, 1000)
        server.send_signal(signal.SIGTERM)
        assert "waiting for 1 " in server.says()
        client.send(b"x" * 1000)
        reply = client.reply()
        assert (reply.status, reply["Connection"]) == (201, "close")
        client.assert_ended("after the last reply")
        assert server.ended().served == 1
    assert (folder / "new").read_bytes() == b"x" * 2000


@linux_only
@plain_only
def test_memory_does_not_grow_with_an_upload(lab, folder):
    def memory_kb(server) -> int:
        with open(f"/proc/{server.process.pid}/status") as status:
            return int(
                next(line for line in status if line.startswith("VmHWM")).split()[1]
            )

    with serve(lab, "files", folder) as server:
        client = server.connect()
        assert client.put("/new", b"x" * MEGABYTE).status == 201
        before = memory_kb(server)
        assert client.put("/new", b"x" * 10 * MEGABYTE).status == 204
        assert memory_kb(server) < before + 1000


# --- real clients --------------------------------------------------------------------------


@curl_only
def test_curl_uploads_and_deletes(lab, folder, tmp_path):
    content = os.urandom(3 * MEGABYTE)
    (tmp_path / "upload").write_bytes(content)
    upload = str(tmp_path / "upload")
    with serve(lab, "files", folder) as server:
        assert server.curl("/new", "-T", upload).endswith("\n201")
        assert (folder / "new").read_bytes() == content
        assert server.curl("/new", "-T", upload, "-H", "If-None-Match: *").endswith(
            "\n412"
        )
        with open(upload, "rb") as piped:
            command = ["curl", "-sS", "-T", "-", server.url("/piped")]
            subprocess.run(command, stdin=piped, check=True, timeout=GUARD_S)
        assert (folder / "piped").read_bytes() == content, "in chunks"
        assert server.curl("/new", "-X", "DELETE") == "\n204"
        assert names(folder) == ["old", "piped", "sub"]


@curl_only
def test_many_clients_upload_at_once(concurrent, folder):
    with serve(concurrent, "files", folder, *concurrent.places(16)) as server:
        statuses = []

        def upload_some(number: int) -> None:
            client = server.connect()
            for turn in range(5):
                body = b"%d %d " % (number, turn) * 1000
                statuses.append(client.put(f"/file{number}", body).status)
                assert client.get(f"/file{number}").body == body
            client.close()

        threads = [threading.Thread(target=upload_some, args=[n]) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [201] * 16 + [204] * 64
        assert temporaries(folder) == []
