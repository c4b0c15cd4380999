"""Bytes to event and back: MessagePack outside, pydantic inside."""

from collections.abc import Iterable
from typing import Any

import ormsgpack
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.envelope import DEFAULT_TENANT, Envelope, Producer
from schemas.errors import Reason, Undecodable
from schemas.event import Event, Milliseconds


class _Header(BaseModel):
    """The envelope's fields on the wire; `schema` is a name that pydantic keeps for itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str = Field(alias="schema", max_length=64)
    version: int
    id: str = Field(min_length=1, max_length=256)
    producer: str = Field(min_length=1, max_length=1_024)
    epoch: int = 0
    sequence: int = 0
    tenant: str = Field(default=DEFAULT_TENANT, min_length=1, max_length=256)
    sent_at: Milliseconds
    trace: str = Field(default="", max_length=256)
    body: dict[str, Any]


class Codec:
    """Reads and writes a closed set of events; of each, versions N and N − 1."""

    def __init__(self, kinds: Iterable[type[Event]]) -> None:
        self.kinds = {kind.KIND: kind for kind in kinds}

    def encode(self, envelope: Envelope) -> bytes:
        """The wire form."""
        event = envelope.event
        return ormsgpack.packb(
            {
                "schema": event.KIND,
                "version": event.VERSION,
                "id": envelope.id,
                "producer": envelope.producer.name,
                "epoch": envelope.producer.epoch,
                "sequence": envelope.producer.sequence,
                "tenant": envelope.tenant,
                "sent_at": envelope.sent_at,
                "trace": envelope.trace,
                "body": event.model_dump(),
            }
        )

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


def _header(value: bytes | None) -> _Header:
    if not value:
        raise Undecodable(Reason.NOT_MSGPACK, "the value is null or empty")
    try:
        raw = ormsgpack.unpackb(value)
    except ValueError as fault:
        raise Undecodable(Reason.NOT_MSGPACK, str(fault)) from fault
    try:
        return _Header.model_validate(raw)
    except ValidationError as fault:
        raise Undecodable(Reason.NOT_AN_ENVELOPE, _first(fault)) from fault


def _body(kind: type[Event], header: _Header) -> dict[str, Any]:
    if header.version == kind.VERSION:
        return header.body
    if header.version == kind.VERSION - 1 and header.version >= 1:
        try:
            return kind.upgrade(header.body)
        except (KeyError, TypeError, ValueError) as fault:
            raise Undecodable(Reason.INVALID_EVENT, f"not a {kind.KIND} v1: {fault!r}") from fault
    known = f"{kind.VERSION - 1} and {kind.VERSION}" if kind.VERSION > 1 else "1"
    raise Undecodable(
        Reason.UNKNOWN_VERSION, f"{header.kind} version {header.version}; this reads {known}"
    )


def _first(fault: ValidationError) -> str:
    error = fault.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in error["loc"]) or "(whole)"
    return f"{where}: {error['msg']}"
