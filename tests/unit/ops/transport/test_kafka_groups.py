"""Consumer groups by their names on a cluster that others use too."""

from typing import Any

import pytest

from ops.cluster.kafka_ask import GROUPS
from ops.cluster.report import HISTORIANS
from ops.config_kafka import KafkaSettings
from ops.transport import kafka_log
from ops.transport.kafka_acls import GRANTS
from ops.transport.kafka_topics import DETECTORS
from ops.workers import detector, router

NAMES = (
    "tocsin.detector",
    "tocsin.spanning",
    "tocsin.router",
    "tocsin.courier",
    "tocsin.historian",
)


def test_every_group_is_tocsins_by_its_name() -> None:
    assert GROUPS == NAMES
    assert detector.GROUP == DETECTORS
    named = {detector.GROUP, detector.SPANNING, router.GROUP, HISTORIANS}
    assert named == set(NAMES) - {"tocsin.courier"}
    granted = [grant for grants in GRANTS.values() for grant in grants if grant.kind == "group"]
    assert {grant.name for grant in granted} == set(NAMES)


def test_a_worker_joins_the_group_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    joined: list[str] = []

    def joins(_clients: Any, group: str, _topics: Any) -> None:
        joined.append(group)

    monkeypatch.setattr(kafka_log, "KafkaInbox", joins)
    kafka_log.KafkaLog(KafkaSettings(), "test").inbox("courier", ["t"])
    assert joined == ["tocsin.courier"]
