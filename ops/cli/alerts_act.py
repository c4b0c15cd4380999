"""`tocsin alerts show|ack|snooze|resolve|note`: what people do about an alert's incident."""

import argparse
import getpass
import json
from collections.abc import Mapping
from typing import Any

from ops.cli.client import Client, client_of
from ops.cli.incidents import incident_text, path_of
from ops.incident_export import clock
from ops.logs import one_line
from schemas.errors import Refused

NEEDED = "alerts: --by NAME is needed: who you are cannot be told from the machine"


def run(arguments: argparse.Namespace) -> int:
    """Do it; what the incident looks like then is the answer."""
    client = client_of(arguments)
    if arguments.verb == "show":
        told = client.get(path_of(arguments.id))
        print(json.dumps(told) if arguments.json else incident_text(told))
        return 0
    told = _done(client, arguments)
    print(json.dumps(told) if arguments.json else _said(told))
    return 0


def _done(client: Client, arguments: argparse.Namespace) -> Mapping[str, Any]:
    by, note = arguments.by or _user(), arguments.note or ""
    body = {"by": by, "note": note}
    if arguments.verb == "note":
        return _post(client, arguments.id, "note", body)
    if arguments.verb == "resolve":
        return _resolved(client, arguments, body)
    if arguments.verb == "ack" and arguments.undo:
        if arguments.length:
            raise Refused("alerts ack: --undo and --for do not go together")
        return _post(client, arguments.id, "unacknowledge", body)
    if arguments.length:
        body["for"] = arguments.length
    action = "acknowledge" if arguments.verb == "ack" else "snooze"
    return _post(client, arguments.id, action, body)


def _resolved(
    client: Client, arguments: argparse.Namespace, body: Mapping[str, str]
) -> Mapping[str, Any]:
    if not arguments.false_positive:
        return _post(client, arguments.id, "resolve", body)
    # People learn that nothing was wrong after the end, too.
    told: Mapping[str, Any] = client.get(path_of(arguments.id))
    if told["state"] != "resolved":
        _post(client, told["id"], "resolve", body)
        body = {"by": body["by"]}
    return _post(client, told["id"], "false-positive", body)


def _post(client: Client, name: str, action: str, body: Mapping[str, str]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = client.send("POST", f"{path_of(name)}/{action}", body)
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as fault:
        raise Refused(NEEDED) from fault


def _said(told: Mapping[str, Any]) -> str:
    last, until = told["timeline"][-1], told["acknowledged_until"]
    said = f"incident {told['id']} is {told['state']}"
    if told["state"] == "acknowledged" and until is not None:
        said += f" until {clock(until)}"
    return one_line(f"{said}: {last['what']} by {last['by']}")
