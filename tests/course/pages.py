"""The pages of a class, in plain HTML: one for the instructor, one for each student."""

import html
from collections import Counter

STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 } th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums } .ok { color: #2b6b2b } .no { color: #a33 } .skip { color: #777 }
pre { white-space: pre-wrap; background: #f6f6f6; padding: .6rem; margin: .3rem 0; font-size: 13px } .bar { background: #7aa6cf; height: .8rem; display: inline-block }
@media print { a { color: inherit; text-decoration: none } }
"""
WIDTH, HEIGHT, LEFT, BOTTOM = 620, 260, 46, 36


def escape(text: object) -> str:
    return html.escape(str(text))


def page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style>\n<h1>{escape(title)}</h1>\n{body}\n</html>\n"
    )


def table(
    head: list[str], rows: list[list[str]], numeric: set[int] = frozenset()
) -> str:
    """A table; the columns in numeric are set to the right. Cells are HTML."""

    def cells(kind: str, row: list[str]) -> str:
        return "".join(
            f'<{kind}{" class=n" if n in numeric else ""}>{cell}</{kind}>'
            for n, cell in enumerate(row)
        )

    lines = [f"<tr>{cells('th', head)}</tr>"] + [
        f"<tr>{cells('td', row)}</tr>" for row in rows
    ]
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def steps(times: list[float], longest: float, count: int) -> str:
    """The points of a step line: how many clients were done, by time."""

    def x(seconds: float) -> float:
        return LEFT + seconds / longest * (WIDTH - LEFT - 10)

    def y(done: int) -> float:
        return HEIGHT - BOTTOM - done / count * (HEIGHT - BOTTOM - 14)

    points = [f"{x(0):.1f},{y(0):.1f}"]
    for done, seconds in enumerate(sorted(times), 1):
        points += [
            f"{x(seconds):.1f},{y(done - 1):.1f}",
            f"{x(seconds):.1f},{y(done):.1f}",
        ]
    return " ".join(points)


def chart(mine: list[float], reference: list[float]) -> str:
    """The student's server and the reference: clients done over time, drawn as SVG."""
    if not mine or not reference:
        return "<p>No chart: the crowd was not served to its end.</p>"
    count, longest = len(reference), max(max(mine), max(reference)) * 1.05
    lines = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="clients done over time" font-family="sans-serif" font-size="13">',
        f'<path d="M{LEFT} 10V{HEIGHT - BOTTOM}H{WIDTH - 10}" fill="none" stroke="#555"/>',
        f'<polyline points="{steps(reference, longest, count)}" fill="none" stroke="#888" stroke-width="5" opacity=".5"/>',
        f'<polyline points="{steps(mine, longest, count)}" fill="none" stroke="#1f6fb4" stroke-width="2"/>',
        f'<text x="{LEFT}" y="{HEIGHT - 12}">0</text><text x="{WIDTH - 10}" y="{HEIGHT - 12}" text-anchor="end">{longest:.2f} s</text>',
        f'<text x="{LEFT - 6}" y="22" text-anchor="end">{count}</text>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">{count} clients come at once, each asks for 50 ms</text>',
        f'<text x="{LEFT + 12}" y="24" fill="#1f6fb4">yours: last done after {max(mine):.2f} s</text>',
        f'<text x="{LEFT + 12}" y="42" fill="#777">reference: after {max(reference):.2f} s</text></svg>',
    ]
    return "\n".join(lines)


def stage_rows(result: dict) -> list[list[str]]:
    rows = []
    for one in result["stages"]:
        kind = "ok" if one["passed"] else "no" if one["ran"] else "skip"
        words = "" if one["passed"] else f"<pre>{escape(one['said'])}</pre>"
        if one["cause"]:
            words += f"<b>likely:</b> {escape(one['cause'])}"
        rows.append(
            [
                f'<span class="{kind}">{escape(one["name"])}</span>',
                f"{one['points']}/{one['max']}",
                words,
            ]
        )
    return rows


def student_page(name: str, result: dict, text: str, drawn: str) -> str:
    """What one student gets."""
    body = f"<p>{result['score']} of {result['max']} points"
    body += ", provisional</p>" if result["provisional"] else "</p>"
    body += table(["stage", "points", ""], stage_rows(result), {1})
    body += f"<h2>Your server and the reference</h2>\n{drawn}"
    body += f"<h2>In full</h2><pre>{escape(text)}</pre>"
    return page(f"Lab {result['lab']}: {name}", body)


def bars(counts: Counter, total: int) -> str:
    rows = []
    for name, count in counts.most_common(15):
        bar = f'<span class="bar" style="width:{200 * count / max(total, 1):.0f}px"></span>'
        rows.append([escape(name), str(count), bar])
    return table(["", "students", ""], rows, {1}) if rows else "<p>Nobody.</p>"


def first_failure(result: dict) -> dict | None:
    return next((one for one in result["stages"] if not one["passed"]), None)


def class_page(lab: int, results: dict[str, dict], faults: list[str]) -> str:
    """Who stands where, what stops most, which mistakes are commonest."""
    stops: Counter[str] = Counter()
    mistakes: Counter[str] = Counter()
    rows = []
    for name, result in sorted(
        results.items(), key=lambda one: (-one[1]["score"], one[0])
    ):
        first = first_failure(result)
        cause = first["cause"].partition(":")[0] if first else ""
        if first:
            stops[first["name"]] += 1
        mistakes.update(
            {one["cause"].partition(":")[0] for one in result["stages"] if one["cause"]}
        )
        link = f'<a href="students/{escape(name)}.html">{escape(name)}</a>'
        rows.append(
            [
                link,
                str(result["score"]),
                escape(first["name"]) if first else "",
                escape(cause),
            ]
        )
    scores = [result["score"] for result in results.values()]
    full = sum(score == 100 for score in scores)
    mean = sum(scores) / len(scores) if scores else 0
    body = f"<p>{len(scores)} submissions, {full} with full marks, {mean:.0f} points in the mean.</p>"
    if faults:
        body += f'<p class="no">Not graded, by a fault of the grader\'s own: {escape(", ".join(faults))}.</p>'
    body += f"<h2>The stage that stops</h2>{bars(stops, len(scores))}"
    body += f"<h2>Mistakes named</h2>{bars(mistakes, len(scores))}"
    body += "<h2>Who stands where</h2>" + table(
        ["student", "points", "stopped by", "likely"], rows, {1}
    )
    return page(f"Lab {lab}: the class", body)
