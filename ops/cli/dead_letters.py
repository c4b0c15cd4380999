"""`tocsin dead-letters`: what could not be read or sent; deliveries can be sent again."""

import argparse
import json
import time
from datetime import UTC, datetime
from typing import Any

from notifiers.duration import milliseconds
from ops.cli.client import Client, client_of
from ops.cli.terminal import age, complain, table
from ops.logs import one_line
from schemas.errors import Refused

_PATH = "/api/tocsin/v1/dead-letters"
_HEAD = ("ID", "AGE", "REASON", "FROM", "RECEIVER", "RESENT", "DETAIL")


def run(arguments: argparse.Namespace) -> int:
    """0, or 1 if something could not be sent again."""
    client = client_of(arguments)
    match arguments.verb:
        case "list":
            return _list(client, arguments)
        case "show":
            return _show(client, arguments)
        case _:
            return _resend(client, arguments)


def text_of(letters: list[dict[str, Any]], now: int) -> str:
    """The table for people, the newest first."""
    if not letters:
        return "no dead letters"
    return table(_HEAD, [_row(one, now) for one in letters])


def letter_text(letter: dict[str, Any]) -> str:
    """All that is known of one letter, and what it holds."""
    when = datetime.fromtimestamp(letter["at"] / 1_000, UTC).isoformat(timespec="milliseconds")
    lines = [
        f"id: {letter['id']}",
        f"at: {when}",
        f"reason: {letter['reason']}",
        f"detail: {letter['detail']}",
        f"from: {_origin(letter)}, put aside by {letter['stage']}",
        f"size: {letter['size']} bytes",
        f"send again: {_again(letter)}",
    ]
    original = letter["original"]
    if original["kind"] is None:
        cut = " (its beginning)" if original["cut"] else ""
        lines.append(f"original{cut}:")
        lines += _hex(original["hex"])
    else:
        lines.append(f"original: {original['kind']}")
        lines += json.dumps(original["event"], indent=2).splitlines()
    return "\n".join(map(_printable, lines))


def _list(client: Client, arguments: argparse.Namespace) -> int:
    now = time.time_ns() // 1_000_000
    query = {"limit": str(arguments.limit)}
    if arguments.since:
        try:
            query["since"] = str(now - milliseconds(arguments.since))
        except ValueError as fault:
            raise Refused(f"--since: {fault}") from fault
    said = client.get(_PATH, query)
    print(json.dumps(said) if arguments.json else text_of(said["letters"], now))
    if said["more"]:
        complain(f"there are more than {len(said['letters'])}: --limit shows more of them")
    return 0


def _show(client: Client, arguments: argparse.Namespace) -> int:
    letter = client.get(f"{_PATH}/{_id(arguments.id)}")
    print(json.dumps(letter) if arguments.json else letter_text(letter))
    return 0


def _resend(client: Client, arguments: argparse.Namespace) -> int:
    """Every one of them is tried; what is refused is said, and the others go on."""
    done: list[Any] = []
    refused = 0
    for name in arguments.id:
        try:
            sent = client.send("POST", f"{_PATH}/{_id(name)}/resend", {"by": arguments.by})
        except Refused as fault:
            refused += 1
            complain(str(fault))
            continue
        done.append(_settled(client, sent, arguments.timeout))
    if arguments.json:
        print(json.dumps({"resent": done}))
    else:
        for sent in done:
            print(_printable(f"{sent['id']}: {_fate(sent)}"))
    lost = any(sent["fate"] != "delivered" for sent in done)
    return 1 if refused or lost else 0


def _settled(client: Client, sent: Any, timeout: float) -> Any:
    ends = time.monotonic() + timeout
    while sent["fate"] is None and time.monotonic() < ends:
        time.sleep(0.25)
        again = client.get(f"{_PATH}/{_id(sent['id'])}")["resent"]
        sent = sent | (again or {})
    return sent


def _fate(sent: dict[str, Any]) -> str:
    if sent["fate"] is None:
        return f"attempt {sent['attempt']} is under way"
    why = ": ".join(part for part in (sent["reason"], sent["detail"]) if part)
    return f"{sent['fate']}{f' ({why})' if why else ''}, attempt {sent['attempt']}"


def _again(letter: dict[str, Any]) -> str:
    if letter["hindrance"]:
        return f"no: {letter['hindrance']}"
    resent = letter["resent"]
    if resent is None:
        return f"tocsin dead-letters resend {letter['number']}"
    return resent["problem"] or _fate(resent)


def _row(one: dict[str, Any], now: int) -> tuple[str, ...]:
    resent = one["resent"]
    return (
        str(one["number"]),
        age(now - one["at"]),
        one["reason"],
        _origin(one),
        one["receiver"] or "",
        "" if resent is None else resent["fate"] or "under way",
        one["detail"],
    )


def _origin(one: dict[str, Any]) -> str:
    return f"{one['topic']}/{one['partition']}/{one['offset']}"


def _hex(text: str) -> list[str]:
    content = bytes.fromhex(text)
    lines = []
    for at in range(0, len(content), 16):
        row = content[at : at + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:06x}  {row.hex(' '):<47}  {shown}")
    return lines


def _id(text: str) -> str:
    number = text.rpartition("/")[2]
    if not (number.isascii() and number.isdigit()):
        raise Refused(f"{text}: a dead letter is named by its number, as `list` shows it")
    return number


def _printable(line: str) -> str:
    """Hostile text does nothing to the terminal; indentation stays."""
    body = line.lstrip(" ")
    return " " * (len(line) - len(body)) + one_line(body)
