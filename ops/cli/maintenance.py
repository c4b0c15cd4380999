"""What silences and windows have in common on the command line."""

import argparse
import getpass
import json
import re
from typing import Any

from ops.cli.client import Client
from ops.cli.terminal import table
from schemas.errors import Refused

_WHEN = ("for", "until", "every", "timeout")
_OPERATOR = re.compile(r"[=!~{]")


def body_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What was typed, as the API wants it."""
    keys = {
        "from": arguments.start,
        "until": arguments.until,
        "for": arguments.length,
        "every": getattr(arguments, "every", None),
        "timeout": getattr(arguments, "timeout", None),
        "service": getattr(arguments, "service", None),
        "remind_before": arguments.remind,
        "remind_to": arguments.remind_to,
    }
    given = {key: value for key, value in keys.items() if value is not None}
    if given.keys().isdisjoint(_WHEN):
        ways = "--for D or --until T"
        if hasattr(arguments, "every"):
            ways = "--for D, --until T, --every WHEN, or for deploys --timeout D"
        raise Refused(f"nothing says when it holds: write {ways}")
    return {
        "matchers": matchers_of(arguments.words),
        "owner": arguments.author or user(),
        "comment": arguments.comment,
        "force": arguments.force,
        **given,
    }


def matchers_of(words: list[str]) -> list[str]:
    """As amtool reads them: a first word that is no matcher is an alert's name."""
    if words and not _OPERATOR.search(words[0]):
        return [f"alertname={json.dumps(words[0], ensure_ascii=False)}", *words[1:]]
    return list(words)


def user() -> str:
    """Who types."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def preview(client: Client, body: dict[str, Any], *, as_json: bool) -> int:
    """Say what would be hidden and when; nothing is made. 1 if it is too much without force."""
    found = client.send("POST", "/api/tocsin/v1/windows/preview", body)
    print(json.dumps(found) if as_json else preview_text(found))
    return int(bool(found["too_broad"]) and not body["force"])


def preview_text(found: dict[str, Any]) -> str:
    """The preview for people."""
    lines = [f"hides {found['hidden']} of the {found['known']} alerts that are on now"]
    rows = [
        (one["state"], one["labels"].get("alertname", ""), labels_text(one["labels"]))
        for one in found["alerts"]
    ]
    if rows:
        lines.append(table(("STATE", "ALERT", "LABELS"), rows))
    lines.append(spans_text(found["spans"]) or "it holds at no time in the next 400 days")
    if found["too_broad"]:
        lines.append(f"refused without --force: {found['too_broad']}")
    return "\n".join(lines)


def spans_text(spans: list[dict[str, Any]]) -> str:
    """The next spans, local and in UTC."""
    if not spans:
        return ""
    rows = [(*one["local"], *one["utc"]) for one in spans]
    return table(("FROM", "TO", "FROM, UTC", "TO, UTC"), rows)


def labels_text(labels: dict[str, str]) -> str:
    """Labels but for the alert's name."""
    return " ".join(f"{name}={value}" for name, value in labels.items() if name != "alertname")


def matchers_text(sets: list[list[str]]) -> str:
    """Matchers, sets apart by `or`."""
    return " or ".join(" ".join(matchers) for matchers in sets)
