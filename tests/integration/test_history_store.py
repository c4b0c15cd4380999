"""The store as a whole: schema, blocks written over kills, samples selected again."""

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from ops.history import samples as selection
from ops.history import tables
from ops.history.address import Address
from ops.history.alert_values import PATIENCE, AlertValues
from ops.history.child import HistoryChild
from ops.history.clickhouse import History
from ops.history.errors import HistoryAway, HistoryNewer, HistoryRefused
from ops.history.migrations import Migration, known, migrate
from ops.history.samples import select
from ops.history.tables import Table
from ops.history.writer import Writer

TODAY = int(datetime.now(UTC).timestamp()) // 86_400 * 86_400_000
ROWS = 50


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistoryChild]:
    child = HistoryChild(tmp_path_factory.mktemp("history"), longest_pause=0.1)
    child.start()
    assert child.wait_ready(30)
    yield child
    child.stop()


@pytest.fixture(scope="module")
def history(child: HistoryChild) -> Iterator[History]:
    history = History(lambda: child.address)
    migrate(history)
    yield history
    history.close()


def samples(first: int, count: int, day: int = TODAY) -> pa.Table:
    offsets = np.repeat(np.arange(first, first + count, dtype=np.uint64), ROWS)
    times = day + offsets.astype(np.int64) * 1000
    series = np.tile(np.arange(ROWS, dtype=np.uint64), count)
    return tables.SAMPLES.rows(
        {
            "series": series,
            "time": times,
            "value": series.astype(np.float64),
            "offset": offsets,
            "appended": times,
        }
    )


def test_a_second_migration_changes_nothing(history: History) -> None:
    assert migrate(history) == ()


def test_a_newer_schema_is_refused(history: History) -> None:
    newest = known()[-1].version
    older = (Migration(newest - 1, "older", ""),)
    with pytest.raises(HistoryNewer, match=f"schema {newest}"):
        migrate(history, migrations=older)


def test_the_retention_is_changed_where_it_differs(history: History) -> None:
    def kept() -> set[str]:
        found = history.rows(
            "SELECT extract(engine_full, 'toIntervalDay\\\\((\\\\d+)\\\\)') FROM system.tables"
            " WHERE engine_full LIKE '%TTL%' AND database = 'default'"
        )
        return {row[0] for row in found}

    migrate(history, days=12)
    assert kept() == {"12"}
    migrate(history)
    assert kept() == {"30"}


def test_a_refusal_and_an_absence_are_told_apart(history: History, child: HistoryChild) -> None:
    with pytest.raises(HistoryRefused) as refused:
        history.rows("SELECT * FROM nowhere")
    assert refused.value.code == 60
    away = History(type(child.address)("127.0.0.1", 1, token="x"))
    with pytest.raises(HistoryAway):
        away.rows("SELECT 1")
    with pytest.raises(HistoryAway):
        away.wait(0.1)


def test_an_analyst_reads_through_the_same_door(history: History, child: HistoryChild) -> None:
    analyst = History(lambda: child.analyst)
    assert analyst.rows("SELECT count() >= 0 FROM samples") == [(1,)]
    with pytest.raises(HistoryRefused):
        analyst.command("TRUNCATE TABLE samples")
    analyst.close()


def test_an_insert_is_one_part(history: History) -> None:
    rows = pa.concat_tables([samples(first, 40, TODAY - 86_400_000) for first in range(0, 200, 40)])
    history.command("SYSTEM STOP MERGES samples")
    Writer(history).write(tables.SAMPLES, "one", 0, rows)
    history.command("SYSTEM START MERGES samples")
    assert history.rows("SELECT uniqExact(_part), count() FROM samples WHERE topic = 'one'") == [
        (1, rows.num_rows)
    ]


