"""What a ClickHouse server's HTTP interface does, ours does: clients must not see a difference.

Proved with clickhouse-connect as it is, and with a plain HTTP client.
"""

import base64
import gzip
import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator

import clickhouse_connect
import httpx
import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.httputil import get_pool_manager

from ops.history.address import Address
from ops.history.child import HistoryChild


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistoryChild]:
    child = HistoryChild(tmp_path_factory.mktemp("history"))
    child.start()
    assert child.wait_ready(30)
    yield child
    child.stop()


def connect(at: Address, **options: object) -> Client:
    return clickhouse_connect.get_client(
        host=at.host,
        port=at.port,
        username=at.user,
        password=at.token,
        pool_mgr=get_pool_manager(),
        **options,
    )


@pytest.fixture(scope="module")
def client(child: HistoryChild) -> Iterator[Client]:
    client = connect(child.address)
    client.command("CREATE TABLE pairs (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
    client.command("CREATE TABLE seen (n UInt64) ENGINE = MergeTree ORDER BY n")
    client.insert("seen", [[number] for number in range(3)], column_names=["n"])
    yield client
    client.close()


@pytest.fixture(scope="module")
def web(child: HistoryChild, client: Client) -> Iterator[httpx.Client]:
    at = child.address
    with httpx.Client(
        base_url=f"http://{at.host}:{at.port}", headers={"X-ClickHouse-Key": at.token}, timeout=30
    ) as web:
        yield web


@pytest.fixture(scope="module")
def reader(child: HistoryChild, client: Client) -> Iterator[httpx.Client]:
    at = child.analyst
    with httpx.Client(
        base_url=f"http://{at.host}:{at.port}", auth=(at.user, at.token), timeout=30
    ) as reader:
        yield reader


@pytest.fixture
def empty(client: Client) -> str:
    client.command("TRUNCATE TABLE pairs")
    return "pairs"


def stored(client: Client) -> list[tuple[int, str]]:
    return [tuple(row) for row in client.query("SELECT a, b FROM pairs ORDER BY a").result_rows]


HARD = "a'b\"c`d\\e\nf\tg\0h;-- /* ü €"
PACKING = [False, "zstd", "lz4", "gzip"]


@pytest.mark.parametrize("packing", PACKING)
def test_clickhouse_connect_inserts_native_and_reads_the_same_rows(
    child: HistoryChild, client: Client, empty: str, packing: bool | str
) -> None:
    other = connect(child.address, compress=packing)
    rows = [[number, HARD * 50] for number in range(500)]
    assert other.insert(empty, rows, column_names=["a", "b"]).written_rows == 500
    assert [list(row) for row in other.query("SELECT a, b FROM pairs ORDER BY a").result_rows] == (
        rows
    )
    other.close()


@pytest.mark.parametrize("packing", PACKING)
def test_clickhouse_connect_inserts_and_reads_arrow(
    child: HistoryChild, client: Client, empty: str, packing: bool | str
) -> None:
    other = connect(child.address, compress=packing)
    table = pa.table({"a": np.arange(10_000, dtype=np.uint64), "b": [HARD] * 10_000})
    assert other.insert_arrow(empty, table).written_rows == 10_000
    back = other.query_arrow("SELECT a, b FROM pairs ORDER BY a")
    assert back.column("a").to_pylist() == table.column("a").to_pylist()
    assert other.command("SELECT count() FROM pairs WHERE b = {b:String}", {"b": HARD}) == 10_000
    other.close()


def test_clickhouse_connect_reads_version_blocks_streams_and_dataframes(client: Client) -> None:
    assert client.server_version == client.command("SELECT version()")
    with client.query_row_block_stream("SELECT number FROM numbers(200000)") as blocks:
        assert sum(len(block) for block in blocks) == 200_000
    assert client.query_np("SELECT n FROM seen ORDER BY n").tolist() == [[0], [1], [2]]
    assert client.query("SELECT n FROM seen LIMIT 0").column_names == ("n",)
    assert client.raw_query("SELECT 1", fmt="JSONEachRow") == b'{"1":1}\n'


@pytest.mark.parametrize("form", [False, True])
def test_bound_parameters_stay_what_they_are(child: HistoryChild, form: bool) -> None:
    other = connect(child.address, form_encode_query_params=form)
    answer = other.query(
        "SELECT {s:String}, {l:Array(String)}, {n:Int64}, {x:Nullable(String)}",
        parameters={"s": HARD, "l": [HARD, "'); DROP TABLE pairs"], "n": -7, "x": None},
    )
    assert answer.result_rows == [(HARD, [HARD, "'); DROP TABLE pairs"], -7, None)]
    other.close()


def test_settings_reach_the_engine_and_unknown_ones_are_refused(
    client: Client, web: httpx.Client
) -> None:
    asked = "SELECT getSetting('max_block_size')"
    assert client.query(asked, settings={"max_block_size": 77}).result_rows == [(77,)]
    assert client.query(asked).result_rows != [(77,)]
    refused = web.post("/", params={"no_such": "1"}, content="SELECT 1")
    assert (refused.status_code, refused.headers["X-ClickHouse-Exception-Code"]) == (404, "115")


def test_a_database_is_chosen_by_a_parameter(web: httpx.Client) -> None:
    answer = web.post("/", params={"database": "system"}, content="SELECT currentDatabase()")
    assert answer.text == "system\n"
    assert web.post("/", params={"database": "nowhere"}, content="SELECT 1").status_code == 404


def test_an_answer_carries_clickhouses_headers(web: httpx.Client) -> None:
    answer = web.post("/", params={"query_id": "mine"}, content="SELECT 1 AS x FORMAT JSON")
    assert answer.json()["data"] == [{"x": 1}]
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
    assert answer.headers["X-ClickHouse-Format"] == "JSON"
    assert answer.headers["X-ClickHouse-Timezone"] == "UTC"
    assert answer.headers["X-ClickHouse-Server-Display-Name"]
    assert "read_rows" in json.loads(answer.headers["X-ClickHouse-Summary"])


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("TabSeparated", b"1\ta\n"),
        ("CSV", b'1,"a"\n'),
        ("CSVWithNames", b'"x","y"\n1,"a"\n'),
        ("JSONEachRow", b'{"x":1,"y":"a"}\n'),
        ("RowBinary", b"\x01\x01a"),
        ("Values", b"(1,'a')"),
        ("Null", b""),
    ],
)
def test_the_default_format_is_the_callers(web: httpx.Client, form: str, body: bytes) -> None:
    answer = web.get("/", params={"query": "SELECT 1 AS x, 'a' AS y", "default_format": form})
    assert answer.content == body
    assert answer.headers["X-ClickHouse-Format"] == form


