"""What silences and windows have in common on the command line."""

import argparse
import getpass
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ops.cli.client import Client
from ops.cli.terminal import table
from schemas.errors import Refused

_WHEN = ("for", "until", "every", "timeout")
_OPERATOR = re.compile(r"[=!~{]")
_ORDER = {"active": 0, "pending": 1, "expired": 2}
_Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sort:
    """Silences or windows: their `name` in paths and in JSON, and how a list of them is shown.

    Of those in one state the one with the smallest value under `first_by` comes first.
    """

    name: str
    head: tuple[str, ...]
    row: Callable[[_Found], tuple[str, ...]]
    first_by: str
    none: str

    @property
    def path(self) -> str:
        """Where the API has them."""
        return f"/api/tocsin/v1/{self.name}"

    def path_of(self, name: str) -> str:
        """Where it has one of them."""
        return f"{self.path}/{quote(name, safe='')}"

    def add(self, client: Client, arguments: argparse.Namespace) -> int:
        """Make one, or say with --preview what it would do."""
        body = body_of(arguments)
        if arguments.preview:
            return preview(client, body, as_json=arguments.json)
        made = client.send("POST", self.path, body)
        if arguments.json:
            print(json.dumps(made))
            return 0
        print(made["id"])
        if text := spans_text(made.get("spans", [])):
            print(text)
        return 0

    def list(self, client: Client, arguments: argparse.Namespace) -> int:
        """Print those that are not over, or with --all every one."""
        found = client.get(self.path)[self.name]
        if not arguments.all:
            found = [one for one in found if one["state"] != "expired"]
        found.sort(key=lambda one: (_ORDER[one["state"]], one[self.first_by]))
        if arguments.json:
            print(json.dumps({self.name: found}))
        else:
            print(table(self.head, [self.row(one) for one in found]) if found else self.none)
        return 0


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
