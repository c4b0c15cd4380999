"""The codec: what is written is read again, by this version and the one before."""

import math
import struct
from typing import Any, ClassVar

import ormsgpack
import pytest
from hypothesis import given

from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.codec import Codec
from schemas.envelope import Envelope, Producer
from schemas.errors import Reason, Refused, Undecodable
from schemas.event import Event, Name
from schemas.examples import EXAMPLES
from schemas.plans import WakeUp
from schemas.topics import CODEC, KINDS
from tests.unit.schemas.strategies import EVENTS, envelopes, law


class Door(Event):
    """Version 1 said `open`, a bool; version 2 says how far."""

    KIND: ClassVar[str] = "door"
    VERSION: ClassVar[int] = 2

    room: Name
    angle: float

    @classmethod
    def upgrade(cls, body: dict[str, Any]) -> dict[str, Any]:
        """`open` was fully open."""
        return {"room": body["room"], "angle": 90.0 * body["open"]}


DOORS = Codec([Door])


def written(version: int, body: object, kind: str = "door") -> bytes:
    """A message as some writer might put it."""
    header = {"schema": kind, "version": version, "id": "1", "producer": "p", "sent_at": 0}
    return ormsgpack.packb(header | {"body": body})


def why(codec: Codec, value: bytes | None) -> Reason:
    """The reason for which these bytes are no event."""
    with pytest.raises(Undecodable) as caught:
        codec.decode(value)
    return caught.value.reason


@given(envelopes)
@law
def test_what_is_encoded_is_decoded_to_the_same(envelope: Envelope) -> None:
    assert CODEC.decode(CODEC.encode(envelope)) == envelope


@given(envelopes)
@law
def test_encoding_is_a_function_of_the_envelope(envelope: Envelope) -> None:
    again = CODEC.decode(CODEC.encode(envelope))
    assert CODEC.encode(again) == CODEC.encode(envelope)


def test_the_laws_speak_of_every_kind() -> None:
    assert set(EVENTS) == set(KINDS)
    assert set(EXAMPLES) == {kind.KIND for kind in KINDS}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_finite_number_survives(value: float) -> None:
    level = AlertLevel(labels={}, state=AlertState.FIRING, active_at=0, value=value)
    batch = EXAMPLES["alerts"].event.model_copy(update={"alerts": (level,)})
    read = CODEC.decode(CODEC.encode(Envelope("1", Producer("p"), 0, batch))).event
    assert isinstance(read, AlertBatch)
    assert struct.pack("<d", read.alerts[0].value) == struct.pack("<d", value)


@pytest.mark.parametrize("duration", [math.nan, math.inf, -math.inf, -1.0])
def test_a_duration_is_finite_and_not_negative(duration: float) -> None:
    body = EXAMPLES["check"].event.model_dump() | {"duration": duration}
    assert why(CODEC, written(1, body, "check")) is Reason.INVALID_EVENT


def test_version_n_is_read_as_it_is() -> None:
    assert DOORS.decode(written(2, {"room": "a", "angle": 5})).event == Door(room="a", angle=5)


def test_version_n_minus_1_is_read_through_upgrade() -> None:
    assert DOORS.decode(written(1, {"room": "a", "open": True})).event == Door(room="a", angle=90)


@pytest.mark.parametrize("version", [-1, 0, 3, 2**31])
def test_any_other_version_is_unknown(version: int) -> None:
    assert why(DOORS, written(version, {"room": "a", "angle": 5})) is Reason.UNKNOWN_VERSION


def test_version_0_of_a_first_version_is_unknown() -> None:
    assert why(CODEC, written(0, {}, "wakeup")) is Reason.UNKNOWN_VERSION


@pytest.mark.parametrize("body", [{}, {"room": "a"}, {"room": "a", "open": "x"}, {"room": 5}])
def test_an_older_body_that_cannot_be_upgraded_is_an_invalid_event(body: object) -> None:
    assert why(DOORS, written(1, body)) is Reason.INVALID_EVENT


@pytest.mark.parametrize(
    "fault", [KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError]
)
def test_an_upgrade_that_stumbles_leaks_nothing(fault: type[Exception]) -> None:
    class Stumbling(Door):
        @classmethod
        def upgrade(cls, body: dict[str, Any]) -> dict[str, Any]:
            raise fault("as it were")

    codec = Codec([Stumbling])
    assert why(codec, written(1, {})) is Reason.INVALID_EVENT


def test_a_version_that_only_took_more_needs_no_upgrade() -> None:
    class Wider(WakeUp):
        VERSION: ClassVar[int] = 2

    body = {"stage": "s", "due": 0}
    assert Codec([Wider]).decode(written(1, body, "wakeup")).event == Wider(stage="s", due=0)


def test_properties_of_a_newer_writer_are_ignored() -> None:
    body = {"room": "a", "angle": 5, "colour": "red"}
    assert DOORS.decode(written(2, body)).event == Door(room="a", angle=5)


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope("", Producer("p"), 0, Door(room="a", angle=1)),
        Envelope("1", Producer(""), 0, Door(room="a", angle=1)),
        Envelope("1", Producer("p", sequence=2**64), 0, Door(room="a", angle=1)),
        Envelope("1", Producer("p"), 0, Door(room="a", angle=1), tenant="t" * 257),
        Envelope("1", Producer("p"), 0, Door(room="a", angle=1), trace="t" * 257),
        Envelope("1", Producer("p"), 2**60, Door(room="a", angle=1)),
    ],
)
def test_an_envelope_that_nobody_could_read_is_not_written(envelope: Envelope) -> None:
    with pytest.raises(Refused, match="the envelope of a door"):
        DOORS.encode(envelope)
