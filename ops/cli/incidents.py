"""`tocsin incidents list|show|export|statistics`, and `tocsin alerts show`."""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ops.cli.client import Client, client_of
from ops.cli.terminal import age, table
from ops.incident_export import clock
from ops.logs import one_line
from schemas.errors import Refused

PATH = "/api/tocsin/v1/incidents"
_HEAD = ("ID", "STATE", "OPENED", "WHO", "RECEIVER", "ALERTS", "GROUP")


def run(arguments: argparse.Namespace) -> int:
    """Ask the server; `list` ends with 1 if an incident is open and nobody has it."""
    client = client_of(arguments)
    if arguments.verb == "list":
        return _list(client, arguments)
    if arguments.verb == "export":
        return _export(client, arguments)
    if arguments.verb == "statistics":
        told = client.get(f"{PATH}/statistics", {"since": arguments.since})
        print(json.dumps(told) if arguments.json else statistics_text(told))
        return 0
    told = client.get(path_of(arguments.id))
    print(json.dumps(told) if arguments.json else incident_text(told))
    return 0


def path_of(name: str) -> str:
    """Where the server tells of an incident."""
    if not name.strip():
        raise Refused("ID: the id of an incident, its beginning, or an alert's fingerprint")
    return f"{PATH}/{quote(name, safe='')}"


def _list(client: Client, arguments: argparse.Namespace) -> int:
    parameters = {"state": arguments.state} if arguments.state else {}
    told = client.get(PATH, parameters)
    print(json.dumps(told) if arguments.json else list_text(told, time.time_ns() // 1_000_000))
    return int(any(one["state"] == "open" for one in told["incidents"]))


def _export(client: Client, arguments: argparse.Namespace) -> int:
    path = f"{path_of(arguments.id)}/export"
    if arguments.format == "markdown" and not arguments.json:
        text = client.text(path, {"format": "markdown"})
    else:
        text = json.dumps(client.get(path, {"format": "json"}), indent=2) + "\n"
    if arguments.output:
        try:
            Path(arguments.output).write_text(text, "utf-8")
        except OSError as fault:
            raise Refused(f"--output: {fault}") from fault
    else:
        sys.stdout.write(text)
    return 0


def list_text(told: Mapping[str, Any], now: int) -> str:
    """The table for people, the newest first."""
    found = told["incidents"]
    if not found:
        return "no incidents"
    rows = [
        (
            one["id"][:12],
            one["state"],
            f"{age(now - one['opened_at'])} ago",
            one["resolved_by"] or one["acknowledged_by"],
            one["receiver"],
            str(one["alerts_known"]),
            _labels(one["labels"]),
        )
        for one in found
    ]
    more = told["total"] - len(found)
    return table(_HEAD, rows) + (f"\nand {more} more" if more else "")


def incident_text(one: Mapping[str, Any]) -> str:
    """Everything about one incident."""
    false = ", a false positive" if one["false_positive"] else ""
    facts = [
        ("incident", one["id"]),
        ("state", f"{one['state']}{false}"),
        ("group", _labels(one["labels"])),
        ("receiver", ", ".join([one["receiver"], *one["also"]])),
        ("opened", clock(one["opened_at"])),
    ]
    if one["acknowledged_at"] is not None:
        until = one["acknowledged_until"]
        ends = "" if until is None else f", until {clock(until)}"
        text = f"{clock(one['acknowledged_at'])} by {one['acknowledged_by']}{ends}"
        facts.append(("acknowledged", text))
    if one["resolved_at"] is not None:
        by = f" by {one['resolved_by']}" if one["resolved_by"] else ""
        facts.append(("resolved", f"{clock(one['resolved_at'])}{by}"))
    if one["escalation_policy"]:
        facts.append(("escalation", one["escalation_policy"]))
    parts = ["\n".join(f"{name:<13}{one_line(text)}" for name, text in facts)]
    if one["alerts"]:
        parts.append(
            table(("ALERT", "STATE", "LABELS", "SUMMARY"), list(map(_alert, one["alerts"])))
        )
    lines = [
        (clock(line["at"]), line["what"], line["by"], line["detail"]) for line in one["timeline"]
    ]
    parts.append(table(("WHEN", "WHAT", "WHO", "DETAIL"), lines))
    if one["timeline_missing"]:
        parts.append(f"{one['timeline_missing']} lines are not kept here; history may have them")
    return "\n\n".join(parts)


def statistics_text(told: Mapping[str, Any]) -> str:
    """A column for everything, and one for each receiver."""
    columns = [("ALL", told["all"]), *told["receivers"].items()]
    rows: list[Sequence[str]] = [
        (name.replace("_", " "), *(_figure(found[name], name) for _, found in columns))
        for name in told["all"]
        if not name.startswith("time_to")
    ]
    for name in ("time_to_acknowledge", "time_to_resolve"):
        for kind in ("mean", "median", "p90"):
            cells = (_span(found[name], kind) for _, found in columns)
            rows.append((f"{name.replace('_', ' ')}, {kind}", *cells))
    shown = table((f"SINCE {clock(told['since'])}", *(name for name, _ in columns)), rows)
    return shown if told["complete"] else f"{shown}\nnot complete: there are more incidents"


def _alert(one: Mapping[str, Any]) -> tuple[str, ...]:
    state = f"{one['state']}, acknowledged" if one["acknowledged"] else one["state"]
    return one["fingerprint"], state, _labels(one["labels"]), one["summary"]


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items())) or "–"


def _figure(value: float | None, name: str) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if name.endswith("share") else f"{value:g}"


def _span(found: Mapping[str, float] | None, kind: str) -> str:
    return "–" if found is None else age(round(found[kind] * 1_000))
