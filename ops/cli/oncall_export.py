"""`tocsin oncall export`: a schedule's shifts as an iCalendar file."""

import argparse
import sys
from typing import Final

from ops.cli.oncall import config_of, instant_of, schedule_in
from schemas.errors import Refused

DAY: Final = 86_400_000
AHEAD: Final = 90 * DAY
LONGEST: Final = 3_660 * DAY


def run(arguments: argparse.Namespace) -> int:
    """Write the calendar to standard output."""
    from notifiers.oncall.icalendar_writer import calendar_of

    config = config_of(arguments)
    schedule = schedule_in(config, arguments.schedule)
    now = instant_of(None, "")
    start = now if arguments.start is None else instant_of(arguments.start, "--from")
    end = start + AHEAD if arguments.end is None else instant_of(arguments.end, "--to")
    if not start < end <= start + LONGEST:
        raise Refused("oncall export: --to must be after --from, by ten years at most")
    emails = {user.name: user.email for user in config.users.values()}
    sys.stdout.buffer.write(calendar_of(schedule, schedule.shifts(start, end), emails, now))
    sys.stdout.flush()
    return 0