def test_arrow_stream_and_parquet_are_served(web: httpx.Client) -> None:
    stream = web.post("/", content="SELECT 5 AS x FORMAT ArrowStream").content
    assert pa.ipc.open_stream(stream).read_all().to_pydict() == {"x": [5]}
    assert web.post("/", content="SELECT 5 AS x FORMAT Parquet").content[:4] == b"PAR1"


def test_an_inserts_data_may_be_the_body_or_follow_the_statement_in_it(
    web: httpx.Client, client: Client, empty: str
) -> None:
    statement = "INSERT INTO pairs FORMAT JSONEachRow"
    web.post("/", params={"query": statement}, content='{"a":1,"b":"x"}').raise_for_status()
    web.post("/", content=statement + '\n{"a":2,"b":"y"}').raise_for_status()
    web.post("/", content="INSERT INTO pairs VALUES (3, ';')").raise_for_status()
    web.post("/", params={"query": "INSERT INTO pairs VALUES"}, content="(4,'')").raise_for_status()
    answer = web.post("/", params={"query": "INSERT INTO pairs FORMAT CSV"}, content=b"")
    assert answer.status_code == 200
    assert stored(client) == [(1, "x"), (2, "y"), (3, ";"), (4, "")]


def test_a_body_may_come_in_chunks_and_packed(
    web: httpx.Client, client: Client, empty: str
) -> None:
    lines = gzip.compress(b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}')
    web.post(
        "/",
        params={"query": "INSERT INTO pairs FORMAT JSONEachRow"},
        content=iter([lines[:7], lines[7:]]),
        headers={"Content-Encoding": "gzip"},
    ).raise_for_status()
    assert stored(client) == [(1, "x"), (2, "y")]


