"""The router: alerts, plans, receipts and wake-ups in; deliveries and decisions out.

A pure fold with the log's clock. **Timers** are due at an instant of the log's time; before and
after each record everything due at or before `now` is done, in order of (time, group, channel).
So what is decided is a function of the records and their append times and not of how they were
cut into batches. A flush is dated by its own tick, not by the record that let it happen; ticks
missed in an outage are one flush, dated by the newest of them, and the rhythm goes on from there.

Until the first plan arrives alerts are kept and wait. Only an explicit resolve resolves what a
detector announced; what others posted ends when nobody posts it again.
"""

from collections.abc import Sequence

from notifiers import dispatch, flush, posted, timers, view
from notifiers.alert_book import Alert, Order, Turn, is_same
from notifiers.checkpoint import Checkpoint
from notifiers.config import read
from notifiers.explain.asked import Asked
from notifiers.explain.live import AlertNow, live
from notifiers.heartbeats import switch
from notifiers.incidents import view as incidents
from notifiers.incidents.view import IncidentView
from notifiers.level import Level, kept
from notifiers.oncall.book import MadeOverride
from notifiers.registry import FOLLOWS, HANDLERS, RECEIPTS
from notifiers.state import State
from notifiers.storms import digest
from notifiers.windows.view import WindowView
from notifiers.windows.view import shown as shown_windows
from schemas.alerts import AlertBatch, AlertState, PostedAlerts
from schemas.deliveries import Receipt
from schemas.event import Event
from schemas.pairs import packed_labels
from schemas.plans import Plan, WakeUp
from schemas.stage import Received, StateChange, Step
from schemas.topics import ALERTS

ORDER_SLACK = 300_000
"""How old (ms) the order in the checkpoint may grow while nothing else about an alert changes."""
_UNCHANGED = "level unchanged"


