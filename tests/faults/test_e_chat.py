"""Family E: the chat. Most of it is in tests/services/test_chat.py; here are failures from outside."""

import errno
import threading

import pytest

from tests.faults.faults import BUSY, MIB, faulty
from tests.helpers.clients import shown
from tests.helpers.setting import GUARD_S, plain_only

LONG_WORDS = b"x" * 4000
GONE = (b"-- guest2 has left\n", b"-- guest2 was too slow and is gone\n")
MAX_PER_MEMBER_KIB = 128  # what is kept for one who does not read: 64 KiB of it words


@plain_only
def test_e1_those_who_do_not_read_cost_little(concurrent):
    """Twenty of them, while two talk. Nothing is kept beyond a bound, and nobody waits."""
    count = 20
    with faulty(concurrent, "chat", *concurrent.places(count + 2)) as server:
        deaf = [server.greeted(receive_buffer=4096) for _ in range(count)]
        speaker = server.greeted()
        assert speaker.ask(b"hello").endswith(b": hello\n")
        before_kib = server.status_kib("VmHWM")
        gone = 0
        while gone < count:
            speaker.send(LONG_WORDS + b"\n")
            while (line := speaker.line()).startswith(b"-- "):
                assert line.endswith(b" was too slow and is gone\n"), shown(line)
                gone += 1
            assert line.endswith(LONG_WORDS + b"\n")
        growth_kib = server.status_kib("VmHWM") - before_kib
        assert growth_kib < count * MAX_PER_MEMBER_KIB, f"{growth_kib} KiB more"
        for client in deaf:
            client.close()


@pytest.mark.parametrize(
    "error", [errno.ECONNRESET, errno.EPIPE, errno.ENOBUFS], ids=errno.errorcode.get
)
def test_e2_a_member_to_whom_nothing_can_be_sent_leaves_and_the_others_hear_all(
    concurrent, error
):
    """The failure comes in the middle of a broadcast, in the speaker's thread."""
    with faulty(concurrent, "chat", *concurrent.places(4)) as server:
        members = server.members(3)
        server.fail(
            "send", error, times=1, after=1
        )  # the second of three who would hear it
        members[0].send(b"who hears this?\n")
        for member in (members[0], members[2]):
            assert member.line() == b"guest1: who hears this?\n"
            assert member.line() in GONE
        assert server.failed("send") == 1
        assert members[2].ask(b"I do") == members[0].line() == b"guest3: I do\n"
        for member in members:
            member.close()
        server.until_at_rest()
        assert server.is_served()


def test_e2_a_member_who_has_no_bell_is_sent_away(lab):
    """The pipe that wakes a member's thread takes two descriptors, and there may be none."""
    with faulty(lab, "chat") as server:
        server.fail("pipe", errno.EMFILE)
        refused = server.connect()
        assert refused.greeting() == 1
        assert refused.rest() == BUSY
        refused.close()
        assert server.is_served()


def test_e3_bytes_that_drive_a_terminal_reach_nobody(concurrent):
    """In every place where a member can put words of its own before others."""
    driving = b"\x1b]0;gotcha\x07\x1b[2J\x9b31m\xc2\x9b31m\r\x08\x7f\x00"
    with faulty(concurrent, "chat", *concurrent.places(2)) as server:
        attacker, witness = server.members(2)
        for words in (
            driving,
            b"/me " + driving,
            b"/nick x" + driving,
            b"/" + driving,
            b"/who",
        ):
            attacker.send(words + b"\n")
        attacker.send(b"that was all\n")
        heard = b""
        while not heard.endswith(b"guest1: that was all\n"):
            heard += witness.line()
        assert not [
            byte for byte in heard if byte != ord("\n") and (byte < 32 or byte == 127)
        ]
        assert "\x9b" not in heard.decode()
        attacker.close()
        assert witness.line() == b"-- guest1 has left\n"


def test_e4_a_flood_comes_no_faster_than_its_source_listens(concurrent):
    """It says 50 MB and reads nothing, so it is the first that is held up; the others talk on."""
    with faulty(concurrent, "chat", *concurrent.places(3)) as server:
        flooder = server.greeted(receive_buffer=4096)
        talker, listener = server.greeted(), server.greeted()
        listening = threading.Thread(target=lambda: [*iter(listener.receive, b"")])
        listening.start()
        flooder.socket.settimeout(None)

        def flood():
            try:
                flooder.socket.sendall((LONG_WORDS + b"\n") * (50 * MIB // 4000))
            except OSError:
                pass  # it was sent home, as it should be

        flooding = threading.Thread(target=flood)
        flooding.start()
        for number in range(20):
            talker.send(b"still %d\n" % number)
            while talker.line() != b"guest2: still %d\n" % number:
                pass
        flooder.socket.shutdown(2)
        flooding.join(GUARD_S)
        listener.half_close()
        listening.join(GUARD_S)
        assert not flooding.is_alive() and not listening.is_alive()
