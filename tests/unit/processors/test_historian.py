"""Which rows of history an event becomes."""

import numpy as np
import pytest

from ops.history.tables import INCIDENTS
from processors import corrections
from processors.historian import SEEN_AGAIN, Collector
from schemas.alerts import AlertBatch, AlertLevel, AlertState, PostedAlerts
from schemas.checks import CheckResult, CheckStatus
from schemas.deliveries import Decision, Delivery, Fate, Held, Receipt, Why, told
from schemas.errors import Undecodable
from schemas.event import Event
from schemas.incidents import IncidentChanged, IncidentState
from schemas.labels import Labels, fingerprint, labels_of, series_id
from schemas.metrics import MetricBatch, metric_batch
from schemas.pairs import packed
from schemas.plans import WakeUp
from schemas.series import pack_series
from tests.support.build import T0, envelope

DAY = 86_400_000
CPU = labels_of({"__name__": "cpu", "instance": "a"})
MEM = labels_of({"__name__": "mem", "instance": "a"})
LABELS = {"alertname": "Hot", "instance": "a"}


def collected(*events: tuple[int, Event], at: int = T0) -> dict[str, dict[str, object]]:
    """The tables that these events, by offset, become."""
    collector = Collector(30 * DAY)
    for offset, event in events:
        collector.pass_by(offset, at)
        collector.add(offset, at, envelope(event, at))
    return {table: dict(columns) for table, columns in collector.take()}


def batch(values: list[float], times: list[int], series: tuple[Labels, ...] = (CPU, MEM)):
    return metric_batch("a", pack_series(series), values, times)


def test_samples_come_with_their_series_and_with_where_they_were_in_the_log() -> None:
    tables = collected((7, batch([1.0, 2.0], [T0 - 5])), (8, batch([3.0, 4.0], [T0 - 1, T0 - 2])))
    samples = tables["samples"]
    ids = [series_id(CPU), series_id(MEM)]
    assert list(samples["series"]) == ids * 2
    assert list(samples["time"]) == [T0 - 5, T0 - 5, T0 - 1, T0 - 2]
    assert list(samples["value"]) == [1.0, 2.0, 3.0, 4.0]
    assert list(samples["offset"]) == [7, 7, 8, 8]
    assert list(samples["appended"]) == [T0] * 4
    assert tables["series"]["id"] == ids
    assert tables["series"]["labels"] == [{"instance": "a"}] * 2
    assert tables["batches"] == {
        "time": [T0],
        "offset": [7],
        "appended": [T0],
        "last_offset": [8],
        "rows": [6],
    }


def test_series_come_before_the_samples_that_name_them() -> None:
    assert list(collected((1, batch([1.0, 2.0], [T0])))) == ["series", "samples", "batches"]


