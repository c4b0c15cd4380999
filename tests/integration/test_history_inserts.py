"""An insert that was not stored says so: chdb's own streaming insert says "done" all the same."""

from collections.abc import Iterator

import httpx
import pyarrow as pa
import pytest

from ops.history.child import HistoryChild
from ops.history.clickhouse import History
from ops.history.errors import HistoryAway, HistoryRefused


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
    history.command(
        "CREATE TABLE small (a UInt64, CONSTRAINT below_five CHECK a < 5)"
        " ENGINE = MergeTree ORDER BY a"
    )
    history.command("CREATE TABLE settings (a UInt64) ENGINE = MergeTree ORDER BY a")
    yield history
    history.close()


def post(child: HistoryChild, sql: str, data: bytes) -> httpx.Response:
    at = child.address
    return httpx.post(
        f"http://{at.host}:{at.port}/",
        params={"query": sql},
        content=data,
        headers={"X-ClickHouse-Key": at.token},
    )


def test_rows_that_break_a_constraint_are_refused_aloud(history: History) -> None:
    with pytest.raises(HistoryRefused, match="below_five"):
        history.insert("small", pa.table({"a": pa.array([1, 9], pa.uint64())}))
    assert history.rows("SELECT count() FROM small")[0][0] == 0
    history.insert("small", pa.table({"a": pa.array([1, 2], pa.uint64())}))
    assert history.rows("SELECT count() FROM small")[0][0] == 2


def test_what_says_nothing_of_the_rows_may_be_tried_again(history: History) -> None:
    with pytest.raises(HistoryAway):
        history.insert("not_there_yet", pa.table({"a": pa.array([1], pa.uint64())}))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO settings FORMAT JSONEachRow",
        "INSERT INTO settings (a) SETTINGS async_insert = 0, max_threads=1 FORMAT JSONEachRow",
        "INSERT INTO TABLE settings (a) FORMAT JSONEachRow",
    ],
)
def test_an_insert_may_bring_settings_and_a_table_may_be_called_so(
    child: HistoryChild, history: History, sql: str
) -> None:
    before = history.rows("SELECT count() FROM settings")[0][0]
    answer = post(child, sql, b'{"a": 1}\n{"a": 2}\n')
    assert answer.status_code == 200, answer.text
    assert '"written_rows": "2"' in answer.headers["X-ClickHouse-Summary"]
    assert history.rows("SELECT count() FROM settings")[0][0] == before + 2


def test_what_does_not_parse_is_told_without_our_files_name(
    child: HistoryChild, history: History
) -> None:
    answer = post(child, "INSERT INTO settings FORMAT JSONEachRow", b'{"a": "no number"}')
    assert answer.status_code == 400
    assert "/proc/" not in answer.text


def test_an_insert_from_a_file_of_the_machine_is_denied(
    child: HistoryChild, history: History
) -> None:
    answer = post(child, "INSERT INTO settings FROM INFILE '/etc/hostname' FORMAT CSV", b"1")
    assert answer.status_code == 403
