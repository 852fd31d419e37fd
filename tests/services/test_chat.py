"""The chat: one room, one order of lines, and nobody who can hold up the others.

    with room(lab) as server:
        first, second = server.greeted(), server.greeted()
        assert first.line() == b"-- guest2 has come\\n"

What the room tells of itself begins with "-- ". Who speaks hears itself: `ask` is a round trip.
"""

import codecs
import csv
import random
import resource
import shutil
import subprocess
import threading
import unicodedata
import time

import pytest

from tests.helpers.rooms import COMMANDS, lines_up_to, room
from tests.helpers.clients import Client, shown
from tests.helpers.labs import Lab
from tests.helpers.setting import BUILD, GUARD_S, linux_only, until

CLIENT = BUILD / "lab1-sequential" / "client"
TOO_SLOW = b"error too slow: more was said than you have read\n"
LAST_CHANCE_S = 0.5  # that one who is sent home gets for reading
LONG_WORDS = b"x" * 4000
NO_NAMES = [
    *(b"", b" ", b" two words", b" 1st", b" -", b" _x", b" a:b", b" " + b"x" * 21),
    *(" Zoë".encode(), b" a\x1bb", b" guest", b" guest2", b" GuestOfHonour"),
]


def outcomes(trace) -> list[str]:
    with open(trace, newline="") as file:
        return [row["outcome"] for row in csv.DictReader(file)]


# --- alone in the room: on every lab -------------------------------------------------------


def test_a_newcomer_learns_its_name_who_is_here_and_the_commands(lab):
    with room(lab) as server:
        client = server.connect()
        assert client.greeting() == 1
        assert client.line() == b"-- you are guest1; here: guest1; " + COMMANDS + b"\n"


def test_every_command_is_answered(lab):
    with room(lab) as server:
        client = server.greeted()
        assert client.ask(b"hello, all") == b"guest1: hello, all\n"
        assert client.ask(b"/nick Bob_2-x") == b"-- guest1 is now Bob_2-x\n"
        assert client.ask(b"hello") == b"Bob_2-x: hello\n"
        assert client.ask(b"/me  waves ") == b"* Bob_2-x waves\n"
        assert client.ask(b"/who") == b"-- here: Bob_2-x\n"
        assert client.ask(b" /who") == b"Bob_2-x:  /who\n"
        assert client.ask(b"/quit") == b"bye\n"
        client.assert_ended("after /quit")


def test_an_unknown_command_is_explained(lab):
    with room(lab) as server:
        client = server.greeted()
        for line in (b"/", b"/dance", b"/Who", b"/who?", b"/whom", b"/nickname x"):
            why = b"error unknown command; there is " + COMMANDS + b": "
            assert client.ask(line) == why + line + b"\n"
            assert client.ask(b"still here") == b"guest1: still here\n"


def test_what_cannot_be_done_is_told_and_changes_nothing(lab):
    with room(lab) as server:
        client = server.greeted()
        bad_names = [b"/nick" + name for name in NO_NAMES]
        for line in (*bad_names, b"/me", b"/me ", b"/who is there", b"/quit now"):
            answer = client.ask(line)
            assert answer.startswith(b"error "), f"{line!r} was answered {answer!r}"
            assert client.ask(b"/who") == b"-- here: guest1\n"


def test_a_name_may_have_20_letters_and_change_its_case(lab):
    with room(lab) as server:
        client = server.greeted()
        name = b"x" * 20
        assert client.ask(b"/nick " + name) == b"-- guest1 is now %s\n" % name
        assert client.ask(b"/nick X" + name[1:]) == b"-- %s is now X%s\n" % (
            name,
            name[1:],
        )


def test_nothing_is_said_by_blank_lines_and_by_half_a_line(lab):
    with room(lab) as server:
        client = server.greeted()
        client.send(b"\n\r\n   \n\t\nwhole\nhal")
        client.half_close()
        assert client.rest() == b"guest1: whole\n"