def test_a_series_is_told_once_and_again_after_an_hour() -> None:
    collector = Collector(30 * DAY)
    told = []
    for tick in range(3):
        at = T0 + tick * (SEEN_AGAIN // 2 + 1)
        collector.add(tick, at, envelope(batch([1.0, 2.0], [at]), at))
        told.append("series" in dict(collector.take()))
    assert told == [True, False, True]


def test_an_index_says_which_series_a_sample_is_of() -> None:
    sparse = metric_batch("a", (CPU, MEM), [5.0, 6.0, 7.0], [T0, T0, T0 - 9], [1, 0, 1])
    samples = collected((1, sparse))["samples"]
    assert list(samples["series"]) == [series_id(MEM), series_id(CPU), series_id(MEM)]


def test_a_sample_from_the_future_has_the_time_at_which_it_was_appended() -> None:
    assert list(collected((1, batch([1.0, 2.0], [T0 + 9_000])))["samples"]["time"]) == [T0, T0]


def test_hours_late_samples_keep_their_true_time() -> None:
    late = T0 - 5 * 3_600_000
    assert list(collected((1, batch([1.0, 2.0], [late])))["samples"]["time"]) == [late, late]


def test_what_retention_would_drop_at_once_is_dropped_and_counted() -> None:
    collector = Collector(30 * DAY)
    old = batch([1.0, 2.0], [T0 - 31 * DAY, T0])
    collector.add(1, T0, envelope(old, T0))
    tables = dict(collector.take())
    assert list(tables["samples"]["time"]) == [T0]
    assert collector.counts["expired"] == 1


def test_a_producer_whose_clock_is_wrong_is_corrected_as_the_detector_does_it() -> None:
    collector = Collector(30 * DAY)
    behind = T0 - 3_600_000
    sealed = envelope(batch([1.0, 2.0], [behind - 10]), behind, "p", sequence=1)
    collector.add(1, T0, sealed)
    assert list(dict(collector.take())["samples"]["time"]) == [T0 - 10, T0 - 10]


@pytest.mark.parametrize("wrong", [batch([1.0], [T0]), metric_batch("a", (CPU,), [1.0], [T0], [3])])
def test_columns_that_do_not_fit_the_series_are_undecodable(wrong: MetricBatch) -> None:
    with pytest.raises(Undecodable):
        collected((1, wrong))


def test_nan_and_infinity_are_kept() -> None:
    values = collected((1, batch([float("nan"), float("inf")], [T0])))["samples"]["value"]
    assert np.isnan(values[0])
    assert values[1] == float("inf")


def test_a_check_result_becomes_a_row() -> None:
    check = CheckResult(
        instance="i", check="web", target="t", status=CheckStatus.HEALTHY, at=T0, duration=0.5
    )
    row = {key: column[0] for key, column in collected((3, check))["checks"].items()}
    assert (row["check"], row["status"], row["offset"]) == ("web", "healthy", 3)


def test_every_level_becomes_a_row_under_its_fingerprint() -> None:
    levels = tuple(
        AlertLevel(labels=LABELS, state=state, active_at=T0, starts_at=T0)
        for state in (AlertState.PENDING, AlertState.FIRING)
    )
    batch_ = AlertBatch(source="f:g", plan=2, decided_at=T0, alerts=levels)
    alerts = collected((1, batch_))["alerts"]
    assert alerts["state"] == ["pending", "firing"]
    assert alerts["fingerprint"] == [fingerprint(LABELS)] * 2
    assert alerts["name"] == ["Hot", "Hot"]
    assert alerts["ends_at"] == [None, None]


def test_what_is_posted_becomes_rows_as_a_batch_does() -> None:
    firing = AlertLevel(
        labels=LABELS, annotations={"a": ""}, state=AlertState.FIRING, active_at=T0, starts_at=T0
    )
    over = firing.model_copy(
        update={"state": AlertState.RESOLVED, "ends_at": T0, "generator_url": "http://g/"}
    )
    batch_ = AlertBatch(source="api", plan=0, decided_at=T0, alerts=(firing, over))
    posted = PostedAlerts(
        decided_at=T0,
        labels=(packed(LABELS),) * 2,
        annotations=(packed({"a": ""}),) * 2,
        starts_at=(T0, T0),
        ends_at=(None, T0),
        generator_urls=("", "http://g/"),
    )
    assert collected((1, posted))["alerts"] == collected((1, batch_))["alerts"]


def test_a_delivery_is_intended_and_then_has_its_receipts() -> None:
    level = AlertLevel(labels=LABELS, state=AlertState.FIRING, active_at=T0, starts_at=T0)
    common = {"group_key": "g", "receiver": "r", "integration": 0, "channel": "webhook"}
    delivery = Delivery(
        id="d", why=Why.FIRST, decided_at=T0, expires_at=T0 + 1, told=told((level,)), **common
    )
    receipt = Receipt(
        delivery="d", fate=Fate.RETRY, attempt=1, tries=3, at=T0, duration=1.0, retry_at=9, **common
    )
    rows = collected((1, delivery), (2, receipt))["deliveries"]
    assert rows["status"] == ["intended", "retry"]
    assert rows["alerts"] == [[fingerprint(LABELS)], []]
    assert rows["retry_at"] == [None, 9]


@pytest.mark.parametrize(("why", "said"), [(Why.FIRST, "tell"), (Why.NOTHING, "keep quiet")])
def test_a_decision_says_whether_somebody_is_told(why: Why, said: str) -> None:
    decision = Decision(id="x", at=T0, group_key="g", receiver="r", why=why)
    assert collected((1, decision))["decisions"]["decision"] == [said]


def test_a_decision_names_what_it_held_with_the_causes_of_each() -> None:
    held = (
        Held(causes=("silence/a", "alert/b"), alerts=("1", "2")),
        Held(causes=(), alerts=("3",)),
    )
    decision = Decision(
        id="x", at=T0, group_key="g", receiver="r", why=Why.NOTHING, held=held, due=T0 + 1
    )
    rows = collected((1, decision))["decisions"]
    assert rows["held"] == [["1", "2", "3"]]
    assert rows["causes"] == [[["silence/a", "alert/b"], ["silence/a", "alert/b"], []]]
    assert (rows["due"], rows["repeat_at"]) == ([T0 + 1], [None])


def test_what_has_no_rows_leaves_none() -> None:
    assert collected((1, WakeUp(stage="detector", due=T0))) == {}


def test_a_batch_gathered_again_has_the_times_of_the_first_time() -> None:
    """Its producer is an hour behind, and what it sends takes a while longer each time."""
    first = Collector(30 * DAY)
    sent = [envelope(batch([1.0, 2.0], [T0 - 10]), T0, "p", sequence=n) for n in (1, 2, 3)]
    arrivals = [T0 + 3_600_000 + late for late in (500, 9_000, 0)]

    def gathered(collector: Collector, numbers: tuple[int, ...]) -> list[int]:
        for number in numbers:
            collector.add(number, arrivals[number], sent[number])
        return list(dict(collector.take())["samples"]["time"])

    times = gathered(first, (0, 1, 2))
    assert gathered(first.emptied(), (0, 1, 2)) == times
    assert gathered(first.emptied(), (1, 2)) == times[2:]


@pytest.mark.parametrize("ahead", [2_000, -3_600_000], ids=["future samples", "a clock behind"])
def test_a_batch_sent_again_has_the_times_of_the_first_time(ahead: int) -> None:
    collector = Collector(30 * DAY)
    sent = envelope(batch([1.0, 2.0], [T0 + ahead]), T0 + ahead, "p", sequence=1)
    collector.add(1, T0, sent)
    once = list(dict(collector.take())["samples"]["time"])
    again = collector.emptied()  # a write failed in between
    again.add(2, T0 + 700, sent)
    assert list(dict(again.take())["samples"]["time"]) == once


def test_only_so_many_batches_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrections, "REMEMBERED", 1)
    found = corrections.Corrections()
    one, two = (envelope(batch([1.0, 2.0], [T0]), T0, "p", sequence=n) for n in (1, 2))
    assert found.of(one, T0 + 6_000).latest == T0 + 6_000
    assert found.of(one, T0 + 7_000).latest == T0 + 6_000
    found.of(two, T0 + 8_000)
    assert found.of(one, T0 + 9_000).latest == T0 + 9_000


def test_a_line_of_a_timeline_is_a_row_with_how_the_incident_stands() -> None:
    line = IncidentChanged(
        id="x",
        incident="i",
        number=2,
        at=T0,
        what="acknowledged",
        by="ada",
        state=IncidentState.ACKNOWLEDGED,
        group_key="g",
        receiver="r",
        opened_at=T0 - 5,
        acknowledged_at=T0,
    )
    rows = collected((1, line))["incidents"]
    assert rows["incident"] == ["i"]
    assert rows["state"] == ["acknowledged"]
    assert rows["resolved_at"] == [None]
    assert INCIDENTS.rows(rows).num_rows == 1
