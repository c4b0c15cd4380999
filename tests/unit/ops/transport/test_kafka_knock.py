"""Whom a worker may still wait for, and whom not, of several brokers."""

from collections.abc import Callable

import pytest

from ops.config_kafka import KafkaSettings
from ops.transport import kafka_knock
from ops.transport.kafka_knock import knock
from schemas.errors import LogAway, Refused

THREE = KafkaSettings.model_validate({"bootstrap": "a:1, b:1, c:1"})
Answers = Callable[[dict[str, Exception | None]], None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What each broker says; nothing if it takes us."""

    def given(faults: dict[str, Exception | None]) -> None:
        def introduce(_settings: object, _context: object, server: str, _name: str) -> None:
            if fault := faults[server]:
                raise fault

        monkeypatch.setattr(kafka_knock, "_introduce", introduce)

    return given


def test_one_that_takes_us_is_enough(answers: Answers) -> None:
    answers({"a:1": Refused("no"), "b:1": OSError("away"), "c:1": None})
    assert knock(THREE, None, "test", 0.0) == ["b:1", "c:1"]


def test_who_is_refused_by_one_waits_for_those_that_are_away(answers: Answers) -> None:
    answers({"a:1": Refused("wrong certificate"), "b:1": OSError("gone"), "c:1": OSError("gone")})
    with pytest.raises(LogAway, match="b:1: gone; c:1: gone; wrong certificate"):
        knock(THREE, None, "test", 0.0)


def test_who_is_refused_by_all_need_not_wait(answers: Answers) -> None:
    answers({"a:1": Refused("one"), "b:1": Refused("two"), "c:1": kafka_knock._NoKafka()})
    with pytest.raises(Refused, match="one\ntwo\nKafka at c:1: is no Kafka broker"):
        knock(THREE, None, "test", 60.0)
