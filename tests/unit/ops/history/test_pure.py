import ast
import gzip
import io
from email.message import Message
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import ops.history
from ops.history import chdb_faults as faults
from ops.history.chdb_bodies import packed, read_body, unpacked
from ops.history.migrations import Migration, known
from ops.history.samples import conditions
from ops.history.tables import ALERTS, SAMPLES, TABLES


def headers(**fields: str) -> Message:
    message = Message()
    for name, text in fields.items():
        message[name.replace("_", "-")] = text
    return message


def test_only_the_engine_loads_chdb() -> None:
    for file in Path(ops.history.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text())
        loads = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not any(name == "chdb" or name.startswith("chdb.") for name in loads), file
        if file.name != "chdb_engine.py":
            assert '"chdb._chdb"' not in file.read_text(), file


def test_the_engines_doubled_prefix_is_removed_and_its_code_read() -> None:
    fault = faults.translated(
        RuntimeError("Code: 164. DB::Exception: Code: 164. DB::Exception: No. (READONLY)")
    )
    assert (str(fault), fault.code, fault.status) == (
        *("Code: 164. DB::Exception: No. (READONLY)", 164),
        403,
    )


def test_an_error_without_a_code_is_a_std_exception() -> None:
    fault = faults.translated(RuntimeError("boom"))
    assert (fault.code, fault.status) == (1001, 500)


def test_a_chunked_body_is_put_together() -> None:
    stream = io.BytesIO(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\nnext")
    assert read_body(stream, headers(Transfer_Encoding="chunked")) == b"abcde"
    assert stream.read() == b"next"


@pytest.mark.parametrize(
    ("raw", "fields", "status"),
    [
        (b"", {"Content_Length": "5"}, 400),
        (b"", {"Content_Length": "-5"}, 400),
        (b"", {"Content_Length": "x"}, 400),
        (b"", {"Content_Length": str(1 << 40)}, 413),
        (b"ab", {"Content_Length": "2", "Transfer_Encoding": "chunked"}, 400),
        (b"ab", {"Transfer_Encoding": "gzip"}, 400),
        (b"zz\r\nab", {"Transfer_Encoding": "chunked"}, 400),
        (b"-1\r\nab", {"Transfer_Encoding": "chunked"}, 400),
        (b"FFFFFFFFFF\r\nab", {"Transfer_Encoding": "chunked"}, 413),
    ],
)
def test_a_body_of_wrong_size_is_refused(raw: bytes, fields: dict[str, str], status: int) -> None:
    with pytest.raises(faults.EngineFault) as refused:
        read_body(io.BytesIO(raw), headers(**fields))
    assert refused.value.status == status


def test_a_body_that_unpacks_to_too_much_is_refused() -> None:
    with pytest.raises(faults.EngineFault) as refused:
        unpacked(gzip.compress(bytes(1_000_000)), "gzip", largest=10_000)
    assert refused.value.status == 413


def test_a_body_that_is_not_what_it_says_is_refused() -> None:
    for coding in ("zstd", "lz4", "gzip", "br"):
        with pytest.raises(faults.EngineFault):
            unpacked(b"not packed", coding)


@pytest.mark.parametrize("coding", ["zstd", "lz4", "gzip"])
def test_packing_and_unpacking_agree(coding: str) -> None:
    body = b"tocsin" * 1000
    used, small = packed(body, f"br, {coding};q=0.5")
    assert used == coding
    assert unpacked(small, coding) == body


def test_small_bodies_and_unknown_codings_stay_plain() -> None:
    assert packed(b"ok", "gzip") == (None, b"ok")
    assert packed(b"x" * 5000, "br") == (None, b"x" * 5000)


def test_columns_become_typed_rows() -> None:
    rows = SAMPLES.rows(
        {
            "series": np.array([2**64 - 1], np.uint64),
            "time": np.array([1], np.int64),
            "value": [1.5],
            "offset": [3],
            "appended": [4],
        }
    )
    assert rows.schema == SAMPLES.schema


def test_labels_may_be_mappings_and_times_may_be_absent() -> None:
    empty = {
        "decided_at": [1],
        "fingerprint": ["f"],
        "name": ["n"],
        "state": ["firing"],
        "active_at": [1],
        "starts_at": [None],
        "ends_at": [None],
        "value": [0.0],
        "changed": [True],
        "reason": [""],
        "labels": [{"a": "b"}],
        "annotations": [{}],
        "source": ["s"],
        "plan": [1],
        "generator_url": [""],
        "offset": [0],
        "appended": [0],
    }
    assert ALERTS.rows(empty).column("labels").to_pylist() == [[("a", "b")]]


def test_a_missing_or_unknown_column_is_named() -> None:
    with pytest.raises(ValueError, match="value"):
        SAMPLES.rows({"series": [], "time": [], "offset": [], "appended": []})


def test_every_table_brings_its_origin_and_its_time() -> None:
    for table in TABLES.values():
        assert {"offset", "appended", table.time} <= set(table.schema.names)
        assert pa.types.is_timestamp(table.schema.field(table.time).type)


def test_matchers_become_conditions_with_bound_texts() -> None:
    where, params = conditions([("__name__", "=", "up"), ("a'b", "!~", "x|y"), ("c", "=~", "")])
    assert "a'b" not in where
    assert "up" not in where
    assert where.count("match(") == 2
    assert params == {
        "v0": "up",
        "n1": "a'b",
        "v1": "^(?s:x|y)$",
        "n2": "c",
        "v2": "^(?s:)$",
    }


def test_no_matchers_match_everything_and_unknown_operators_nothing() -> None:
    assert conditions([]) == ("1", {})
    with pytest.raises(ValueError, match="operator"):
        conditions([("a", "~", "b")])


def test_migrations_are_numbered_without_gaps() -> None:
    assert [step.version for step in known()] == list(range(1, len(known()) + 1))


def test_a_migration_is_split_into_statements_with_the_retention_filled_in() -> None:
    step = Migration(1, "x", "-- note; here\nCREATE a TTL $days;\n\n-- end\nCREATE b;\n")
    assert step.statements(7) == ("CREATE a TTL 7", "CREATE b")
