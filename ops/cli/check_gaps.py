"""When nobody will be on call in the days to come: no mistake, and worth a warning."""

from collections.abc import Iterator
from datetime import datetime

from notifiers.config import read
from notifiers.oncall.calendar_file import with_calendars
from notifiers.oncall.schedule import DAY, Schedule
from notifiers.time_intervals import zone
from ops.cli.check import text_of
from ops.settings import Settings
from schemas.errors import Refused

AHEAD = 30 * DAY


def gap_warnings(settings: Settings, now: int) -> Iterator[str]:
    """One line for each schedule with gaps in the next 30 days; `now` in ms."""
    file = settings.routes
    if file is None or not file.is_file():
        return
    try:
        text = with_calendars(text_of(file), file.parent)
        config, _ = read(text, str(file), mode=settings.matchers)
    except Refused:
        return
    for schedule in () if config is None else config.schedules.values():
        if said := _said(schedule, now):
            yield f'{file}: schedule "{schedule.name}": {said}'


def _said(schedule: Schedule, now: int) -> str:
    gaps = schedule.gaps(now, now + AHEAD)
    if not gaps:
        return ""
    first, last = (_local(at, schedule.location) for at in (gaps[0].start, gaps[0].end))
    more = f", and in {len(gaps) - 1} more gaps of the next 30 days" if len(gaps) > 1 else ""
    return f"nobody is on call from {first} to {last}{more}: see `tocsin oncall show --gaps`"


def _local(at: int, location: str) -> str:
    return datetime.fromtimestamp(at / 1_000, zone(location)).strftime("%Y-%m-%d %H:%M %Z")
