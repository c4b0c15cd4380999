"""A process that slept may have lost its partitions: its threads send nothing more on their own."""

from collections import OrderedDict

import pytest

from notifiers import lanes
from notifiers.lanes import TRUST, Answer, Lanes, Task
from schemas.envelope import Envelope, Producer
from schemas.examples import EXAMPLES
from schemas.stage import Output, Partition, Record
from schemas.topics import ALERTS, DELIVERIES

PARTITION = Partition(DELIVERIES, 0)


def task(number: int) -> Task:
    record = Record(PARTITION, number, 0, "ops", b"")
    envelope = Envelope(f"e{number}", Producer("router"), 0, EXAMPLES["delivery"].event)
    return Task(record, envelope, (f"group-{number}", "ops", 0), (envelope.id, 1))


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
