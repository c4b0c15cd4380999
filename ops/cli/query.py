"""`tocsin query`: PromQL on history."""

import argparse
import json
from typing import Any

from ops.cli.client import client_of
from ops.cli.terminal import table


def run(arguments: argparse.Namespace) -> int:
    """Print the value of the expression."""
    parameters = {"query": arguments.expr} | ({"time": arguments.at} if arguments.at else {})
    found = client_of(arguments).get("/api/v1/query", parameters)["data"]
    print(json.dumps(found) if arguments.json else text_of(found))
    return 0


def text_of(found: dict[str, Any]) -> str:
    """The answer for people."""
    if found["resultType"] == "scalar":
        return str(found["result"][1])
    rows = [(series_text(row["metric"]), str(row["value"][1])) for row in found["result"]]
    return table(("SERIES", "VALUE"), rows) if rows else "no series"


def series_text(labels: dict[str, str]) -> str:
    """A series as PromQL writes it."""
    name = labels.get("__name__", "")
    pairs = (f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in sorted(labels.items()))
    inner = ", ".join(pair for pair in pairs if not pair.startswith("__name__="))
    return f"{name}{{{inner}}}" if inner or not name else name
