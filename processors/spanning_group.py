"""A rule group that spans instances, where it is decided: its windows, and what waits for them."""

from collections.abc import Mapping, Sequence

import numpy as np

from processors.evaluator import Decided, Evaluator, RunningGroup
from processors.markers import Markers
from processors.partials.spans import MINUTE
from processors.partials.store import Partials
from processors.promql.columns import Rows, Times
from processors.requests import request_of
from processors.rules.together import Together
from processors.windows import Windows
from schemas.errors import Undecodable
from schemas.gathered import Gathered
from schemas.metrics import MetricBatch
from schemas.stage import StateChange

FAR = "far/"
"""Under which partials are kept, by group, then by keys of their own."""


class SpanningGroup:
    """Samples are seen once their instant is decided, in the order of instants."""

    def __init__(
        self, running: RunningGroup, markers: Markers, evaluator: Evaluator, far: Partials
    ) -> None:
        self.markers = markers
        self.windows = Windows(running.uses(), evaluator.plan.limits)
        self._evaluator = evaluator
        self._queue: dict[int, list[Gathered]] = {}
        self._far = self.windows.partials = far
        self.bad = 0
        """Batches whose block and columns did not fit together, since somebody looked."""
        self.follow(running)

    @property
    def far(self) -> Partials:
        """What is known of longer ago."""
        return self._far

    def dropped(self) -> dict[str, int]:
        """What was not taken since the last call, by reason."""
        bad, self.bad = self.bad, 0
        found = self.windows.dropped() | self._far.dropped()
        return found | ({"bad columns": bad} if bad else {})

    @property
    def nbytes(self) -> int:
        """Bytes of the windows, partials included."""
        return self.windows.nbytes + self._far.nbytes

    def follow(self, running: RunningGroup) -> None:
        """By a plan under which it gathers the same."""
        self.running = running
        self._together = Together([running.group.expressions])
        evaluator = self._evaluator
        limit = evaluator.plan.limits.partial_bytes
        uses = request_of(running).far
        self._long = bool(uses)
        self._far.adopt(uses, evaluator.number, limit)

    def take(self, event: Gathered) -> None:
        """Samples of an instant."""
        if event.at <= self.markers.done:
            self._see([event], event.at)
        else:
            self._queue.setdefault(event.at, []).append(event)

    def decide(self, at: int, notes: Mapping[str, str], decided: Decided) -> None:
        """See what was appended up to an instant, and decide as of it."""
        due = sorted(each for each in self._queue if each <= at)
        self._see([event for instant in due for event in self._queue.pop(instant)], at)
        self._far.close(self.windows, at)
        if at > self.running.state.last:
            source = self._together.over(self.windows)
            self._evaluator.evaluate_group(self.running, source, at, decided, notes)
        self.markers.decided(at)
        decided.changes += self._kept()

    def forgotten(self) -> list[StateChange]:
        """What has to leave the checkpoint when the group does."""
        self._far.adopt((), self._evaluator.number)
        gone = {change.key for change in self._kept()}
        return [StateChange(key, None) for key in sorted(gone)]

    def _kept(self) -> list[StateChange]:
        return [
            StateChange(f"{FAR}{self.running.name}\0{change.key}", change.value)
            for change in self._far.changes()
        ]

    def _see(self, events: Sequence[Gathered], at: int) -> None:
        """Put samples into the windows.

        Where minutes may close they go minute by minute, from all sources together: what has
        closed takes nothing any more, and what has not must not go out of the windows' reach.
        """
        came = [(event.batch(), np.frombuffer(event.times, "<i8")) for event in events]
        within = self.markers.done >= (at - 1) // MINUTE * MINUTE
        if not came or not self._long or (within and not self._far.fresh):
            for batch, times in came:
                self._add(batch, times, at)
            return
        first = min(int(times.min(initial=at)) for _, times in came)
        self._far.close(self.windows, first)
        # Whole minutes: every cell ends with one, and is read before its samples may go.
        for end in range(-(-first // MINUTE) * MINUTE, at + MINUTE, MINUTE):
            for batch, times in came:
                seen = np.minimum(times, at)
                chosen = np.flatnonzero((seen > end - MINUTE) & (seen <= end))
                self._add(batch, times[chosen], min(end, at), chosen)
            self._far.close(self.windows, min(end, at))

    def _add(self, batch: MetricBatch, times: Times, now: int, chosen: Rows | None = None) -> None:
        try:
            if chosen is None:
                self.windows.add(batch, times, now)
            else:
                self.windows.only(batch, chosen, times, now)
        except Undecodable:
            self.bad += 1