def test_lines_may_come_one_byte_at_a_time_and_many_in_one_segment(lab):
    with room(lab) as server:
        client = server.greeted()
        for byte in "Grüße 👋\r\n".encode():
            client.send(bytes([byte]))
            until(lambda: client.unacknowledged() == 0, "a byte arrives alone")
        assert client.line() == "guest1: Grüße 👋\n".encode()
        client.send(b"".join(b"%d\n" % number for number in range(1000)))
        client.half_close()
        assert client.rest() == b"".join(
            b"guest1: %d\n" % number for number in range(1000)
        )


def test_a_line_of_4096_bytes_is_said_and_a_longer_one_told_so(lab):
    with room(lab) as server:
        client = server.greeted()
        words = b"x" * 4096
        assert client.ask(words) == b"guest1: " + words + b"\n"
        assert client.ask(words + b"x") == b"error line too long: 4096 bytes at most\n"
        client.assert_ended("after a line that was too long")


def test_a_member_that_does_not_listen_is_not_listened_to(lab):
    """Its echoes fill its socket, and then nothing more is read from it: a flood is as fast as
    its source hears it. When it does listen, not a line is missing."""
    with room(lab) as server:
        client = server.greeted(receive_buffer=4096)
        client.socket.setblocking(False)
        flood = b"".join(b"%d %s\n" % (number, LONG_WORDS) for number in range(5_000))
        sent = 0
        with pytest.raises(BlockingIOError):
            while sent < len(flood):
                sent += client.socket.send(flood[sent : sent + 65536])
                server.until_idle()
        client.socket.settimeout(GUARD_S)
        client.widen()
        client.half_close()
        heard = client.rest().splitlines()
        said = flood[:sent].splitlines(keepends=True)
        if not said[-1].endswith(b"\n"):
            said.pop()
        assert len(heard) == len(said) and heard == [
            b"guest1: " + line[:-1] for line in said
        ]


# --- what reaches another's terminal -------------------------------------------------------


@pytest.mark.parametrize(
    "words, shown_words",
    [
        (b"\x1b[2J\x1b]0;title\x07", b"?[2J?]0;title?"),
        (b"safe\rguest9: forged", b"safe?guest9: forged"),
        (b"\x00\x08\x0b\x0c\x7f.", b"?????."),
        (b"a\tb", b"a b"),
        ("\x9b2J \x80\x9f\xa0.".encode(), "?2J ??\xa0.".encode()),
        ("Grüße, 你好, 👋🏽, e\u0301".encode(),) * 2,
        ("a\u202eb\u2066c\u2069\u061c".encode(), b"a?b?c??"),
        ("\u200b\u200d\ufeff\u2060\u00ad\u3164\U000e0041.".encode(), b"???????."),
        ("❤\ufe0f".encode(),) * 2,
        (b"\xff\xfe\x80 \xc3", b"??? ?"),
        (b"\xc0\x9b \xe0\x80\x9b \xf0\x80\x80\x9b", b"?? ??? ????"),
        (b"\xed\xa0\x80 \xf4\x90\x80\x80 \xf8\x88\x80\x80\x80", b"??? ???? ?????"),
        (b"\xe4\xbd \xe4\xbd\xa0 \xf0\x9f\x91", "?? 你 ???".encode()),
    ],
    ids=(
        "escapes return C0 tab C1 text direction invisible "
        "emoji bytes overlong beyond halves"
    ).split(),
)
def test_control_characters_and_broken_utf_8_reach_nobody(lab, words, shown_words):
    with room(lab) as server:
        client = server.greeted()
        assert client.ask(words) == b"guest1: " + shown_words + b"\n"
        assert client.ask(b"/me " + words) == b"* guest1 " + shown_words + b"\n"
        assert client.ask(b"/" + words).endswith(b": /" + shown_words + b"\n")


codecs.register_error("?", lambda error: ("?" * (error.end - error.start), error.end))


# Format characters that are seen: the number signs of some scripts.
SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"


def is_hidden(ch: str) -> bool:
    """Is it a control, or a character that is not seen or turns others round?"""
    return unicodedata.category(ch) in ("Cc", "Cf", "Zl", "Zp") and ch not in SEEN


def cleaned(words: bytes) -> bytes:
    """What the room must make of these words, by Python's own decoder."""
    text = words.decode(errors="?").replace("\t", " ")
    return "".join("?" if is_hidden(ch) else ch for ch in text).encode()


