"""The series block: label sets there and back, within bounds, whatever the bytes."""

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Reason, Undecodable
from schemas.examples import BLOCK
from schemas.labels import Labels, labels_of
from schemas.series import (
    MAX_LABEL_NAME,
    MAX_LABEL_VALUE,
    MAX_LABELS,
    MAX_PAIRS,
    MAX_SERIES,
    MAX_UNPACKED,
    pack_series,
    unpack_series,
)
from tests.unit.schemas.strategies import label_sets, law


def block(raw: bytes) -> bytes:
    """These records as a block."""
    return zlib.compress(raw)


def series(name: str = "up", **labels: str) -> Labels:
    """One label set."""
    return labels_of(labels | {"__name__": name})


def refused(packed: bytes, match: str) -> None:
    """These bytes are no block, for this reason."""
    with pytest.raises(Undecodable, match=match) as caught:
        unpack_series(packed)
    assert caught.value.reason is Reason.INVALID_COLUMNS


@given(st.lists(label_sets(), max_size=6))
@law
def test_what_is_packed_is_unpacked_in_order(sets: list[Labels]) -> None:
    assert unpack_series(pack_series(sets)) == tuple(sets)


def test_the_same_series_pack_to_the_same_bytes() -> None:
    sets = [series("a", job="x", b="1"), series("b", job="x", b="2")]
    assert pack_series(sets) == pack_series(list(sets))


def test_no_series_is_a_block_too() -> None:
    assert unpack_series(pack_series([])) == ()


def test_labels_that_all_series_have_are_written_once() -> None:
    raw = zlib.decompress(
        pack_series([series("up", job="node", i=str(n)) for n in range(3)]),
    )
    assert raw.count(b"job\xffnode\xff") == 1
    assert raw == b"job\xffnode\xff\xfe" + b"".join(
        b"up\xffi\xff%d\xff\xfe" % number for number in range(3)
    )


def test_a_name_that_all_series_have_stays_with_each() -> None:
    assert unpack_series(pack_series([series("up")] * 2)) == (series("up"),) * 2


def test_an_empty_value_is_a_missing_label() -> None:
    assert unpack_series(pack_series([(("__name__", "up"), ("a", ""))])) == (series("up"),)
    assert unpack_series(block(b"\xfeup\xffa\xff\xff\xfe")) == (series("up"),)


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"", "does not end"),
        (b"\xfeup\xff", "does not end"),
        (b"\xfe\xfe", "without __name__"),
        (b"\xfe\xff\xfe", "without __name__"),
        (b"\xfeup\xfe", "without __name__"),
        (b"\xfeup\xffa\xfe", "cut short"),
        (b"\xfeup\xffa\xff\xfe", "cut short"),
        (b"\xfeup\xffa\xffb\xfe", "cut short"),
        (b"a\xfe", "cut short"),
        (b"\xfeup\xff\xff1\xff\xfe", "is empty or too long"),
        (b"\xfeup\xffa\xff1\xffa\xff2\xff\xfe", "a label twice"),
        (b"a\xff1\xff\xfeup\xffa\xff2\xff\xfe", "a label twice"),
        (b"\xfeup\xff__name__\xffdown\xff\xfe", "a label twice"),
        (b"\xfe\xc3\xff\xfe", "malformed"),
        (b"\xfeup\xffa\xff\xed\xa0\x80\xff\xfe", "malformed"),
        (b"\xfeup\xff" + b"n" * (MAX_LABEL_NAME + 1) + b"\xff1\xff\xfe", "empty or too long"),
        (b"\xfeup\xffa\xff" + b"v" * (MAX_LABEL_VALUE + 1) + b"\xff\xfe", "the limit is 8192"),
    ],
)
def test_a_malformed_block_is_undecodable(raw: bytes, match: str) -> None:
    refused(block(raw), match)


def test_a_series_has_at_most_128_labels() -> None:
    labels = {f"l{number}": "x" for number in range(MAX_LABELS - 1)}
    full = series("up", **labels)
    assert unpack_series(pack_series([full])) == (full,)
    refused(pack_series([series("up", **labels, one_more="x")]), "129 labels, the limit is 128")


def test_a_block_has_at_most_100_000_series() -> None:
    refused(block(b"\xfe" + b"a\xff\xfe" * (MAX_SERIES + 1)), "100001 series")


@given(st.binary(max_size=100), st.booleans())
@law
def test_garbage_is_undecodable_or_series(raw: bytes, packed: bool) -> None:
    try:
        found = unpack_series(block(raw) if packed else raw)
    except Undecodable:
        return
    assert unpack_series(pack_series(found)) == found


@given(st.lists(st.sampled_from([b"\xff", b"\xfe", b"a", b"\xc3\xa4", b"__name__", b"\x80"])))
@law
def test_the_layout_s_own_bytes_in_any_order_are_undecodable_or_series(parts: list[bytes]) -> None:
    try:
        found = unpack_series(block(b"".join(parts)))
    except Undecodable:
        return
    assert all(labels == labels_of(labels) for labels in found)


def test_a_block_cut_at_any_byte_is_undecodable() -> None:
    for end in range(len(BLOCK)):
        refused(BLOCK[:end], r"cut short|malformed")


def test_bytes_after_the_end_are_refused() -> None:
    refused(BLOCK + b"\x00", "bytes after its end")


def weight(packed: bytes, match: str) -> int:
    """The most memory that refusing the block took."""
    tracemalloc.start()
    try:
        refused(packed, match)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("byte", [b"\x00", b"\x80", b"\xfe", b"\xff"])
def test_a_bomb_costs_what_the_limit_is_and_no_more(byte: bytes) -> None:
    bomb = block(byte * (MAX_UNPACKED * 4))
    assert len(bomb) < 200_000
    assert weight(bomb, "more than 32 MiB") < 3 * MAX_UNPACKED


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"\xfe" * MAX_UNPACKED, "series, the limit"),
        (b"\xff" * (MAX_UNPACKED - 1) + b"\xfe", "more than 2000000 labels"),
        (b"\xfeup" + b"\xff" * (2 * MAX_PAIRS + 2) + b"\xfe", "more than 2000000 labels"),
    ],
)
def test_what_is_within_32_mib_is_counted_before_it_is_made(raw: bytes, match: str) -> None:
    assert weight(block(raw), match) < 3 * MAX_UNPACKED


def test_shared_labels_count_for_each_series() -> None:
    shared = b"".join(b"l%d\xffv\xff" % number for number in range(100))
    raw = shared + b"\xfe" + b"up\xff\xfe" * 50_000
    assert weight(block(raw), "more than 2000000 labels") < 3 * MAX_UNPACKED
