"""`tocsin rules explain`: each rule's plan, where it is decided, what it costs, what it matches."""

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from ops.cli.client import Client, Unreachable, client_of
from ops.cli.options import settings_of
from ops.cli.rules_check import text_at
from ops.settings import Settings
from processors.explain import Explained, Read, explained
from processors.promql.shown import span
from processors.rules.file import BadRules
from processors.rules_plan import RulesPlan
from schemas.errors import Refused

Series = dict[str, int | None]
"""How many series a selector has now; None where nobody could say."""


def run(arguments: argparse.Namespace) -> int:
    """Explain every rule of the files; the exit code is 0 whatever there is to say."""
    settings = settings_of(arguments).settings
    try:
        rules = explained(_plan(settings, arguments.files))
    except BadRules as fault:
        raise Refused(str(fault)) from fault
    found, why = _series(arguments, [read.selector for rule in rules for read in rule.reads])
    if arguments.json:
        print(json.dumps({"rules": [_plain(rule, found) for rule in rules], "unknown": why}))
    else:
        print("\n".join(_text(rules, found, why)) or "no rules")
    return 0


def _plan(settings: Settings, files: list[str]) -> RulesPlan:
    return RulesPlan(
        files=tuple((file, text_at(file)) for file in files),
        evaluation_interval=round(settings.evaluation_interval.total_seconds() * 1000),
        lookback_delta=round(settings.lookback_delta.total_seconds() * 1000),
    )


def _series(arguments: argparse.Namespace, selectors: Iterable[str]) -> tuple[Series, str]:
    """What each selector has now, and why that is not known if it is not."""
    found: Series = dict.fromkeys(selectors)
    try:
        client = client_of(arguments)
        for selector in found:
            found[selector] = _count(client, selector)
    except (Unreachable, Refused) as fault:
        if arguments.url:
            raise
        why = "no server" if "no `tocsin up` runs" in str(fault) else str(fault)
        return found, why
    return found, ""


def _count(client: Client, selector: str) -> int:
    rows = client.get("/api/v1/query", {"query": f"count({selector})"})["data"]["result"]
    return int(float(rows[0]["value"][1])) if rows else 0


def warnings(rule: Explained, found: Series) -> list[str]:
    """Selectors that match nothing now, unless a rule of these files makes their series."""
    return [
        f"{read.selector} matches no series"
        for read in rule.reads
        if found.get(read.selector) == 0 and not read.recorded_by
    ]


def _plain(rule: Explained, found: Series) -> dict[str, Any]:
    plain = asdict(rule) | {"series_bytes": rule.series_bytes, "warnings": warnings(rule, found)}
    for read in plain["reads"]:
        read["series"] = found.get(read["selector"])
    return plain


def _text(rules: Iterable[Explained], found: Series, why: str) -> Iterator[str]:
    group = ("", "")
    for rule in rules:
        if (rule.file, rule.group) != group:
            group = (rule.file, rule.group)
            place = (
                f"spans instances ({rule.spans})" if rule.spans else "stays within each instance"
            )
            yield f"{rule.file}: group {rule.group}: {place}"
        yield f"  {_head(rule)}"
        for read in rule.reads:
            yield f"    reads    {_read(read)}"
        yield f"    memory   {_size(rule.series_bytes)} for a series of each, at a sample every 10s"
        yield f"    place    {_place(rule)}"
        yield f"    when     {_when(rule)}"
        yield f"    shape    {_shape(rule)}"
        yield f"    matches  {_matches(rule, found, why)}"
        for warning in warnings(rule, found):
            yield f"    WARNING  {warning}"


def _head(rule: Explained) -> str:
    if rule.kind == "detect":
        # Its `expr` holds all options, defaults included: those are in --json.
        return f"alert {rule.name}: detect {next(iter(json.loads(rule.expr)))}"
    return f"{rule.kind} {rule.name}: {' '.join(rule.expr.split())}"


def _read(read: Read) -> str:
    how = "samples"
    if read.partials:
        how = f"partials of {span(read.resolution_ms)}, exact but for one at each end"
    made = f"; recorded by {read.recorded_by}" if read.recorded_by else ""
    return f"{read.selector}, {span(read.reach_ms)} back: {how}, {_size(read.series_bytes)}{made}"


def _place(rule: Explained) -> str:
    if rule.spans_itself:
        return f"spans instances: {rule.spans_itself}"
    if rule.spans:
        return "stays within an instance, but its group does not"
    return "stays within an instance: decided where its samples are"


def _when(rule: Explained) -> str:
    offset = f", as of {span(rule.offset_ms)} before" if rule.offset_ms else ""
    arrival = f"not on arrival: {rule.waits}" if rule.waits else "and as samples arrive"
    return f"at multiples of {span(rule.every_ms)}{offset}; {arrival}"


def _shape(rule: Explained) -> str:
    alike = f"{rule.alike} rules have it" if rule.alike > 1 else "no other rule has it"
    alone = f", {rule.alone} run alone" if rule.alone else ""
    return f"{rule.shape}: {alike}; {rule.steps} steps, {rule.shared} shared with others{alone}"


def _matches(rule: Explained, found: Series, why: str) -> str:
    if why:
        return f"unknown: {why}"
    if not rule.reads:
        return "it reads no series"
    counts = (f"{read.selector}: {found.get(read.selector)}" for read in rule.reads)
    return "series now: " + ", ".join(dict.fromkeys(counts))


def _size(size: int) -> str:
    if size < 10_000:
        return f"{size} B"
    return f"{size / 1_000:.0f} kB" if size < 10_000_000 else f"{size / 1_000_000:.0f} MB"
