"""An exam with numbers drawn from a seed, its answers worked; and quizzes as GIFT for Moodle.

    python3 -m tests.course.exam --seed=7 [--answers]        questions, or questions with answers
    python3 -m tests.course.exam --gift                      the tutorial's folded questions as GIFT

The same seed gives the same exam, on any machine.
"""

import argparse
import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>\s*(.*?)</details>", re.S)


@dataclass(frozen=True)
class Question:
    """A question with its numbers, and the answer, worked."""

    chapter: str
    text: str
    answer: str


def batches(count: int, workers: int) -> int:
    return -(-count // workers)


def sequential(draw: random.Random) -> Question:
    count, ms = draw.choice([12, 20, 25, 40]), draw.choice([20, 50, 80, 200])
    mean = (count - 1) * ms / 2
    return Question(
        "1",
        f"{count} clients come to lab 1 at the same instant, and each needs {ms} ms. When is the last one done, and how long does one wait on average before it is greeted?",
        f"The last after {count} x {ms} = {count * ms} ms. Client i waits (i - 1) x {ms} ms, so {ms} x ({count} - 1) / 2 = {mean:g} ms on average.",
    )


def pool(draw: random.Random) -> Question:
    count, workers, ms = (
        draw.choice([20, 30, 50]),
        draw.choice([3, 4, 8, 16]),
        draw.choice([50, 100, 300]),
    )
    steps = batches(count, workers)
    return Question(
        "3",
        f"A pool of {workers} workers, {count} clients at once, {ms} ms of waiting each. When is the last one done? And when with a thread for each?",
        f"In ceil({count} / {workers}) = {steps} batches: {steps * ms} ms. With a thread for each, all after {ms} ms, and the price of {count} threads.",
    )


def cores(draw: random.Random) -> Question:
    count, ncores, ms = (
        draw.choice([12, 20, 40]),
        draw.choice([2, 4, 8]),
        draw.choice([50, 100]),
    )
    total = count * ms / ncores
    return Question(
        "2",
        f"{count} clients at once, and each makes the server compute for {ms} ms. The machine has {ncores} cores. When is a thread for each client done with all of them, and when is the first one done?",
        f"The work is {count} x {ms} ms, on {ncores} cores {total:g} ms. All threads share the cores, so the first is done hardly earlier than the last: nobody is done early.",
    )


def little(draw: random.Random) -> Question:
    rate, ms = draw.choice([40, 120, 500]), draw.choice([25, 50, 200])
    inside = rate * ms / 1000
    return Question(
        "5",
        f"{rate} clients come per second, and each stays {ms} ms from coming to leaving. How many are there on average? Your log says {inside * 2:g}. What follows?",
        f"Little's law: L = rate x time = {rate} x {ms / 1000:g} s = {inside:g}. With {inside * 2:g} inside, they stay {ms * 2} ms: the {ms} ms leave out a wait, often the one before accept.",
    )


def utilisation(draw: random.Random) -> Question:
    ms, rate = draw.choice([(10, 80), (20, 40), (5, 150), (50, 16)])
    load = ms * rate / 1000
    wait = load * ms / (2 * (1 - load))
    return Question(
        "5",
        f"One worker, {ms} ms each (always the same), {rate} clients per second at random moments. How busy is it, and how long does one wait on average?",
        f"Load = {rate} x {ms / 1000:g} = {load:g}. M/D/1: wait = load x service / (2 x (1 - load)) = {load:g} x {ms} / (2 x {1 - load:.2g}) = {wait:.3g} ms.",
    )


def places(draw: random.Random) -> Question:
    workers, queue, backlog = (
        draw.choice([2, 4, 16]),
        draw.choice([0, 4, 10]),
        draw.choice([1, 5, 10]),
    )
    held = workers + queue + 1 + backlog + 1
    return Question(
        "4",
        f"--threads={workers} --queue={queue} --backlog={backlog} --when-full=wait, on Linux. All workers are busy for long. How many clients can be connected, and what does the next one see?",
        f"{workers} served, {queue} in the queue, 1 in the hand of the accept loop, {backlog} + 1 in the kernel: {held}. The next one's SYN is dropped; it tries again after 1 s.",
    )


def silent(draw: random.Random) -> Question:
    workers, limit = draw.choice([4, 8, 16]), draw.choice([5, 10, 30])
    crowds = draw.choice([2, 3])
    silent_ones = workers * crowds
    return Question(
        "4",
        f"{workers} workers, an idle limit of {limit} s that does not shrink. {silent_ones} clients come and say nothing, then one that is honest. How long does that one wait?",
        f"The silent ones hold all workers in {crowds} turns of {limit} s each: {crowds * limit} s. That is what a patience that shrinks in a crowd is for.",
    )


def descriptors(draw: random.Random) -> Question:
    limit, lost = draw.choice([256, 1024]), draw.choice([2, 5, 10])
    used = 6
    clients = (limit - used) * lost
    return Question(
        "1",
        f"A server may have {limit} descriptors and has {used} open. One visit in {lost} leaves its socket open. After how many visits does accept fail, and with which error?",
        f"{limit} - {used} = {limit - used} leaks, one in {lost}: after about {clients} visits. EMFILE: wait and try again, else the loop spins.",
    )


def percentile(draw: random.Random) -> Question:
    count, slow = draw.choice([(50, 2), (200, 3), (300, 4)])
    return Question(
        "5",
        f"{count} requests, of which {slow} took over a second. A colleague reports a p99.9 of 1.2 s. What do you say?",
        f"With {count} samples the 99.9th percentile rests on less than one of them (0.1 % of {count} is {count / 1000:g}). Ask for more, or for the maximum and the count.",
    )


def stacks(draw: random.Random) -> Question:
    threads, mib = draw.choice([(500, 8), (1000, 8), (2000, 2)])
    return Question(
        "2",
        f"{threads} threads with the default stack of {mib} MiB. How much address space do they take, and how much memory?",
        f"{threads} x {mib} MiB = {threads * mib / 1024:g} GiB of addresses. Of memory only the pages that were touched: a few KiB each, until the calls go deep.",
    )


BANK: list[Callable[[random.Random], Question]] = [
    sequential, cores, stacks, descriptors, pool, places, silent, little, utilisation, percentile,
]  # fmt: skip


def questions(seed: int) -> list[Question]:
    """All questions, with this seed's numbers."""
    return [make(random.Random(f"{seed} {make.__name__}")) for make in BANK]


def exam(seed: int, with_answers: bool) -> str:
    lines = [f"# Exam {seed}", ""]
    for number, one in enumerate(questions(seed), 1):
        lines.append(f"**{number}.** {one.text}")
        if with_answers:
            lines += ["", f"> {one.answer} (chapter {one.chapter})"]
        lines.append("")
    return "\n".join(lines)


def plain(text: str) -> str:
    """Markdown and HTML without their marks."""
    text = re.sub(r"<[^>]+>|[*`]", "", text)
    return re.sub(r"\s+", " ", re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text)).strip()


def escaped(text: str) -> str:
    """As GIFT wants it."""
    return re.sub(r"([~=#{}:\\])", r"\\\1", text)


def folded() -> list[tuple[str, str, str]]:
    """(chapter's file, question, answer) of every folded question of the tutorial."""
    found = []
    for file in sorted((ROOT / "docs").glob("*.md")):
        for question, answer in FOLDED.findall(file.read_text()):
            found.append((file.stem, plain(question), plain(answer)))
    return found


def gift() -> str:
    """Essay questions, with the tutorial's answer as feedback."""
    parts = []
    for number, (file, question, answer) in enumerate(folded(), 1):
        parts.append(
            f"// {file}\n::{file} {number}::{escaped(question)}{{####{escaped(answer)}}}\n"
        )
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answers", action="store_true")
    parser.add_argument("--gift", action="store_true")
    asked = parser.parse_args()
    print(gift() if asked.gift else exam(asked.seed, asked.answers), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
