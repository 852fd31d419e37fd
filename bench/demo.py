#!/usr/bin/env python3
"""The demo: twenty customers walk into every lab at once, live in the terminal."""

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
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path[0] = str(SOURCE)  # the packages are named from the root

from bench.measure.labs import Lab, find_labs
from bench.judge.predictions import fifo
from bench.measure.processes import INTERRUPTS, Trouble, started

FRAME_S = 0.05
PATIENCE_S = 60
POOL = 5  # workers of the labs that have a pool
MOST_CUSTOMERS = 40
NARROWEST_BAR, WIDEST_BAR = 10, 60

ORANGE, BLUE, GREY, BOLD, PLAIN = (
    f"\x1b[{code}m" for code in ("38;5;214", "38;5;32", "38;5;245", "1", "0")
)
HIDE_CURSOR, SHOW_CURSOR, CLEAR_LINE = "\x1b[?25l", "\x1b[?25h", "\x1b[K"


@dataclass
class Customer:
    """One client; times are in seconds since all customers came."""

    server: socket.socket
    heard: bytes = b""
    greeted: float | None = None
    done: float | None = None
    failure: str = ""

    @property
    def has_left(self) -> bool:
        """Was it served, or did it give up?"""
        return self.done is not None or bool(self.failure)

    def listen(self, now: float, answer: bytes) -> None:
        """Take in what the server says; the first word is from the clerk."""
        try:
            words = self.server.recv(4096)
        except OSError as error:
            words, self.failure = b"", error.strerror
        if words and self.greeted is None:
            self.greeted = now
        self.heard += words
        if self.heard.endswith(answer):
            self.done = now
        elif not words:
            self.failure = self.failure or "the server closed the connection"


@dataclass
class Office:
    """A lab that is open, and the customers in it."""

    lab: Lab
    port: int
    predicted: list[float]  # when each is done, in the order of service
    customers: list[Customer] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The lab, and how many clerks it has if that is a choice."""
        workers = f", {POOL} workers" if self.lab.has_pool else ""
        return self.lab.title + workers

    @property
    def in_order(self) -> list[Customer]:
        """The customers as the clerks took them; who still waits comes last."""
        return sorted(
            self.customers,
            key=lambda each: float("inf") if each.greeted is None else each.greeted,
        )

    @property
    def last_done(self) -> float:
        """When the last one so far was done."""
        return max((each.done or 0 for each in self.customers), default=0)

    def status(self) -> str:
        """How many are done, and when the last one was and should have been."""
        done = sum(each.done is not None for each in self.customers)
        return (
            f"{done}/{len(self.customers)} in {self.last_done:.2f} s"
            f" (predicted {self.predicted[-1]:.2f})"
        )


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
                raise Trouble(f"{lab.name} did not start listening")
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


def serve(offices: list[Office], count: int, work_ms: int) -> Iterator[float]:
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
            if now > PATIENCE_S:
                raise Trouble(f"the customers were not served within {PATIENCE_S} s")
    yield time.monotonic() - begin


@dataclass(frozen=True)
class Scale:
    """How many columns a bar has, and how many seconds they are."""

    columns: int
    seconds: float

    def column(self, moment: float) -> int:
        """The column in which a moment falls."""
        return min(self.columns, int(moment / self.seconds * self.columns))


def bar(customer: Customer, predicted: float, now: float, scale: Scale) -> str:
    """A customer's row at one lab: a dot for waiting, a block for being served."""
    waited = scale.column(now if customer.greeted is None else customer.greeted)
    stayed = scale.column(now if customer.done is None else customer.done)
    if customer.greeted is not None:
        stayed = max(stayed, waited + 1)  # however short, it can be seen
    cells = "·" * waited + "█" * (stayed - waited)
    cells = cells[: scale.columns].ljust(scale.columns)
    mark = min(scale.column(predicted), scale.columns - 1)
    if customer.failure:
        cells = ("× " + customer.failure)[: scale.columns].ljust(scale.columns)
    elif cells[mark] == " ":
        cells = cells[:mark] + "┆" + cells[mark + 1 :]
    return cells


