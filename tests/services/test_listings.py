"""Listings: whole and in order whatever the folder holds, in bounded memory, or an error.

On one lab: what a service says is the same on all of them.
"""

import html
import os
import random
import re

import pytest

from tests.helpers.labs import find_labs
from tests.helpers.setting import WITHOUT_RIGHTS, linux_only, plain_only, until
from tests.helpers.web import request, serve

LAB = find_labs()[-1]
THREADS = next(lab for lab in find_labs() if "thread-per" in lab.name)
MIB = 1024 * 1024


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "served"
    made.mkdir()
    return made


def names_in(body: bytes) -> list[str]:
    links = re.findall(r'<td><a href="[^"]*">([^<]*)</a>', body.decode())
    return [html.unescape(name) for name in links]


def fill(folder, names) -> None:
    for name in names:
        os.close(os.open(folder / name, os.O_CREAT | os.O_WRONLY))


@pytest.mark.parametrize(
    "count, length",
    [(0, 5), (1, 255), (9_999, 5), (10_000, 5), (10_001, 5), (10_000, 255)],
)
def test_a_listing_is_whole_and_in_order(folder, count, length):
    """Around the number at which it was once cut, and around what fits into memory at once."""
    names = [f"{number:0{length}}" for number in range(count)]
    fill(folder, random.Random(1).sample(names, count))
    with serve(LAB, "http", folder) as server:
        assert names_in(server.connect().get("/").body) == names


def test_names_are_in_the_order_that_people_expect(folder):
    for name in ["Zoo", "apple", "Apple", "berry", "ärger", "1", "10", "_"]:
        (folder / name).touch()
    (folder / "way").mkdir()
    (folder / "About").mkdir()
    with serve(LAB, "http", folder) as server:
        assert names_in(server.connect().get("/").body) == [
            *("About/", "way/", "1", "10", "_", "Apple", "apple", "berry", "Zoo"),
            "ärger",
        ]


def test_a_listing_goes_in_chunks_or_to_the_end_of_the_connection(folder):
    fill(folder, [f"{number:04}" for number in range(1000)])
    with serve(LAB, "http", folder) as server:
        new = server.connect()
        assert len(names_in(new.get("/").body)) == 1000
        assert new.get("/0000").status == 200, "the connection stays"
        old = server.connect()
        old.send(request("GET", "/", "Connection: keep-alive", version="1.0"))
        head, _, body = old.rest().partition(b"\r\n\r\n")
        assert len(names_in(body)) == 1000 and body.endswith(b"</table>\n")
        assert b"Connection: close" in head and b"Transfer-Encoding" not in head


@linux_only
@plain_only
def test_a_listing_takes_little_memory_from_clients_that_do_not_read(folder):
    """2.5 MB of names for each; the server holds no more than a part of them at once."""
    clients = 8
    fill(folder, ["x" * 250 + f"{number:05}" for number in range(10_000)])
    with serve(THREADS, "http", folder) as server:
        before = resident_bytes(server)
        asking = [server.connect(receive_buffer=2304) for _ in range(clients)]
        for client in asking:
            client.send(request("GET", "/"))
        for client in asking:
            until(client.hears, "the listing begins")
        assert resident_bytes(server) - before < clients * MIB
        assert len(names_in(server.connect().get("/").body)) == 10_000


def resident_bytes(server) -> int:
    with open(f"/proc/{server.process.pid}/status") as status:
        return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def test_what_a_folder_is_for_is_above_its_files(folder):
    (folder / "old").touch()
    with serve(LAB, "files", folder) as server:
        page = server.connect().get("/").body
    assert page.index(b'id="choose"') < page.index(b"<table>")


def test_a_folder_that_may_be_passed_and_not_read_gives_its_files(folder):
    inner = folder / "inner"
    inner.mkdir()
    (inner / "known").write_bytes(b"known")
    inner.chmod(0o311)
    with serve(LAB, "files", folder, prefix=WITHOUT_RIGHTS) as server:
        assert server.connect().get("/inner/known").body == b"known"
        assert server.connect().get("/inner/").status == 403
        assert server.connect().put("/inner/new", b"new").status == 201
