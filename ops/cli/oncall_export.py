"""`tocsin oncall export`: a schedule's shifts as an iCalendar file."""

import argparse
import sys
from typing import Final
from urllib.parse import quote

from notifiers.config import Config
from ops.cli.client import Client
from ops.cli.oncall import instant_of
from ops.cli.oncall_source import PATH, found, schedule_in
from schemas.errors import Refused

DAY: Final = 86_400_000
AHEAD: Final = 90 * DAY
LONGEST: Final = 3_660 * DAY
"""Of the file; a server answers for a year at most, and says so."""


def run(arguments: argparse.Namespace) -> int:
    """Write the calendar to standard output."""
    now = instant_of(None, "")
    start = now if arguments.start is None else instant_of(arguments.start, "--from")
    end = start + AHEAD if arguments.end is None else instant_of(arguments.end, "--to")
    if not start < end <= start + LONGEST:
        raise Refused("oncall export: --to must be after --from, by ten years at most")
    calendar = found(
        arguments,
        lambda client: _asked(client, arguments.schedule, start, end),
        lambda config: _filed(config, arguments.schedule, start, end, now),
    )
    sys.stdout.buffer.write(calendar)
    sys.stdout.flush()
    return 0


def _asked(client: Client, name: str, start: int, end: int) -> bytes:
    span = {"from": str(start), "to": str(end)}
    return client.text(f"{PATH}/{quote(name, safe='')}.ics", span).encode()


def _filed(config: Config, name: str, start: int, end: int, now: int) -> bytes:
    from notifiers.oncall.icalendar_writer import calendar_of

    schedule = schedule_in(config, name)
    emails = {user.name: user.email for user in config.users.values()}
    return calendar_of(schedule, schedule.shifts(start, end), emails, now)
