"""Bytes to event and back: MessagePack outside, pydantic inside."""

from collections.abc import Iterable
from typing import Any

import ormsgpack
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.envelope import DEFAULT_TENANT, Envelope, Producer
from schemas.errors import Reason, Refused, Undecodable
from schemas.event import Event, Milliseconds, Whole

_SURPRISES = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What an `upgrade` may raise over a body that is not of the version it claims."""


class Cover(BaseModel):
    """A message on the wire but for its body; `schema` is a name that pydantic keeps for itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str = Field(alias="schema", max_length=64)
    version: int = Field(ge=-(2**31), le=2**31)
    id: str = Field(min_length=1, max_length=256)
    producer: str = Field(min_length=1, max_length=1_024)
    epoch: Whole = 0
    sequence: Whole = 0
    tenant: str = Field(default=DEFAULT_TENANT, min_length=1, max_length=256)
    sent_at: Milliseconds
    trace: str = Field(default="", max_length=256)


class Header(Cover):
    """A whole message; its body is looked into by its kind."""

    body: dict[str, Any]


class Codec:
    """Reads and writes a closed set of events; of each, versions N and N − 1."""

    def __init__(self, kinds: Iterable[type[Event]]) -> None:
        self.kinds = {kind.KIND: kind for kind in kinds}

    def encode(self, envelope: Envelope) -> bytes:
        """The wire form.

        Raises `Refused` if the envelope is such that nobody could read it.
        """
        return self.sealed(envelope, envelope.event)

    def sealed(self, envelope: Envelope, body: dict[str, Any] | Event) -> bytes:
        """`encode` with this body for the event's, of which only the kind counts.

        For who has checked plain values already, and would make an event only to take it apart.
        """
        event = envelope.event
        message: dict[str, object] = {
            "schema": event.KIND,
            "version": event.VERSION,
            "id": envelope.id,
            "producer": envelope.producer.name,
            "epoch": envelope.producer.epoch,
            "sequence": envelope.producer.sequence,
            "tenant": envelope.tenant,
            "sent_at": envelope.sent_at,
            "trace": envelope.trace,
        }
        try:
            Cover.model_validate(message)
        except ValidationError as fault:
            raise Refused(f"the envelope of a {event.KIND}: {_first(fault)}") from fault
        message["body"] = body
        # An event's attributes are plain values, and events: `model_dump` would copy them first.
        return ormsgpack.packb(message, option=ormsgpack.OPT_SERIALIZE_PYDANTIC)

    def decode(self, value: bytes | None) -> Envelope:
        """The event in these bytes.

        Raises `Undecodable`, whatever the bytes are.
        """
        header = _header(value)
        kind = self.kinds.get(header.kind)
        if kind is None:
            raise Undecodable(Reason.UNKNOWN_SCHEMA, repr(header.kind))
        try:
            event = kind.model_validate(_body(kind, header))
        except ValidationError as fault:
            raise Undecodable(Reason.INVALID_EVENT, _first(fault)) from fault
        return Envelope(
            id=header.id,
            producer=Producer(header.producer, header.epoch, header.sequence),
            sent_at=header.sent_at,
            event=event,
            tenant=header.tenant,
            trace=header.trace,
        )


def _header(value: bytes | None) -> Header:
    if not value:
        raise Undecodable(Reason.NOT_MSGPACK, "the value is null or empty")
    try:
        raw = ormsgpack.unpackb(value)
    except ValueError as fault:
        raise Undecodable(Reason.NOT_MSGPACK, str(fault)) from fault
    try:
        return Header.model_validate(raw)
    except ValidationError as fault:
        raise Undecodable(Reason.NOT_AN_ENVELOPE, _first(fault)) from fault


def _body(kind: type[Event], header: Header) -> dict[str, Any]:
    if header.version == kind.VERSION:
        return header.body
    if header.version == kind.VERSION - 1 and header.version >= 1:
        try:
            return kind.upgrade(header.body)
        except ValidationError as fault:
            raise Undecodable(Reason.INVALID_EVENT, _first(fault)) from fault
        except _SURPRISES as fault:
            what = f"not a {kind.KIND} version {header.version}: {fault!r}"
            raise Undecodable(Reason.INVALID_EVENT, what) from fault
    known = f"{kind.VERSION - 1} and {kind.VERSION}" if kind.VERSION > 1 else "1"
    raise Undecodable(
        Reason.UNKNOWN_VERSION, f"{header.kind} version {header.version}; this reads {known}"
    )


def _first(fault: ValidationError) -> str:
    error = fault.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in error["loc"]) or "(whole)"
    return f"{where}: {error['msg']}"
