"""arrivals: one run read by two clocks, an honest one and a closed loop's."""

from dataclasses import dataclass
from pathlib import Path

from bench.experiments.arrivals_scenes import SERVICE_MS, LoadPoint, predict
from bench.judge.estimates import is_defended, percentile
from bench.measure.records import Client, NS_PER_S
from bench.measure.runs import Measured
from bench.tell.charts import Chart, write_csv
from bench.tell.textcharts import log_log

SHARES = (0.5, 0.9, 0.95, 0.99)
NAMED_SHARES = (0.5, 0.9, 0.99)  # on the chart


# ---- The pair: two clocks, one run ----


@dataclass(frozen=True)
class Pair:
    """One run read by two clocks."""

    point: LoadPoint
    made: Measured

    @property
    def lived(self) -> list[float]:
        """From the intended start: what the customers lived through."""
        return sorted(self.made.latencies)

    @property
    def naive(self) -> list[float]:
        """What a closed loop's clock would have read in this very run.

        It starts when the request is really sent, which in a closed loop is not
        before the answer to the one before.
        """
        return sorted(naive_latencies(self.made.clients))

    def predictions(self) -> list[list[float]]:
        """What theory says that they lived through: 1 in so many, ideal and charged."""
        point = self.point
        ideal = sorted(predict(self.made, point, SERVICE_MS / 1000))
        charged = sorted(predict(self.made, point, point.service))
        return [
            [1 / (1 - rank / len(ideal)), one, other + point.besides]
            for rank, (one, other) in enumerate(zip(ideal[:-1], charged), 1)
        ]


def naive_latencies(clients: list[Client]) -> list[float]:
    """From the answer before, or the start if that is later, to the answer."""
    answered = sorted(
        (client for client in clients if client.outcome == "ok"),
        key=lambda client: client.done,
    )
    before = [0] + [client.done for client in answered]
    return [
        (client.done - max(client.started, previous)) / NS_PER_S
        for client, previous in zip(answered, before)
    ]


def choose_pair(points: list[LoadPoint]) -> Pair | None:
    """The scene with rare slow customers at its highest load."""
    rare = [point for point in points if point.scene.is_rare]
    return Pair(rare[-1], rare[-1].middle) if rare else None


def clock_words(values: list[float], limit: float) -> str:
    """The percentiles that so many samples can defend."""
    return ", ".join(
        f"p{100 * share:g} {percentile(values, share, limit)}" for share in SHARES
    )


def pair_caption(pair: Pair) -> str:
    """What either clock says of the same run."""
    limit = pair.made.run.timeout_s
    return (
        f"One run, two clocks, {len(pair.lived)} customers at {pair.point.load:.0%} load:"
        f" a closed loop would have reported {clock_words(pair.naive, limit)};"
        f" the customers lived through {clock_words(pair.lived, limit)}."
    )


def make_pair_chart(pair: Pair, folder: Path) -> Chart:
    """Write what the chart of two clocks is drawn from."""
    clocks = {"lived": pair.lived, "naive": pair.naive}
    rows = [
        [number, clock, share, 1 / (1 - share), value]
        for number, (clock, values) in enumerate(clocks.items(), 1)
        for share, value in shares_of(values)
    ]
    header = "number,clock,share,one_in,latency_s"
    write_csv(folder / "arrivals-clocks.csv", header, rows)
    header = "one_in,ideal_s,predicted_s"
    write_csv(folder / "arrivals-clocks-predicted.csv", header, pair.predictions())
    header = "number,one_in,latency_s,words"
    write_csv(folder / "arrivals-clocks-words.csv", header, pair_words(pair, clocks))
    title = "One run, two clocks: what a closed loop would have reported"
    return Chart(
        "arrivals-clocks",
        "clocks",
        title,
        log_log(
            f"{title} (the axis is 1 in so many customers)",
            {
                clock: [(1 / (1 - share), value) for share, value in shares_of(values)]
                for clock, values in clocks.items()
            },
        ),
        {
            "legend": f"{pair.point.scene.words}, {pair.point.load:.0%} load; dashed: predicted"
        },
        caption=pair_caption(pair),
        scenes=(pair.made.run.scene,),
    )


def shares_of(values: list[float]) -> list[tuple[float, float]]:
    """Each sample with the share that it completes, as far as so many can defend."""
    count = len(values)
    return [
        (rank / count, value)
        for rank, value in enumerate(values[:-1], 1)
        if rank <= count / 2 or is_defended((rank - 1) / count, count)
    ]


def pair_words(pair: Pair, clocks: dict[str, list[float]]) -> list[list]:
    """The percentiles that can be defended, beside their curves."""
    rows = []
    for number, values in enumerate(clocks.values(), 1):
        for share in SHARES:
            at = percentile(values, share, pair.made.run.timeout_s)
            if at.is_defended and share in NAMED_SHARES:
                words = f"p{100 * share:g}  {at}"
                rows.append([number, 1 / (1 - share), at.value, words])
    return rows
