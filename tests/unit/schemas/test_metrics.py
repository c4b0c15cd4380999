"""A batch's columns agree, or it is no batch."""

import struct
from typing import Any

import pytest
from pydantic import ValidationError

from schemas import metrics
from schemas.envelope import Envelope, Producer
from schemas.errors import Reason
from schemas.examples import BLOCK
from schemas.metrics import MAX_SAMPLES, MetricBatch, metric_batch
from schemas.series import MAX_SERIES, unpack_series
from schemas.topics import CODEC
from tests.unit.schemas.test_codec import why, written

STALE = 0x7FF0000000000002


def batch(**columns: Any) -> MetricBatch:
    """Two series with a value each, unless said otherwise."""
    usual = {"instance": "i", "series": BLOCK, "times": bytes(8), "values": bytes(16)}
    return MetricBatch(**(usual | columns))


@pytest.mark.parametrize(
    "columns",
    [
        {"times": bytes(8)},
        {"times": bytes(16)},
        {"times": bytes(8), "values": b""},
        {"times": b"", "values": b""},
        {"times": bytes(24), "values": bytes(24), "index": bytes(12)},
        {"values": bytes(8 * MAX_SERIES)},
        {"values": bytes(8 * MAX_SAMPLES), "index": bytes(4 * MAX_SAMPLES)},
    ],
)
def test_columns_that_agree_make_a_batch(columns: dict[str, bytes]) -> None:
    assert batch(**columns).count == len(columns.get("values", bytes(16))) // 8


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"values": bytes(15)}, "values is no column"),
        ({"values": bytes(8 * (MAX_SAMPLES + 1))}, "values is no column"),
        ({"times": b""}, "times holds 0 bytes for 2 samples"),
        ({"times": bytes(7)}, "times holds 7 bytes"),
        ({"times": bytes(24)}, "times holds 24 bytes"),
        ({"index": bytes(4)}, "index holds 4 bytes for 2 samples"),
        ({"index": bytes(9)}, "index holds 9 bytes"),
        ({"values": bytes(8 * (MAX_SERIES + 1))}, "more than 100000 series"),
        ({"series": b""}, "at least 1 byte"),
        ({"instance": ""}, "at least 1 character"),
    ],
)
def test_columns_that_do_not_agree_are_refused(columns: dict[str, Any], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        batch(**columns)


def test_a_batch_whose_columns_do_not_agree_is_undecodable() -> None:
    body = batch().model_dump() | {"times": bytes(7)}
    assert why(CODEC, written(1, body, "metrics")) is Reason.INVALID_EVENT


def test_series_may_be_given_as_labels_or_as_a_block() -> None:
    labels = unpack_series(BLOCK)
    assert unpack_series(metric_batch("i", labels, [1, 2], [0]).series) == labels
    assert metric_batch("i", BLOCK, [1, 2], [0]).series == BLOCK


@pytest.mark.parametrize("bits", [STALE, 0x7FF8000000000001, 0xFFF8000000000000, 1 << 63, 1])
def test_every_bit_of_a_value_survives(bits: int) -> None:
    (value,) = struct.unpack("<d", bits.to_bytes(8, "little"))
    sent = metric_batch("i", BLOCK, [value, 0.0], [0])
    read = CODEC.decode(CODEC.encode(Envelope("1", Producer("p"), 0, sent))).event
    assert isinstance(read, MetricBatch)
    assert int.from_bytes(read.values[:8], "little") == bits


def test_columns_are_little_endian() -> None:
    made = metric_batch("i", BLOCK, values=[1.0], times=[-2], index=[258])
    assert made.values == bytes.fromhex("000000000000f03f")
    assert made.times == bytes.fromhex("feffffffffffffff")
    assert made.index == bytes.fromhex("02010000")


def test_a_big_endian_machine_turns_its_columns_round(monkeypatch: pytest.MonkeyPatch) -> None:
    here = metric_batch("i", BLOCK, values=[1.0, 2.0], times=[1], index=[0, 1])
    monkeypatch.setattr(metrics, "byteorder", "big")
    there = metric_batch("i", BLOCK, values=[1.0, 2.0], times=[1], index=[0, 1])
    for column, size in (("values", 8), ("times", 8), ("index", 4)):
        mine, turned = getattr(here, column), getattr(there, column)
        cells = range(0, len(mine), size)
        assert turned == b"".join(mine[at : at + size][::-1] for at in cells)


@pytest.mark.parametrize("times", [[2**63], [-(2**63) - 1]])
def test_a_time_beyond_64_bits_is_refused_where_it_is_made(times: list[int]) -> None:
    with pytest.raises(OverflowError):
        metric_batch("i", BLOCK, [1.0, 2.0], times)
