"""Predict first: the page's own small chart of a crowd, on which the reader draws a guess."""

import html
import json
import math

from bench.experiments.experiment import Finding, Part

EXPERIMENT = "crowd"
KINDS = {"waits": "clerks who wait", "computes": "clerks who compute"}
LAST = ": last of "


def guess_panel(part: Part) -> str:
    """A panel for each kind of work; empty where an experiment has no such curves."""
    if part.experiment.name != EXPERIMENT:
        return ""
    panels = [
        panel(kind, kind_words, curves(part, kind))
        for kind, kind_words in KINDS.items()
    ]
    return "\n".join(filter(None, panels))


def curves(part: Part, kind: str) -> dict[str, list[Finding]]:
    """What was found for each lab, by the number of clients."""
    found: dict[str, list[Finding]] = {}
    for finding in part.conclusion.findings:
        is_time = finding.unit == "s" and math.isfinite(finding.value)
        if finding.what.startswith(f"{kind}{LAST}") and is_time:
            found.setdefault(finding.lab, []).append(finding)
    return {
        lab: sorted(those, key=lambda each: each.clients)
        for lab, those in sorted(found.items())
        if len(those) > 1
    }


def panel(kind: str, kind_words: str, found: dict[str, list[Finding]]) -> str:
    """The chart's data; report.js draws it, and without a script it is not there."""
    if not found:
        return ""
    data = {
        lab: [
            {
                "clients": each.clients,
                "measured": each.value,
                "predicted": None if math.isnan(each.expected) else each.expected,
            }
            for each in those
        ]
        for lab, those in found.items()
    }
    title = f"Predict first: {kind_words}"
    return (
        f'<div class="guess" id="guess-{kind}" hidden data-title="{html.escape(title)}"'
        f' data-curves="{html.escape(json.dumps(data))}"></div>'
    )
