"""The table of topics: each kind has its place, and a dead letter its room."""

from datetime import timedelta
from importlib import import_module
from pkgutil import iter_modules

import pytest

import schemas
from schemas.alerts import AlertLevel
from schemas.commands import SilenceMatcher
from schemas.dead_letter import MAX_LETTER_DETAIL, DeadLetter
from schemas.deliveries import Held, ToldAlerts
from schemas.envelope import Envelope, Producer
from schemas.errors import Reason
from schemas.event import Event
from schemas.topics import CODEC, DEAD_LETTERS, KINDS, MAX_MESSAGE, TOPICS
from schemas.windows import Calendar, Repeat

KAFKA = 1_048_588
"""Kafka's default `message.max.bytes`, of a batch."""
MODULES = [import_module(f"schemas.{found.name}") for found in iter_modules(schemas.__path__)]


def test_every_event_but_the_parts_of_others_is_on_a_topic() -> None:
    events = {
        thing
        for module in MODULES
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Event) and thing is not Event
    }
    assert events - {AlertLevel, Calendar, Held, Repeat, SilenceMatcher, ToldAlerts} == set(KINDS)


def test_a_kind_has_a_name_of_its_own_and_a_version() -> None:
    assert len({kind.KIND for kind in KINDS}) == len(KINDS)
    assert all(kind.VERSION >= 1 for kind in KINDS)
    assert all(len(kind.KIND) <= 64 for kind in KINDS)


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_complete(name: str) -> None:
    topic = TOPICS[name]
    assert topic.name == name
    assert topic.key
    assert topic.kinds
    assert topic.retention >= timedelta(hours=6)
    assert topic.max_message < KAFKA


def test_a_dead_letter_of_the_largest_message_fits_its_topic() -> None:
    widest = "\U0010ffff"
    letter = DeadLetter(
        topic=widest * 1_024,
        partition=2**53,
        offset=2**53,
        stage=widest * 1_024,
        reason=max(Reason, key=len),
        detail=widest * 1_000_000,
        at=2**53,
        original=bytes(MAX_MESSAGE),
    )
    producer = Producer(widest * 1_024, 2**53, 2**53)
    envelope = Envelope(widest * 256, producer, 2**53, letter, widest * 256, widest * 256)
    key = widest * 1_024
    assert len(CODEC.encode(envelope)) + len(key.encode()) < TOPICS[DEAD_LETTERS].max_message
    assert CODEC.decode(CODEC.encode(envelope)) == envelope


def test_the_detail_of_a_dead_letter_is_cut_and_never_refused() -> None:
    body = {"topic": "t", "partition": 0, "offset": 0, "stage": "s", "at": 0, "original": b""}
    letter = DeadLetter.model_validate(body | {"reason": Reason.TOO_LARGE, "detail": "x" * 10**6})
    assert len(letter.detail) == MAX_LETTER_DETAIL