def test_whatever_bytes_are_said_text_is_heard(lab):
    """Half of it is random bytes, half is text with a few bytes that are hurt."""
    chance = random.Random(4)
    said = []
    for _ in range(500):
        text = bytearray("ä你👋\x9bx\u07ff\uffff".encode() * 2)
        for _ in range(3):
            text[chance.randrange(len(text))] = chance.randrange(256)
        said += [bytes(text), chance.randbytes(30)]
    said = [b"<" + words.replace(b"\n", b"") + b">" for words in said]
    with room(lab) as server:
        client = server.greeted()
        for words in said:
            assert client.ask(words) == b"guest1: " + cleaned(words) + b"\n", words


# --- several in the room -------------------------------------------------------------------


def test_the_room_of_a_sequential_server_holds_one(sequential):
    with room(sequential) as server:
        first, second = server.greeted(), server.connect()
        assert first.ask(b"anybody?") == b"guest1: anybody?\n"
        assert not second.hears(), "let in, although the only clerk is taken"
        assert first.ask(b"/quit") == b"bye\n"
        assert second.greeting() == 2
        assert second.line() == b"-- you are guest2; here: guest2; " + COMMANDS + b"\n"


def test_what_one_says_or_does_all_hear(concurrent):
    with room(concurrent) as server:
        members = server.members(3)
        first, second, third = members
        first.send(b"hello\n/nick ann\n/me waves\n")
        for member in members:
            assert member.line() == b"guest1: hello\n"
            assert member.line() == b"-- guest1 is now ann\n"
            assert member.line() == b"* ann waves\n"
        assert second.ask(b"/who") == b"-- here: ann, guest2, guest3\n"
        assert second.ask(b"/nope").startswith(b"error ")
        assert (
            third.ask(b"only this") == b"guest3: only this\n"
        ), "an answer is for who asked"


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(lambda client: client.send(b"/quit\n"), id="quit"),
        pytest.param(Client.half_close, id="half-close"),
        pytest.param(Client.close, id="close"),
        pytest.param(Client.reset, id="reset"),
        pytest.param(lambda client: client.send(b"x" * 5000), id="too-long"),
    ],
)
def test_the_others_hear_who_comes_and_who_leaves(concurrent, leave):
    with room(concurrent) as server:
        first, second = server.members(2)
        leave(second)
        assert first.line() == b"-- guest2 has left\n"
        assert first.ask(b"/who") == b"-- here: guest1\n"
        server.greeted()
        assert first.line() == b"-- guest3 has come\n"


def test_a_name_belongs_to_one_whatever_its_case_until_it_leaves(concurrent):
    with room(concurrent) as server:
        first, second = server.members(2)
        assert first.ask(b"/nick ann") == second.line() == b"-- guest1 is now ann\n"
        for name in (b"ann", b"Ann", b"ANN"):
            assert (
                second.ask(b"/nick " + name)
                == b"error somebody here has that name: %s\n" % name
            )
        first.close()
        assert second.line() == b"-- ann has left\n"
        assert second.ask(b"/nick Ann") == b"-- guest2 is now Ann\n"


def test_of_many_who_want_a_name_at_one_moment_one_gets_it(concurrent):
    count = 8
    with room(concurrent) as server:
        members = server.members(count)
        for turn in range(20):
            name = b"name%d" % turn
            with server.frozen():
                for member in members:
                    member.send(b"/nick %s\nend %d\n" % (name, turn))
            heard = []
            for number, member in enumerate(members):
                ends = 0
                while ends < count:
                    line = member.line()
                    ends += line.endswith(b": end %d\n" % turn)
                    if line.startswith(b"error ") or (
                        number == 0 and b" is now " in line
                    ):
                        heard.append(line)
            got = [line for line in heard if line.endswith(b" is now %s\n" % name)]
            refused = [line for line in heard if line.startswith(b"error somebody")]
            assert (len(got), len(refused)) == (1, count - 1), heard


