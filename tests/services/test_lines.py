"""What the services that talk in lines have in common: strangers, telnet, long input."""

import socket
import threading

import pytest

from tests.helpers.rooms import room


def serve(lab, talk):
    """A server; in the chat newcomers read their welcome, too."""
    return room(lab) if talk == "chat" else lab.serve(talk)


LINES = ["echo", "desk", "chat"]
CTRL_C = b"\xff\xf4\xff\xfd\x06\xff"  # interrupt; do timing mark; and, urgent:
DATA_MARK = b"\xf2"
WONT_TIMING_MARK = b"\xff\xfc\x06"


@pytest.mark.parametrize("talk", LINES)
@pytest.mark.parametrize(
    "line", [b"POST / HTTP/1.1", b"GET /a?b HTTP/1.0", b"PUT http://x/ HTTP/1.1"]
)
def test_a_browser_is_sent_away_from_a_service_of_lines(lab, talk, line):
    """A web page can make a browser send any body to any port of this machine."""
    with serve(lab, talk) as server:
        client = server.greeted()
        client.send(
            line + b"\r\nHost: localhost\r\n\r\nburn 60000\nI was made to say this\n"
        )
        heard = client.rest()
        assert heard.count(b"\n") == 1 and heard.startswith(
            b"error this is not a web server"
        )


TYPED = [b"GET", b"GET /", b"get / HTTP/1.1", b"GET / HTTP/1.1 x", b" GET / HTTP/1.1"]


@pytest.mark.parametrize("talk", ["echo", "desk"])
def test_what_a_person_may_type_is_answered(lab, talk):
    with serve(lab, talk) as server:
        for line in TYPED:
            client = server.greeted()
            assert line in client.ask(line)
            assert b"again" in client.ask(b"echo again")
            client.close()


@pytest.mark.parametrize("talk", ["desk", "chat"])
def test_telnet_hears_again_after_ctrl_c(lab, talk):
    """After Ctrl-C telnet shows nothing until its timing mark is answered (RFC 860)."""
    with serve(lab, talk) as server:
        client = server.greeted()
        client.send(b"echo wo" + CTRL_C)
        client.socket.send(DATA_MARK, socket.MSG_OOB)
        assert client.read(3) == WONT_TIMING_MARK
        assert client.ask(b"rds").endswith(b"echo words\n")


@pytest.mark.parametrize("mark", [b"", DATA_MARK])
def test_telnet_hears_the_echo_again_after_ctrl_c(lab, mark):
    """Of telnet's commands the echo takes this one only: all other bytes are for it to return."""
    with lab.serve("echo") as server:
        client = server.greeted()
        client.send(b"wo" + CTRL_C[: None if mark else -1])
        if mark:
            client.socket.send(mark, socket.MSG_OOB)
        client.send(b"rds\n" + CTRL_C[:4] + b"\xff\n")
        assert client.read(3) == WONT_TIMING_MARK
        assert client.line() + client.line() == b"words\n" + CTRL_C[:4] + b"\xff\n"


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_telnet_commands_may_come_in_pieces(lab, size):
    sent = b"echo a\xff\xfd\x01b\xff\xfb\x03c\xff\xf4\n"
    with lab.serve("desk") as server:
        client = server.greeted()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(0, len(sent), size):
            client.send(sent[i : i + size])
        assert client.line() == b"\xff\xfc\x01\xff\xfe\x03ok echo abc\n"


@pytest.mark.parametrize("talk", ["echo", "desk"])
def test_thousands_of_lines_at_once_are_all_answered(lab, talk):
    """The reader's buffer is filled to every length, with parts of lines at its end."""
    said = b"".join(b"echo " + b"y" * (i % 1000) + b"\n" for i in range(3000))
    with serve(lab, talk) as server:
        client = server.greeted()
        sending = threading.Thread(
            target=lambda: (client.send(said), client.half_close())
        )
        sending.start()
        heard = client.rest()
        sending.join()
        assert heard.replace(b"ok ", b"") == said
