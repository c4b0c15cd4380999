"""The spanning detector: rule groups that span instances, decided where their samples meet.

Its log holds, for each group and from each partition of the metrics topic, the samples that the
group selects and markers of its instants (ADR 10). Instant T is decided once all have marked it,
over what was appended up to T; so it comes to what one partition would have come to. While one
is missing alerts stand as they are and instants queue up; after two minutes the group goes on
without it, says so on its alerts, and tells of it by an alert of its own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from processors.detector import HEARTBEAT, STOOD_STILL
from processors.evaluator import Decided, Evaluator, RunningGroup
from processors.markers import HOLD, Markers
from processors.partials.spans import LATENESS
from processors.partials.store import Partials
from processors.requests import request_of
from processors.silence import told
from processors.spanning_group import FAR, SpanningGroup
from schemas.gathered import Gathered, Marker
from schemas.plans import Plan
from schemas.stage import Received, StateChange, Step
from schemas.topics import GATHERED

PREFIX = "markers/"
ANNOUNCE_EVERY = 60_000
NOBODY: Mapping[int, int] = {}
INCOMPLETE = "incomplete"
"""The annotation of what was decided without some partitions."""


class SpanningDetector:
    """A stage over one partition of what is gathered; see `schemas.stage.Stage`."""

    name = "spanning"
    topic = GATHERED

    def __init__(self) -> None:
        # The plan is the detectors': both have to follow the same one.
        self._evaluator = Evaluator("detector", bool)
        self._markers: dict[str, Markers] = {}
        self._far: dict[str, Partials] = {}
        self._groups: dict[str, SpanningGroup] = {}
        self._now = 0
        self._counts: Counter[str] = Counter()

    def restore(self, key: str, value: bytes) -> None:
        """Take one entry of the checkpoint."""
        if key.startswith(PREFIX):
            self._markers[key.removeprefix(PREFIX)] = Markers.unpack(value)
        elif key.startswith(FAR):
            group, _, own = key.removeprefix(FAR).partition("\0")
            self._far.setdefault(group, Partials()).restore(own, value)
        else:
            self._evaluator.restore(key, value)

    def begin_again(self) -> Sequence[StateChange]:
        """Nothing is known by its offset."""
        return ()

    def reach(self) -> int:
        """The longest window, and what may have waited to be seen."""
        self._settle()
        reaches = (
            max((use.reach_ms for use in each.running.uses()), default=0) + 2 * each.running.step
            for each in self._groups.values()
        )
        return max((reach + LATENESS + 2 * HOLD for reach in reaches), default=0)

    def rebuild(self, batch: Sequence[Received], now: int) -> None:
        """Fill the windows and the queue."""
        self._turn_to(now)
        for received in batch:
            self._take(received.envelope.event)
        self._counts.clear()

    def step(self, batch: Sequence[Received], now: int) -> Step:
        """Give up on who is overdue, take the records, decide what is complete."""
        self._settle()
        decided = Decided()
        before = self._now
        self._turn_to(now)
        if before and now > before:
            for each in self._groups.values():
                self._give_up(each, before, decided)
        for received in batch:
            event = received.envelope.event
            if isinstance(event, Plan):
                if self._evaluator.switch(event, now, decided):
                    self._follow(decided)
            elif (group := self._take(event)) is not None and isinstance(event, Marker):
                self._decide(group, decided, group.markers.back(event))
        decided.counts.update(self._counts)
        self._counts.clear()
        return Step(decided.outputs, decided.changes, decided.counts)

    def wake_at(self) -> int | None:
        """When somebody is overdue, and often enough to tell that who owns this is there."""
        self._settle()
        due = [each.markers.due() for each in self._groups.values()]
        waits = [at for at in due if at is not None]
        silent = any(each.markers.silent for each in self._groups.values())
        if not waits and not silent:
            return None
        return min([*waits, self._now + HEARTBEAT])

    @property
    def plan_number(self) -> int:
        """The number of the plan in force; 0 before the first."""
        return self._evaluator.number

    @property
    def series(self) -> int:
        """How many series the windows hold."""
        return sum(len(each.windows) for each in self._groups.values())

    @property
    def window_bytes(self) -> int:
        """Bytes of the windows."""
        return sum(each.nbytes for each in self._groups.values())

    def _turn_to(self, now: int) -> None:
        if self._now and now - self._now > STOOD_STILL:
            for each in self._groups.values():
                each.markers.stood_still(now)
        self._now = max(self._now, now)

    def _take(self, event: object) -> SpanningGroup | None:
        """Take samples or a marker; the group that has a new marker."""
        if not isinstance(event, Gathered | Marker):
            return None
        group = self._groups.get(event.group)
        if group is None or group.markers.digest != event.digest:
            self._counts["gathered for another plan"] += 1
            return None
        if isinstance(event, Marker):
            group.markers.take(event, self._now)
            return group
        self._counts["samples"] += len(event.values) // 8
        group.take(event)
        return None

    def _decide(
        self, group: SpanningGroup, decided: Decided, back: Mapping[int, int] = NOBODY
    ) -> None:
        """Every instant that is complete, now that some sources may be back."""
        markers, running = group.markers, group.running
        self._tell(running, back, decided, ends_at=self._now)
        changed = bool(back)
        while (at := markers.complete()) is not None:
            group.decide(at, _incomplete(markers.silent), decided)
            changed = True
        if changed:
            # Last: a replay that meets it takes what came before as decided.
            decided.changes.append(StateChange(PREFIX + running.name, markers.pack()))
            decided.counts.update(group.dropped())

    def _give_up(self, group: SpanningGroup, before: int, decided: Decided) -> None:
        """Go on without who is overdue; tell every minute of who is silent."""
        markers = group.markers
        if self._now // ANNOUNCE_EVERY > before // ANNOUNCE_EVERY:
            self._tell(group.running, markers.silent, decided, changed=False)
        while overdue := markers.overdue(self._now):
            self._counts["source silent"] += len(overdue)
            self._tell(group.running, overdue, decided)
            decided.changes.append(StateChange(PREFIX + group.running.name, markers.pack()))
            self._decide(group, decided)

    def _tell(
        self,
        running: RunningGroup,
        sources: Mapping[int, int],
        decided: Decided,
        changed: bool = True,
        ends_at: int | None = None,
    ) -> None:
        number = self._evaluator.number
        decided.outputs += told(running.name, number, sources, self._now, changed, ends_at)

    def _follow(self, decided: Decided) -> None:
        """The groups of a new plan; those that gather what they did before go on."""
        before, self._groups = self._groups, {}
        for running in self._evaluator.groups:
            digest, known = request_of(running).digest, before.pop(running.name, None)
            if known is not None and known.markers.digest == digest:
                known.follow(running)
                self._groups[running.name] = known
                continue
            markers = Markers(digest, known.markers.done if known else -1)
            if known:
                self._tell(running, known.markers.silent, decided, ends_at=self._now)
            far = known.far if known else Partials()
            self._groups[running.name] = SpanningGroup(running, markers, self._evaluator, far)
            decided.changes.append(StateChange(PREFIX + running.name, markers.pack()))
        for name, gone in before.items():
            self._tell(gone.running, gone.markers.silent, decided, ends_at=self._now)
            decided.changes += [StateChange(PREFIX + name, None), *gone.forgotten()]

    def _settle(self) -> None:
        """Once the checkpoint is read: the groups of the plan that was in force."""
        if not self._evaluator.settle():
            return
        for running in self._evaluator.groups:
            digest = request_of(running).digest
            known = self._markers.get(running.name)
            if known is None or known.digest != digest:
                known = Markers(digest, known.done if known else -1)
            far = self._far.pop(running.name, Partials())
            self._groups[running.name] = SpanningGroup(running, known, self._evaluator, far)
        self._markers, self._far = {}, {}


def _incomplete(silent: Mapping[int, int]) -> Mapping[str, str]:
    if not silent:
        return {}
    return {INCOMPLETE: "partitions " + ", ".join(map(str, sorted(silent)))}
