"""summary.json: all that the bench found, for programs. Its schema is in the README beside."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.experiments.experiment import Finding, Part
from bench.judge.prices import FREE, Prices
from bench.measure.machine import Fact
from bench.tell.units import WRITERS

SCHEMA = 1
NUMBER = (int, float, type(None))
VERDICTS = ("kept", "missed", "undecided", None)
TOP = {
    "schema": int,
    "title": str,
    "label": str,
    "size": str,
    "machine": dict,
    "prices": list,
    "findings": list,
    "stamps": list,
    "experiments": list,
}
PRICE = {"name": str, "value": NUMBER, "unit": str, "low": NUMBER, "high": NUMBER}
FINDING = {
    **{"id": str, "experiment": str, "lab": str, "what": str, "clients": int},
    **dict.fromkeys(("median", "low", "high", "ideal", "predicted"), NUMBER),
    **{
        "unit": str,
        "better": str,
        "verdict": (str, type(None)),
        "bound": bool,
        "runs": list,
    },
}
STAMP = {"chart": str, "words": str}


@dataclass(frozen=True)
class About:
    """What the document says besides what the experiments found."""

    title: str
    label: str = ""
    size: str = "full"  # or quick
    facts: list[Fact] = field(default_factory=list)
    prices: Prices = FREE


def write_document(about: About, parts: list[Part], folder: Path) -> Path:
    """Write summary.json; returns its path."""
    file = folder / "summary.json"
    document = without_infinity(make_document(about, parts))
    file.write_text(json.dumps(document, indent=2) + "\n")
    return file


def make_document(about: About, parts: list[Part]) -> dict:
    """The whole of it."""
    return {
        "schema": SCHEMA,
        "title": about.title,
        "label": about.label,
        "size": about.size,
        "machine": {fact.name: fact.value for fact in about.facts},
        "prices": [
            {name: getattr(price, name) for name in PRICE}
            for price in about.prices.listed
        ],
        "findings": [
            describe_finding(part.experiment.name, finding)
            for part in parts
            for finding in part.conclusion.findings
        ],
        "stamps": [
            {"chart": chart.name, "words": chart.settings["stamp"]}
            for part in parts
            for chart in part.conclusion.charts
            if "stamp" in chart.settings
        ],
        "experiments": [describe_experiment(part) for part in parts],
    }


def describe_finding(experiment: str, finding: Finding) -> dict:
    """A finding with its interval, its predictions and its runs."""
    found = finding.interval
    return {
        "id": slug(f"{experiment} {finding.lab} {finding.what}"),
        "experiment": experiment,
        "lab": finding.lab,
        "what": finding.what,
        "clients": finding.clients,
        "median": found.middle,
        "low": found.low,
        "high": found.high,
        "unit": finding.unit,
        "ideal": finding.ideal,
        "predicted": finding.predicted,
        "bound": finding.is_bound,
        "better": finding.better,
        "verdict": finding.verdict,
        "runs": list(finding.runs),
    }


def slug(words: str) -> str:
    """Words as an identifier."""
    return re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-")


def describe_experiment(part: Part) -> dict:
    """What one experiment was, without its findings."""
    failures = sum((each.failures for each in part.made), Counter())
    return {
        "name": part.experiment.name,
        "question": part.experiment.question,
        "runs": len(part.made),
        "clients": sum(each.run.clients for each in part.made),
        "failures": dict(failures),
        "notes": part.conclusion.notes,
        "charts": [
            {
                "name": chart.name,
                "title": chart.title,
                "caption": chart.caption,
                "csv": f"{chart.name}.csv",
            }
            for chart in part.conclusion.charts
        ],
    }


def without_infinity(value: object) -> object:
    """The same with null for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: without_infinity(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_infinity(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


# ---- The schema, for those who read what they did not write ----


def faults_of(document: object) -> list[str]:
    """All in which a document differs from schema 1."""
    if not isinstance(document, dict):
        return ["it is not an object"]
    faults = [*wrong_fields("", document, TOP)]
    if document.get("schema") != SCHEMA:
        faults.append(f"schema {document.get('schema')}, not {SCHEMA}")
    for name, fields in (("prices", PRICE), ("findings", FINDING), ("stamps", STAMP)):
        for number, each in enumerate(document.get(name) or []):
            faults += wrong_fields(f"{name}[{number}].", each, fields)
    ids = Counter(each.get("id") for each in document.get("findings") or [])
    faults += [f"two findings are {name}" for name, n in ids.items() if n > 1]
    return faults


def wrong_fields(path: str, given: dict, wanted: dict) -> Iterator[str]:
    """Fields that are missing or of another kind, and numbers in no known unit."""
    for name, kind in wanted.items():
        if name not in given:
            yield f"{path}{name} is missing"
        elif not isinstance(given[name], kind):
            yield f"{path}{name} is {given[name]!r}"
    if "unit" in wanted and given.get("unit") not in WRITERS:
        yield f"{path}unit is {given.get('unit')!r}"
    if "verdict" in wanted and given.get("verdict") not in VERDICTS:
        yield f"{path}verdict is {given.get('verdict')!r}"