def test_an_answer_is_packed_when_both_sides_agree(web: httpx.Client) -> None:
    sql = "SELECT number FROM numbers(10000)"
    accepted = {"Accept-Encoding": "gzip"}
    plain = web.post("/", content=sql, headers=accepted)
    small = web.post("/", params={"enable_http_compression": 1}, content=sql, headers=accepted)
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.text == plain.text


def test_a_bad_row_stores_nothing_and_says_where(
    web: httpx.Client, client: Client, empty: str
) -> None:
    answer = web.post("/", content='INSERT INTO pairs FORMAT JSONEachRow\n{"a":1}\n{"a":oops')
    assert answer.status_code == 400
    assert "(at row 2)" in answer.text
    assert stored(client) == []


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT * FROM nowhere", 404, 60),
        ("SELECT nothing", 404, 47),
        ("SELEC 1", 400, 62),
        ("foo", 400, 62),
        ("", 400, 62),
        ("SELECT 1; SELECT 2", 400, 62),
        ("SELECT 1; gibberish(", 400, 62),
        ("INSERT INTO pairs VALUES (1, ''); DROP TABLE pairs", 400, 62),
        ("SELECT {x:String}", 400, 456),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT 1 INTO OUTFILE '/tmp/never'", 403, 497),
    ],
)
def test_an_error_has_clickhouses_status_code_and_words(
    web: httpx.Client, sql: str, status: int, code: int
) -> None:
    answer = web.post("/", content=sql)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (
        *(status, str(code)),
    )
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_clickhouse_connect_reads_the_code_of_an_error(client: Client) -> None:
    with pytest.raises(DatabaseError) as refused:
        client.query("SELECT * FROM nowhere")
    assert refused.value.code == 60


def test_a_semicolon_in_a_string_or_at_the_end_is_no_second_statement(web: httpx.Client) -> None:
    assert web.post("/", content="SELECT ';' ; -- ;\n").text == ";\n"


def test_ping_needs_no_token(web: httpx.Client) -> None:
    for path in ("/ping", "/"):
        answer = httpx.get(f"{str(web.base_url).rstrip('/')}{path}")
        assert (answer.status_code, answer.text) == (200, "Ok.\n")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-ClickHouse-Key": "wrong"}, 403),
        ({"X-ClickHouse-Key": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 403),
        ({"Authorization": "Basic !"}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"default:wrong").decode()}, 403),
    ],
)
def test_a_stranger_is_refused(web: httpx.Client, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(str(web.base_url), content="SELECT 1", headers=headers)
    assert answer.status_code == status
    assert answer.headers["X-ClickHouse-Exception-Code"] == "516"
    assert "AUTHENTICATION_FAILED" in answer.text


def test_each_way_to_give_the_token_is_taken(child: HistoryChild, web: httpx.Client) -> None:
    token = child.address.token
    basic = base64.b64encode(f"default:{token}".encode()).decode()
    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Basic {basic}"},
        {"X-ClickHouse-User": "default", "X-ClickHouse-Key": token},
    ):
        assert httpx.post(str(web.base_url), content="SELECT 1", headers=headers).text == "1\n"


def test_the_owners_token_does_not_open_the_analysts_door_nor_the_reverse(
    child: HistoryChild, web: httpx.Client
) -> None:
    for user, token in (("analyst", child.address.token), ("default", child.analyst.token)):
        headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": token}
        assert httpx.post(str(web.base_url), content="SELECT 1", headers=headers).status_code == 403


