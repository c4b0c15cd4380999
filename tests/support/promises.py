"""What Tocsin promises, checked on the log's file and on what a receiver got.

No acknowledged event is lost. No decision is made under two ids. Each delivery is attempted at
least once; a crash causes at most one extra attempt of it, under the same id. Every alert's
beginning and end are told.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, Protocol

from schemas.alerts import AlertBatch, AlertState
from schemas.deliveries import Decision, Delivery, Receipt, Why
from schemas.metrics import MetricBatch
from schemas.topics import ALERTS, DELIVERIES, HISTORY, METRICS
from tests.support.log_file import LogFile
from tests.support.oracle import Oracle
from tests.support.waiting import eventually
from tests.support.webhook import Page, Webhook


class Named(Protocol):
    """One life of an alert."""

    @property
    def name(self) -> str: ...


class Proof(NamedTuple):
    """What was looked at, for the test's own words."""

    batches: int
    decisions: int
    deliveries: int
    pages: int
    extra: int


def everybody_was_told(oracle: Oracle, receiver: Webhook, within: float = 90.0) -> None:
    """Wait for a page at the beginning of every life and one at its end."""
    names = {life.name for life in oracle.lives}

    def told() -> bool:
        for status in ("firing", "resolved"):
            silent = names - receiver.told("life", status)
            assert not silent, f"no page that {sorted(silent)[:5]} is {status}"
        return True

    eventually(told, within, f"{len(names)} lives told")


def everything_was_attempted(log: LogFile, receiver: Webhook, within: float = 90.0) -> None:
    """Wait until a page came of every delivery that was decided, whatever it tells."""

    def attempted() -> bool:
        decided = {delivery.id for delivery in log.events(DELIVERIES, Delivery)}
        missing = decided - {page.key for page in receiver.pages}
        assert not missing, f"{len(missing)} deliveries were not attempted: {sorted(missing)[:3]}"
        return True

    eventually(attempted, within)


def check(log: LogFile, oracle: Oracle, receiver: Webhook, kills: int) -> Proof:
    """Everything but history; raises AssertionError."""
    assert log.sound()
    batches = _nothing_acknowledged_is_lost(log, oracle)
    decisions = _no_decision_under_two_ids(log)
    deliveries = log.events(DELIVERIES, Delivery)
    extra = _attempts(deliveries, receiver.pages, kills)
    _alerts_lived_once(log, oracle)
    _receipts(log, deliveries, kills)
    _told_once(oracle.lives, receiver.pages)
    return Proof(batches, decisions, len(deliveries), len(receiver.pages), extra)


def check_pages(log: LogFile, lives: Collection[Named], receiver: Webhook, kills: int) -> Proof:
    """What the router and the courier promise, whoever announced the alerts."""
    assert log.sound()
    decisions = _no_decision_under_two_ids(log)
    deliveries = log.events(DELIVERIES, Delivery)
    extra = _attempts(deliveries, receiver.pages, kills)
    _receipts(log, deliveries, kills)
    _told_once(lives, receiver.pages)
    return Proof(0, decisions, len(deliveries), len(receiver.pages), extra)


def _nothing_acknowledged_is_lost(log: LogFile, oracle: Oracle) -> int:
    found = Counter(
        (envelope.producer.name, envelope.producer.epoch, envelope.producer.sequence)
        for _, envelope in log.envelopes(METRICS)
        if isinstance(envelope.event, MetricBatch) and envelope.producer.sequence
    )
    acknowledged = 0
    for sent in oracle.sent:
        producer = sent.envelope.producer
        times = found[producer.name, producer.epoch, producer.sequence]
        assert times <= sent.sends
        if sent.acked:
            acknowledged += 1
            assert times, f"{producer} was acknowledged and is not in the log"
    return acknowledged


def _no_decision_under_two_ids(log: LogFile) -> int:
    seen: dict[object, str] = {}
    contents: dict[str, Decision] = {}
    for decision in log.events(HISTORY, Decision):
        assert decision.id not in contents, f"decision {decision.id} was written twice"
        contents[decision.id] = decision
        if decision.why is Why.NOTHING:
            continue
        where = (decision.group_key, decision.receiver, decision.integration)
        said = (*where, decision.why, frozenset(decision.firing), decision.at)
        other = seen.setdefault(said, decision.id)
        assert other == decision.id, f"{said} was decided under {other} and {decision.id}"
    return len(contents)


def _attempts(deliveries: Sequence[Delivery], pages: Sequence[Page], kills: int) -> int:
    decided = Counter(delivery.id for delivery in deliveries)
    once = {(delivery.id, delivery.attempt) for delivery in deliveries}
    assert len(once) == len(deliveries), "an attempt was decided twice"
    got = Counter(page.key for page in pages)
    assert not got.keys() - decided.keys(), "a page that nobody decided"
    assert not decided.keys() - got.keys(), "a delivery that was never attempted"
    bodies: dict[tuple[str, int], bytes] = {}
    for page in pages:
        same = bodies.setdefault((page.key, page.attempt), page.raw)
        assert same == page.raw, "one attempt of one delivery with two bodies"
    extra = {key: times - decided[key] for key, times in got.items()}
    most = max(extra.values(), default=0)
    assert most <= kills, f"{most} extra attempts of one delivery after {kills} kills"
    return sum(extra.values())


def _alerts_lived_once(log: LogFile, oracle: Oracle) -> None:
    lives: dict[str, set[tuple[AlertState, int]]] = defaultdict(set)
    for batch in log.events(ALERTS, AlertBatch):
        for level in batch.alerts:
            if "life" in level.labels:
                lives[level.labels["life"]].add((level.state, level.active_at))
    for life in oracle.lives:
        states = [state for state, _ in lives[life.name]]
        assert states.count(AlertState.FIRING) == 1, (life.name, lives[life.name])
        assert states.count(AlertState.RESOLVED) == 1, (life.name, lives[life.name])


def _receipts(log: LogFile, deliveries: Sequence[Delivery], kills: int) -> None:
    receipts = Counter((r.delivery, r.attempt) for r in log.events(ALERTS, Receipt))
    for delivery in deliveries:
        times = receipts[delivery.id, delivery.attempt]
        assert 1 <= times <= 1 + kills, f"{times} receipts of {delivery.id}"


def _told_once(lives: Iterable[Named], pages: Sequence[Page]) -> None:
    """A life's beginning has one id, and its end another one; first the one, then the other.

    A courier that slept in the middle of a request finishes it when it wakes, perhaps after the
    end was told: nothing can call that back. It is the extra attempt, counted elsewhere, and
    receivers know its id; so an id counts where it first arrived.
    """
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    order: dict[str, list[str]] = defaultdict(list)
    known: set[str] = set()
    for page in pages:
        for life in page.labels("life"):
            keys[life, page.status].add(page.key)
            if page.key not in known:
                order[life].append(page.status)
        known.add(page.key)
    for life in lives:
        for status in ("firing", "resolved"):
            ids = keys[life.name, status]
            assert len(ids) == 1, f"{life.name} {status} under {sorted(ids)}"
        told = order[life.name]
        assert told == sorted(told), f"{life.name} was told as {told}"
