"""backlog: a bar for each client, a panel for each backlog."""

import math
from pathlib import Path

from bench.experiments.backlog_crowd import CLIENTS, INSIDE, BacklogRun, Attempt
from bench.tell.charts import Chart, write_csv


def make_chart(panels: list[BacklogRun], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    header = (
        "panel,backlog,rank,client,connected_s,wait_s,waited_s,begun_s,done_s,phantom,"
        "ideal_s,predicted_s,syn_retransmits,outcome"
    )
    rows = [
        client_row(n, panel, rank, attempt)
        for n, panel in enumerate(panels, 1)
        for rank, attempt in enumerate(panel.attempts, 1)
    ]
    write_csv(folder / "backlog.csv", header, rows)
    words = [
        [n, p.words.partition("; clerk")[0], p.counters.rpartition(";")[0]]
        for n, p in enumerate(panels, 1)
    ]
    write_csv(folder / "backlog-words.csv", "panel,words,counters", words)
    times = [[time] for time in panels[0].predicted_syns]
    write_csv(folder / "backlog-syns.csv", "syn_s", times)
    title = f"{CLIENTS} clients at one instant against backlogs of {panels[0].backlog} to {panels[-1].backlog}"
    return Chart(
        "backlog",
        "backlog",
        title,
        "\n".join([title, *(f"  {panel.words}; {panel.counters}" for panel in panels)]),
        {"number": panels[0].made.run.lab.number},
        caption=caption(panels),
        scenes=tuple(panel.made.run.scene for panel in panels),
    )


def client_row(number: int, panel: BacklogRun, rank: int, attempt: Attempt) -> list:
    """One client for the CSV."""
    knocked = attempt.gave_up if math.isnan(attempt.connected) else attempt.connected
    return [
        number,
        panel.backlog,
        rank,
        attempt.client.i,
        attempt.connected,
        knocked,
        attempt.waited_until,
        attempt.begun,
        attempt.done,
        int(attempt.is_phantom),
        panel.ideal[rank - 1],
        panel.predicted[rank - 1],
        attempt.client.syn_retransmits,
        attempt.client.outcome,
    ]


def caption(panels: list[BacklogRun]) -> str:
    """The shortest backlog against the longest."""
    return (
        f"The same server, the same {CLIENTS} clients: {panels[0].words};"
        f" {panels[-1].words}. Whether the server takes up to {INSIDE} out of the queue"
        " while clients come in is a race; predicted is that it does."
    )
