"""A day at the router on virtual time: what happens at which second, and what was told.

The driver plays log and courier: it appends wake-ups when the router wants them, and answers
deliveries as the test says (delivered at once, unless told otherwise).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from notifiers.router import Router
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.deliveries import Decision, Delivery, Fate, Receipt, Why
from schemas.envelope import Envelope, Producer
from schemas.event import Event
from schemas.labels import fingerprint
from schemas.plans import Plan, WakeUp
from schemas.stage import Received
from schemas.topics import HISTORY

START = 1_700_000_000_000


def seconds(at: float) -> int:
    """The log's time at this second of the day."""
    return START + round(at * 1_000)


def level(state: str, at: float, since: float | None = None, **labels: str) -> AlertLevel:
    """A level as a detector announces it; `since` is when this life began."""
    began = seconds(at if since is None else since)
    kind = AlertState(state)
    return AlertLevel(
        labels=labels,
        state=kind,
        active_at=began,
        starts_at=None if kind is AlertState.PENDING else began,
        ends_at=seconds(at) if kind is AlertState.RESOLVED else None,
        value=1.0,
    )


def batch(at: float, *levels: AlertLevel, plan: int = 1) -> AlertBatch:
    """What one rule group decided at this second."""
    return AlertBatch(source="rules", plan=plan, decided_at=seconds(at), alerts=levels)


def plan(content: str, number: int = 1, pieces: int = 1) -> list[Plan]:
    """The pieces of a routing plan."""
    raw = content.encode()
    size = -(-len(raw) // pieces)
    return [
        Plan(
            stage="router",
            number=number,
            digest=f"digest-{number}",
            piece=piece,
            pieces=pieces,
            content=raw[piece * size : (piece + 1) * size],
        )
        for piece in range(pieces)
    ]


def receipt(delivery: Delivery, at: int, fate: Fate = Fate.DELIVERED, **fields: object) -> Receipt:
    """The courier's answer."""
    return Receipt.model_validate(
        {
            "delivery": delivery.id,
            "group_key": delivery.group_key,
            "receiver": delivery.receiver,
            "integration": delivery.integration,
            "channel": delivery.channel,
            "fate": fate,
            "attempt": delivery.attempt,
            "tries": 1,
            "at": at,
            "duration": 0.0,
            **fields,
        }
    )


Courier = Callable[[Delivery, int], Receipt | None]


def delivers(delivery: Delivery, at: int) -> Receipt | None:
    """A courier who always succeeds at once."""
    return receipt(delivery, at)


def is_lost(delivery: Delivery, at: int) -> Receipt | None:
    """A courier of whom nothing is heard."""
    return None


def refuses(delivery: Delivery, at: int) -> Receipt | None:
    """A courier whose receiver says no."""
    return receipt(delivery, at, Fate.REFUSED)


def postpones(delivery: Delivery, at: int) -> Receipt | None:
    """A courier whose receiver does not answer."""
    return receipt(delivery, at, Fate.RETRY, retry_at=at)


@dataclass(frozen=True)
class Told:
    """A delivery, as tests compare it."""

    at: float
    receiver: str
    why: Why
    firing: str
    resolved: str


@dataclass
class Scenario:
    """One router and its day."""

    config: str | None = None
    router: Router = field(default_factory=Router)
    courier: Courier = delivers
    offset: int = 0
    now: float = 0
    deliveries: list[tuple[float, Delivery]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    history: list[Event] = field(default_factory=list)
    state: dict[str, bytes] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.config is not None:
            self.at(0, *plan(self.config))

    def at(self, at: float, *events: Event) -> "Scenario":
        """Append these events at this second, after all that is due until then."""
        self.until(at)
        for event in events:
            self._append(event)
        return self

    def fires(self, at: float, *names: str, **labels: str) -> "Scenario":
        """Alerts of these names fire."""
        return self.at(at, batch(at, *(level("firing", at, alertname=n, **labels) for n in names)))

    def resolves(self, at: float, *names: str, since: float = 0, **labels: str) -> "Scenario":
        """Alerts of these names resolve."""
        levels = (level("resolved", at, since, alertname=n, **labels) for n in names)
        return self.at(at, batch(at, *levels))

    def until(self, at: float) -> "Scenario":
        """Let time pass; the runtime appends a wake-up at each instant the router asked for."""
        while (due := self.router.wake_at()) is not None and due <= seconds(at):
            self.now = max(self.now, (due - START) / 1_000)
            self._append(WakeUp(stage="router", due=due))
        self.now = max(self.now, at)
        return self

    def told(self) -> list[Told]:
        """Every delivery so far."""
        return [_told(at, delivery) for at, delivery in self.deliveries]

    def told_briefly(self) -> list[tuple[float, Why, str]]:
        """When, why, and which alerts fire."""
        return [(one.at, one.why, one.firing) for one in self.told()]

    def restart(self) -> "Scenario":
        """A new router from what was written."""
        self.router = Router()
        for key, value in self.state.items():
            self.router.restore(key, value)
        return self

    def _append(self, event: Event) -> None:
        now = seconds(self.now)
        step = self.router.step([Received(self.offset, sealed(event, now))], now)
        self.offset += 1
        for change in step.changes:
            if change.value is None:
                self.state.pop(change.key, None)
            else:
                self.state[change.key] = change.value
        for name, count in step.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        answers = []
        for output in step.outputs:
            if output.topic == HISTORY:
                self.history.append(output.event)
            if isinstance(output.event, Delivery):
                self.deliveries.append((self.now, output.event))
                answers.append(self.courier(output.event, now))
            elif isinstance(output.event, Decision):
                self.decisions.append(output.event)
        for answer in answers:
            if answer is not None:
                self._append(answer)


def sealed(event: Event, now: int) -> Envelope:
    """The event in an envelope."""
    return Envelope("id", Producer("test"), now, event)


def names(levels: Sequence[AlertLevel], state: AlertState) -> str:
    """The names of the alerts in this state."""
    return " ".join(one.labels["alertname"] for one in levels if one.state is state)


def _told(at: float, delivery: Delivery) -> Told:
    return Told(
        at,
        delivery.receiver,
        delivery.why,
        names(delivery.alerts, AlertState.FIRING),
        names(delivery.alerts, AlertState.RESOLVED),
    )


def fp(**labels: str) -> str:
    """The fingerprint of these labels."""
    return fingerprint(labels)
