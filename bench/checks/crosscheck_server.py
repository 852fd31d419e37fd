#!/usr/bin/env python3
"""A web server with a planted fault: what it has really done is written when it ends.

Each answer takes 10 ms. Needs nothing but the standard library: crosscheck starts it
as a program of its own, beside the tools that are to find the fault.
"""

import argparse
import asyncio
import json
import math
import signal
import time
from pathlib import Path

SERVICE_S, SLOW_S = 0.010, 0.100
BODY = b"x" * 1024
OK, ERROR = "200 OK", "500 Internal Server Error"
EVERY = {"slow": 10, "drops": 20, "half": 20, "error": 20}  # every so many-th request


class Server:
    """Counts requests, and spoils every so many-th."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.requests = self.planted = 0
        self.times: list[float] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        """Serve one connection until either side has had enough."""
        try:
            while await self.answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def answer(self, reader, writer) -> bool:
        """One request; returns whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        begun = time.monotonic()
        self.requests += 1
        is_spoilt = self.requests % EVERY.get(self.fault, self.requests + 1) == 0
        self.planted += is_spoilt
        kind = self.fault if is_spoilt else ""
        await asyncio.sleep(SLOW_S if kind == "slow" else SERVICE_S)
        if kind == "drops":
            return False
        writer.write(reply(ERROR if kind == "error" else OK, is_kept(head), kind))
        await writer.drain()
        self.times.append(time.monotonic() - begun)
        return is_kept(head) and kind != "half"

    def done(self) -> dict:
        """What was really done: on a busy machine 10 ms may have been 12."""
        ordered = sorted(self.times)
        times = {
            str(level): ordered[max(1, math.ceil(level * len(ordered))) - 1]
            for level in (0.5, 0.75, 0.99)
            if ordered
        }
        return {"requests": self.requests, "planted": self.planted, "times": times}


def is_kept(head: bytes) -> bool:
    """Does the client want to ask again on this connection?"""
    words = head.lower()
    if b"http/1.0" in words.split(b"\r\n")[0]:
        return b"connection: keep-alive" in words
    return b"connection: close" not in words


def reply(status: str, stays: bool, kind: str) -> bytes:
    """A whole answer, or half of its body."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(BODY)}\r\n"
        f"Connection: {'keep-alive' if stays else 'close'}\r\n\r\n"
    )
    return head.encode() + (BODY[: len(BODY) // 2] if kind == "half" else BODY)


async def serve(fault: str, told: Path) -> None:
    """Serve until SIGTERM, then say what was done."""
    server = Server(fault)
    is_over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, is_over.set)
    listening = await asyncio.start_server(
        server.talk, "127.0.0.1", 0, backlog=1024, reuse_address=True
    )
    port = listening.sockets[0].getsockname()[1]
    print(f"faulty: listening on 127.0.0.1:{port} ({fault or 'well'})", flush=True)
    await is_over.wait()
    told.write_text(json.dumps(server.done()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", choices=["", *EVERY], default="")
    parser.add_argument("told", type=Path, help="where to write what was done")
    given = parser.parse_args()
    asyncio.run(serve(given.fault, given.told))
