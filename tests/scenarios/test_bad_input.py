"""Bad input: put aside with its bytes and a reason, counted, and in the way of nothing else."""

import math
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import ormsgpack
import pytest

from ops.data_directory import DataDirectory
from ops.transport.sqlite_log import SqliteLog
from schemas.dead_letter import DeadLetter
from schemas.deliveries import Decision, Why
from schemas.envelope import Envelope, Producer
from schemas.errors import Reason, Refused
from schemas.event import Event
from schemas.labels import labels_of
from schemas.metrics import MetricBatch, metric_batch
from schemas.series import pack_series
from schemas.stage import Message
from schemas.topics import ALERTS, CODEC, DEAD_LETTERS, DELIVERIES, HISTORY, METRICS
from tests.support.history_rows import Rows
from tests.support.log_file import LogFile
from tests.support.sender import Sender
from tests.support.tocsin_process import Tocsin, run, wall
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

HOUR = 3_600_000
RULES = """
groups:
  - name: scenario
    rules:
      - {alert: Hot, expr: heat > 90}
      - {alert: Strange, expr: strange == strange}
"""
ROUTES = """
route: {{receiver: hook, group_by: [alertname, room], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}", send_resolved: true}}]
"""
CONFIG = {"evaluation_interval": "200ms", "agent": {"host": {"enabled": False}}}


class Bad(NamedTuple):
    """A record, the stage that puts it aside, and why."""

    topic: str
    value: bytes
    stage: str
    reason: Reason


def _sealed(event: Event) -> bytes:
    return CODEC.encode(Envelope(f"id-{event.KIND}", Producer("somebody"), wall(), event))


def _changed(value: bytes, **fields: Any) -> bytes:
    return ormsgpack.packb(ormsgpack.unpackb(value) | fields)


def _bad() -> list[Bad]:
    series = [labels_of({"__name__": "good", "instance": "disk", "n": "0"})]
    good = _sealed(metric_batch("disk", series, [1.0], [wall()]))
    body = ormsgpack.unpackb(good)["body"]
    no_block = MetricBatch(instance="disk", series=b"no zlib", times=b"\0" * 8, values=b"\0" * 8)
    behind = metric_batch("disk", pack_series(series), [1.0], [wall()], index=[7])
    decision = Decision(id="d", at=1, group_key="g", receiver="r", why=Why.NOTHING)
    short = _changed(good, body=body | {"values": b"7 bytes"})
    return [
        Bad(METRICS, b"\xc1\xff\x00 no msgpack", "detector", Reason.NOT_MSGPACK),
        Bad(METRICS, b"", "detector", Reason.NOT_MSGPACK),
        Bad(METRICS, ormsgpack.packb([1, 2]), "detector", Reason.NOT_AN_ENVELOPE),
        Bad(METRICS, _changed(good, schema="poem"), "detector", Reason.UNKNOWN_SCHEMA),
        Bad(METRICS, _changed(good, version=99), "detector", Reason.UNKNOWN_VERSION),
        Bad(METRICS, short, "detector", Reason.INVALID_EVENT),
        Bad(METRICS, _sealed(no_block), "historian", Reason.INVALID_COLUMNS),
        Bad(METRICS, _sealed(behind), "historian", Reason.INVALID_COLUMNS),
        Bad(ALERTS, b"\xc1 no msgpack", "router", Reason.NOT_MSGPACK),
        Bad(DELIVERIES, b"\xc1 no msgpack", "courier", Reason.NOT_MSGPACK),
        Bad(DELIVERIES, _sealed(decision), "courier", Reason.UNKNOWN_SCHEMA),
        Bad(HISTORY, b"\xc1 no msgpack", "historian", Reason.NOT_MSGPACK),
    ]


BAD = _bad()


def _good(number: int) -> Message:
    series = [labels_of({"__name__": "good", "instance": "disk", "n": str(number)})]
    batch = metric_batch("disk", series, [float(number)], [wall()])
    envelope = Envelope(f"good-{number}", Producer("disk", 1, number + 1), wall(), batch)
    return Message(METRICS, "disk", CODEC.encode(envelope))


@pytest.fixture(scope="module")
def phone() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture(scope="module")
def tocsin(phone: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tocsin]:
    """Everything, over a log in which every second record is bad."""
    home = tmp_path_factory.mktemp("bad")
    directory = DataDirectory(home / "data")
    log = SqliteLog(home / "data" / "log.sqlite", wall)
    for number, bad in enumerate(BAD):
        log.publish([_good(number), Message(bad.topic, "x", bad.value)])
    log.close()
    directory.close()
    with Tocsin(home, rules=RULES, routes=ROUTES.format(url=phone.url), config=CONFIG) as tocsin:
        yield tocsin.start().ready()


@pytest.fixture
def sender(tocsin: Tocsin) -> Iterator[Sender]:
    with Sender(tocsin.url, tocsin.token_file) as sender:
        yield sender


@pytest.fixture
def rows(tocsin: Tocsin) -> Iterator[Rows]:
    with Rows(tocsin.data) as rows:
        yield rows


def _letters(tocsin: Tocsin) -> Counter[tuple[str, Reason, bytes]]:
    found = LogFile(tocsin.data).events(DEAD_LETTERS, DeadLetter)
    return Counter((letter.stage, letter.reason, letter.original) for letter in found)


