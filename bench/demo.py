#!/usr/bin/env python3
"""The demo: twenty customers walk into every lab at once, live in the terminal."""

import _signal  # in C, and so at once; Ctrl-C just ends it until something is to clean up

_signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import argparse
import contextlib
import os
import re
import selectors
import shutil
import socket
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path[0] = str(SOURCE)  # the packages are named from the root

from bench.tell.frames import (
    Customer,
    Office,
    POOL,
    closing_sentence,
    show_live,
    show_plain,
)
from bench.tell.screen import Screen, is_live, printable
from bench.judge.predictions import fifo
from bench.measure.labs import Lab, find_labs
from bench.measure.processes import INTERRUPTS, BenchError, started
from bench.measure.surroundings import settle_encoding
from bench.tell.recording import record

FRAME_S = 0.05
PATIENCE_S = 60
MAX_CUSTOMERS = 40


@contextlib.contextmanager
def opened(lab: Lab, service_s: float, customers: int) -> Iterator[Office]:
    """A lab's server, listening until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        with started(
            lab.command(Path(folder) / "trace.csv", {"threads": POOL})
        ) as server:
            line = server.child.stdout.readline().decode(errors="replace")
            port = re.search(r":(\d+) \(", line)
            if port is None:
                raise BenchError(f"{lab.name} did not start listening")
            predicted = fifo([service_s] * customers, lab.clerks(POOL))
            yield Office(lab, int(port[1]), predicted)


def come_in(office: Office, count: int, request: bytes) -> None:
    """All customers connect and say what they want; none of them waits here."""
    for _ in range(count):
        server = socket.socket()
        server.connect(("127.0.0.1", office.port))
        server.sendall(request)
        server.setblocking(False)
        office.customers.append(Customer(server))


def serve(
    offices: list[Office], count: int, work_ms: int, screen: Screen
) -> Iterator[float]:
    """Let the customers in and yield the clock, frame by frame, until all left."""
    request = f"sleep {work_ms}\n".encode()
    begin = time.monotonic()
    for office in offices:
        come_in(office, count, request)
    with selectors.DefaultSelector() as selector:
        for office in offices:
            for customer in office.customers:
                selector.register(customer.server, selectors.EVENT_READ, customer)
        next_frame = 0.0
        while selector.get_map():
            now = time.monotonic() - begin
            if now >= next_frame:
                yield now
                next_frame = now + FRAME_S
            for key, _ in selector.select(max(0, next_frame - now)):
                customer = key.data
                customer.listen(time.monotonic() - begin, b"ok " + request)
                if customer.has_left:
                    selector.unregister(customer.server)
                    customer.server.close()
            if now - screen.stopped_s > PATIENCE_S + work_ms * count / 1000:
                raise BenchError(f"after {now:.0f} s some customers are not yet served")
    yield time.monotonic() - begin


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=SOURCE / "build")
    parser.add_argument("--lab", type=int, help="only this lab, as in --lab=1")
    parser.add_argument("--customers", type=int, default=20)
    parser.add_argument("--work", type=int, default=200, help="ms with the clerk")
    parser.add_argument("--record", type=Path, help="write a moving SVG picture, too")
    options = parser.parse_args()
    if not 1 <= options.customers <= MAX_CUSTOMERS:
        parser.error(f"--customers: 1 to {MAX_CUSTOMERS}")
    if not 1 <= options.work <= 10000:
        parser.error("--work: 1 to 10000 ms")
    return options


def choose_labs(options: argparse.Namespace) -> list[Lab]:
    """The labs to show."""
    labs = find_labs(SOURCE, options.build)
    if options.lab is not None:
        labs = [lab for lab in labs if lab.name.startswith(f"lab{options.lab}-")]
    if not labs:
        raise BenchError(f"there is no lab {options.lab}")
    return labs


def run(options: argparse.Namespace) -> None:
    """Open the labs, let the customers in, show what happens."""
    work_s = options.work / 1000
    print("The offices open ...", flush=True)
    with contextlib.ExitStack() as stack:
        offices = [
            stack.enter_context(opened(lab, work_s, options.customers))
            for lab in choose_labs(options)
        ]
        screen = Screen()
        clock = serve(offices, options.customers, options.work, screen)
        if is_live():
            now = show_live(offices, clock, screen, options.work)
        else:
            now = show_plain(offices, clock, options.work)
        said = closing_sentence(offices)
        if screen.stopped_s:
            said += f" (You stopped the demo for {screen.stopped_s:.0f} s: times are too long.)"
        print("\n" + printable(textwrap.fill(said, shutil.get_terminal_size().columns)))
        if options.record is not None:
            record(offices, now, options.work, options.record)
        failures = sum(bool(e.failure) for office in offices for e in office.customers)
        if failures:
            raise BenchError(f"{failures} customers were not served")


def main() -> int:
    """Run the demo; returns the exit status."""
    settle_encoding()
    INTERRUPTS.install()
    try:
        run(parse())
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (BenchError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
