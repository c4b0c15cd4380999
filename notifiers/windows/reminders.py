"""Reminders: shortly before a window or silence ends somebody is told, once for each end."""

from dataclasses import dataclass, field, replace

import ormsgpack

from notifiers.alarms import Alarms
from notifiers.time_intervals import in_words


@dataclass(frozen=True, slots=True)
class Reminder:
    """What ends when (ms), when to tell whom of it, what to say, and whether that is done."""

    at: int
    expiry: int
    receiver: str
    text: str
    told: bool = False


@dataclass
class ReminderBook:
    """Reminders by cause: `window/ID`, `silence/ID`."""

    prefix: str = "reminder"
    known: dict[str, Reminder] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    alarms: Alarms = field(default_factory=Alarms)

    def put(self, cause: str, reminder: Reminder | None) -> None:
        """Remind so; None: not at all."""
        if reminder is None:
            if self.known.pop(cause, None) is not None:
                self.touched.add(cause)
            self.alarms.set(cause, None)
            return
        self.known[cause] = reminder
        self.touched.add(cause)
        self.alarms.set(cause, reminder.expiry if reminder.told else reminder.at)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(name, Reminder(*ormsgpack.unpackb(entry)))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        one = self.known.get(name)
        if one is None:
            return None
        return ormsgpack.packb([one.at, one.expiry, one.receiver, one.text, one.told])

    def plan(
        self, cause: str, expiry: int | None, before: int | None, receiver: str, text: str, now: int
    ) -> None:
        """Remind `before` this expiry; who was reminded of this very one is not again.

        What ends sooner than that needs no reminder: somebody has just made it.
        """
        if expiry is None or before is None or expiry <= now:
            self.put(cause, None)
            return
        known = self.known.get(cause)
        if known is not None and known.expiry == expiry and known.told:
            return
        wanted = Reminder(expiry - before, expiry, receiver, text)
        self.put(cause, wanted if wanted.at > now else replace(wanted, told=True))


def ends_text(what: str, expiry: int, comment: str, location: str = "UTC") -> str:
    """What a reminder says, to somebody in this time zone."""
    when = in_words(expiry, location, "%Y-%m-%d %H:%M %Z")
    return f"{what} ends at {when}: {comment}" if comment else f"{what} ends at {when}"
