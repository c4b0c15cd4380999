"""`tocsin silences add|list|expire`: ordinary silences of the running Tocsin."""

import argparse
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ops.cli.client import Client, client_of
from ops.cli.maintenance import body_of, matchers_text, preview, user
from ops.cli.terminal import table

_PATH = "/api/tocsin/v1/silences"
_HEAD = ("ID", "STATE", "MATCHERS", "ENDS", "OWNER", "COMMENT")
_ORDER = {"active": 0, "pending": 1, "expired": 2}


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    client = client_of(arguments)
    match arguments.verb:
        case "add":
            return _add(client, arguments)
        case "expire":
            return _expire(client, arguments)
        case _:
            return _list(client, arguments)


def _add(client: Client, arguments: argparse.Namespace) -> int:
    body = body_of(arguments)
    if arguments.preview:
        return preview(client, body, as_json=arguments.json)
    made = client.send("POST", _PATH, body)
    print(json.dumps(made) if arguments.json else made["id"])
    return 0


def _expire(client: Client, arguments: argparse.Namespace) -> int:
    for name in arguments.ids:
        client.send("DELETE", f"{_PATH}/{quote(name, safe='')}?by={quote(user())}")
    if arguments.json:
        print(json.dumps({"expired": arguments.ids}))
    return 0


def _list(client: Client, arguments: argparse.Namespace) -> int:
    found = client.get(_PATH)["silences"]
    if not arguments.all:
        found = [one for one in found if one["state"] != "expired"]
    found.sort(key=lambda one: (_ORDER[one["state"]], one["ends_at"]))
    print(json.dumps({"silences": found}) if arguments.json else _text(found))
    return 0


def _text(found: list[dict[str, Any]]) -> str:
    if not found:
        return "no silences"
    return table(_HEAD, [_row(one) for one in found])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    ends = datetime.fromtimestamp(one["ends_at"] / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    matchers = matchers_text(one["matchers"])
    return (one["id"], one["state"], matchers, ends, one["owner"], one["comment"])
