"""`tocsin windows add|list|end|start|finish`: maintenance windows of the running Tocsin."""

import argparse
import json
from typing import Any
from urllib.parse import quote

from ops.cli.client import Client, client_of
from ops.cli.maintenance import Sort, matchers_text, user


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    client = client_of(arguments)
    match arguments.verb:
        case "add":
            return _WINDOWS.add(client, arguments)
        case "list":
            return _WINDOWS.list(client, arguments)
        case "end":
            return _end(client, arguments)
        case verb:
            return _turn(client, verb, arguments)


def _end(client: Client, arguments: argparse.Namespace) -> int:
    found = [
        client.send("DELETE", f"{_WINDOWS.path_of(name)}?by={quote(user())}")
        for name in arguments.ids
    ]
    if arguments.json:
        print(json.dumps({"windows": found}))
    return 0


def _turn(client: Client, verb: str, arguments: argparse.Namespace) -> int:
    body = {"by": user()}
    if verb == "start" and arguments.timeout is not None:
        body["timeout"] = arguments.timeout
    found = client.send("POST", f"{_WINDOWS.path_of(arguments.id)}/{verb}", body)
    print(json.dumps(found) if arguments.json else found["state"])
    return 0


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    start, end = one["spans"][0]["local"] if one["spans"] else ("", "")
    matchers = matchers_text(one["matchers"])
    who = (one["owner"], one["comment"])
    return (one["id"], one["kind"], one["state"], matchers, start, end, *who)


_WINDOWS = Sort(
    "windows",
    ("ID", "KIND", "STATE", "MATCHERS", "FROM", "TO", "OWNER", "COMMENT"),
    _row,
    first_by="starts_at",
    none="no maintenance windows",
)
