"""A demo as a moving SVG picture, which plays in real time."""

from pathlib import Path

from bench.tell.frames import Office

SVG_ROW, SVG_BAR, SVG_GAP, SVG_TOP, SVG_PAUSE_S = 14, 210, 24, 64, 2
SVG_STYLE = """text{font:13px sans-serif;fill:#24292f}
.title{font-size:17px;font-weight:bold}.wait{fill:#e69f00}.serve{fill:#0072b2}
.mark{stroke:#57606a;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.serve{fill:#56b4e9}
.mark{stroke:#9198a1}}"""


def growing(
    kind: str, place: tuple[float, float], begin: float, end: float, scale: float
) -> str:
    """A rectangle that grows from begin to end (shares of the recording), over and over."""
    width = (end - begin) * scale
    x, y = place
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y}" height="{SVG_ROW - 4}"'
        f' width="{width:.1f}"><animate attributeName="width" dur="DURs"'
        f' repeatCount="indefinite" values="0;0;{width:.1f};{width:.1f}"'
        f' keyTimes="0;{begin:.4f};{end:.4f};1"/></rect>'
    )


def record(offices: list[Office], now: float, work_ms: int, path: Path) -> None:
    """Write what was measured as a picture that plays it again in real time."""
    duration = now + SVG_PAUSE_S
    scale = SVG_BAR * duration / now
    count = len(offices[0].customers)
    parts = []
    for column, office in enumerate(offices):
        left = 30 + column * (SVG_BAR + SVG_GAP)
        parts.append(f'<text x="{left}" y="{SVG_TOP - 12}">{office.title}</text>')
        for row, customer in enumerate(office.in_order):
            y = SVG_TOP + row * SVG_ROW
            greeted = (customer.greeted or now) / duration
            done = (customer.done or now) / duration
            mark = left + office.predicted[row] / now * SVG_BAR
            parts.append(growing("wait", (left, y), 0, greeted, scale))
            parts.append(
                growing("serve", (left + greeted * scale, y), greeted, done, scale)
            )
            parts.append(
                f'<path class="mark" d="M{mark:.1f} {y}v{SVG_ROW - 4}" fill="none"/>'
            )
        bottom = SVG_TOP + count * SVG_ROW + 18
        parts.append(f'<text x="{left}" y="{bottom}">{office.status()}</text>')
    for row in range(count):
        y = SVG_TOP + row * SVG_ROW + 9
        parts.append(f'<text x="22" y="{y}" text-anchor="end">{row + 1}</text>')
    title = f"{count} customers come at once, each needs a clerk for {work_ms} ms"
    legend = "orange waits, blue is being served, the line is what was predicted"
    width = 30 + len(offices) * (SVG_BAR + SVG_GAP)
    height = SVG_TOP + count * SVG_ROW + 46
    drawing = "\n".join(parts).replace("DUR", f"{duration:.2f}")
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">\n'
        f"<style>{SVG_STYLE}</style>\n"
        f'<text class="title" x="30" y="24">{title}</text>\n{drawing}\n'
        f'<text x="30" y="{height - 8}">{legend}</text>\n</svg>\n'
    )
