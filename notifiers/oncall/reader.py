"""`schedules:` of a routing file.

schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers:
      - name: weekly
        users: [ada, bob]
        rotation: weekly            # daily, weekly, or a duration such as 12h or 3d
        start: 2026-01-05T09:00     # the first hand-over, on the wall's clock
        during: [working-hours]     # names of time_intervals; left out: always
      - {name: holidays, icalendar: holidays.ics}
    overrides:
      - {user: eve, from: 2026-12-24T18:00, to: 2026-12-26T09:00}
"""

from collections.abc import Mapping
from datetime import datetime

import yaml

from notifiers.duration import milliseconds
from notifiers.oncall.calendar_file import read_icalendar
from notifiers.oncall.people import User
from notifiers.oncall.schedule import (
    DAY,
    HOUR,
    Layer,
    Override,
    Rotation,
    Schedule,
    Turns,
    instant,
)
from notifiers.problem import did_you_mean
from notifiers.time_intervals import TimeInterval, zone
from notifiers.yaml_reader import Section

Intervals = Mapping[str, tuple[TimeInterval, ...]]
Known = Mapping[str, User] | None
"""Who may be on call; None: anybody."""
_EVERY = {"daily": DAY, "weekly": 7 * DAY}


def read_schedules(root: Section, intervals: Intervals, users: Known = None) -> dict[str, Schedule]:
    """All schedules by name; what is wrong with them is noted there.

    `users` are those that may be on call; None: anybody.
    """
    schedules: dict[str, Schedule] = {}
    for found in root.sections("schedules"):
        schedule = _schedule(found, intervals, users)
        if schedule.name in schedules:
            found.problem("name", f'schedule "{schedule.name}" is not unique')
        elif not schedule.name:
            found.problem("name", "missing name of the schedule")
        schedules.setdefault(schedule.name, schedule)
    return schedules


def _schedule(found: Section, intervals: Intervals, users: Known) -> Schedule:
    name = found.text("name") or ""
    location = found.parsed("time_zone", located) or "UTC"
    layers = tuple(_layer(one, location, intervals, users) for one in found.sections("layers"))
    names = [layer.name for layer in layers]
    if not layers:
        found.problem("layers", "a schedule without layers has nobody on call")
    elif len(set(names)) < len(names):
        found.problem("layers", "two layers have one name")
    overrides = tuple(
        override
        for one in found.sections("overrides")
        if (override := _override(one, location, users)) is not None
    )
    found.close()
    return Schedule(name, location, layers, overrides)


def _layer(found: Section, location: str, intervals: Intervals, known: Known) -> Layer:
    turns: Turns
    if "icalendar" in found.items:
        turns = read_icalendar(found, location, known)
        name = found.text("name") or f"layer {found.line('icalendar')}"
    else:
        turns = _rotation(found, location, known)
        name = found.text("name") or f"layer {found.line('users')}"
    during: list[TimeInterval] = []
    for text, node in found.texts("during"):
        if text not in intervals:
            hint = did_you_mean(text, intervals)
            found.problem("during", f'undefined time interval "{text}"', hint, at=node)
        during += intervals.get(text, ())
    found.close()
    return Layer(name, turns, tuple(during))


def _rotation(found: Section, location: str, known: Known) -> Rotation:
    texts = found.texts("users")
    users = tuple(user for user, _ in texts)
    for user, node in texts:
        _check(found, "users", user, node, known)
    if not users or not all(users):
        found.problem("users", "a layer needs at least one user")
    every = found.parsed("rotation", _every)
    if "rotation" not in found.items:
        found.problem("rotation", "missing rotation", "daily, weekly, or a duration such as 12h")
    start = found.parsed("start", _local)
    if "start" not in found.items:
        found.problem("start", "missing start", "the first hand-over, such as 2026-01-05T09:00")
    return Rotation(users or ("",), every or DAY, start or datetime(1970, 1, 1), location)  # noqa: DTZ001


def _override(found: Section, location: str, known: Known) -> Override | None:
    user, start, end = found.text("user"), found.parsed("from", _local), found.parsed("to", _local)
    found.close()
    if not user or start is None or end is None:
        if not found.reading.problems:
            found.problem("user", "an override needs user, from and to", at=found.node)
        return None
    _check(found, "user", user, found.items["user"][1], known)
    if start >= end:
        found.problem("to", "the override ends before it begins")
        return None
    return Override(user, instant(start, location), instant(end, location))


def _check(found: Section, key: str, user: str, node: yaml.Node, known: Known) -> None:
    if known is not None and user not in known:
        hint = did_you_mean(user, known) or "define them under `users`"
        found.problem(key, f'undefined user "{user}" on call', hint, at=node)


def located(text: str) -> str:
    """The name of a time zone. Raises ValueError."""
    zone(text)
    return text


def _every(text: str) -> int:
    if text in _EVERY:
        return _EVERY[text]
    every = milliseconds(text)
    if not HOUR <= every <= 366 * DAY:
        raise ValueError("a shift takes an hour at least, and a year at most")
    return every


def _local(text: str) -> datetime:
    try:
        local = datetime.fromisoformat(text)
    except ValueError as fault:
        raise ValueError(f'not a local time such as 2026-01-05T09:00: "{text[:40]}"') from fault
    if local.tzinfo is not None:
        raise ValueError("the schedule's time_zone says the zone: write the time without one")
    return local
