"""What can be typed after `tocsin incidents`, and after `tocsin alerts` about an incident."""

import argparse
from collections.abc import Callable

Add = Callable[..., argparse.ArgumentParser]
_ID = "an incident's id or its beginning, or an alert's fingerprint"


def add(
    alerts: "argparse._SubParsersAction[argparse.ArgumentParser]",
    incidents: "argparse._SubParsersAction[argparse.ArgumentParser]",
    command: Add,
    client: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add the verbs; `command` makes one, `client` gives it the options of who asks a server."""
    module = "ops.cli.alerts_act"
    shown = command(alerts, "show", module, "an alert's incident, with its timeline")
    ack = command(alerts, "ack", module, "take an incident on: its alerts page nobody again")
    ack.add_argument("--undo", action="store_true", help="nobody has it: page everybody again")
    snooze = command(alerts, "snooze", module, "hear of an incident later")
    resolve = command(alerts, "resolve", module, "end an incident by hand")
    resolve.add_argument("--false-positive", action="store_true", help="there was nothing wrong")
    note = command(alerts, "note", module, "write a line of an incident's timeline")
    for parser in (shown, ack, snooze, resolve, note):
        parser.add_argument("id", metavar="ID", help=_ID)
        client(parser)
    note.add_argument("note", metavar="TEXT")
    for parser in (ack, snooze, resolve, note):
        parser.add_argument("--by", metavar="NAME", help="who you are; else your login name")
    for parser in (ack, snooze):
        parser.add_argument("--for", dest="length", metavar="D", help="2h, 30m; then page again")
    for parser in (ack, snooze, resolve):
        parser.add_argument("--note", metavar="TEXT", help="a line for the timeline")

    module = "ops.cli.incidents"
    listed = command(incidents, "list", module, "incidents; exit code 1 if one is open")
    listed.add_argument("--state", metavar="S", help="open, acknowledged or resolved")
    show = command(incidents, "show", module, "an incident, with its timeline")
    export = command(incidents, "export", module, "an incident as a document")
    export.add_argument("--format", choices=("json", "markdown"), default="markdown")
    export.add_argument("--output", metavar="F", help="else to standard output")
    for parser in (show, export):
        parser.add_argument("id", metavar="ID", help=_ID)
    counted = command(incidents, "statistics", module, "how often, how fast, how well")
    counted.add_argument("--since", default="30d", metavar="D", help="30d, or a time; 30d")
    for parser in (listed, show, export, counted):
        client(parser)
