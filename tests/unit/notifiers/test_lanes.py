"""Who may go next: after a sleep, where receivers are dead, and how many at most."""

from collections import OrderedDict

import pytest

from notifiers import lanes
from notifiers.lanes import MOST_THREADS, SLOW, TRUST, Answer, Lanes, Task
from schemas.envelope import Envelope, Producer
from schemas.examples import EXAMPLES
from schemas.stage import Output, Partition, Record
from schemas.topics import ALERTS, DELIVERIES

PARTITION, OTHER = Partition(DELIVERIES, 0), Partition(DELIVERIES, 1)


def task(number: int, partition: Partition = PARTITION, receiver: str = "ops") -> Task:
    record = Record(partition, number, 0, "ops", b"")
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
    waiting.owns(frozenset({PARTITION}), sure=True)
    for number in range(4):
        waiting.add(task(number))
    assert waiting.startable() == 4
    first = waiting.take()
    assert first is not None
    now[0] += TRUST
    waiting.answer(answered(first))
    assert [waiting.take() for _ in range(4)] == [None] * 4
    waiting.owns(frozenset({PARTITION}), sure=True)
    assert waiting.startable() == 3
    assert waiting.take() is not None


def test_what_was_lost_is_not_sent_though_it_came_back_before_anybody_looked() -> None:
    waiting = Lanes(16, OrderedDict())
    waiting.owns(frozenset({PARTITION, OTHER}), sure=True)
    for number in range(6):
        waiting.add(task(number))
    waiting.add(task(6, OTHER))
    assert waiting.startable() == 4
    under_way = waiting.take()
    assert under_way is not None
    waiting.add(Task(under_way.record, under_way.envelope, under_way.lane, ("after", 1)))
    # Somebody else had them meanwhile, and may have sent them.
    waiting.owns(frozenset({OTHER}), sure=True)
    assert waiting.waiting == 1
    waiting.owns(frozenset({PARTITION, OTHER}), sure=True)
    again = task(3)
    waiting.add(again)
    taken = [waiting.take(), waiting.take()]
    assert {found.record.partition for found in taken if found is not None} == {PARTITION, OTHER}
    assert again in taken
    waiting.answer(answered(under_way))
    assert waiting.take() is None
    for found in taken:
        assert found is not None
        waiting.answer(answered(found))
    assert waiting.waiting == 0
    assert waiting.running == 0


def test_nothing_is_begun_while_the_group_may_have_given_it_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(lanes, "monotonic", lambda: now[0])
    waiting = Lanes(16, OrderedDict())
    waiting.owns(frozenset({PARTITION}), sure=True)
    waiting.add(task(0))
    now[0] += TRUST
    waiting.owns(frozenset({PARTITION}), sure=False)
    assert waiting.startable() == 1
    assert waiting.take() is None
    waiting.owns(frozenset({PARTITION}), sure=True)
    assert waiting.startable() == 1
    assert waiting.take() is not None


def test_many_dead_receivers_do_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(lanes, "monotonic", lambda: now[0])
    waiting = Lanes(16, OrderedDict())
    waiting.owns(frozenset({PARTITION}), sure=True)
    for number in range(16):
        waiting.add(task(number, receiver=f"dead-{number % 4}"))
    assert waiting.startable() == 16
    stuck = [waiting.take() for _ in range(16)]
    waiting.add(task(16, receiver="alive"))
    assert waiting.startable() == 0, "no more at once than threads, while all of them may answer"
    now[0] += SLOW
    waiting.owns(frozenset({PARTITION}), sure=True)
    assert waiting.startable() == 1
    alive = waiting.take()
    assert alive is not None
    assert alive.lane[1] == "alive"
    # Once it is answered what was slow counts again, until its receipt is in the log.
    for one in (alive, *stuck):
        assert one is not None
        waiting.answer(answered(one))
        assert waiting.take() is None
    waiting.add(task(17, receiver="alive"))
    assert waiting.startable() == 0
    waiting.settled(17)
    assert waiting.startable() == 1


def test_who_is_to_be_tried_again_makes_room_at_once() -> None:
    waiting = Lanes(4, OrderedDict())
    waiting.owns(frozenset({PARTITION}), sure=True)
    for number in range(5):
        waiting.add(task(number, receiver=f"dead-{number}"))
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
    waiting.owns(frozenset({PARTITION}), sure=True)
    for number in range(2 * MOST_THREADS):
        waiting.add(task(number, receiver=f"dead-{number}"))
    started = 0
    for _ in range(2 * MOST_THREADS):
        waiting.owns(frozenset({PARTITION}), sure=True)
        found = waiting.startable()
        assert [waiting.take() is not None for _ in range(found)] == [True] * found
        started += found
        now[0] += SLOW
    assert started == MOST_THREADS


def test_what_went_since_it_was_read_does_not_wait() -> None:
    waiting = Lanes(16, OrderedDict())
    waiting.owns(frozenset({OTHER}), sure=True)
    waiting.add(task(0))
    waiting.add(task(1, OTHER))
    assert waiting.waiting == 1


def test_nothing_is_begun_before_ownership_was_certain_once() -> None:
    waiting = Lanes(16, OrderedDict())
    waiting.owns(frozenset({PARTITION}), sure=False)
    waiting.add(task(0))
    assert waiting.startable() == 1
    assert waiting.take() is None
