"""Observations to events, and events to envelopes: pure."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from collectors.sources.source import Observation, Sample
from schemas.envelope import DEFAULT_TENANT, Envelope, Producer
from schemas.event import Event
from schemas.labels import Labels, derived_id, labels_of
from schemas.metrics import MAX_SAMPLES, metric_batch
from schemas.series import MAX_SERIES, MAX_UNPACKED, pack_series
from schemas.topics import MAX_MESSAGE

STALE = struct.unpack("<d", (0x7FF0000000000002).to_bytes(8, "little"))[0]
"""Prometheus's stale marker (model/value/value.go, StaleNaN): this series has ended."""

ROOM = MAX_MESSAGE - 16_384
"""Bytes for a batch's columns: the rest is for key and envelope, whose texts are bounded."""
PIECE = min(MAX_SERIES, MAX_SAMPLES, 50_000)
"""Series of one batch at most. With UNPACKED it keeps a block well inside what consumers read."""
UNPACKED = MAX_UNPACKED // 4


@dataclass(frozen=True, slots=True)
class _Block:
    """The packed label sets of samples [`start`, `end`)."""

    start: int
    end: int
    packed: bytes


class Batcher:
    """The metric batches of one source.

    While the set of series stays, the blocks are packed once and their bytes repeated. A series
    that is gone gets one stale marker, in a batch of its own so that the block stays what it was.
    """

    def __init__(self, instance: str, extra: Labels = ()) -> None:
        self._instance = instance
        self._extra = extra
        self._seen: tuple[Labels, ...] = ()
        self._blocks: tuple[_Block, ...] = ()

    def events(self, observation: Observation) -> list[Event]:
        """The batches of this observation, then its check result."""
        # Of two samples with the same labels the last stands: a consumer takes one per time.
        values = dict(observation.samples)
        series, at = tuple(values), observation.at
        gone: list[Labels] = []
        if series != self._seen:
            gone = [labels for labels in self._seen if labels not in values]
            self._blocks = self._pack(series)
            self._seen = series
        events = self._batches(self._blocks, list(values.values()), at)
        events += self._batches(self._pack(gone), [STALE] * len(gone), at)
        if observation.result is not None:
            events.append(
                observation.result.model_copy(
                    update={"labels": dict(self._extra) | observation.result.labels}
                )
            )
        return events

    def _batches(self, blocks: Sequence[_Block], values: list[float], at: int) -> list[Event]:
        return [
            metric_batch(self._instance, block.packed, values[block.start : block.end], [at])
            for block in blocks
        ]

    def _pack(self, series: Sequence[Labels]) -> tuple[_Block, ...]:
        if not series:
            return ()
        full = [labels_of({**dict(self._extra), **dict(labels)}) for labels in series]
        return tuple(_blocks(full, 0, len(full)))


def _blocks(series: Sequence[Labels], start: int, end: int) -> list[_Block]:
    """Blocks of [`start`, `end`), halved until a batch of each fits a message."""
    piece = series[start:end]
    raw = sum(len(name) + len(value) + 8 for labels in piece for name, value in labels)
    if end - start == 1 or (end - start <= PIECE and raw * 4 <= UNPACKED * 3):
        packed = pack_series(piece)
        if end - start == 1 or len(packed) + 8 * (end - start) <= ROOM:
            return [_Block(start, end, packed)]
    middle = (start + end) // 2
    return _blocks(series, start, middle) + _blocks(series, middle, end)


def up(instance: str, job: str, answered: bool) -> Sample:
    """Whether a source could be read: Prometheus's `up`."""
    labels = labels_of((("__name__", "up"), ("instance", instance), ("job", job)))
    return labels, float(answered)


class Sealer:
    """Gives events their envelope, in the order in which they will be sent.

    The id is derived from producer, epoch (the agent's start in ms) and sequence, which begins
    at 1. `sent_at` is not known yet: whoever sends stamps it.
    """

    def __init__(self, producer: str, epoch: int, tenant: str = DEFAULT_TENANT) -> None:
        self._producer, self._epoch, self._tenant = producer, epoch, tenant
        self._sequence = 0

    def seal(self, event: Event) -> Envelope:
        """The event in the next envelope."""
        self._sequence += 1
        return Envelope(
            id=derived_id(self._producer, self._epoch, self._sequence),
            producer=Producer(self._producer, self._epoch, self._sequence),
            sent_at=0,
            event=event,
            tenant=self._tenant,
        )
