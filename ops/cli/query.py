"""`tocsin query`: PromQL on history."""

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from ops.cli.client import client_of
from ops.cli.terminal import table
from schemas.errors import Refused


def run(arguments: argparse.Namespace) -> int:
    """Print the value of the expression, at an instant or from one to another."""
    stretch = {"start": arguments.start, "end": arguments.end, "step": arguments.step}
    given = [key for key, value in stretch.items() if value]
    if given and (len(given) < 3 or arguments.at):
        raise Refused("query: write either --at T, or all of --from T --to T --step S")
    path = "/api/v1/query_range" if given else "/api/v1/query"
    parameters = {"query": arguments.expr} | (stretch if given else {})
    if arguments.at:
        parameters["time"] = arguments.at
    found = client_of(arguments).get(path, parameters)["data"]
    print(json.dumps(found) if arguments.json else text_of(found))
    return 0


def text_of(found: dict[str, Any]) -> str:
    """The answer for people."""
    if found["resultType"] == "scalar":
        return str(found["result"][1])
    if found["resultType"] == "matrix":
        points = [
            (series_text(row["metric"]), when(at), str(value))
            for row in found["result"]
            for at, value in row["values"]
        ]
        return table(("SERIES", "TIME", "VALUE"), points) if points else "no series"
    rows = [(series_text(row["metric"]), str(row["value"][1])) for row in found["result"]]
    return table(("SERIES", "VALUE"), rows) if rows else "no series"


def when(seconds: float) -> str:
    """A time as RFC 3339, in UTC."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def series_text(labels: dict[str, str]) -> str:
    """A series as PromQL writes it."""
    name = labels.get("__name__", "")
    pairs = (f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in sorted(labels.items()))
    inner = ", ".join(pair for pair in pairs if not pair.startswith("__name__="))
    return f"{name}{{{inner}}}" if inner or not name else name
