"""The models of bench/models, and what cannot hold for each: that is its lesson, not a fault."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.labs import Lab
from tests.helpers.setting import BUILD, ROOT

NUMBERS = "each process counts its own clients, and the parent has none"
DOOR = "workers accept no more than they serve, so descriptors do not run out"
COUNTING = (  # tests that ask the summary of the parent who was served
    "test_a_client_that_resets_is_counted_as_lost",
    "test_a_stop_counts_all_requests_in_service",
    "test_a_stop_delivers_a_long_reply_and_says_for_whom_it_waits",
    "test_a_stop_finishes_the_request_in_service",
    "test_a_stop_lets_idle_clients_go",
    "test_the_summary_says_how_many_were_served_at_once",
    "test_the_trace_has_one_row_for_each_client",
)
OUT_OF_DESCRIPTORS = "test_a_server_out_of_descriptors_waits_and_goes_on"
OF_20 = "test_of_20_clients_at_one_instant_each_gets_its_own_token"
IDLE = "test_1000_idle_clients_cost_no_cpu"
HEAVY = "a thousand processes, for a test, are too many: the bench draws what they cost"
CANNOT = {  # by model, and by test: why not
    "accept": {OUT_OF_DESCRIPTORS: DOOR},
    "reuseport": {OUT_OF_DESCRIPTORS: DOOR},
    "fork": dict.fromkeys(COUNTING, NUMBERS)
    | {OUT_OF_DESCRIPTORS: "each process has descriptors of its own", IDLE: HEAVY},
    "prefork": dict.fromkeys(COUNTING, NUMBERS)
    | {
        "test_every_client_is_greeted_by_its_number": NUMBERS,
        OF_20: NUMBERS,
        OUT_OF_DESCRIPTORS: DOOR,
        IDLE: HEAVY,
    },
}
NEEDS_EACH = re.compile(r"\.places\(|\bconcurrent\b|is_concurrent")
UNEVEN = {"reuseport"}  # the kernel may give a client to a worker that is busy
ECHO_ONLY = {"events"}  # whatever asks for the desk is not asked of these


@dataclass(frozen=True)
class Model(Lab):
    """A .c directly in bench/models: a server like those of the labs."""

    @property
    def program(self) -> Path:
        return BUILD / "bench" / "models" / self.name

    @property
    def source(self) -> Path:
        return ROOT / "bench" / "models" / f"{self.name}.c"

    def can(self, test: Callable) -> bool:
        """Does this test hold for it?"""
        if test.__name__ in CANNOT.get(self.name, {}):
            return False
        source = inspect.getsource(test)
        if self.name in UNEVEN and NEEDS_EACH.search(source):
            return False  # it needs a worker for each client
        asks_desk = '"desk"' in source
        return self.name not in ECHO_ONLY or not asks_desk

    def speaks(self, service: str) -> bool:
        """Does it have this service?"""
        return self.name not in ECHO_ONLY or service == "echo"


def find_models() -> list[Model]:
    """Every model there is: a new one is tested by existing."""
    sources = sorted((ROOT / "bench" / "models").glob("*.c"))
    return [Model(source.stem) for source in sources]
