"""From records to what a stage sees, the same for every runtime: decode, or bury with a reason."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from schemas.codec import Codec
from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope, Producer
from schemas.errors import Reason, Undecodable
from schemas.labels import derived_id
from schemas.stage import Message, Output, Received, Record
from schemas.topics import CODEC, DEAD_LETTERS


def runs(records: Sequence[Record], now: int) -> Iterator[tuple[int, list[Record]]]:
    """Cut records where the log's clock moves; each run comes with its `now` in ms."""

    def clock(record: Record) -> int:
        nonlocal now
        now = max(now, record.appended_at)
        return now

    for at, run in groupby(records, clock):
        yield at, list(run)


def decoded(
    stage: str, records: Sequence[Record], now: int, codec: Codec = CODEC
) -> tuple[list[Received], list[Output]]:
    """The events among these records, and a dead letter for each of the others."""
    received: list[Received] = []
    letters: list[Output] = []
    for record in records:
        try:
            received.append(Received(record.offset, codec.decode(record.value)))
        except Undecodable as fault:
            letters.append(dead_letter(stage, record, fault.reason, fault.detail, now))
    return received, letters


def dead_letter(stage: str, record: Record, reason: Reason, detail: str, now: int) -> Output:
    """The dead letter of a record; its id is that of stage and position."""
    where = record.partition
    return Output(
        DEAD_LETTERS,
        where.topic,
        derived_id("dead-letter", stage, where.topic, where.number, record.offset),
        DeadLetter(
            topic=where.topic,
            partition=where.number,
            offset=record.offset,
            stage=stage,
            reason=reason,
            detail=detail[:2_000],
            at=now,
            original=record.value,
        ),
    )


def encoded(output: Output, producer: str, now: int, codec: Codec = CODEC) -> Message:
    """An output in its envelope; sent, by the log's clock, when it was decided."""
    return Message(
        output.topic,
        output.key,
        codec.encode(
            Envelope(
                id=output.id,
                producer=Producer(producer),
                sent_at=now,
                event=output.event,
                tenant=output.tenant,
                trace=output.trace,
            )
        ),
    )