@pytest.mark.parametrize("table", tables.TABLES.values(), ids=lambda table: table.name)
def test_every_table_takes_its_rows_once(history: History, table: Table) -> None:
    made: dict[str, object] = {}
    for field in table.schema:
        plain: object = 7
        if pa.types.is_timestamp(field.type):
            plain = TODAY
        elif pa.types.is_string(field.type):
            plain = "text"
        elif pa.types.is_map(field.type):
            plain = {"a": "b'"}
        elif pa.types.is_list(field.type):
            plain = ["x"]
        elif pa.types.is_boolean(field.type):
            plain = True
        made[field.name] = [plain]
    rows = table.rows(made)  # type: ignore[arg-type]  # each list fits its column
    topic = f"once-{table.name}"
    assert Writer(history).write(table, topic, 3, rows).stored == 1
    assert Writer(history).write(table, topic, 3, rows).found == 1
    sql = f"SELECT count() FROM {table.name} WHERE topic = {{t:String}} AND partition = 3"
    assert history.rows(sql, {"t": topic}) == [(1,)]


def test_the_views_answer(history: History) -> None:
    names = ("metrics", "check_history", "alert_history", "decision_history", "incident_history")
    for view in names:
        history.rows(f"SELECT * FROM {view} LIMIT 1")
    assert history.rows("SELECT time, delivery, status FROM delivery_history LIMIT 1")


def test_kills_between_and_during_inserts_lose_and_double_nothing(
    history: History, child: HistoryChild
) -> None:
    rng = np.random.default_rng(7)
    killed: set[int] = set()
    done = threading.Event()

    def kill() -> None:
        while len(killed) < 10:
            child.wait_ready(30)
            done.wait(float(rng.uniform(0.0, 0.15)))
            if (pid := child.pid) and pid not in killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        done.set()

    killer = threading.Thread(target=kill)
    killer.start()
    writer, offset, away = Writer(history), 0, 0
    while not done.is_set() or offset < 200:
        block = samples(offset, 5, TODAY - 2 * 86_400_000)
        while True:
            try:
                writer.write(tables.SAMPLES, "killed", 0, block)
                break
            except HistoryAway:
                away += 1
                child.wait_ready(30)
        offset += 5
    killer.join()
    found = history.rows(
        "SELECT count(), uniqExact(series, time), uniqExact(offset) FROM samples"
        " WHERE topic = 'killed'"
    )
    assert found == [(offset * ROWS, offset * ROWS, offset)]
    assert away >= 5
    assert child.restarts >= 10


@pytest.fixture(scope="module")
def measured(history: History) -> int:
    start = TODAY - 5 * 86_400_000
    labels = [
        ("up", {"job": "a", "text": "it's"}),
        ("up", {"job": "b", "text": "two\nlines"}),
        ("load", {"job": "a"}),
    ]
    count = len(labels)
    writer = Writer(history)
    series = tables.SERIES.rows(
        {
            "id": range(9000, 9000 + count),
            "name": [name for name, _ in labels],
            "labels": [own for _, own in labels],
            "first_seen": [start] * count,
            "last_seen": [start] * count,
            "offset": [0] * count,
            "appended": [start] * count,
        }
    )
    writer.write(tables.SERIES, "measured", 0, series)
    for value, offset in ((1.0, 1), (2.0, 2)):  # the same instants twice: the later one counts
        rows = tables.SAMPLES.rows(
            {
                "series": [9000, 9001, 9002] * 2,
                "time": [start + 1000] * 3 + [start + 2000] * 3,
                "value": [value] * 6,
                "offset": [offset] * 6,
                "appended": [start] * 6,
            }
        )
        writer.write(tables.SAMPLES, "measured", 0, rows)
    return start


@pytest.mark.parametrize(
    ("matchers", "found"),
    [
        ([("__name__", "=", "up")], ["a", "b"]),
        ([("__name__", "=~", "u.")], ["a", "b"]),
        ([("__name__", "=~", "u")], []),
        ([("__name__", "!=", "up"), ("job", "=", "a")], ["a"]),
        ([("text", "=", "it's")], ["a"]),
        ([("text", "=", "it's' OR 1=1 --")], []),
        ([("text", "=~", "two.lines")], ["b"]),
        ([("__name__", "=~", "up|load"), ("text", "=", "")], ["a"]),
        ([("__name__", "=", "up"), ("text", "!~", "it.*")], ["b"]),
        ([("nothing", "!=", "")], []),
    ],
)
def test_matchers_select_as_prometheus_does(
    history: History, measured: int, matchers: list[tuple[str, str, str]], found: list[str]
) -> None:
    answer = select(history, matchers, measured, measured + 5000)
    assert sorted(labels["job"] for labels in answer.labels) == found


