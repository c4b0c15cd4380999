"""`tocsin alerts explain`: why somebody was paged, or nobody; the answer first."""

import argparse
import json
from typing import Any
from urllib.parse import urlencode

from notifiers.explain.times import clock, length
from ops.cli.client import client_of
from ops.logs import one_line

MOST_TEXT = 300
_BAR = 30


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if there is no such alert."""
    client = client_of(arguments)
    ask = urlencode([("ask", word) for word in arguments.alert])
    answer = client.get(f"/api/tocsin/v1/explain?{ask}")
    if arguments.json:
        print(json.dumps(answer))
    elif not answer["explanations"]:
        print(_safe(answer["nothing"]))
    else:
        print("\n\n".join(text_of(one) for one in answer["explanations"]))
        if answer["more"]:
            print("\nThere are more: name more labels.")
    return 0 if answer["explanations"] else 1


def text_of(one: dict[str, Any]) -> str:
    """One explanation for people: the answer, the ways, the timeline, the time; times are UTC."""
    blocks = [[_safe(one["answer"])], _paths(one), _timeline(one), _time(one)]
    if one["limits"]:
        blocks.append([_safe(one["limits"])])
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _paths(one: dict[str, Any]) -> list[str]:
    lines = []
    for way in one["ways"]:
        steps = ["root", *way["route"][1:], way["receiver"]]
        lines.append(f"Path    {' > '.join(map(_safe, steps))}")
        if way["group"]:
            due = f", next look {clock(way['due'], one['now'])}"
            incident = f", incident {_safe(way['incident'])}" if way["incident"] else ""
            lines.append(f"        group {_safe(way['group'])}{due}{incident}")
        for each in way["channels"]:
            kind = f"/{_safe(each['channel'])}" if each["channel"] else ""
            where = _safe(each["receiver"]) + kind
            lines.append(f"        {where}: {_safe(each['text'])}")
            if each["retry_at"] is not None:
                lines.append(f"          next try at {clock(each['retry_at'], one['now'])}")
    return lines


def _timeline(one: dict[str, Any]) -> list[str]:
    lines = [
        f"{clock(each['at'], one['now']):>8}  {_safe(each['what']):<9}  {_safe(each['text'])}"
        for each in one["timeline"]
    ]
    if one["timeline_dropped"]:
        lines.insert(0, f"{one['timeline_dropped']} earlier moments are left out")
    return lines


def _time(one: dict[str, Any]) -> list[str]:
    time = one["time"]
    if time is None:
        return []
    total = time["total"]
    lines = [f"Where the time went: {length(total)} until {_safe(time['receiver'])} had it"]
    for part in time["parts"]:
        known = part["ms"] is not None
        bar = "#" * round(_BAR * part["ms"] / total) if known and total else ""
        shown = length(part["ms"]) if known else "unknown"
        row = f"  {part['name']:<10} {shown:>10}  {bar:<{_BAR}}  {_safe(part['text'])}"
        lines.append(row.rstrip())
    return lines


def _safe(text: str) -> str:
    """Hostile text shows its control characters and does nothing."""
    shown = one_line(str(text))
    return shown if len(shown) <= MOST_TEXT else f"{shown[: MOST_TEXT - 1]}…"
