"""`tocsin alerts list`: every alert that the router knows."""

import argparse
import json
import time
from typing import Any

from ops.cli.client import client_of
from ops.cli.terminal import age, table

_HEAD = ("ID", "STATE", "SEVERITY", "ALERT", "SERVICE", "INSTANCE", "SINCE", "SUMMARY")
_ORDER = {"firing": 0, "pending": 1, "resolved": 2}


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if an alert is firing."""
    alerts = client_of(arguments).get("/api/tocsin/v1/alerts")["alerts"]
    if arguments.json:
        print(json.dumps({"alerts": alerts}))
    else:
        print(text_of(alerts, time.time_ns() // 1_000_000))
    return 1 if any(alert["state"] == "firing" for alert in alerts) else 0


def text_of(alerts: list[dict[str, Any]], now: int) -> str:
    """The table for people, the firing first, then by age."""
    if not alerts:
        return "no alerts"
    ordered = sorted(alerts, key=lambda a: (_ORDER.get(a["state"], 3), a["active_at"]))
    return table(_HEAD, [_row(alert, now) for alert in ordered])


def _row(alert: dict[str, Any], now: int) -> tuple[str, ...]:
    labels, notes = alert["labels"], alert["annotations"]
    since = alert["ends_at"] or alert["starts_at"] or alert["active_at"]
    return (
        alert["fingerprint"],
        alert["state"],
        labels.get("severity", ""),
        labels.get("alertname", ""),
        labels.get("service") or labels.get("job", ""),
        labels.get("instance", ""),
        age(now - since),
        notes.get("summary") or notes.get("description", ""),
    )
