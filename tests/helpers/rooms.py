"""The chat's side of the tests.

    with room(lab) as server:
        first, second = server.greeted(), server.greeted()
        assert first.line() == b"-- guest2 has come\\n"

What the room tells of itself begins with "-- ". Who speaks hears itself: `ask` is a round trip.
"""

from tests.helpers.clients import Client, shown
from tests.helpers.labs import Lab
from tests.helpers.servers import Server

COMMANDS = b"/nick NAME, /who, /me WORDS, /quit"


class Room(Server):
    """A server whose every newcomer reads its welcome, too."""

    def greeted(self, receive_buffer: int | None = None) -> Client:
        client = self.connect(receive_buffer)
        name = b"guest%d" % client.greeting()
        welcome = client.line()
        assert welcome.startswith(b"-- you are %s; here: " % name), shown(welcome)
        assert welcome.endswith(b"%s; %s\n" % (name, COMMANDS)), shown(welcome)
        return client

    def members(self, count: int) -> list[Client]:
        """So many members, all of whom have heard of each other."""
        clients = [self.greeted() for _ in range(count)]
        for number, client in enumerate(clients, start=1):
            for later in range(number + 1, count + 1):
                assert client.line() == b"-- guest%d has come\n" % later
        return clients


def room(lab: Lab, *flags: str, **process_options: object) -> Room:
    return Room(lab, ["--port=0", *flags, "chat"], **process_options)


def lines_up_to(client: Client, last: bytes) -> list[bytes]:
    """The lines that this client reads before the last one."""
    lines = []
    while (line := client.line()) != last:
        assert line.endswith(
            b"\n"
        ), f"the end came before {last!r}; the last: {lines[-3:]}"
        lines.append(line)
    return lines