def test_an_analyst_reads_with_clickhouse_connect(child: HistoryChild, client: Client) -> None:
    analyst = connect(child.analyst)
    assert analyst.query("SELECT n FROM seen WHERE n = {n:UInt8}", {"n": 2}).result_rows == [(2,)]
    analyst.close()


FORBIDDEN = [
    "INSERT INTO seen VALUES (9)",
    "INSERT INTO seen SELECT 9",
    "INSERT INTO seen FORMAT CSV\n9",
    "CREATE TABLE t2 (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE t2 (a Int8)",
    "DROP TABLE seen",
    "ALTER TABLE seen DELETE WHERE 1",
    "OPTIMIZE TABLE seen",
    "TRUNCATE TABLE seen",
    "SYSTEM FLUSH LOGS",
    "KILL QUERY WHERE 1",
    "SET readonly = 0",
    "SET max_execution_time = 0",
    "USE system",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_memory_usage = 0",
    "SELECT 1; SELECT 2",
    "SELECT 1 INTO OUTFILE '/tmp/never'",
    "SELECT file('/etc/hosts')",
    "SELECT `file`('/etc/hosts')",
    "SELECT `fi\\x6ce`('/etc/hosts')",
    "SELECT \"FILE\"('/etc/hosts') FORMAT Null",
    "SELECT file('/etc/hosts') FORMAT Parquet",
    "SELECT file('/etc/hosts') FORMAT JSON SETTINGS max_threads = 1",
    "SELECT arrayMap(file, ['/etc/hosts'])",
    "SELECT * APPLY file FROM (SELECT '/etc/hosts' AS x)",
    "SELECT * APPLY `fi\\x6ce` FROM (SELECT '/etc/hosts' AS x)",
    "WITH (SELECT file('/etc/hosts')) AS x SELECT x",
    "EXPLAIN SELECT file('/etc/hosts')",
    "EXPLAIN AST SELECT file('/etc/hosts')",
    "DESCRIBE (SELECT file('/etc/hosts'))",
    "DESCRIBE file('/etc/hosts', 'LineAsString')",
    "SELECT * FROM file('/etc/hosts', 'LineAsString')",
    "SELECT * FROM `/etc/hosts`",
    "SELECT * FROM view(SELECT * FROM file('/etc/hosts', 'LineAsString'))",
    "DESCRIBE url('http://127.0.0.1:1/')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')",
    "SELECT * FROM remote('127.0.0.1:1', 'system', 'one')",
    "SELECT * FROM s3('http://a.b/c/d')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM python('x')",
    "SELECT * FROM filesystem('/etc')",
    "INSERT INTO FUNCTION file('/tmp/never') SELECT 1",
    "INSERT INTO FUNCTION file('/tmp/never') FORMAT CSV\n1",
    "EXPLAIN PIPELINE INSERT INTO seen SELECT file('/etc/hosts')",
    "BACKUP TABLE seen TO File('/tmp/never')",
]


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_a_reader_neither_writes_nor_leaves_the_tables(
    reader: httpx.Client, web: httpx.Client, sql: str
) -> None:
    for answer in (
        reader.post("/", content=sql),
        reader.get("/", params={"query": sql}),
        web.post("/", params={"readonly": "1"}, content=sql),
    ):
        assert answer.status_code >= 400
        assert "localhost" not in answer.text
    assert web.post("/", content="SELECT count() FROM seen").text == "3\n"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count() FROM seen",
        "WITH x AS (SELECT n FROM seen) SELECT max(n) FROM x FORMAT JSON",
        "SELECT 'file' AS name, '; DROP' AS b",
        "SELECT map('file', 1)['file']",
        "SHOW TABLES",
        "DESCRIBE TABLE seen",
        "EXPLAIN SELECT * FROM seen",
        "SELECT * FROM numbers(3) FORMAT Arrow",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT name FROM system.tables LIMIT 1",
    ],
)
def test_a_reader_asks_what_it_likes_of_the_tables(reader: httpx.Client, sql: str) -> None:
    assert reader.post("/", content=sql).status_code == 200


