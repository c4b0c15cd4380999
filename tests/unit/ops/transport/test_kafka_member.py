"""Who slept is a member again once a heartbeat says so that was sent since."""

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import RebalanceInProgressError, UnknownMemberIdError

from ops.transport import kafka_member
from ops.transport.kafka_member import Membership


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [100.0]
    monkeypatch.setattr(kafka_member, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    return clock


def member(send: Any) -> Membership:
    made = object.__new__(Membership)
    made.consumer = SimpleNamespace(_coordinator=SimpleNamespace(_send_heartbeat_request=send))
    made._named_member = -math.inf
    made._follow_heartbeats()
    return made


def beat(made: Membership) -> None:
    asyncio.run(made.consumer._coordinator._send_heartbeat_request())


def test_an_answer_counts_from_when_its_heartbeat_was_sent(now: list[float]) -> None:
    async def slept() -> None:
        now[0] += 60

    made = member(slept)
    assert made.silence_of_group == math.inf
    beat(made)
    assert made.silence_of_group == 60


@pytest.mark.parametrize(
    ("fault", "silence"), [(UnknownMemberIdError, math.inf), (RebalanceInProgressError, 3.0)]
)
def test_a_group_that_deals_anew_knows_its_member_and_another_one_does_not(
    now: list[float], fault: type[Exception], silence: float
) -> None:
    async def refused() -> None:
        raise fault

    made = member(refused)
    with pytest.raises(fault):
        beat(made)
    now[0] += 3.0
    assert made.silence_of_group == silence