def coloured(cells: str) -> str:
    """A bar in colour: orange waits, blue is served, grey is predicted."""
    for character, colour in (("·", ORANGE), ("█", BLUE), ("┆", GREY)):
        cells = re.sub(f"{character}+", colour + r"\g<0>" + PLAIN, cells)
    return cells


def short_title(lab: Lab, width: int) -> str:
    """The lab's title, or only its number where the title does not fit."""
    return lab.title if len(lab.title) <= width else lab.title[: len("Lab 1")]


def frame(
    offices: list[Office], now: float, scale: Scale, work_ms: int, is_live: bool
) -> list[str]:
    """The picture at one moment, as lines."""
    count = len(offices[0].customers)
    bold, plain = (BOLD, PLAIN) if is_live else ("", "")
    title = f"{count} customers come at once, each needs a clerk for {work_ms} ms"
    lines = [f"{bold}{title}{plain}   {now:5.2f} s", ""]
    width = scale.columns
    titles = (short_title(office.lab, width).ljust(width) for office in offices)
    lines.append(f"    {bold}" + "  ".join(titles) + plain)
    ordered = [office.in_order for office in offices]
    for row in range(count):
        bars = [
            bar(customers[row], office.predicted[row], now, scale)
            for office, customers in zip(offices, ordered)
        ]
        lines.append(
            f"{row + 1:3} " + "  ".join(map(coloured, bars) if is_live else bars)
        )
    lines.append("")
    lines += [f"    {office.title}: {office.status()}" for office in offices]
    lines.append("    · waits   █ is being served   ┆ predicted to be done")
    return lines


def closing_sentence(offices: list[Office]) -> str:
    """What a person should remember."""
    waits = [
        f"{max(each.greeted or 0 for each in office.customers):.2f} s"
        f" at {office.lab.title}"
        for office in offices
    ]
    return (
        "The same customers, the same work: the last one waited for a clerk "
        + ", ".join(waits)
        + "."
    )


def show_live(
    offices: list[Office], clock: Iterator[float], scale: Scale, work_ms: int
) -> float:
    """Draw every frame over the one before."""
    height, now = 0, 0.0
    sys.stdout.write(HIDE_CURSOR)
    try:
        for now in clock:
            lines = frame(offices, now, scale, work_ms, is_live=True)
            up = f"\x1b[{height}A" if height else ""
            sys.stdout.write(up + "".join(f"{line}{CLEAR_LINE}\n" for line in lines))
            sys.stdout.flush()
            height = len(lines)
    finally:
        sys.stdout.write(SHOW_CURSOR)
        sys.stdout.flush()
    return now


def show_plain(
    offices: list[Office], clock: Iterator[float], scale: Scale, work_ms: int
) -> float:
    """Say what happens, then print the last frame."""
    print("The customers come in ...", flush=True)
    now = 0.0
    for now in clock:
        pass
    print("\n".join(frame(offices, now, scale, work_ms, is_live=False)))
    return now


SVG_ROW, SVG_BAR, SVG_GAP, SVG_TOP, SVG_PAUSE_S = 14, 210, 24, 64, 2
SVG_STYLE = """text{font:13px sans-serif;fill:#24292f}
.title{font-size:17px;font-weight:bold}.wait{fill:#e69f00}.serve{fill:#0072b2}
.mark{stroke:#57606a;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.serve{fill:#56b4e9}
.mark{stroke:#9198a1}}"""


def growing(
    kind: str, place: tuple[float, float], begin: float, end: float, scale: float
) -> str:
    """A rectangle that grows from begin to end (shares of the recording), over and over."""
    width = (end - begin) * scale
    x, y = place
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y}" height="{SVG_ROW - 4}"'
        f' width="{width:.1f}"><animate attributeName="width" dur="DURs"'
        f' repeatCount="indefinite" values="0;0;{width:.1f};{width:.1f}"'
        f' keyTimes="0;{begin:.4f};{end:.4f};1"/></rect>'
    )


