"""A download whose network goes away: vanish.py SERVER FOLDER, in a network namespace.

The server's summary is printed. Neither a FIN nor an RST ever comes: only a limit can notice.
"""

import fcntl
import socket
import struct
import subprocess
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 1
GUARD_S = 15


def switch(flags: int) -> None:
    """Set the flags of the loopback interface: up, or down."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))


def main() -> None:
    server, folder = sys.argv[1:]
    switch(IFF_UP)
    limits = ["--idle-timeout=1s", "--request-timeout=1s", "--write-timeout=500ms"]
    process = subprocess.Popen(
        [server, "--port=0", *limits, "http", folder], stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(process.stdout.readline().split(":")[2].split()[0])
        client = socket.create_connection(("127.0.0.1", port), GUARD_S)
        client.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.recv(1)
        switch(0)
        process.send_signal(
            15
        )  # in the middle of a request: it waits, but not for ever
        print(process.communicate(timeout=GUARD_S)[0])
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
