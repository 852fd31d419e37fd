"""Runs the stages of one lab, inside the cell: one JSON line for each on a pipe.

    python3 -m tests.course.trial JSON       JSON says the lab, the pipe, patience and so on
"""

import ctypes
import importlib
import json
import os
import select
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.course.evidence import look
from tests.course.server import Look, Trial
from tests.course.talk import Failed, Limits

PR_SET_DUMPABLE = 4
PATIENCE_OF_TRIES = (1, 2.5, 6)
PATIENCE_ONCE, START_ONCE_S = 0.6, 1.0  # a provisional verdict is a quick one
STAGE_S = 15.0  # for a failing stage, all tries together
CROWD, CROWD_WORK_MS, CROWD_S = 20, 50, 8.0
WAITS = 5  # how many times its patience one try may take


@dataclass(frozen=True)
class Stage:
    """One stage: what a client must see, and what it is worth."""

    name: str
    points: int
    title: str
    run: Callable[[Trial], None]
    read: str  # where the tutorial tells it
    hints: tuple[str, str, str]  # a question, the place, nearly the code
    needs: tuple[str, ...] = ()
    strict: bool = False


def stages(lab: int) -> list[Stage]:
    """The stages of a lab, in order."""
    return importlib.import_module(f"tests.course.stages.lab{lab}").STAGES


@dataclass
class Order:
    """What the grader asks for."""

    lab: int
    room: str
    pipe: int
    own: list[str]
    patience: dict[str, float]
    only: str = ""
    once: bool = False  # no second try, and stop at the first failure
    budget: float = 50.0
    chart: bool = False  # afterwards, a crowd for the chart
    variant: dict[str, str] = field(default_factory=dict)  # what differs by a seed


def attempt(stage: Stage, order: Order, patience: float, with_threads: bool):
    """One try of a stage: (what failed or "", evidence)."""
    own = set(order.own)
    limits = Limits(patience, time.monotonic() + WAITS * patience + 1)
    if order.once:
        limits.start = START_ONCE_S
    trial = Trial(
        order.lab,
        Path(order.room),
        limits,
        lambda server: look(server, own, with_threads),
        frozenset(own),
        order.variant,
    )
    try:
        stage.run(trial)
    except Failed as failure:
        return str(failure), trial.evidence
    except OSError as error:
        return f"a client saw an error: {error.strerror}", trial.evidence
    return "", []


def keep_threads(looks: list[Look], earlier: list[Look]) -> list[Look]:
    """gdb looks until it has seen something: that is kept for the last try."""
    for one, other in zip(looks, earlier):
        one.threads = one.threads or other.threads
    return looks


def try_stage(stage: Stage, order: Order, is_first_failure: bool, end: float) -> dict:
    """A stage with its tries; a failure costs points only when patience did not help."""
    begin = time.monotonic()
    patience = order.patience.get(stage.name, 1.0)
    result = {"name": stage.name, "ran": True, "tries": 0, "said": "", "looks": []}
    tries = (PATIENCE_ONCE,) if order.once else PATIENCE_OF_TRIES
    first: list[Look] = []
    if not is_first_failure:
        tries = tries[:2]
    for number, factor in enumerate(tries):
        is_last = number == len(tries) - 1
        with_threads = is_first_failure and not any(one.threads for one in first)
        said, looks = attempt(stage, order, patience * factor, with_threads)
        looks = first = keep_threads(looks, first)
        result.update(tries=number + 1, said=said, looks=[asdict(one) for one in looks])
        spent = time.monotonic() - begin
        if not said:
            break
        if not is_last and spent + spent / (number + 1) * 2 > STAGE_S:
            break
        if time.monotonic() > end:
            break
    result["passed"] = not said
    result["seconds"] = round(time.monotonic() - begin, 3)
    return result


def run_all(order: Order, tell: Callable[[dict], None]) -> None:
    """Every stage whose needs are met, in order."""
    passed: set[str] = set()
    has_failed = False
    end = time.monotonic() + order.budget
    everything = stages(order.lab)
    for stage in everything:
        if order.only and stage.name != order.only:
            continue
        missing = [need for need in stage.needs if need not in passed]
        if missing and not order.only:
            said = f'not tried: it needs "{missing[0]}"'
        elif time.monotonic() > end:
            said = f"not tried: the {order.budget:.0f} s for one submission were over"
        else:
            result = try_stage(stage, order, not has_failed, end)
            tell(result)
            if result["passed"]:
                passed.add(stage.name)
            else:
                has_failed = True
                if order.once:
                    return
            continue
        tell(
            {
                "name": stage.name,
                "ran": False,
                "passed": False,
                "said": said,
                "tries": 0,
                "seconds": 0,
                "looks": [],
            }
        )


def crowd_times(order: Order) -> list[float]:
    """When each client of a crowd was done, in seconds; empty if the server cannot do it."""
    limits = Limits(CROWD_S, time.monotonic() + CROWD_S)
    trial = Trial(order.lab, Path(order.room), limits, lambda _: Look())
    times = []
    try:
        with trial.serve("desk") if order.lab else trial.serve() as server:
            begin = time.monotonic()
            clients = [server.connect() for _ in range(CROWD)]
            for client in clients:
                client.send(b"sleep %d\nquit\n" % CROWD_WORK_MS)
                client.half_close()
            waiting = {client.socket: client for client in clients}
            while waiting:
                for one in select.select(list(waiting), [], [], limits.left())[0]:
                    if not one.recv(4096):
                        times.append(round(time.monotonic() - begin, 4))
                        del waiting[one]
                if time.monotonic() > limits.end:
                    return []
    except (Failed, OSError):
        return []
    return times


def main() -> None:
    """The server under test must not read the pipe, nor trace this process."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    order = Order(**json.loads(sys.argv[1]))
    pipe = os.fdopen(order.pipe, "w")

    def tell(result: dict) -> None:
        pipe.write(json.dumps(result) + "\n")
        pipe.flush()

    run_all(order, tell)
    if order.chart:
        tell({"name": "chart", "seconds": crowd_times(order)})
    tell({"name": "end"})


if __name__ == "__main__":
    main()