def test_an_identifier_given_as_a_parameter_cannot_name_a_function(reader: httpx.Client) -> None:
    sql = "SELECT arrayMap({f:Identifier}, ['/etc/hosts'])"
    assert reader.post("/", params={"param_f": "file"}, content=sql).status_code >= 400


def test_a_readers_limits_are_set_and_cannot_be_lifted(reader: httpx.Client) -> None:
    limits = "SELECT getSetting('max_execution_time'), getSetting('readonly')"
    assert reader.post("/", content=limits).text == "60\t1\n"
    nested = f"SELECT * FROM ({limits} SETTINGS max_execution_time = 0, readonly = 0)"
    assert reader.post("/", content=nested).text == "60\t1\n"
    for name in ("max_execution_time", "max_memory_usage"):
        assert reader.post("/", params={name: "0"}, content="SELECT 1").status_code == 403
    assert reader.post("/", params={"readonly": "0"}, content=limits).text == "60\t1\n"


def test_a_query_that_needs_too_much_memory_fails_alone(reader: httpx.Client) -> None:
    answer = reader.post("/", content="SELECT groupArray(number) FROM numbers(1000000000)")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "241"
    assert reader.post("/", content="SELECT 1").text == "1\n"


def test_get_changes_nothing(web: httpx.Client, client: Client, empty: str) -> None:
    answer = web.get("/", params={"query": "INSERT INTO pairs VALUES (1, '')"})
    assert answer.status_code == 403
    assert stored(client) == []


@pytest.mark.parametrize("form", ["CSV", "JSON", "JSONEachRow", "Arrow", "Native"])
def test_rows_of_a_query_that_failed_never_reach_the_next_one(
    web: httpx.Client, reader: httpx.Client, form: str
) -> None:
    failing = "SELECT number, throwIf(number = 30000) FROM numbers(50000)"
    for _ in range(20):
        params = {"default_format": form, "max_block_size": "1000"}
        assert web.post("/", params=params, content=failing).status_code == 500
        assert reader.post("/", content="SELECT 42 AS x FORMAT CSV").text == "42\n"


def test_reads_are_answered_while_an_insert_runs(
    child: HistoryChild, web: httpx.Client, client: Client, empty: str
) -> None:
    slow = "INSERT INTO pairs SELECT number, toString(sleepEachRow(0.1)) FROM numbers(15)"
    ended = threading.Event()

    def insert() -> None:
        at = child.address
        httpx.post(
            f"http://{at.host}:{at.port}/",
            content=slow,
            headers={"X-ClickHouse-Key": at.token},
            timeout=30,
        ).raise_for_status()
        ended.set()

    thread = threading.Thread(target=insert)
    thread.start()
    answers = [web.post("/", content="SELECT count() FROM seen").text for _ in range(20)]
    assert answers == ["3\n"] * 20
    assert not ended.is_set()
    thread.join()
    assert len(stored(client)) == 15


@pytest.mark.alone
def test_small_answers_do_not_wait_for_a_delayed_acknowledgement(web: httpx.Client) -> None:
    took = []
    for _ in range(40):
        began = time.perf_counter()
        web.post("/", content="SELECT 1").raise_for_status()
        took.append(time.perf_counter() - began)
    assert statistics.median(took) < 0.03


def test_a_body_that_is_too_large_is_refused_before_it_is_read(web: httpx.Client) -> None:
    plain = http.client.HTTPConnection(web.base_url.host, web.base_url.port, timeout=10)
    plain.putrequest("POST", "/")
    plain.putheader("X-ClickHouse-Key", web.headers["X-ClickHouse-Key"])
    plain.putheader("Content-Length", str(1 << 30))
    plain.endheaders()
    assert plain.getresponse().status == 413
    plain.close()


def test_clickhouses_own_block_compression_is_refused_clearly(web: httpx.Client) -> None:
    assert web.post("/", params={"decompress": "1"}, content=b"x").status_code == 501


def test_other_paths_are_not_found(web: httpx.Client) -> None:
    assert web.get("/play").status_code == 404