def test_all_hear_every_line_once_and_in_one_order(concurrent):
    count, lines = 8, 100
    with room(concurrent) as server:
        members = server.members(count)
        with server.frozen():
            for number, member in enumerate(members):
                member.send(
                    b"".join(b"%d-%d\n" % (number, turn) for turn in range(lines))
                )
        heard = [[member.line() for _ in range(count * lines)] for member in members]
        assert_one_order(heard, count, lines)


def assert_one_order(heard, count, lines):
    """All heard the same, which is all that was said, and each speaker's words in its order."""
    for number, other in enumerate(heard):
        assert other == heard[0], f"member {number} heard another order than member 0"
    words = [line.rpartition(b" ")[2].strip() for line in heard[0]]
    for number in range(count):
        own = [word for word in words if word.startswith(b"%d-" % number)]
        expected = [b"%d-%d" % (number, turn) for turn in range(lines)]
        assert (
            own == expected
        ), f"of what member {number} said, something is lost or doubled"


def test_200_people_talk_at_once(concurrent):
    count, lines = 200, 2
    with room(concurrent, *concurrent.places(count + 1)) as server:
        members = [server.greeted() for _ in range(count)]
        for number, member in enumerate(members):
            member.send(b"".join(b"%d-%d\n" % (number, turn) for turn in range(lines)))
        heard = []
        for member in members:
            said = []
            while len(said) < count * lines:
                line = member.line()
                assert line.startswith((b"guest", b"-- guest")), shown(line)
                if not line.startswith(b"--"):
                    said.append(line)
            heard.append(said)
        assert_one_order(heard, count, lines)


def test_a_crowd_is_named_as_far_as_a_line_goes_and_counted(concurrent):
    count, long_name = 200, b"a-name-of-20-bytes"
    with room(concurrent, *concurrent.places(count)) as server:
        members = [server.greeted() for _ in range(count)]
        for number, member in enumerate(members):
            member.send(b"/nick x%d%s\n" % (number, long_name[: 19 - len(str(number))]))
            lines_up_to(
                member,
                b"-- guest%d is now x%d%s\n"
                % (number + 1, number, long_name[: 19 - len(str(number))]),
            )
        members[-1].send(b"/who\n")
        line = next(
            line for line in iter(members[-1].line, b"") if line.startswith(b"-- here")
        )
        names, _, more = line.removesuffix(b" more\n").rpartition(b" and ")
        assert names.count(b", ") + 1 + int(more) == count
        assert len(line) < 4096


@linux_only
def test_a_room_without_descriptors_sends_newcomers_away(concurrent):
    """A member needs two more than its socket, for the bell that wakes its thread."""
    few = (64, 64)
    with room(
        concurrent,
        *concurrent.places(40),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few),
    ) as server:
        server.expected_trouble = "Too many open files|descriptors, but may have 64"
        second_lines = []
        for number in range(1, 31):
            client = server.connect()
            assert client.greeting() == number
            second_lines.append(client.line().split()[0])
        welcomed = second_lines.count(b"--")
        assert 10 < welcomed < 30
        assert second_lines == [b"--"] * welcomed + [b"busy:"] * (30 - welcomed)


# --- those who leave and those who do not read ---------------------------------------------


def test_coming_and_going_loses_no_line_of_those_who_stay(concurrent):
    count, lines, passers_by = 4, 150, 60
    ways = [
        Client.close,
        Client.reset,
        Client.half_close,
        lambda client: client.send(b"/quit\n"),
    ]
    with room(concurrent) as server:
        members = server.members(count)

        def pass_by():
            for number in range(passers_by):
                client = Client(server.address)
                client.greeting()
                ways[number % len(ways)](client)
                client.close()

        passing = threading.Thread(target=pass_by)
        passing.start()
        heard = [[] for _ in members]
        for turn in range(lines):
            for number, member in enumerate(members):
                member.send(b"%d-%d\n" % (number, turn))
            for member, said in zip(members, heard):
                while len(said) < (turn + 1) * count:
                    line = member.line()
                    if not line.startswith(b"--"):
                        said.append(line)
        passing.join(GUARD_S)
        assert not passing.is_alive()
        assert_one_order(heard, count, lines)