def test_samples_come_sorted_and_once_with_the_last_value(history: History, measured: int) -> None:
    answer = select(history, [("__name__", "=", "up")], measured + 1000, measured + 2000)
    assert [labels["__name__"] for labels in answer.labels] == ["up", "up"]
    assert answer.series.tolist() == [0, 0, 1, 1]
    assert (answer.times - measured).tolist() == [1000, 2000] * 2
    assert answer.values.tolist() == [2.0] * 4


def test_both_ends_of_the_time_range_are_included(history: History, measured: int) -> None:
    answer = select(history, [("__name__", "=", "load")], measured + 2000, measured + 2000)
    assert answer.times.tolist() == [measured + 2000]


def test_a_bad_expression_is_refused(history: History, measured: int) -> None:
    with pytest.raises(HistoryRefused):
        select(history, [("job", "=~", "(")], measured, measured + 1)


def test_a_selection_larger_than_a_query_may_read_is_refused(
    history: History, measured: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(selection._LIMITS, "max_result_rows", 3)
    with pytest.raises(HistoryRefused, match="narrow the selector") as refused:
        select(history, [("__name__", "=", "up")], measured, measured + 5000)
    assert refused.value.code == 396


def test_what_a_decision_held_is_read_as_it_was_written(history: History) -> None:
    row = {name: [None] for name in tables.DECISIONS.schema.names} | {
        "time": [TODAY],
        "id": ["d1"],
        "group_key": ["g"],
        "receiver": ["ops"],
        "integration": [0],
        "decision": ["tell"],
        "reason": ["first notification"],
        "delivery": ["m1"],
        "firing": [["a"]],
        "resolved": [[]],
        "channel": ["webhook"],
        "route": [["{}", '{severity="critical"}']],
        "held": [["b", "c"]],
        "causes": [[["silence/1", "time/at night"], []]],
        "due": [TODAY + 1],
        "incident": ["i"],
        "unnamed": [0],
        "offset": [1],
        "appended": [TODAY],
    }
    history.insert("decisions", tables.DECISIONS.rows(row))
    found = history.rows(
        "SELECT held, causes, route, repeat_at FROM decision_history WHERE delivery = 'm1'"
    )
    assert [tuple(one) for one in found] == [
        (["b", "c"], [["silence/1", "time/at night"], []], ["{}", '{severity="critical"}'], None)
    ]
    pages = history.rows(
        "SELECT delivery, status, milliseconds FROM page_history WHERE delivery = 'm1'"
    )
    assert [tuple(one) for one in pages] == [("m1", "no answer yet", None)]


def test_the_values_of_an_alert_are_there_for_its_picture(history: History) -> None:
    rows = "(toDateTime64({at}, 3, 'UTC'), '{name}', 'CPU', 'firing', {value}, {offset})"
    values = [
        rows.format(at=TODAY // 1_000 + 60 * n, name=name, value=n, offset=n)
        for n in (2, 0, 1)
        for name in ("f1", "f2")
    ]
    columns = "decided_at, fingerprint, name, state, value, offset"
    history.command(f"INSERT INTO alerts ({columns}) VALUES {', '.join(values)}")
    charts = AlertValues(history)
    assert charts.points("f1", TODAY, TODAY + 60_000) == [(TODAY, 0.0), (TODAY + 60_000, 1.0)]
    assert charts.points("f3", TODAY, TODAY + 60_000) == []


def test_a_history_that_is_away_keeps_no_mail_waiting() -> None:
    def away() -> Address:
        raise OSError("not yet")

    assert AlertValues(History(away, PATIENCE)).points("f1", 0, 1) == []
    nobody = Address("127.0.0.1", 1, "default", "", "default", False)
    assert AlertValues(History(nobody, PATIENCE)).points("f1", 0, 1) == []
