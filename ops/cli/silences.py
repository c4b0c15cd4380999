"""`tocsin silences add|list|expire`: ordinary silences of the running Tocsin."""

import argparse
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ops.cli.client import Client, client_of
from ops.cli.maintenance import Sort, matchers_text, user


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    client = client_of(arguments)
    match arguments.verb:
        case "add":
            return _SILENCES.add(client, arguments)
        case "expire":
            return _expire(client, arguments)
        case _:
            return _SILENCES.list(client, arguments)


def _expire(client: Client, arguments: argparse.Namespace) -> int:
    for name in arguments.ids:
        client.send("DELETE", f"{_SILENCES.path_of(name)}?by={quote(user())}")
    if arguments.json:
        print(json.dumps({"expired": arguments.ids}))
    return 0


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    ends = datetime.fromtimestamp(one["ends_at"] / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    matchers = matchers_text(one["matchers"])
    return (one["id"], one["state"], matchers, ends, one["owner"], one["comment"])


_SILENCES = Sort(
    "silences",
    ("ID", "STATE", "MATCHERS", "ENDS", "OWNER", "COMMENT"),
    _row,
    first_by="ends_at",
    none="no silences",
)