def talk_until_dropped(speaker: Client) -> int:
    """Say long lines until the room tells that guest1 is gone; each must come back, whoever
    does not read. Returns how many it took."""
    for number in range(20_000):
        words = b"%d %s" % (number, LONG_WORDS)
        speaker.send(words + b"\n")
        line = speaker.line()
        if line.startswith(b"--"):
            assert line == b"-- guest1 was too slow and is gone\n"
            return number
        assert line == b"guest2: " + words + b"\n"
    raise AssertionError(
        "80 MB were said, and one who read none of it is still kept in mind"
    )


def test_one_who_does_not_read_holds_up_nobody_and_is_dropped(concurrent, tmp_path):
    trace = tmp_path / "trace.csv"
    with room(concurrent, f"--trace={trace}") as server:
        server.greeted(receive_buffer=4096)
        speaker, witness = server.greeted(), server.greeted()
        assert speaker.line() == b"-- guest3 has come\n"
        reading = threading.Thread(target=lambda: [*iter(witness.receive, b"")])
        reading.start()
        talk_until_dropped(speaker)
        until(lambda: trace.read_text().count("\n") == 2, "the one is gone")
        witness.half_close()
        reading.join(GUARD_S)
        assert (
            not reading.is_alive()
        ), "one who reads all the time has not heard the end"
        server.stop()
    assert sorted(outcomes(trace)) == ["lost", "served", "served"]


def lines_until_dropped(lab: Lab) -> int:
    """How many long lines it takes until one who does not read is dropped."""
    with room(lab) as server:
        server.greeted(receive_buffer=4096)
        return talk_until_dropped(server.greeted())


def test_what_was_kept_is_sent_when_its_member_reads_again(concurrent):
    """In a second room a little less is said than was too much in a first, so that some of it
    must be kept; then all is silent, and the one reads."""
    has_heard = False
    while not has_heard:  # else the kernel took less than in the first
        count = lines_until_dropped(concurrent) - 8
        has_heard = hear_after_silence(concurrent, count)


def hear_after_silence(lab: Lab, count: int) -> bool:
    """All is said before guest1 reads any of it. Returns False if it was dropped meanwhile."""
    said = [b"%d %s" % (number, LONG_WORDS) for number in range(count)]
    with room(lab) as server:
        slow, speaker = server.greeted(receive_buffer=4096), server.greeted()
        assert slow.line() == b"-- guest2 has come\n"
        for words in said:
            if speaker.ask(words).startswith(b"--"):
                return False
        slow.widen()
        for words in said:
            line = slow.line()
            if line == TOO_SLOW:
                return False
            assert line == b"guest2: %s\n" % words
        assert slow.ask(b"I have read it all") == b"guest1: I have read it all\n"
    return True


def read_after_being_dropped(lab: Lab) -> tuple[int, bytes, float]:
    """How much was said, what guest1 heard of it, and how many seconds it took to read that."""
    with room(lab) as server:
        slow, speaker = server.greeted(receive_buffer=4096), server.greeted()
        assert slow.line() == b"-- guest2 has come\n"
        said = talk_until_dropped(speaker)
        begin = time.monotonic()
        slow.widen()
        heard = slow.rest()
        return said, heard, time.monotonic() - begin


def test_one_who_is_dropped_is_told_if_it_reads_after_all(concurrent):
    reading_s = LAST_CHANCE_S
    while (
        reading_s >= LAST_CHANCE_S
    ):  # the machine was too busy: nothing is shown by that
        said, heard, reading_s = read_after_being_dropped(concurrent)
    *lines, last = heard.splitlines(keepends=True)
    assert last == TOO_SLOW, shown(last)
    for number, line in enumerate(lines):
        assert line == b"guest2: %d %s\n" % (number, LONG_WORDS), "cut, lost or doubled"
    assert len(lines) <= said


def test_a_half_typed_line_does_not_stop_ones_ears(concurrent):
    with room(concurrent) as server:
        typing, speaker = server.members(2)
        typing.send(b"I thi")
        server.until_read(typing)
        assert speaker.ask(b"yes?") == typing.line() == b"guest2: yes?\n"
        assert typing.ask(b"nk") == speaker.line() == b"guest1: I think\n"


# --- deadlines -----------------------------------------------------------------------------


