"""How a plan comes into force."""

from pathlib import Path

import pytest

from notifiers.config import MODE_KEY, read
from notifiers.matchers import Mode
from ops.plans import PlanPublisher, routes_content, routes_text, rules_content
from ops.settings import load
from ops.transport.sqlite_log import SqliteLog
from processors.rules_plan import RulesPlan
from schemas.plan_pieces import PIECE
from schemas.plans import Plan
from schemas.stage import Partition
from schemas.topics import ALERTS, CODEC, GATHERED, METRICS


@pytest.fixture
def log(tmp_path: Path) -> SqliteLog:
    return SqliteLog(tmp_path / "log", lambda: 1_000, {METRICS: 3})


def plans(log: SqliteLog, topic: str, partition: int) -> list[Plan]:
    reader = log.reader()
    records, _ = reader.read(Partition(topic, partition), 0)
    reader.close()
    found = [CODEC.decode(record.value).event for record in records]
    assert all(isinstance(plan, Plan) for plan in found)
    return found  # type: ignore[return-value]


def test_a_plan_goes_to_every_partition_of_its_stage(log: SqliteLog) -> None:
    assert PlanPublisher(log).publish("detector", b"rules") == 1
    for partition in range(3):
        assert [plan.content for plan in plans(log, METRICS, partition)] == [b"rules"]
    assert plans(log, ALERTS, 0) == []
    log.close()


def test_the_spanning_detectors_follow_it_too_where_there_are_several_partitions(
    tmp_path: Path,
) -> None:
    for count, wanted in ((3, [b"rules"]), (1, [])):
        log = SqliteLog(tmp_path / str(count), lambda: 1_000, {METRICS: count, GATHERED: 2})
        PlanPublisher(log).publish("detector", b"rules")
        for partition in range(2):
            assert [plan.content for plan in plans(log, GATHERED, partition)] == wanted
        log.close()


def test_the_same_content_is_not_published_again_also_after_a_restart(log: SqliteLog) -> None:
    assert PlanPublisher(log).publish("router", b"routes") == 1
    again = PlanPublisher(log)
    assert again.last("router") == 1
    assert again.publish("router", b"routes") == 1
    assert len(plans(log, ALERTS, 0)) == 1
    log.close()


def test_new_content_gets_the_next_number_and_old_content_comes_back_under_a_new_one(
    log: SqliteLog,
) -> None:
    publisher = PlanPublisher(log)
    assert [publisher.publish("router", text) for text in (b"a", b"b", b"a")] == [1, 2, 3]
    assert [plan.number for plan in plans(log, ALERTS, 0)] == [1, 2, 3]
    log.close()


def test_the_same_content_is_published_again_when_the_topic_got_partitions(log: SqliteLog) -> None:
    publisher = PlanPublisher(log)
    assert publisher.publish("detector", b"rules") == 1
    publisher._last["detector"] = (*publisher._last["detector"][:2], 2)
    assert publisher.publish("detector", b"rules") == 2
    assert [plan.number for plan in plans(log, METRICS, 2)] == [1, 2]
    log.close()


def test_a_large_plan_goes_in_pieces(log: SqliteLog) -> None:
    PlanPublisher(log).publish("router", b"x" * (PIECE * 2 + 1))
    assert [(plan.piece, plan.pieces) for plan in plans(log, ALERTS, 0)] == [(0, 3), (1, 3), (2, 3)]
    log.close()


def test_rules_are_known_by_their_files_name_and_by_their_path_where_names_meet(
    tmp_path: Path,
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.yml").write_text("groups: []\n")
    (tmp_path / "one" / "own.yml").write_text("groups: []\n")
    settings = load(None, {"rules": [str(tmp_path / "*" / "*.yml")]}, {}).settings
    names = [name for name, _ in RulesPlan.unpack(rules_content(settings)).files]
    assert sorted(names) == sorted(
        ["own.yml", *(str(tmp_path / folder / "same.yml") for folder in ("one", "two"))]
    )


def test_without_a_routing_file_there_is_nowhere_to_send_anything() -> None:
    assert b"nobody" in routes_content(routes_text(None))


@pytest.mark.parametrize("text", ["route: {receiver: a}\nreceivers: [{name: a}]", None])
def test_a_plan_says_in_which_mode_its_matchers_are_read(text: str | None) -> None:
    text = text or '{"route": {"receiver": "a"}, "receivers": [{"name": "a"}]}'
    assert MODE_KEY.encode() not in routes_content(text)
    utf8 = text.replace('receiver": "a"', 'receiver": "a", "matchers": ["é=b"]')
    utf8 = utf8.replace("receiver: a", "receiver: a, routes: [{matchers: [é=b]}]")
    utf8 = utf8.replace('"matchers": ["é=b"]', '"routes": [{"matchers": ["é=b"]}]')
    for mode, fine in ((Mode.UTF8, True), (Mode.CLASSIC, False)):
        config, _ = read(routes_content(utf8, mode).decode(), "plan", bare=True)
        assert (config is not None) is fine
