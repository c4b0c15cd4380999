"""What a cluster's topics are compared with."""

import pytest

from ops.config_kafka import KafkaSettings
from ops.transport.kafka_topic_table import INPUTS, Found, Wanted, differences, unequal, wanted
from schemas.errors import Refused
from schemas.topics import ALERTS, DEAD_LETTERS, METRICS, TOPICS, checkpoints

WANT = wanted(KafkaSettings(partitions=4))


def as_found(want: Wanted, **configs: str) -> Found:
    changed = {key.replace("_", "."): value for key, value in configs.items()}
    return Found(want.name, want.partitions, want.replication, {**want.configs, **changed})


def different(want: Wanted, found: Found | None) -> list[tuple[str, bool]]:
    return [(each.setting, each.breaks) for each in differences(want, found)]


def test_the_table_and_the_checkpoints_are_wanted() -> None:
    assert set(WANT) == {*TOPICS, *map(checkpoints, ("detector", "spanning", "router", "plans"))}


def test_a_checkpoint_has_as_many_partitions_as_its_input() -> None:
    assert {WANT[name].partitions for name in INPUTS} == {4}
    assert WANT[checkpoints("plans")].partitions == WANT[DEAD_LETTERS].partitions == 1


def test_only_checkpoints_are_compacted() -> None:
    compacted = {n for n, each in WANT.items() if each.configs["cleanup.policy"] == "compact"}
    assert compacted == {*map(checkpoints, ("detector", "spanning", "router", "plans"))}


def test_every_topic_takes_its_largest_message_and_the_logs_clock() -> None:
    for name, each in WANT.items():
        room = int(each.configs["max.message.bytes"])
        assert name not in TOPICS or room >= TOPICS[name].max_message + 10_000
        assert each.configs["message.timestamp.type"] == "LogAppendTime"


def test_more_replicas_in_sync_than_replicas_are_refused() -> None:
    with pytest.raises(Refused, match=r"kafka\.min_in_sync: 2 is more than"):
        wanted(KafkaSettings(min_in_sync=2))


@pytest.mark.parametrize("name", WANT)
def test_a_topic_as_wanted_has_no_differences(name: str) -> None:
    assert different(WANT[name], as_found(WANT[name])) == []


def test_more_room_and_longer_retention_are_as_good() -> None:
    want = WANT[METRICS]
    assert different(want, as_found(want, max_message_bytes="5000000", retention_ms="-1")) == []


@pytest.mark.parametrize(
    ("setting", "value", "breaks"),
    [
        ("message.timestamp.type", "CreateTime", True),
        ("max.message.bytes", "1000", True),
        ("cleanup.policy", "compact", True),
        ("retention.ms", "1000", False),
        ("compression.type", "gzip", False),
    ],
)
def test_what_differs_is_named(setting: str, value: str, breaks: bool) -> None:
    found = as_found(WANT[METRICS], **{setting: value})
    assert different(WANT[METRICS], found) == [(setting, breaks)]


def test_a_missing_topic_breaks() -> None:
    assert different(WANT[METRICS], None) == [("topic", True)]


def test_hidden_settings_are_said_once() -> None:
    assert different(WANT[METRICS], Found(METRICS, 4, 1, {})) == [("every setting", False)]


def test_plans_on_more_than_one_partition_break() -> None:
    for name, breaks in ((checkpoints("plans"), True), (DEAD_LETTERS, False), (METRICS, False)):
        found = Found(name, 3, 1, WANT[name].configs)
        assert different(WANT[name], found) == [("partitions", breaks)]


def test_what_the_router_decides_by_stays_in_its_partitions() -> None:
    for name in (ALERTS, checkpoints("router")):
        assert different(WANT[name], Found(name, 3, 1, WANT[name].configs)) == []


def test_a_checkpoint_narrower_than_its_input_breaks() -> None:
    found = {
        name: Found(name, count, 1, {})
        for name, count in ((ALERTS, 8), (checkpoints("router"), 4), (METRICS, 3))
    }
    assert [(each.topic, each.found, each.wanted, each.breaks) for each in unequal(found)] == [
        (checkpoints("router"), "4", "8", True)
    ]
