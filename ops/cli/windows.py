"""`tocsin windows add|list|end|start|finish`: maintenance windows of the running Tocsin."""

import argparse
import json
from typing import Any
from urllib.parse import quote

from ops.cli.client import Client, client_of
from ops.cli.maintenance import body_of, matchers_text, preview, spans_text, user
from ops.cli.terminal import table

_PATH = "/api/tocsin/v1/windows"
_HEAD = ("ID", "KIND", "STATE", "MATCHERS", "FROM", "TO", "OWNER", "COMMENT")
_ORDER = {"active": 0, "pending": 1, "expired": 2}


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    client = client_of(arguments)
    match arguments.verb:
        case "add":
            return _add(client, arguments)
        case "list":
            return _list(client, arguments)
        case "end":
            found = [
                client.send("DELETE", f"{_of(name)}?by={quote(user())}") for name in arguments.ids
            ]
            if arguments.json:
                print(json.dumps({"windows": found}))
            return 0
        case verb:
            return _turn(client, verb, arguments)


def _add(client: Client, arguments: argparse.Namespace) -> int:
    body = body_of(arguments)
    if arguments.preview:
        return preview(client, body, as_json=arguments.json)
    made = client.send("POST", _PATH, body)
    if arguments.json:
        print(json.dumps(made))
    else:
        print(made["id"])
        if text := spans_text(made["spans"]):
            print(text)
    return 0


def _turn(client: Client, verb: str, arguments: argparse.Namespace) -> int:
    body = {"by": user()}
    if verb == "start" and arguments.timeout is not None:
        body["timeout"] = arguments.timeout
    found = client.send("POST", f"{_of(arguments.id)}/{verb}", body)
    print(json.dumps(found) if arguments.json else found["state"])
    return 0


def _list(client: Client, arguments: argparse.Namespace) -> int:
    found = client.get(_PATH)["windows"]
    if not arguments.all:
        found = [one for one in found if one["state"] != "expired"]
    found.sort(key=lambda one: (_ORDER[one["state"]], one["starts_at"]))
    print(json.dumps({"windows": found}) if arguments.json else _text(found))
    return 0


def _text(found: list[dict[str, Any]]) -> str:
    if not found:
        return "no maintenance windows"
    return table(_HEAD, [_row(one) for one in found])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    start, end = one["spans"][0]["local"] if one["spans"] else ("", "")
    matchers = matchers_text(one["matchers"])
    who = (one["owner"], one["comment"])
    return (one["id"], one["kind"], one["state"], matchers, start, end, *who)


def _of(name: str) -> str:
    return f"{_PATH}/{quote(name, safe='')}"
