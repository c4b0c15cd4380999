"""What a partition sends on for rule groups that span instances: their samples, and markers.

Before the marker of an instant goes everything that such a group selects and that was appended up
to then. A group that is new, or selects something new, gets all that its windows need at first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from processors.block_cache import BlockCache
from processors.numbering import Numbering
from processors.promql.columns import Floats, Rows, Times
from processors.requests import Request
from schemas.errors import Undecodable
from schemas.gathered import Gathered, Marker
from schemas.labels import derived_id
from schemas.metrics import MetricBatch
from schemas.series import pack_series, unpack_series
from schemas.stage import Output, StateChange
from schemas.topics import GATHERED

PREFIX = "sent/"
STOOD_STILL = 60_000
RESUME_AFTER = 30_000
MOST_SAMPLES = 10_000
MOST_TEXT = 150_000
"""Samples, and bytes of labels, of one message: less than half of what it may hold."""
SLICE = 30_000
"""Samples of one series in one message."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sends: a partition, of so many, how far it has read, by which plan."""

    source: int
    sources: int
    offset: int
    plan: int


@dataclass(slots=True)
class _Waiting:
    """What is to be sent for a group: series numbers, times, values."""

    request: Request
    digest: str
    told: bool
    samples: list[tuple[Rows, Times, Floats]] = field(default_factory=list)


