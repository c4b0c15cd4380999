"""Whatever the bytes, decoding answers with an event or with `Undecodable`, and soon."""

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.codec import Codec
from schemas.errors import MAX_DETAIL, Reason, Undecodable
from schemas.examples import EXAMPLES
from schemas.topics import CODEC
from tests.unit.schemas.strategies import law
from tests.unit.schemas.test_codec import why, written

ENCODED = {kind: CODEC.encode(envelope) for kind, envelope in EXAMPLES.items()}
kinds = st.sampled_from(sorted(ENCODED))


def survives(value: bytes, codec: Codec = CODEC) -> None:
    """Only `Undecodable` may come of it; what is decoded can be encoded again."""
    try:
        envelope = codec.decode(value)
    except Undecodable:
        return
    codec.encode(envelope)


@pytest.mark.parametrize("value", [None, b""])
def test_a_null_or_empty_value_is_not_messagepack(value: bytes | None) -> None:
    assert why(CODEC, value) is Reason.NOT_MSGPACK


@pytest.mark.parametrize("kind", sorted(ENCODED))
def test_a_message_cut_at_any_byte_is_not_messagepack(kind: str) -> None:
    whole = ENCODED[kind]
    for end in range(len(whole)):
        assert why(CODEC, whole[:end]) is Reason.NOT_MSGPACK


@given(st.binary(max_size=200))
@law
def test_garbage_is_undecodable(value: bytes) -> None:
    with pytest.raises(Undecodable):
        CODEC.decode(value)


@given(kinds, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4))
@law
def test_a_message_with_changed_bytes_leaks_no_other_error(
    kind: str, changes: list[tuple[int, int]]
) -> None:
    value = bytearray(ENCODED[kind])
    for at, byte in changes:
        value[at % len(value)] = byte
    survives(bytes(value))


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.binary()
    | st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["9" * 40, "1e9"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(kinds, st.data())
@law
def test_any_value_in_any_place_leaks_no_other_error(kind: str, data: st.DataObject) -> None:
    message = ormsgpack.unpackb(ENCODED[kind])
    place = message if data.draw(st.booleans()) else message["body"]
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(anything)
    survives(ormsgpack.packb(message))


@pytest.mark.parametrize("what", [b"\x91", b"\x81\xa1a"], ids=["arrays", "maps"])
@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_deep_nesting_is_undecodable(what: bytes, depth: int) -> None:
    with pytest.raises(Undecodable):
        CODEC.decode(what * depth + b"\x90")


def test_deep_nesting_in_a_property_nobody_knows_is_ignored_or_refused() -> None:
    for depth in (900, 1_100):
        known = written(1, {"stage": "s", "due": 0}, "wakeup")
        survives(b"\x87" + known[1:] + b"\xa1x" + b"\x91" * depth + b"\x90")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xa2\xff\xfe", Reason.NOT_MSGPACK),
        (b"\xc1", Reason.NOT_MSGPACK),
        (b"\xc7\x04\x05abcd", Reason.NOT_MSGPACK),
        (b"\x81\x01\x02", Reason.NOT_MSGPACK),
        (b"\xdd\xff\xff\xff\xff", Reason.NOT_MSGPACK),
        (b"\xdf\xff\xff\xff\xff", Reason.NOT_MSGPACK),
        (b"\xc6\xff\xff\xff\xff", Reason.NOT_MSGPACK),
        (b"\xc0", Reason.NOT_AN_ENVELOPE),
        (b"\x80", Reason.NOT_AN_ENVELOPE),
        (b"hello", Reason.NOT_AN_ENVELOPE),
        (b"{}", Reason.NOT_AN_ENVELOPE),
        (written(1, [], "wakeup"), Reason.NOT_AN_ENVELOPE),
        (written(2**40, {}, "wakeup"), Reason.NOT_AN_ENVELOPE),
        (written(1, {}, "no such kind"), Reason.UNKNOWN_SCHEMA),
        (written(2, {}, "wakeup"), Reason.UNKNOWN_VERSION),
        (written(1, {}, "wakeup"), Reason.INVALID_EVENT),
    ],
)
def test_each_fault_has_its_reason(value: bytes, reason: Reason) -> None:
    assert why(CODEC, value) is reason


def test_a_number_that_messagepack_could_not_hold_is_refused() -> None:
    for sequence in ("9" * 40, 2**64 - 1):
        message = ormsgpack.unpackb(ENCODED["wakeup"]) | {"sequence": sequence}
        assert why(CODEC, ormsgpack.packb(message)) is Reason.NOT_AN_ENVELOPE


@pytest.mark.parametrize(("kind", "place"), [("check", "labels"), ("health", "figures")])
def test_a_map_of_ten_thousand_keys_is_refused_before_its_entries_are(
    kind: str, place: str
) -> None:
    body = ormsgpack.unpackb(ENCODED[kind])["body"] | {place: {str(n): [] for n in range(10_000)}}
    with pytest.raises(Undecodable, match="has 10000 entries, the limit is 256"):
        CODEC.decode(written(1, body, kind))


def test_ten_thousand_unknown_properties_are_ignored() -> None:
    body = {"stage": "s", "due": 0} | {f"x{n}": n for n in range(10_000)}
    assert CODEC.decode(written(1, body, "wakeup")).event == CODEC.decode(
        written(1, {"stage": "s", "due": 0}, "wakeup")
    ).event  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "version", "bad", "said"),
    [
        ("alerts", 1, {"alerts": [{}] * 900_000}, r"alerts\.0"),
        ("delivery", 1, {"alerts": [{}] * 900_000}, r"0\.labels"),
        ("delivery", 2, {"told": {"labels": [{}] * 900_000}}, r"told\.labels\.0"),
    ],
)
def test_of_a_million_bad_items_only_the_first_is_reported(
    kind: str, version: int, bad: dict[str, object], said: str
) -> None:
    body = ormsgpack.unpackb(ENCODED[kind])["body"]
    if "told" in bad:
        bad = {"told": body["told"] | bad["told"]}
    with pytest.raises(Undecodable, match=said) as caught:
        CODEC.decode(written(version, body | bad, kind))
    cause = caught.value.__cause__
    assert isinstance(cause, ValidationError)
    assert cause.error_count() <= 3


def test_a_detail_quotes_no_more_than_a_dead_letter_takes() -> None:
    body = ormsgpack.unpackb(ENCODED["check"])["body"] | {"labels": {"x" * 900_000: ""}}
    with pytest.raises(Undecodable) as caught:
        CODEC.decode(written(1, body, "check"))
    assert len(caught.value.detail) == MAX_DETAIL
    assert len(str(caught.value)) < MAX_DETAIL + 50
