"""Family D: uploads. Acknowledged means on disk, whole; anything else leaves no trace."""

import errno
import os
import random
import threading
import time

import pytest

from tests.faults.faults import MIB, faulty
from tests.helpers.web import WebClient, request

KILLS = 100
SIZE = 100_000
FULL = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]


def names(site) -> list[str]:
    return sorted(os.listdir(site))


# --- disks ---------------------------------------------------------------------------------

BROKEN_DISKS = [
    # the call, which one of them in an upload, the error, the status
    *(("write", 0, error, 507) for error in FULL),
    *(("write", 1, error, 507) for error in FULL),
    ("write", 1, errno.EIO, 500),
    ("fsync", 0, errno.EIO, 500),
    *(("fsync", 0, error, 507) for error in FULL),
    ("renameat", 0, errno.EIO, 500),
    *(("renameat", 0, error, 507) for error in FULL),
]


@pytest.mark.parametrize(
    "call, number, error, status",
    BROKEN_DISKS,
    ids=[
        f"{call}-{number + 1}-{errno.errorcode[error]}"
        for call, number, error, _ in BROKEN_DISKS
    ],
)
def test_d2_a_disk_that_fails_is_told_and_the_old_file_stays(
    lab, site, call, number, error, status
):
    with faulty(lab, "files", folder=site) as server:
        for target in ("/page", "/new"):
            server.fail(call, error, times=1, after=number)
            client = server.connect()
            reply = client.put(target, b"x" * SIZE)
            assert server.failed(call) == 1
            assert (reply.status, reply["Connection"]) in [
                (status, "close"),
                (status, "keep-alive"),
            ]
            client.close()
            assert names(site) == ["page"] and (site / "page").read_bytes() == b"hello"
        assert server.is_served()
        client = server.connect()
        assert client.put("/page", b"x" * SIZE).status == 204
    assert (site / "page").read_bytes() == b"x" * SIZE


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=errno.errorcode.get)
def test_d2_a_file_that_must_be_new_and_cannot_be_linked_is_told(lab, site, error):
    with faulty(lab, "files", folder=site) as server:
        server.fail("linkat", error)
        client = server.connect()
        reply = client.put("/new", b"x" * SIZE, "If-None-Match: *")
        assert reply.status == (500 if error == errno.EIO else 507)
        assert names(site) == ["page"]


def test_d2_a_folder_that_cannot_be_synced_acknowledges_nothing(lab, site):
    """The new name may be lost with the power: it must not be told that all is well."""
    with faulty(lab, "files", folder=site) as server:
        server.fail("fsync", errno.EIO, times=1, after=1)
        client = server.connect()
        assert client.put("/page", b"x" * SIZE).status == 500
        assert server.failed("fsync") == 1
        assert names(site) == ["page"]
        assert (site / "page").read_bytes() in (b"hello", b"x" * SIZE)


@pytest.mark.parametrize("error", [errno.EIO, errno.EINTR], ids=errno.errorcode.get)
def test_d2_a_close_that_fails_is_not_made_again(lab, site, error):
    """The descriptor is gone all the same (close(2)), and may belong to another thread by now.
    That nothing is closed twice is checked at the end of every test here."""
    with faulty(lab, "files", folder=site) as server:
        server.fail("close", error, times=3)
        client = server.connect()
        reply = client.put("/new", b"x" * SIZE)
        assert server.failed("close") >= 1
        assert reply.status in (201, 500)
        if reply.status == 201:
            assert (site / "new").read_bytes() == b"x" * SIZE
        else:
            assert names(site) == ["page"]


def test_d2_a_temporary_file_that_cannot_be_made_is_told(lab, site):
    with faulty(lab, "files", folder=site) as server:
        for error, status in [
            (errno.ENOSPC, 507),
            (errno.EMFILE, 503),
            (errno.EROFS, 403),
        ]:
            server.fail("openat", error)
            client = server.connect()
            assert client.put("/new", b"x" * SIZE).status == status
            client.close()
            assert names(site) == ["page"]


def test_d2_an_error_is_read_although_the_client_goes_on_uploading(lab, site):
    with faulty(lab, "files", folder=site) as server:
        server.fail("write", errno.ENOSPC, after=2)
        client = server.connect()
        client.send(
            request("PUT", "/new", f"Content-Length: {10 * MIB}") + b"x" * 10 * MIB
        )
        assert client.reply().status == 507
        client.assert_ended("after 507")
        assert names(site) == ["page"]


# --- names ---------------------------------------------------------------------------------

HARMFUL = "/. /.. / // /.new /%2enew /.upload-1-1 /a%2fb /a%5cb /a\\b".split()
HARMFUL += ["/new%00", "/new%0a", "/new%0d", "/%1b[m", "/%7f", "/" + "x" * 256]
HARMFUL += ["/-rf", "/%2drf"]


def test_d5_names_that_harm_are_refused(lab, site):
    """One that begins with a dash is taken for an option by whoever says `rm *` there."""
    with faulty(lab, "files", folder=site) as server:
        accepted = []
        for target in HARMFUL:
            client = server.connect()
            if client.put(target, b"new").status in (201, 204):
                accepted.append(target)
            client.close()
        assert accepted == []
        assert names(site) == ["page"]


# --- killed --------------------------------------------------------------------------------


def content(number: int) -> bytes:
    """What is uploaded the number-th time: it tells its number, and whether it is whole."""
    return b"%08d" % number * (SIZE // 8)


def upload_until_killed(address, name: str, first: int, acknowledged: dict) -> None:
    """Upload one after the other, and keep in mind the last that was acknowledged."""
    try:
        client = WebClient(address)
        for number in range(first, first + 1_000_000):
            if client.put(f"/{name}", content(number)).status not in (201, 204):
                return
            acknowledged[name] = number
    except (AssertionError, OSError):
        return


def assert_whole(site, acknowledged: dict) -> None:
    """Each file is whole, and not older than what was acknowledged."""
    for name in names(site):
        if name == "page" or name.startswith(".upload-"):
            continue
        data = (site / name).read_bytes()
        number = int(data[:8])
        assert data == content(number), f"{name} is neither the one nor the other"
        assert number >= acknowledged.get(
            name, 0
        ), f"{name} was acknowledged and is lost"
    for name in acknowledged:
        assert (site / name).exists(), f"{name} was acknowledged and is lost"


def test_d6_killed_at_100_random_moments_nothing_acknowledged_is_lost(
    lab, site, record_property
):
    moments = random.Random(1)
    acknowledged, count = {}, 0
    for turn in range(KILLS):
        first = 1 + turn * 1_000_000
        with faulty(lab, "files", folder=site) as server:
            assert_whole(site, acknowledged)
            uploading = [
                threading.Thread(
                    target=upload_until_killed,
                    args=[server.address, name, first, acknowledged],
                )
                for name in ("one", "other")
            ]
            for one in uploading:
                one.start()
            time.sleep(moments.uniform(0, 0.03))  # a moment at random
            server.process.kill()
            server.process.wait()
            for one in uploading:
                one.join()
        assert_whole(site, acknowledged)
        count += sum(max(0, last - first + 1) for last in acknowledged.values())
    told = f"{count} uploads acknowledged before {KILLS} kills, all kept"
    record_property("measured", told)
    assert acknowledged, "the moments were too early for any upload"
    with faulty(lab, "files", folder=site) as server:
        assert server.connect().put("/last", b"x").status == 201
        assert not [name for name in names(site) if name.startswith(".upload-")]
