"""A demo in a terminal, frame by frame."""

import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.measure.labs import Lab
from bench.tell.screen import Screen, printable

POOL = 5  # workers of the labs that have a pool
ORANGE, BLUE, GREY, BOLD, PLAIN = (
    f"\x1b[{code}m" for code in ("38;5;214", "38;5;32", "38;5;245", "1", "0")
)
NARROWEST_BAR, WIDEST_BAR = 10, 60


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
    for character, colour in (("·", ORANGE), ("█", BLUE), ("┆✓", GREY)):
        cells = re.sub(f"[{character}]+", colour + r"\g<0>" + PLAIN, cells)
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


def compact_frame(offices: list[Office], now: float) -> list[str]:
    """The same for a small terminal: a row for each lab, a letter for each customer."""
    count = len(offices[0].customers)
    lines = [f"{BOLD}{count} customers at once{PLAIN}   {now:5.2f} s", ""]
    for office in offices:
        letters = "".join(map(letter, office.in_order))
        done = sum(each.done is not None for each in office.customers)
        expected = sum(moment <= now for moment in office.predicted)
        lines.append(
            f"{short_title(office.lab, 5)}  {coloured(letters)}"
            f"  {done:2} done, {expected:2} predicted"
        )
    lines += ["", "· waits   █ is being served   ✓ done"]
    return lines


def letter(customer: Customer) -> str:
    """What a customer does."""
    if customer.failure:
        return "×"
    if customer.done is not None:
        return "✓"
    return "·" if customer.greeted is None else "█"


def full_scale(offices: list[Office], columns: int) -> Scale:
    """Bars as wide as the terminal has room for."""
    width = (columns - 5) // len(offices) - 2
    width = max(NARROWEST_BAR, min(WIDEST_BAR, width))
    return Scale(width, max(office.predicted[-1] for office in offices) * 1.05)


def fitting_frame(offices: list[Office], now: float, work_ms: int) -> list[str]:
    """The full picture where it fits, else the compact one."""
    columns, rows = shutil.get_terminal_size()
    scale = full_scale(offices, columns)
    lines = frame(offices, now, scale, work_ms, is_live=True)
    is_wide = 4 + len(offices) * (scale.columns + 2) <= columns
    return lines if len(lines) < rows and is_wide else compact_frame(offices, now)


def show_live(
    offices: list[Office], clock: Iterator[float], screen: Screen, work_ms: int
) -> float:
    """Draw every frame over the one before."""
    now = 0.0
    with screen.taken():
        for now in clock:
            screen.draw(fitting_frame(offices, now, work_ms))
    return now


def show_plain(offices: list[Office], clock: Iterator[float], work_ms: int) -> float:
    """Say what happens, then print the last frame."""
    print("The customers come in ...", flush=True)
    now = 0.0
    for now in clock:
        pass
    scale = full_scale(offices, shutil.get_terminal_size().columns)
    print(printable("\n".join(frame(offices, now, scale, work_ms, is_live=False))))
    return now
