"""python -m bench.checks gates|pair|stop|crosscheck: what proves the bench itself."""

import argparse
import sys
from pathlib import Path

from bench.checks import accuracy, crosscheck, gates, pair, stop
from bench.measure.processes import INTERRUPTS, BenchError, warn

SOURCE = Path(__file__).resolve().parents[2]
CHECKS = {"gates": gates, "pair": pair, "stop": stop, "crosscheck": crosscheck}
CHECKS |= {"accuracy": accuracy}  # of stored results
EXIT_FAILURE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def refuse(message: str) -> None:
    """A usage error: one line, and status 2."""
    warn(message)
    sys.exit(EXIT_USAGE)


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The check and its flags."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.error = refuse
    parser.add_argument("check", choices=CHECKS)
    add = parser.add_argument
    add("--build", type=Path, default=SOURCE / "build", help="where make built")
    add("--quick", action="store_true", help="crosscheck: shorter stalls")
    add("--results", type=Path, nargs="+", default=[SOURCE / "results" / "latest"])
    add("--trials", type=int, default=100, help="pair: how many")
    add("--seed", type=int, help="pair: the same seed, the same order of runs")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run one check; returns its exit status."""
    given = parse_arguments(arguments)
    INTERRUPTS.install()
    try:
        return 0 if CHECKS[given.check].run(given) else EXIT_FAILURE
    except KeyboardInterrupt:
        warn("interrupted")
        return EXIT_INTERRUPTED
    except (OSError, BenchError) as error:
        warn(str(error))
        return EXIT_FAILURE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
