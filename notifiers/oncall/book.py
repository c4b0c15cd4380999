"""Overrides that people made by command, as the router remembers them."""

from dataclasses import dataclass

import ormsgpack

from notifiers.alarms import Alarms
from notifiers.oncall.schedule import DAY, OVERRIDE, Override, Schedule

REMEMBERED = 30 * DAY
"""How long an override that is over is known (ms): who was on call is asked afterwards."""

MOST = 10_000
"""Overrides that are not over; of those that are over the oldest are forgotten to stay below it."""


@dataclass(frozen=True, slots=True)
class MadeOverride:
    """An override by command: `by` made it at `made_at`."""

    id: str
    schedule: str
    override: Override
    by: str
    made_at: int


class OverrideBook:
    """Overrides by id; of two that overlap the one that was made later wins."""

    prefix = "override"

    def __init__(self) -> None:
        self.known: dict[str, MadeOverride] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()

    def put(self, made: MadeOverride) -> None:
        """Know this override, or that it changed."""
        self.known[made.id] = made
        self.touched.add(made.id)
        self.alarms.set(made.id, made.override.end + REMEMBERED)

    def makes_room(self, name: str, now: int) -> bool:
        """Whether one of this id may be known, too; the one that is over longest goes for it."""
        if name in self.known or len(self.known) < MOST:
            return True
        over = [made for made in self.known.values() if made.override.end <= now]
        if over:
            self.forget(min(over, key=lambda made: (made.override.end, made.id)).id)
        return bool(over)

    def forget(self, name: str) -> None:
        """Drop it from memory."""
        self.known.pop(name, None)
        self.touched.add(name)
        self.alarms.set(name, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        schedule, user, start, end, by, made_at = ormsgpack.unpackb(entry)
        self.put(MadeOverride(name, schedule, Override(user, start, end), by, made_at))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        made = self.known.get(name)
        if made is None:
            return None
        one = made.override
        return ormsgpack.packb([made.schedule, one.user, one.start, one.end, made.by, made.made_at])

    def of(self, schedule: str) -> tuple[Override, ...]:
        """The overrides of a schedule, the strongest last."""
        found = [made for made in self.known.values() if made.schedule == schedule]
        return tuple(made.override for made in sorted(found, key=lambda one: (one.made_at, one.id)))

    def over(self, schedule: Schedule) -> Schedule:
        """The schedule with these overrides on top of its own."""
        made = self.of(schedule.name)
        if not made:
            return schedule
        return Schedule(
            schedule.name, schedule.location, schedule.layers, (*schedule.overrides, *made)
        )

    def on_call(self, schedule: Schedule, at: int) -> tuple[str, str] | None:
        """Who has it at this instant, as `Schedule.on_call` says."""
        for override in reversed(self.of(schedule.name)):
            if override.start <= at < override.end:
                return override.user, OVERRIDE
        return schedule.on_call(at)
