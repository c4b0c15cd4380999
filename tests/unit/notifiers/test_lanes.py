"""Who may go next: after a sleep, where receivers are dead, and how many at most."""

from collections import OrderedDict

import pytest

from notifiers import lanes
from notifiers.lanes import MOST_THREADS, SLOW, TRUST, Answer, Lanes, Task
from schemas.envelope import Envelope, Producer
from schemas.examples import EXAMPLES
from schemas.stage import Output, Partition, Record
from schemas.topics import ALERTS, DELIVERIES

PARTITION = Partition(DELIVERIES, 0)


def task(number: int, receiver: str = "ops") -> Task:
    record = Record(PARTITION, number, 0, "ops", b"")
    envelope = Envelope(f"e{number}", Producer("router"), 0, EXAMPLES["delivery"].event)
    return Task(record, envelope, (f"group-{number}", receiver, 0), (envelope.id, 1))


def answered(done: Task) -> Answer:
    receipt = Output(ALERTS, "", "receipt", EXAMPLES["receipt"].event)
    return Answer(done, [receipt])


def test_who_slept_looks_what_is_still_owned_before_more_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(lanes, "monotonic", lambda: now[0])
    waiting = Lanes(16, OrderedDict())
    waiting.owns(frozenset({PARTITION}))
    for number in range(4):
        waiting.add(task(number))
    assert waiting.startable() == 4
    first = waiting.take()
    assert first is not None
    now[0] += TRUST
    waiting.answer(answered(first))
    assert [waiting.take() for _ in range(4)] == [None] * 4
    waiting.owns(frozenset({PARTITION}))
    assert waiting.startable() == 3
    assert waiting.take() is not None
    # Somebody else has them: they are dropped, for their new owner reads them.
    waiting.owns(frozenset())
    assert waiting.take() is None
    assert waiting.waiting == 0


def test_many_dead_receivers_do_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(lanes, "monotonic", lambda: now[0])
    waiting = Lanes(16, OrderedDict())
    waiting.owns(frozenset({PARTITION}))
    for number in range(16):
        waiting.add(task(number, f"dead-{number % 4}"))
    assert waiting.startable() == 16
    stuck = [waiting.take() for _ in range(16)]
    waiting.add(task(16, "alive"))
    assert waiting.startable() == 0, "no more at once than threads, while all of them may answer"
    now[0] += SLOW
    waiting.owns(frozenset({PARTITION}))
    assert waiting.startable() == 1
    alive = waiting.take()
    assert alive is not None
    assert alive.lane[1] == "alive"
    # Once it is answered what was slow counts again, until its receipt is in the log.
    for one in (alive, *stuck):
        assert one is not None
        waiting.answer(answered(one))
        assert waiting.take() is None
    waiting.add(task(17, "alive"))
    assert waiting.startable() == 0
    waiting.settled(17)
    assert waiting.startable() == 1


def test_who_is_to_be_tried_again_makes_room_at_once() -> None:
    waiting = Lanes(4, OrderedDict())
    waiting.owns(frozenset({PARTITION}))
    for number in range(5):
        waiting.add(task(number, f"dead-{number}"))
    assert waiting.startable() == 4
    first, *_ = (waiting.take() for _ in range(4))
    assert first is not None
    assert waiting.startable() == 0
    for _ in range(3):
        waiting.fails(first)
    assert waiting.startable() == 1
    waiting.answer(answered(first))
    waiting.fails(first)
    assert waiting.startable() == 0


def test_what_is_slow_takes_no_more_threads_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(lanes, "monotonic", lambda: now[0])
    waiting = Lanes(16, OrderedDict())
    for number in range(2 * MOST_THREADS):
        waiting.add(task(number, f"dead-{number}"))
    started = 0
    for _ in range(2 * MOST_THREADS):
        waiting.owns(frozenset({PARTITION}))
        found = waiting.startable()
        assert [waiting.take() is not None for _ in range(found)] == [True] * found
        started += found
        now[0] += SLOW
    assert started == MOST_THREADS
