"""The router on a virtual clock: what it would decide about a script of alerts, and when.

Every delivery is answered at once as delivered. The fold is the router's own, so a simulation
cannot differ from it; only the courier is assumed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from notifiers.alert_script import Timed
from notifiers.router import Router
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.deliveries import Decision, Delivery, Fate, Receipt
from schemas.envelope import Envelope, Producer
from schemas.event import Event
from schemas.labels import fingerprint
from schemas.plans import Plan, WakeUp
from schemas.stage import Received

SOURCE = "api"
"""Whose alerts these are: the router gives them `resolve_timeout`, as Alertmanager does."""
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision; `delivery` is what was sent, if anything was. `at` in ms."""

    at: int
    decision: Decision
    delivery: Delivery | None
    firing: tuple[AlertLevel, ...]
    resolved: tuple[AlertLevel, ...]
    held: tuple[tuple[tuple[str, ...], tuple[AlertLevel, ...]], ...] = ()
    """What was not told, by its causes."""


class Simulator:
    """One router with one routing file, given as the text of a plan."""

    def __init__(self, content: str, start: int) -> None:
        self._router = Router(watches=False)
        self._offset = 0
        self._levels: dict[str, AlertLevel] = {}
        raw = content.encode()
        list(
            self._step(
                Plan(stage="router", number=1, digest="simulated", piece=0, pieces=1, content=raw),
                start,
            )
        )
        if self._router.plan_number != 1:
            raise ValueError("the router does not take this routing file")

    def run(self, script: Sequence[Timed], until: int) -> Iterator[Verdict]:
        """Every decision up to this instant, in order; the script is in order of time."""
        for at, together in groupby(script, key=lambda timed: timed.at):
            if at > until:
                break
            yield from self._pass(at)
            for event in _events(list(together), at):
                yield from self._step(event, at)
        yield from self._pass(until)

    def _pass(self, until: int) -> Iterator[Verdict]:
        """Let time pass, with a wake-up at each instant the router asks for."""
        while (due := self._router.wake_at()) is not None and due <= until:
            yield from self._step(WakeUp(stage="router", due=due), due)

    def _step(self, event: Event, now: int) -> Iterator[Verdict]:
        if isinstance(event, AlertBatch):
            self._levels.update((fingerprint(level.labels), level) for level in event.alerts)
        envelope = Envelope(f"simulated-{self._offset}", Producer("simulator"), now, event)
        step = self._router.step([Received(self._offset, envelope)], now)
        self._offset += 1
        events = [output.event for output in step.outputs]
        sent = {one.id: one for one in events if isinstance(one, Delivery)}
        for each in events:
            if isinstance(each, Decision):
                yield self._verdict(each, sent.get(each.delivery))
        for delivery in sent.values():
            yield from self._step(_delivered(delivery, now), now)

    def _verdict(self, decision: Decision, delivery: Delivery | None) -> Verdict:
        if delivery is None:
            firing, resolved = self._known(decision.firing), self._known(decision.resolved)
        else:
            firing = _in_state(delivery, AlertState.FIRING)
            resolved = _in_state(delivery, AlertState.RESOLVED)
        held = tuple((one.causes, self._known(one.alerts)) for one in decision.held)
        return Verdict(decision.at, decision, delivery, firing, resolved, held)

    def _known(self, names: Sequence[str]) -> tuple[AlertLevel, ...]:
        return tuple(self._levels[one] for one in names if one in self._levels)


def last_instant(script: Sequence[Timed]) -> int:
    """Until when a script is followed unless somebody says so: a day after its last line."""
    return max((timed.at for timed in script), default=0) + _DAY


def _in_state(delivery: Delivery, state: AlertState) -> tuple[AlertLevel, ...]:
    return tuple(level for level in delivery.alerts if level.state is state)


def _events(together: Sequence[Timed], at: int) -> Iterator[Event]:
    """What came at one instant: alerts next to one another are one batch."""
    for alerts, run in groupby(together, key=lambda timed: isinstance(timed.event, AlertLevel)):
        events = [timed.event for timed in run]
        if alerts:
            levels = tuple(one for one in events if isinstance(one, AlertLevel))
            yield AlertBatch(source=SOURCE, plan=0, decided_at=at, alerts=levels)
        else:
            yield from events


def _delivered(delivery: Delivery, at: int) -> Receipt:
    return Receipt(
        delivery=delivery.id,
        group_key=delivery.group_key,
        receiver=delivery.receiver,
        integration=delivery.integration,
        channel=delivery.channel,
        fate=Fate.DELIVERED,
        attempt=delivery.attempt,
        tries=1,
        at=at,
        duration=0.0,
    )
