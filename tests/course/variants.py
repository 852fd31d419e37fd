"""A lab of one's own for each student: the solution is public, its variants are not.

A seed, any word, draws what differs from the reference. `make start LAB=3 SEED=anna-2026` says it on
the sheet, and the grader with the same seed judges it. Without a seed all is as in the reference.
"""

import hashlib
import sys

LINE_LAST = (
    "**The line is a stack.** Of the clients that wait in the queue, the one that came last is served "
    "first. Stage `order` looks at that."
)
TURNED_OLDEST = (
    "**The oldest is turned away.** With `--when-full=refuse`, a newcomer that finds the queue full takes "
    "the place of the client that has waited longest, which is told `busy`. Where nobody waits "
    "(`--queue=0`), the newcomer is turned away. Stage `busy` looks at that. You may change `queue.h`, or "
    "call `service_refuse` in `queue_push`."
)
FULL_REFUSE = (
    "**At the limit, newcomers are refused.** Where all slots are taken, a client is told `busy` "
    "(`service_refuse`) and does not wait. Stages `limit`, `idle` and `alarm` look at that. You may "
    "change `slots.h`: `slots_take` then says whether there was one."
)
WORDS = {
    ("line", "last"): LINE_LAST,
    ("turned", "oldest"): TURNED_OLDEST,
    ("full", "refuse"): FULL_REFUSE,
}
CHOICES: dict[int, list[dict[str, str]]] = {
    2: [{"full": "refuse"}],
    3: [
        {"line": "last"},
        {"turned": "oldest"},
        {"line": "last", "turned": "oldest"},
    ],
}


def variant_of(lab: int, seed: str) -> dict[str, str]:
    """What differs for this seed; nothing without one, or in a lab without variants."""
    choices = CHOICES.get(lab)
    if not seed or not choices:
        return {}
    number = int.from_bytes(
        hashlib.sha256(f"{lab} {seed}".encode()).digest()[:8], "big"
    )
    return choices[number % len(choices)]


def told(variant: dict[str, str]) -> list[str]:
    """What the sheet says of it."""
    return [WORDS[one] for one in variant.items()]


def warn_without_variants(lab: int, seed: str) -> None:
    """A seed that changes nothing is said to."""
    if seed and lab not in CHOICES:
        labs = " and ".join(map(str, CHOICES))
        print(
            f"SEED={seed} changes nothing: labs {labs} have variants", file=sys.stderr
        )
