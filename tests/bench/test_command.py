"""The command: which exit status a bench ends with."""

import pytest

from bench import run
from bench.experiments.experiment import Conclusion, Finding, Options, Part
from bench.experiments import dmv
from bench.judge.verdicts import at_most


def made_up(tmp_path, value):
    """A bench that measures nothing, and found this."""

    class MadeUp(run.Bench):
        def measure(self):
            pass

        def conclude(self):
            promise = at_most(1)
            found = Finding("lab1-sequential", "what", [value] * 5, promise=promise)
            self.parts = [Part(dmv.EXPERIMENT, Conclusion([found], [], []), [])]
            return []

    return MadeUp([], Options(True, 1, 1), [], tmp_path, tmp_path, 0.0)


@pytest.mark.parametrize(
    "flags, value, status",
    [(["--strict"], 2.0, 1), (["--strict"], 0.5, 0), ([], 2.0, 0)],
)
def test_a_promise_that_is_missed_fails_only_where_asked(
    flags, value, status, tmp_path, monkeypatch
):
    monkeypatch.setattr(run, "prepare", lambda chosen: made_up(tmp_path, value))
    monkeypatch.setattr(run, "present", lambda charts, bench: None)
    monkeypatch.setattr(run.INTERRUPTS, "install", lambda: None)
    assert run.main(flags) == status


def test_make_passes_it_on():
    rules = (run.SOURCE / "bench" / "bench.mk").read_text()
    assert "$(if $(STRICT),--strict)" in rules and "$(LABEL:%=--label=%)" in rules
