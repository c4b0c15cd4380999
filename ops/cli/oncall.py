"""`tocsin oncall show`: who is on call now, at a given time, and in the days to come."""

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from notifiers.config import Config
from notifiers.oncall.schedule import Shift
from notifiers.time_intervals import zone
from ops.cli.client import Client
from ops.cli.oncall_source import PATH, found, schedule_in
from ops.cli.terminal import table
from schemas.errors import Refused

DAY: Final = 86_400_000
LAST: Final = 221_845_392_000_000
"""The year 9000: calendars look some years ahead."""
NOBODY: Final = "(nobody)"


@dataclass(frozen=True, slots=True)
class _Rota:
    """A schedule's shifts; `location` is the zone in which they are shown."""

    name: str
    location: str
    shifts: list[Shift]


def run(arguments: argparse.Namespace) -> int:
    """Print each schedule's shifts; 1 if one of them has nobody at that time."""
    name, at = arguments.schedule, instant_of(arguments.at, "--at")
    until = at + _days(arguments.days) * DAY
    rotas = found(
        arguments,
        lambda client: _asked(client, name, at, until),
        lambda config: _filed(config, name, at, until),
    )
    if arguments.gaps:
        return _gaps(rotas, as_json=arguments.json)
    if arguments.json:
        print(_json(rotas))
    else:
        for one in rotas:
            print(f"{one.name} ({one.location})")
            print(table(("FROM", "TO", "WHO", "LAYER"), _rows(one.shifts, one.location)))
    return int(any(one.shifts[0].user is None for one in rotas))


def _asked(client: Client, name: str | None, at: int, until: int) -> list[_Rota]:
    known = [one["name"] for one in client.get(PATH)["schedules"]]
    if not known:
        raise Refused("oncall: the routing file in force has no schedules: see docs/on-call.md")
    if name is not None and name not in known:
        it_has = ", ".join(known)
        raise Refused(
            f'oncall: the routing file in force has no schedule "{name}"; it has {it_has}'
        )
    return [_rota(client, one, at, until) for one in ([*known] if name is None else [name])]


def _rota(client: Client, name: str, at: int, until: int) -> _Rota:
    span = {"from": str(at), "to": str(until)}
    said = client.get(f"{PATH}/{quote(name, safe='')}", span)
    shifts = [
        Shift(one["start"], one["end"], one["user"], one["layer"] or "") for one in said["shifts"]
    ]
    return _Rota(name, said["time_zone"], shifts)


def _filed(config: Config, name: str | None, at: int, until: int) -> list[_Rota]:
    schedules = [*config.schedules.values()] if name is None else [schedule_in(config, name)]
    return [_Rota(one.name, one.location, one.shifts(at, until)) for one in schedules]


def _gaps(rotas: list[_Rota], *, as_json: bool) -> int:
    """Only where nobody is on call; 1 if that is anywhere."""
    gaps = [
        replace(one, shifts=[shift for shift in one.shifts if shift.user is None]) for one in rotas
    ]
    if as_json:
        print(_json(gaps))
    else:
        rows = [
            (one.name, _local(gap.start, one.location), _local(gap.end, one.location))
            for one in gaps
            for gap in one.shifts
        ]
        print(table(("SCHEDULE", "NOBODY FROM", "TO"), rows) if rows else "no gaps")
    return int(any(one.shifts for one in gaps))


def instant_of(text: str | None, option: str) -> int:
    """The instant that an option names, in ms; now without one. Raises Refused."""
    moment = datetime.now(UTC) if text is None else _moment(text, option)
    at = round(moment.timestamp() * 1_000)
    if not 0 <= at <= LAST:
        raise Refused(f"{option}: a time from 1970 to 9000 is wanted")
    return at


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        example = "2026-12-24T18:00:00Z"
        raise Refused(f"{option}: not RFC 3339, as in {example}: {text[:40]!r}") from fault
    if moment.tzinfo is None:
        raise Refused(f"{option}: the time zone is missing: end with Z, or with +01:00")
    return moment


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 366):
        raise Refused(f"--days: 1 to 366 are wanted, not {text[:20]!r}")
    return int(text)


def _json(rotas: list[_Rota]) -> str:
    return json.dumps({one.name: [_shift(shift) for shift in one.shifts] for one in rotas})


def _shift(shift: Shift) -> dict[str, object]:
    return {"start": shift.start, "end": shift.end, "user": shift.user, "layer": shift.by}


def _rows(shifts: Iterable[Shift], location: str) -> list[tuple[str, ...]]:
    return [
        (_local(one.start, location), _local(one.end, location), one.user or NOBODY, one.by or "-")
        for one in shifts
    ]


def _local(at: int, location: str) -> str:
    return datetime.fromtimestamp(at / 1_000, zone(location)).strftime("%a %Y-%m-%d %H:%M %Z")
