"""`tocsin routes drill RECEIVER`: a marked test through the real path, and its receipts."""

import argparse
import json
import time
from typing import Any

from ops.cli.client import Client, client_of
from ops.cli.terminal import complain, table
from schemas.errors import Refused

EVERY = 0.25
_HEAD = ("CHANNEL", "OUTCOME", "TRIES", "TOOK", "REASON")
_PATH = "/api/tocsin/v1/drills"


def run(arguments: argparse.Namespace) -> int:
    """0 if every channel took it, 1 if one did not, 3 if of one nothing was heard in time."""
    timeout: float = arguments.timeout
    if not 1 <= timeout <= 3_600:
        raise Refused("--timeout: a second at least and an hour at most are wanted")
    client = client_of(arguments)
    asked = {"receiver": arguments.receiver, "by": arguments.by, "timeout": timeout}
    drill = _waited(client, client.send("POST", _PATH, asked), timeout)
    print(json.dumps(drill) if arguments.json else text_of(drill))
    fates = [one["fate"] for one in drill["channels"]]
    if None in fates:
        complain(f"nothing was heard of {fates.count(None)} channels within {timeout:g} s")
        return 3
    return 0 if all(fate == "delivered" for fate in fates) else 1


def text_of(drill: dict[str, Any]) -> str:
    """A line for each channel."""
    return table(_HEAD, [_row(one) for one in drill["channels"]])


def _waited(client: Client, drill: Any, timeout: float) -> Any:
    ends = time.monotonic() + timeout
    while not drill["done"] and time.monotonic() < ends:
        time.sleep(EVERY)
        drill = client.get(f"{_PATH}/{drill['id']}")
    return drill


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    name = f"{one['channel']}[{one['integration']}]"
    if one["fate"] is None:
        return name, "no answer", "", "", ""
    why = ": ".join(part for part in (one["reason"], one["detail"]) if part)
    return name, one["fate"], str(one["tries"]), f"{one['duration']:.2f}s", why
