"""`tocsin oncall override | overrides | remove`: who takes over, asked of the running server."""

import argparse
import json
import time
from typing import Any
from urllib.parse import quote

from ops.cli.client import client_of
from ops.cli.query import when
from ops.cli.terminal import table

PATH = "/api/tocsin/v1/oncall"


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says; 0 unless the server refuses."""
    return {"override": _make, "overrides": _list, "remove": _remove}[arguments.verb](arguments)


def _make(arguments: argparse.Namespace) -> int:
    body: dict[str, Any] = {
        "schedule": arguments.schedule,
        "user": arguments.user,
        "from": arguments.start or round(time.time() * 1_000),
        "to": arguments.end,
        "by": arguments.by,
    }
    made = client_of(arguments).send("POST", f"{PATH}/overrides", body)
    print(json.dumps(made) if arguments.json else made["id"])
    return 0


def _list(arguments: argparse.Namespace) -> int:
    found = client_of(arguments).get(PATH)["overrides"]
    if arguments.schedule:
        found = [one for one in found if one["schedule"] == arguments.schedule]
    if arguments.json:
        print(json.dumps({"overrides": found}))
        return 0
    rows = [
        (
            *(one["id"], one["state"], one["schedule"], one["user"]),
            *(when(one["start"] / 1_000), when(one["end"] / 1_000), one["by"] or "-"),
        )
        for one in sorted(found, key=lambda one: (one["start"], one["id"]))
    ]
    head = ("ID", "STATE", "SCHEDULE", "USER", "FROM", "TO", "BY")
    print(table(head, rows) if rows else "no overrides")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    client = client_of(arguments)
    path = f"{PATH}/overrides/{quote(arguments.id, safe='')}?by={quote(arguments.by)}"
    gone = client.send("DELETE", path)
    print(json.dumps(gone) if arguments.json else f"{gone['id']}: ended")
    return 0