class Gathering:
    """The samples that wait for the next instants.

    `sent` are the digests that markers were sent with, by group; it is kept up to date. A group
    whose digest is another gets everything from the rebuilding on.
    """

    def __init__(self, requests: Iterable[Request], sent: dict[str, str]) -> None:
        self._sent = sent
        self._groups = [
            _Waiting(each, digest := each.digest, sent.get(each.group) == digest)
            for each in requests
        ]
        self._numbering = Numbering(each.request.uses for each in self._groups)
        self._blocks: BlockCache[tuple[int, Rows, Rows]] = BlockCache()
        self._packed: BlockCache[bytes] = BlockCache()
        self._pending: list[tuple[Rows, Times, Floats]] = []
        self._now = self._passed = self._resume = 0

    def __bool__(self) -> bool:
        return bool(self._groups)

    @property
    def reach(self) -> int:
        """How far back the log is read before anything can be sent, in ms."""
        return max(
            (each.request.step + (0 if each.told else each.request.reach) for each in self._groups),
            default=0,
        )

    def next_instant(self, start: int) -> int | None:
        """The first instant of any group from `start` on."""
        firsts = (each.request.instants(start, 2**62)[0] for each in self._groups)
        return min(firsts, default=None)

    def take(self, batch: MetricBatch, times: Times, chosen: Rows | None = None) -> None:
        """Keep what groups select of a batch; `times` are corrected, `chosen` are its samples.

        A batch whose block and columns do not fit together is passed over.
        """
        if not self._groups:
            return
        try:
            size, at, ids = self._block(batch.series)
        except Undecodable:
            return
        values: Floats = np.frombuffer(batch.values, "<f8")
        index = np.frombuffer(batch.index, "<u4") if batch.index else np.arange(len(values))
        if int(index.max(initial=-1)) >= size or (not batch.index and len(values) != size):
            return
        if len(times) == 1:
            times = np.repeat(times, len(values))
        number = np.full(size, -1, np.intp)
        number[at] = ids
        wanted = number[index]
        if chosen is not None:
            wanted, times, values = wanted[chosen], times[chosen], values[chosen]
        rows = np.flatnonzero(wanted >= 0)
        if len(rows):
            self._pending.append((wanted[rows], times[rows], values[rows]))

    def pass_to(self, now: int) -> None:
        """In a rebuilding the log has come to `now`: what was sent before then is not sent again.

        After a gap instants wait, as they do in the detector.
        """
        before, self._passed = self._passed, max(self._passed, now)
        self._now = max(self._now, now)
        if not self._groups or not before or now <= before:
            return
        start = max(before, self._resume)
        if now - before > STOOD_STILL:
            self._resume = now + RESUME_AFTER
        for each in self._groups:
            if each.told and each.request.instants(start, now):
                self._distribute()
                each.samples.clear()

    def send(
        self, start: int, end: int, once: bool, origin: Origin
    ) -> tuple[list[Output], list[StateChange]]:
        """Samples and markers of the instants in [start, end), or of the first of each group."""
        due = sorted(
            (at, order)
            for order, each in enumerate(self._groups)
            for at in each.request.instants(start, end)[: 1 if once else None]
        )
        if due:
            self._now = max(self._now, due[-1][0])
            self._distribute()
        outputs: list[Output] = []
        changes: list[StateChange] = []
        for at, order in due:
            waiting = self._groups[order]
            group = waiting.request.group
            said = {"group": group, "digest": waiting.digest, "at": at}
            said |= {"source": origin.source, "offset": origin.offset, "plan": origin.plan}
            whose = (group, origin.source, at, waiting.digest)
            for piece, columns in enumerate(self._columns(waiting, at)):
                event = Gathered.model_validate(said | columns)
                outputs.append(
                    Output(GATHERED, group, derived_id("gathered", *whose, piece), event)
                )
            marker = Marker.model_validate(said | {"sources": origin.sources})
            outputs.append(Output(GATHERED, group, derived_id("marker", *whose), marker))
            if not waiting.told:
                waiting.told = True
                self._sent[group] = waiting.digest
                changes.append(StateChange(PREFIX + group, waiting.digest.encode()))
        self._number_again()
        return outputs, changes

    def _block(self, block: bytes) -> tuple[int, Rows, Rows]:
        known = self._blocks.get(block)
        if known is None:
            series = unpack_series(block)
            numbers = np.array([self._numbering.number(labels) for labels in series], np.intp)
            at = np.flatnonzero(numbers >= 0)
            known = len(series), at, numbers[at]
            self._blocks.put(block, known, at.nbytes + known[2].nbytes)
        return known

    def _distribute(self) -> None:
        """To each group what it selects of what came in."""
        if not self._pending:
            return
        ids, times, values = _joined(self._pending)
        self._pending.clear()
        self._numbering.see(ids, self._now)
        for each, member in zip(self._groups, self._numbering.members, strict=True):
            known = ids < len(member)
            mine = known & member[np.where(known, ids, 0)]
            if mine.any():
                each.samples.append((ids[mine], times[mine], values[mine]))

    def _columns(self, waiting: _Waiting, at: int) -> Iterator[dict[str, bytes]]:
        """What waits for a group, in pieces that messages can hold."""
        if not waiting.samples:
            return
        ids, times, values = _joined(waiting.samples)
        waiting.samples.clear()
        if not any(use.fixed_at for use in waiting.request.uses):
            needed = times > at - waiting.request.reach
            ids, times, values = ids[needed], times[needed], values[needed]
        order = np.argsort(ids, kind="stable")
        ids, times, values = ids[order], times[order], values[order]
        for start, end in _pieces(ids, self._numbering.text):
            series, index = np.unique(ids[start:end], return_inverse=True)
            yield {
                "series": self._pack(series),
                "times": times[start:end].astype("<i8").tobytes(),
                "values": values[start:end].astype("<f8").tobytes(),
                "index": index.astype("<u4").tobytes(),
            }

    def _pack(self, series: Rows) -> bytes:
        """The block of these series; a steady set is packed once."""
        key = series.tobytes()
        block = self._packed.get(key)
        if block is None:
            labels = [self._numbering.labels[number] for number in series.tolist()]
            block = pack_series(labels)
            self._packed.put(key, block, len(block))
        return block

    def _number_again(self) -> None:
        """Once there are many numbers, give up those of series that are gone."""
        if not self._numbering.full:
            return
        self._distribute()
        held = [ids for each in self._groups for ids, _, _ in each.samples]
        moved = self._numbering.give_up(self._now, held)
        if moved is None:
            return
        self._blocks.clear()
        self._packed.clear()
        for each in self._groups:
            each.samples = [(moved[ids], times, values) for ids, times, values in each.samples]


def _joined(parts: list[tuple[Rows, Times, Floats]]) -> tuple[Rows, Times, Floats]:
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def _pieces(ids: Rows, text: Floats) -> list[tuple[int, int]]:
    """Where samples, sorted by series, are cut so that no piece is too large."""
    if not len(ids):
        return []
    firsts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
    counts = np.diff(np.concatenate((firsts, [len(ids)])))
    weights = np.maximum(counts / MOST_SAMPLES, text[ids[firsts]] / MOST_TEXT)
    piece = np.cumsum(weights).astype(np.intp)
    starts = firsts[np.flatnonzero(np.concatenate(([True], piece[1:] != piece[:-1])))]
    bounds = [*starts.tolist(), len(ids)]
    cuts = [cut for start, end in pairwise(bounds) for cut in range(start, end, SLICE)]
    return list(pairwise([*cuts, len(ids)]))