class Router:
    """The stage. `external_url` goes into messages; `order_slack` see `ORDER_SLACK`.

    `atomic`: what a step changes is written in one transaction, so its checkpoint has no journal.
    `watches`: whether it waits for heartbeats and says that it is alive; a simulation does not.
    """

    name = "router"
    topic = ALERTS

    def __init__(
        self,
        external_url: str = "",
        order_slack: int = ORDER_SLACK,
        atomic: bool = False,
        watches: bool = True,
    ) -> None:
        self.watches = watches
        self.order_slack = order_slack
        self._state = State(Checkpoint(atomic=atomic), external_url=external_url)
        self._loaded = False

    def restore(self, key: str, value: bytes) -> None:
        """Take one entry of the checkpoint."""
        self._state.checkpoint.restore(key, value)

    def begin_again(self) -> list[StateChange]:
        """What is known stays; which offsets were seen does not."""
        self._load()
        return self._state.checkpoint.begin_again()

    def reach(self) -> int:
        """There are no windows to rebuild."""
        return 0

    def rebuild(self, batch: Sequence[Received], now: int) -> None:
        """There are no windows to rebuild."""

    def wake_at(self) -> int | None:
        """The earliest flush, retry or deadline."""
        self._load()
        return self._state.next_due()

    def step(self, batch: Sequence[Received], now: int) -> Step:
        """Decide on these records; those that the checkpoint has seen are skipped."""
        self._load()
        state = self._state
        seen = last = state.checkpoint.seen
        fresh = [received for received in batch if received.offset > seen]
        if len(fresh) < len(batch):
            state.counts["record replayed"] += len(batch) - len(fresh)
        if fresh:
            # All records of a batch are of one instant: before the next one nothing more is due.
            state.now = max(state.now, now)
            dispatch.forget(state)
            state.touched_silences.update(state.silences.forget_old(state.now))
            timers.fire(state)
        for received in fresh:
            self._read(received.envelope.event)
            timers.fire(state)
            last = received.offset
        changes = state.written(last)
        step = Step(tuple(state.outputs), changes, dict(state.counts))
        state.outputs.clear()
        state.counts.clear()
        return step

    def alerts(self) -> list[view.AlertView]:
        """`view.shown` of the state as it is now."""
        self._load()
        return view.shown(self._state, self._state.checkpoint.now)

    def groups(self) -> list[view.GroupView]:
        """`view.groups_shown` of the state as it is now."""
        self._load()
        return view.groups_shown(self._state, self._state.now)

    def silences(self) -> list[view.SilenceView]:
        """Every silence, by id."""
        self._load()
        known, now = self._state.silences.known, self._state.now
        return [view.SilenceView(known[name], known[name].state_at(now)) for name in sorted(known)]

    def windows(self) -> list[WindowView]:
        """Every maintenance window, by id."""
        self._load()
        return shown_windows(self._state.windows, self._state.now)

    def overrides(self) -> list[MadeOverride]:
        """Every override of a schedule, by id."""
        self._load()
        known = self._state.overrides.known
        return [known[name] for name in sorted(known)]

    def remembered(self, prefix: str) -> dict[str, bytes]:
        """What `view.remembered` says of the checkpoint, of the state as it is now."""
        self._load()
        return view.packed(self._state, prefix)

    def incidents(self) -> list[IncidentView]:
        """Every incident, the newest first."""
        self._load()
        return incidents.shown(self._state)

    def explained(self, what: Asked, now: int) -> list[AlertNow]:
        """What `explain.live.live` says of the state as it is now."""
        self._load()
        return live(self._state, what, now)

    @property
    def plan_number(self) -> int:
        """The number of the plan in force; 0 before the first."""
        self._load()
        return self._state.plan.number

    def _load(self) -> None:
        if not self._loaded:
            self._loaded = True
            self._state.load()

    def _read(self, event: Event) -> None:
        match event:
            case PostedAlerts():
                posted.take(self._state, event)
            case AlertBatch(source=posted.SOURCE):
                posted.take(self._state, posted.of_batch(event))
            case AlertBatch():
                switch.hear(self._state)
                self._read_alerts(event)
            case Receipt() if digest.take_receipt(self._state, event):
                pass
            case Receipt() if any(take(self._state, event) for take in RECEIPTS):
                pass
            case Receipt():
                flush.take_receipt(self._state, event)
            case Plan() if event.stage == self.name:
                self._read_plan(event)
            case WakeUp() | Plan():
                pass
            case _ if (handler := HANDLERS.get(type(event))) is not None:
                handler(self._state, event)
            case _:
                self._state.counts["event ignored"] += 1

    def _read_alerts(self, batch: AlertBatch) -> None:
        state, slack = self._state, self.order_slack
        order = (batch.plan, batch.decided_at)
        by_labels, unchanged = state.by_labels, 0
        sets = [packed_labels(level.labels) for level in batch.alerts]
        strangers = state.strangers(sets)
        for level, labels in zip(batch.alerts, sets, strict=True):
            alert = by_labels.get(labels)
            known = None if alert is None else alert.pending or alert.level
            if (
                alert is None
                or known is None
                or alert.expires_at is not None
                or order < alert.heard
                or not is_same(level, known)
            ):
                self._read_level(state.meet(labels, strangers), kept(level, labels), order)
                continue
            unchanged += 1
            alert.heard = order
            if order[1] - alert.written[1] >= slack or order[0] != alert.written[0]:
                alert.written = order
                state.touched_alerts.add(alert.fingerprint)
        if unchanged:
            state.counts[_UNCHANGED] += unchanged

    def _read_level(self, alert: Alert, level: Level, order: Order) -> None:
        state = self._state
        if order < alert.heard:
            state.counts["level older"] += 1
            return
        alert.heard = alert.written = order
        state.touched_alerts.add(alert.fingerprint)
        if alert.expires_at is not None:
            alert.expires_at = None
            state.touched_lives.add(alert.fingerprint)
        turn = alert.take(level, order[1])
        if level.state is AlertState.RESOLVED and turn is not Turn.RESOLVED:
            state.counts["level never fired"] += 1
        else:
            state.counts["level changed"] += 1
        dispatch.place(state, alert, turn)

    def _read_plan(self, piece: Plan) -> None:
        state, plan = self._state, self._state.plan
        if piece.number <= plan.number or piece.number < plan.next[0]:
            state.counts["plan older"] += 1
            return
        coming = (piece.number, piece.digest, piece.pieces)
        if coming != plan.next:
            plan.next, plan.pieces = coming, {}
        plan.pieces[piece.piece] = piece.content
        state.touched_plan.add("next")
        if any(number not in plan.pieces for number in range(piece.pieces)):
            return
        content = b"".join(plan.pieces[number] for number in range(piece.pieces))
        plan.next, plan.pieces = (0, "", 0), {}
        self._switch(piece, content)

    def _switch(self, piece: Plan, content: bytes) -> None:
        state, plan = self._state, self._state.plan
        if content == plan.content and plan.config is not None and piece.home == plan.home:
            plan.number = piece.number
            state.touched_plan.add("current")
            return
        config, _ = read(content.decode(errors="replace"), "plan", bare=True)
        if config is None:
            state.counts["plan refused"] += 1
            return
        plan.number, plan.digest, plan.content = piece.number, piece.digest, content
        plan.home = piece.home
        plan.use(config)
        state.touched_plan.add("current")
        state.counts["plan followed"] += 1
        dispatch.follow_plan(state)
        for follow in FOLLOWS if self.watches else ():
            follow(state)