def test_each_bad_record_is_a_dead_letter_with_its_bytes_and_a_reason_and_counted(
    tocsin: Tocsin,
) -> None:
    expected = Counter((bad.stage, bad.reason, bad.value) for bad in BAD)
    eventually(lambda: _letters(tocsin) == expected, what=lambda: _letters(tocsin))
    for (stage, reason), count in Counter((bad.stage, bad.reason) for bad in BAD).items():
        counted = partial(
            tocsin.figure, "tocsin_dead_letters_total", stage=stage, reason=str(reason)
        )
        eventually(lambda c=counted, n=count: c() == n, what=lambda: tocsin.get("/metrics").text)


def test_what_lies_between_bad_records_is_in_history_and_they_are_not_repeated_after_a_kill(
    tocsin: Tocsin, phone: Webhook, rows: Rows
) -> None:
    rows.caught_up()
    found = rows.ask("SELECT labels['n'], value FROM metrics WHERE name = 'good'")
    assert sorted((int(n), value) for n, value in found) == [
        (number, float(number)) for number in range(len(BAD))
    ]
    tocsin.kill()
    tocsin.start().ready()
    with Sender(tocsin.url, tocsin.token_file) as sender:
        sender.send("heat", 99, room="cellar")
    eventually(lambda: "cellar" in phone.told("room", "firing"))
    rows.caught_up()
    assert set(_letters(tocsin).values()) == {1}
    assert tocsin.health()["status"] == "healthy"


def test_the_agents_door_refuses_them_and_appends_nothing(tocsin: Tocsin, sender: Sender) -> None:
    beside = sender.message("beside", 1.0)
    for bad in BAD:
        if bad.stage == "detector":
            with pytest.raises(Refused):
                sender.publish(beside, Message(METRICS, sender.host, bad.value))
    assert beside.value not in {record.value for record in LogFile(tocsin.data).records(METRICS)}


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "NaN"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (-0.0, "-0")]
)
def test_numbers_that_are_none_come_through_to_history_alerts_and_json(
    tocsin: Tocsin, sender: Sender, rows: Rows, phone: Webhook, value: float, text: str
) -> None:
    sender.send("strange", value, room=text)
    eventually(
        lambda: rows.ask("SELECT value FROM metrics WHERE labels['room'] = {r:String}", r=text)
    )
    [(stored,)] = rows.ask("SELECT value FROM metrics WHERE labels['room'] = {r:String}", r=text)
    assert math.isnan(stored) if math.isnan(value) else stored == value
    asked = tocsin.json("/api/v1/query", query=f'strange{{room="{text}"}}')["data"]["result"]
    assert asked[0]["value"][1] == text
    if not math.isnan(value):  # NaN == NaN is false, in PromQL too
        eventually(lambda: text in phone.told("room", "firing"))
    assert tocsin.get("/api/tocsin/v1/alerts").status_code == 200


def test_samples_of_the_future_are_kept_at_the_time_of_their_arrival_and_counted(
    tocsin: Tocsin, sender: Sender, rows: Rows
) -> None:
    before = tocsin.figure("tocsin_stage_events_total", event="from the future")
    position = sender.send("future", 1.0, at=wall() + 2 * HOUR, room="future")
    times = "SELECT toUnixTimestamp64Milli(time) FROM metrics WHERE name = 'future'"
    eventually(lambda: rows.ask(times))
    assert rows.ask(times) == [(position.appended_at,)]
    after = tocsin.figure("tocsin_stage_events_total", event="from the future")
    assert after == before + 1


def test_samples_hours_late_are_in_history_at_their_own_time_and_page_nobody(
    tocsin: Tocsin, sender: Sender, rows: Rows, phone: Webhook
) -> None:
    before = tocsin.figure("tocsin_stage_events_total", event="late")
    then = wall() - 3 * HOUR
    sender.send("heat", 99.0, at=then, room="yesterday")
    sender.send("heat", 99.0, room="today")
    eventually(lambda: "today" in phone.told("room", "firing"))
    times = (
        "SELECT toUnixTimestamp64Milli(time) FROM metrics"
        " WHERE name = 'heat' AND labels['room'] = 'yesterday'"
    )
    eventually(lambda: rows.ask(times) == [(then,)], what=lambda: rows.ask(times))
    assert "yesterday" not in phone.told("room", "firing")
    assert tocsin.figure("tocsin_stage_events_total", event="late") == before + 1


def test_a_batch_that_comes_twice_counts_once(
    tocsin: Tocsin, sender: Sender, rows: Rows, phone: Webhook
) -> None:
    before = tocsin.figure("tocsin_stage_events_total", event="repeated batch")
    hot = sender.message("heat", 98.0, room="twice")
    sender.publish(hot)
    eventually(lambda: "twice" in phone.told("room", "firing"))
    sender.send("heat", 10.0, room="twice")
    eventually(lambda: "twice" in phone.told("room", "resolved"))
    sender.publish(hot)
    sender.send("heat", 98.0, room="once")
    eventually(lambda: "once" in phone.told("room", "firing"))
    assert tocsin.figure("tocsin_stage_events_total", event="repeated batch") == before + 1
    told = [page.status for page in phone.pages if "twice" in page.labels("room")]
    assert told == ["firing", "resolved"]
    rows.caught_up()
    values = rows.ask("SELECT value FROM metrics WHERE labels['room'] = 'twice' ORDER BY time")
    assert values == [(98.0,), (10.0,)]


def test_an_unknown_key_in_the_configuration_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "tocsin.yaml").write_text("data: data\nagent:\n  intervall: 5s\n")
    refused = run("up", "--config", "tocsin.yaml", cwd=tmp_path)
    assert refused.returncode == 2
    assert "tocsin.yaml:3" in refused.stderr
    assert "intervall" in refused.stderr
    assert not (tmp_path / "data" / "log.sqlite").exists()
