"""What a detector remembers of its producers: their last batches, how wrong their clocks are."""

from dataclasses import dataclass, field

import ormsgpack

from schemas.envelope import Envelope
from schemas.stage import StateChange

SKEW_WINDOW = 600_000
"""ms over which the smallest delay tells a wrong clock from a slow broker; two buckets of half."""
SKEW_LIMIT = 5_000
JUMP = 120_000
"""ms by which a delay cannot grow while clocks are right: no publisher waits that long."""
EPOCHS = 4
"""Epochs of a producer that are remembered: a spool may still drain an earlier life."""
FORGET_AFTER = 86_400_000
PREFIX = "producer/"


@dataclass(slots=True)
class _Producer:
    epochs: dict[int, tuple[int, int]] = field(default_factory=dict)  # epoch: sequence, offset
    seen_at: int = 0
    delays: dict[tuple[int, int], int] = field(default_factory=dict)  # epoch, bucket: least delay
    sent_at: dict[int, int] = field(default_factory=dict)  # by epoch, the newest batch's
    rebuilt: dict[int, int] = field(default_factory=dict)  # by epoch, the last sequence rebuilt


class Producers:
    """Recognises repeated batches and corrects clocks.

    The last sequences are checkpointed. The delays are not: they come back with the windows, which
    are rebuilt from ten minutes further back for their sake.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Producer] = {}
        self._dirty: set[str] = set()
        self._swept = 0

    def restore(self, key: str, value: bytes) -> None:
        """Take a checkpoint's entry."""
        seen_at, epochs = ormsgpack.unpackb(value)
        known = self._known.setdefault(key.removeprefix(PREFIX), _Producer())
        known.seen_at = seen_at
        known.epochs = {epoch: (sequence, offset) for epoch, sequence, offset in epochs}

    def begin_again(self) -> list[StateChange]:
        """Offsets begin anew: none of those that are known is one that comes."""
        self._dirty.update(self._known)
        for known in self._known.values():
            known.epochs = {epoch: (sequence, -1) for epoch, (sequence, _) in known.epochs.items()}
        return self.changes(self._swept)

    def repeats(self, envelope: Envelope, offset: int, now: int) -> bool:
        """Whether this batch was seen before, at an earlier offset; remembers it if not.

        A sequence of 0 is not numbered. A replay that meets its own checkpoint sees nothing twice.
        """
        producer = envelope.producer
        if not producer.sequence:
            return False
        known = self._known.setdefault(producer.name, _Producer())
        known.seen_at = now
        sequence, at = known.epochs.get(producer.epoch, (0, -1))
        if offset <= at:
            return False
        if producer.sequence <= sequence:
            return True
        known.epochs[producer.epoch] = (producer.sequence, offset)
        while len(known.epochs) > EPOCHS:
            del known.epochs[min(known.epochs.keys() - {producer.epoch})]
        self._dirty.add(producer.name)
        return False

    def rebuilds(self, envelope: Envelope) -> bool:
        """Whether a batch is to be taken again when windows are rebuilt: not if it is a repeat."""
        producer = envelope.producer
        if not producer.sequence:
            return True
        rebuilt = self._known.setdefault(producer.name, _Producer()).rebuilt
        if producer.sequence <= rebuilt.get(producer.epoch, 0):
            return False
        rebuilt[producer.epoch] = producer.sequence
        return True

    def shift(self, envelope: Envelope, now: int) -> int:
        """ms to add to the producer's times; 0 while its clock is within five seconds.

        What was known of an epoch is forgotten when one of the two clocks was set: the producer's
        went back, or the delay grew by more than any publisher waits.
        """
        producer = envelope.producer
        if not producer.sequence:
            return 0
        known = self._known.setdefault(producer.name, _Producer())
        epoch, bucket = producer.epoch, now // (SKEW_WINDOW // 2)
        delay = now - envelope.sent_at
        known.delays = {k: v for k, v in known.delays.items() if k[1] >= bucket - 1}
        before = min((v for k, v in known.delays.items() if k[0] == epoch), default=delay)
        went_back = envelope.sent_at < known.sent_at.get(epoch, envelope.sent_at) - SKEW_LIMIT
        if went_back or delay > before + JUMP:
            known.delays = {k: v for k, v in known.delays.items() if k[0] != epoch}
        known.sent_at = {epoch: envelope.sent_at}
        known.delays[epoch, bucket] = min(known.delays.get((epoch, bucket), delay), delay)
        best = min(v for k, v in known.delays.items() if k[0] == epoch)
        return best if abs(best) > SKEW_LIMIT else 0

    def changes(self, now: int) -> list[StateChange]:
        """What has to be checkpointed since the last call; the long silent are forgotten."""
        changes = [StateChange(PREFIX + name, self._packed(name)) for name in sorted(self._dirty)]
        self._dirty.clear()
        if now - self._swept > FORGET_AFTER // 24:
            self._swept = now
            for name in [n for n, p in self._known.items() if now - p.seen_at > FORGET_AFTER]:
                del self._known[name]
                changes.append(StateChange(PREFIX + name, None))
        return changes

    def _packed(self, name: str) -> bytes:
        known = self._known[name]
        return ormsgpack.packb(
            [known.seen_at, [[epoch, *last] for epoch, last in known.epochs.items()]]
        )
