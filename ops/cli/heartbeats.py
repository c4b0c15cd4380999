"""`tocsin heartbeats list`: every job that is to be heard of, and how late it is."""

import argparse
import json
from typing import Any

from ops.cli.client import client_of
from ops.cli.terminal import age, table

_HEAD = ("STATE", "HEARTBEAT", "SCHEDULE", "LAST PING", "EXPECTED", "REASON")
_ORDER = {"down": 0, "grace": 1, "started": 2, "new": 3, "up": 4}


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if one is down."""
    said = client_of(arguments).get("/api/tocsin/v1/heartbeats")
    print(json.dumps(said) if arguments.json else text_of(said["heartbeats"], said["at"]))
    return 1 if any(one["state"] == "down" for one in said["heartbeats"]) else 0


def text_of(heartbeats: list[dict[str, Any]], now: int) -> str:
    """The table for people, those that are down first."""
    if not heartbeats:
        return "no heartbeats"
    ordered = sorted(heartbeats, key=lambda one: (_ORDER.get(one["state"], 5), one["name"]))
    return table(_HEAD, [_row(one, now) for one in ordered])


def _row(one: dict[str, Any], now: int) -> tuple[str, ...]:
    last, expected = one["last_ping"], one["expected_at"]
    away = age(abs(expected - now))
    return (
        one["state"],
        one["name"],
        one["schedule"],
        "never" if last is None else f"{age(now - last)} ago",
        f"in {away}" if expected >= now else f"{away} ago",
        one["reason"],
    )
