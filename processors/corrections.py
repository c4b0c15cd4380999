"""How a batch's times are corrected, the same however often the batch is met."""

from collections import OrderedDict
from dataclasses import dataclass

from processors.producers import Producers
from schemas.envelope import Envelope

REMEMBERED = 100_000
"""Batches: half an hour of 50 a second, and more than are held unwritten (200,000 rows)."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What to add to a batch's times, in ms, and what they may not exceed."""

    shift: int
    latest: int


class Corrections:
    """The clock errors of producers, learned once from each batch.

    A batch that is sent or gathered again keeps the correction of its first time: its samples have
    the same times, so that history holds each once.
    """

    def __init__(self) -> None:
        self._producers = Producers()
        self._known: OrderedDict[tuple[str, int, int], Correction] = OrderedDict()

    def of(self, envelope: Envelope, appended: int) -> Correction:
        """The correction of this batch, appended at `appended` ms."""
        producer = envelope.producer
        if not producer.sequence:
            return Correction(0, appended)
        batch = (producer.name, producer.epoch, producer.sequence)
        known = self._known.get(batch)
        if known is None:
            known = Correction(self._producers.shift(envelope, appended), appended)
            self._known[batch] = known
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known
