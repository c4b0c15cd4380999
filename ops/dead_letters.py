"""Dead letters on their shelf: the newest of them, and what is in one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ops.services import Records
from schemas.dead_letter import DeadLetter
from schemas.deliveries import Delivery
from schemas.errors import Reason, Undecodable
from schemas.event import Event
from schemas.stage import Partition, Record
from schemas.topics import CODEC, DEAD_LETTERS

WHERE: Final = Partition(DEAD_LETTERS, 0)
_WINDOW: Final = 50
_MOST_BYTES: Final = 64 << 20
_AGAIN: Final = frozenset({Reason.DELIVERY_FAILED, Reason.DELIVERY_EXPIRED})


@dataclass(frozen=True, slots=True)
class Shelved:
    """One letter: its offset is its number, `at` when it was written (ms)."""

    number: int
    at: int
    letter: DeadLetter
    original: Event | None

    @property
    def id(self) -> str:
        """Where it lies."""
        return f"{WHERE.topic}/{WHERE.number}/{self.number}"

    @property
    def delivery(self) -> Delivery | None:
        """The message to a receiver that it holds, if it holds one."""
        return self.original if isinstance(self.original, Delivery) else None

    @property
    def hindrance(self) -> str:
        """Why it cannot be sent again; empty if it can."""
        if self.delivery is None:
            return "it is no message to a receiver"
        if self.letter.reason not in _AGAIN:
            return f"{self.letter.reason}: its stage did not understand it, nor would it now"
        return ""


def newest(records: Records, since: int, limit: int) -> tuple[list[Shelved], bool]:
    """The newest letters first, none written before `since` (ms), and whether there are more.

    Raises `LogAway`.
    """
    begin = max(records.begin(WHERE), records.offset_at(WHERE, since) if since else 0)
    found: list[Shelved] = []
    size = 0
    for record in _backwards(records, begin):
        if len(found) >= limit or size > _MOST_BYTES:
            return found, True
        size += len(record.value)
        if (one := _shelved(record)) is not None:
            found.append(one)
    return found, False


def one(records: Records, number: int) -> Shelved | None:
    """The letter of this number, if it is there. Raises `LogAway`."""
    if not records.begin(WHERE) <= number < records.end(WHERE):
        return None
    read, _ = records.read(WHERE, number, 1)
    return _shelved(read[0]) if read and read[0].offset == number else None


def number_of(text: str) -> int | None:
    """What `tocsin.dead-letters/0/17`, or `17`, names."""
    number = text.removeprefix(f"{WHERE.topic}/{WHERE.number}/")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 16 else None


def _backwards(records: Records, begin: int) -> Iterator[Record]:
    """A window at a time from the end; offsets may have holes."""
    to = records.end(WHERE)
    while to > begin:
        start = max(begin, to - _WINDOW)
        window: list[Record] = []
        at = start
        while at < to:
            read, _ = records.read(WHERE, at, to - at)
            kept = [record for record in read if record.offset < to]
            if not kept:
                break
            window += kept
            at = kept[-1].offset + 1
        yield from reversed(window)
        to = start


def _shelved(record: Record) -> Shelved | None:
    try:
        letter = CODEC.decode(record.value).event
    except Undecodable:
        return None
    if not isinstance(letter, DeadLetter):
        return None
    try:
        original: Event | None = CODEC.decode(letter.original).event
    except Undecodable:
        original = None
    return Shelved(record.offset, record.appended_at, letter, original)
