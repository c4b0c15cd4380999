"""`tocsin routes diff`: what a new routing file changes, and for which alerts."""

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict

from notifiers.alert_script import read_script
from notifiers.change import Change
from notifiers.route_changes import Affected, affected, changes, representatives
from ops.cli.query import series_text
from ops.cli.routes_file import config_at, text_at
from ops.cli.terminal import complain, table
from schemas.alerts import AlertLevel
from schemas.errors import Refused


def run(arguments: argparse.Namespace) -> int:
    """Print the differences; exit code 1 if there are any."""
    old, new = config_at(arguments.old), config_at(arguments.new)
    missed: list[str] = []
    if arguments.alerts is None:
        alerts, missed = representatives(old.route, new.route)
    else:
        alerts = _alerts(arguments.alerts)
    changed, concerned = changes(old, new), affected(old, new, alerts)
    if arguments.json:
        told = {
            "changes": [asdict(one) for one in changed],
            "affected": [asdict(one) for one in concerned],
            "unreached": missed,
        }
        print(json.dumps(told))
    else:
        print(_text(changed, concerned, missed) or "no difference")
    return 1 if changed or concerned else 0


def _alerts(file: str) -> list[dict[str, str]]:
    script, problems = read_script(text_at(file).split("\n"), file)
    for problem in problems:
        complain(str(problem))
    if problems:
        raise Refused(f"{file}: nothing was compared: mend these lines first")
    return [timed.event.labels for timed in script if isinstance(timed.event, AlertLevel)]


def _text(changed: list[Change], concerned: list[Affected], missed: Iterable[str]) -> str:
    parts = []
    if changed:
        rows = [(f"{one.kind} {one.name}".strip(), *_from_to(one)) for one in changed]
        parts.append(table(("CHANGED", "WHAT", "BEFORE", "AFTER"), rows))
    if concerned:
        parts.append(table(("AFFECTED", "BEFORE", "AFTER"), [_row(one) for one in concerned]))
    if (changed or concerned) and (unreached := sorted(missed)):
        lines = "\n".join(f"  {route}" for route in unreached)
        parts.append(f"no label set was found that reaches these routes; give --alerts:\n{lines}")
    return "\n\n".join(parts)


def _row(one: Affected) -> tuple[str, str, str]:
    labels = dict(one.labels)
    name = series_text({"__name__": labels.pop("alertname", ""), **labels})
    return name, ",".join(one.before), ",".join(one.after)


def _from_to(change: Change) -> tuple[str, str, str]:
    if change.key:
        return change.key, change.before, change.after
    return ("removed" if change.before else "added"), change.before or "-", change.after or "-"