def talk_beside_a_silent_member(lab: Lab, trace) -> tuple[bytes, bytes]:
    """The first line that the witness, who talks all the time, does not say itself; and the last
    that the silent one hears."""
    with room(lab, "--idle-timeout=300ms", f"--trace={trace}") as server:
        silent, witness = server.greeted(), server.greeted()
        while (told := witness.ask(b"I am here")) == b"guest2: I am here\n":
            pass
        return told, silent.rest().splitlines(keepends=True)[-1]


def test_a_silent_member_is_sent_home_and_the_others_are_told(timed, tmp_path):
    trace = tmp_path / "trace.csv"
    told = b""
    while not told.startswith(
        b"--"
    ):  # else even the witness was too slow on this machine
        told, last = talk_beside_a_silent_member(timed, trace)
    assert told == b"-- guest1 said nothing for long and is gone\n"
    assert last == b"error timed out: no request came\n"
    assert outcomes(trace)[0] == "timed-out"


def test_a_dribbling_member_is_sent_home(timed):
    with room(timed, "--idle-timeout=20s", "--request-timeout=200ms") as server:
        dribbler = server.greeted()
        for _ in range(300):
            dribbler.send(b"x")
            if dribbler.hears(0.01):
                break
        assert dribbler.line() == b"error timed out: the request took too long\n"
        dribbler.assert_ended("after the time-out")
        assert server.stop().timed_out == 1


def test_a_member_that_acknowledges_nothing_is_sent_home(timed):
    """It is alone with its echoes: no bound of the room is reached, only the limit."""
    with room(timed, "--threads=1", "--write-timeout=200ms") as server:
        stalled, second = server.greeted(receive_buffer=4096), server.connect()
        stalled.socket.setblocking(False)
        flood = (LONG_WORDS + b"\n") * 16
        with pytest.raises((BlockingIOError, ConnectionError)):
            while True:
                stalled.socket.send(flood)
        assert (
            second.greeting() == 2
        )  # by the one worker, who therefore gave up the first
        second.close()
        assert server.stop().timed_out == 1


# --- the end -------------------------------------------------------------------------------


def test_a_stop_lets_all_members_go(lab):
    with room(lab) as server:
        members = server.members(3 if lab.is_concurrent else 1)
        members[0].send(b"half a li")
        server.until_read(members[0])
        members[0].send(b"ne\n")
        for member in members:
            assert member.line() == b"guest1: half a line\n"
        summary = server.stop()
        for member in members:
            member.assert_ended("a member when the server stops")
    assert summary.served == len(members)


def test_a_stop_does_not_wait_for_one_who_does_not_read(lab):
    with room(lab) as server:
        client = server.greeted(receive_buffer=4096)
        client.socket.setblocking(False)
        flood = (LONG_WORDS + b"\n") * 16
        with pytest.raises(BlockingIOError):
            while True:
                client.socket.send(flood)
                server.until_idle()
        begin = time.monotonic()
        server.stop()
        assert time.monotonic() - begin < GUARD_S / 2


# --- real clients --------------------------------------------------------------------------


def talk(command: list[str], typed: bytes) -> bytes:
    """Type this into a client, at once, and return what it shows until the server closes."""
    done = subprocess.run(command, input=typed, capture_output=True, timeout=GUARD_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not CLIENT.exists(), reason="the client is not built")
def test_the_client_of_lab_1_chats(lab):
    with room(lab) as server:
        heard = talk(
            [str(CLIENT), f"--port={server.port}"], "Grüße\n/me waves\n".encode()
        )
        greeting, welcome, *lines = heard.decode().splitlines()
        assert (greeting, lines) == (
            "Hello, client 1.",
            ["guest1: Grüße", "* guest1 waves"],
        )
        assert welcome.startswith("-- you are guest1")


@pytest.mark.skipif(shutil.which("nc") is None, reason="there is no nc")
def test_nc_chats(lab):
    with room(lab) as server:
        heard = talk(["nc", "127.0.0.1", str(server.port)], b"hello from nc\n/quit\n")
        assert heard.decode().splitlines()[2:] == ["guest1: hello from nc", "bye"]
