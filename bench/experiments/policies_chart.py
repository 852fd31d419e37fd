"""policies: the chart, a row for each number of each line."""

from pathlib import Path

from bench.experiments.policies_lines import LONG, MEAN, Served
from bench.tell.charts import Chart, write_csv
from bench.tell.summary import table
from bench.tell.units import seconds

GAP = 1.9  # rows between two lines


def make_chart(served: list[Served], folder: Path) -> Chart:
    """Write what the chart is drawn from."""
    rows, heads, y = [], [], 0.0
    for number, each in enumerate(served, 1):
        heads.append([y, number, each.line.words])
        for what in each.known:
            y += 1
            numbers = each.measured(what)
            rows.append(
                [
                    y,
                    number,
                    what,
                    each.middle(what),
                    min(numbers),
                    max(numbers),
                    each.long_run(what),
                    each.predicted(what),
                    seconds(each.middle(what)),
                ]
            )
        y += GAP
    header = "row,number,what,measured_s,least_s,most_s,long_run_s,predicted_s,words"
    write_csv(folder / "policies.csv", header, rows)
    write_csv(folder / "policies-heads.csv", "row,number,words", heads)
    title = "Who is next? What a rule gives to some, and takes from others"
    cells = [
        [words_of(served, row[1]), row[2], row[8], f"predicted {seconds(row[7])}"]
        for row in rows
    ]
    return Chart(
        "policies",
        "policies",
        title,
        "\n".join([title, *table(cells)]),
        {"legend": "dot: measured; bar: predicted for these arrivals; cross: formula"},
        caption=caption(served),
        scenes=tuple(each.line.name for each in served),
    )


def words_of(served: list[Served], number: int) -> str:
    """The rule of a row."""
    return served[number - 1].line.words


def caption(served: list[Served]) -> str:
    """The mean and the long jobs of each line, against prediction."""
    return (
        "; ".join(
            f"{each.line.words}: mean {seconds(each.middle(MEAN))} (predicted"
            f" {seconds(each.predicted(MEAN))}), long jobs {seconds(each.middle(LONG))}"
            for each in served
        )
        + "."
    )