def record(offices: list[Office], now: float, work_ms: int, path: Path) -> None:
    """Write what was measured as a picture that plays it again in real time."""
    duration = now + SVG_PAUSE_S
    scale = SVG_BAR * duration / now
    count = len(offices[0].customers)
    parts = []
    for column, office in enumerate(offices):
        left = 30 + column * (SVG_BAR + SVG_GAP)
        parts.append(f'<text x="{left}" y="{SVG_TOP - 12}">{office.title}</text>')
        for row, customer in enumerate(office.in_order):
            y = SVG_TOP + row * SVG_ROW
            greeted = (customer.greeted or now) / duration
            done = (customer.done or now) / duration
            mark = left + office.predicted[row] / now * SVG_BAR
            parts.append(growing("wait", (left, y), 0, greeted, scale))
            parts.append(
                growing("serve", (left + greeted * scale, y), greeted, done, scale)
            )
            parts.append(
                f'<path class="mark" d="M{mark:.1f} {y}v{SVG_ROW - 4}" fill="none"/>'
            )
        bottom = SVG_TOP + count * SVG_ROW + 18
        parts.append(f'<text x="{left}" y="{bottom}">{office.status()}</text>')
    for row in range(count):
        y = SVG_TOP + row * SVG_ROW + 9
        parts.append(f'<text x="22" y="{y}" text-anchor="end">{row + 1}</text>')
    title = f"{count} customers come at once, each needs a clerk for {work_ms} ms"
    legend = "orange waits, blue is being served, the line is what was predicted"
    width = 30 + len(offices) * (SVG_BAR + SVG_GAP)
    height = SVG_TOP + count * SVG_ROW + 46
    drawing = "\n".join(parts).replace("DUR", f"{duration:.2f}")
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">\n'
        f"<style>{SVG_STYLE}</style>\n"
        f'<text class="title" x="30" y="24">{title}</text>\n{drawing}\n'
        f'<text x="30" y="{height - 8}">{legend}</text>\n</svg>\n'
    )


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=SOURCE / "build")
    parser.add_argument("--lab", type=int, help="only this lab, as in --lab=1")
    parser.add_argument("--customers", type=int, default=20)
    parser.add_argument("--work", type=int, default=200, help="ms with the clerk")
    parser.add_argument("--record", type=Path, help="write a moving SVG picture, too")
    options = parser.parse_args()
    if not 1 <= options.customers <= MOST_CUSTOMERS:
        parser.error(f"--customers: 1 to {MOST_CUSTOMERS}")
    if not 1 <= options.work <= 10000:
        parser.error("--work: 1 to 10000 ms")
    return options


def choose_labs(options: argparse.Namespace) -> list[Lab]:
    """The labs to show."""
    labs = find_labs(SOURCE, options.build)
    if options.lab is not None:
        labs = [lab for lab in labs if lab.name.startswith(f"lab{options.lab}-")]
    if not labs:
        raise Trouble(f"there is no lab {options.lab}")
    return labs


def run(options: argparse.Namespace) -> None:
    """Open the labs, let the customers in, show what happens."""
    work_s = options.work / 1000
    with contextlib.ExitStack() as stack:
        offices = [
            stack.enter_context(opened(lab, work_s, options.customers))
            for lab in choose_labs(options)
        ]
        columns = shutil.get_terminal_size().columns
        width = (columns - 5) // len(offices) - 2
        width = max(NARROWEST_BAR, min(WIDEST_BAR, width))
        longest = max(office.predicted[-1] for office in offices)
        scale = Scale(width, longest * 1.05)
        clock = serve(offices, options.customers, options.work)
        show = show_live if sys.stdout.isatty() else show_plain
        now = show(offices, clock, scale, options.work)
        print("\n" + textwrap.fill(closing_sentence(offices), columns))
        if options.record is not None:
            record(offices, now, options.work, options.record)
        failures = sum(bool(e.failure) for office in offices for e in office.customers)
        if failures:
            raise Trouble(f"{failures} customers were not served")


def main() -> int:
    """Run the demo; returns the exit status."""
    INTERRUPTS.install()
    try:
        run(parse())
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Trouble, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
