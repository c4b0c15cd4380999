"""`tocsin oncall show`: who is on call now, at a given time, and in the days to come."""

import argparse
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from notifiers.config import Config, read
from notifiers.oncall.calendar_file import with_calendars
from notifiers.oncall.schedule import Schedule, Shift
from notifiers.time_intervals import zone
from ops.cli.options import settings_of
from ops.cli.terminal import complain, table
from schemas.errors import Refused

DAY: Final = 86_400_000
LAST: Final = 221_845_392_000_000
"""The year 9000: calendars look some years ahead."""
NOBODY: Final = "(nobody)"


def run(arguments: argparse.Namespace) -> int:
    """Print each schedule's shifts; 1 if one of them has nobody at that time."""
    config, name = config_of(arguments), arguments.schedule
    schedules = [*config.schedules.values()] if name is None else [schedule_in(config, name)]
    at = instant_of(arguments.at, "--at")
    until = at + _days(arguments.days) * DAY
    found = {one.name: one.shifts(at, until) for one in schedules}
    if arguments.gaps:
        return _gaps(schedules, found, as_json=arguments.json)
    if arguments.json:
        print(json.dumps({name: [_json(shift) for shift in found[name]] for name in found}))
    else:
        for one in schedules:
            print(f"{one.name} ({one.location})")
            print(table(("FROM", "TO", "WHO", "LAYER"), _rows(found[one.name], one.location)))
    return int(any(shifts[0].user is None for shifts in found.values()))


def _gaps(schedules: list[Schedule], found: dict[str, list[Shift]], *, as_json: bool) -> int:
    """Only where nobody is on call; 1 if that is anywhere."""
    gaps = {name: [one for one in found[name] if one.user is None] for name in found}
    if as_json:
        print(json.dumps({name: [_json(one) for one in gaps[name]] for name in gaps}))
    else:
        rows = [
            (one.name, _local(gap.start, one.location), _local(gap.end, one.location))
            for one in schedules
            for gap in gaps[one.name]
        ]
        print(table(("SCHEDULE", "NOBODY FROM", "TO"), rows) if rows else "no gaps")
    return int(any(gaps.values()))


def config_of(arguments: argparse.Namespace) -> Config:
    """The routing file that is meant, with schedules in it. Raises Refused."""
    file = Path(arguments.routes) if arguments.routes else settings_of(arguments).settings.routes
    if file is None:
        raise Refused("oncall: no routing file is configured: write --routes F")
    try:
        text = with_calendars(file.read_text("utf-8"), file.parent)
    except (OSError, UnicodeDecodeError) as fault:
        raise Refused(f"{file}: cannot be read: {fault}") from fault
    config, problems = read(text, str(file))
    if config is None:
        for problem in problems[:-1]:
            complain(str(problem))
        raise Refused(str(problems[-1]))
    if not config.schedules:
        raise Refused(f"{file}: there are no schedules in it: see docs/on-call.md")
    return config


def schedule_in(config: Config, name: str) -> Schedule:
    """The schedule of this name. Raises Refused."""
    if name not in config.schedules:
        known = ", ".join(config.schedules)
        raise Refused(f'oncall: the routing file has no schedule "{name}"; it has {known}')
    return config.schedules[name]


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


def _json(shift: Shift) -> dict[str, object]:
    return {"start": shift.start, "end": shift.end, "user": shift.user, "layer": shift.by}


def _rows(shifts: Iterable[Shift], location: str) -> list[tuple[str, ...]]:
    return [
        (_local(one.start, location), _local(one.end, location), one.user or NOBODY, one.by or "-")
        for one in shifts
    ]


def _local(at: int, location: str) -> str:
    return datetime.fromtimestamp(at / 1_000, zone(location)).strftime("%a %Y-%m-%d %H:%M %Z")
