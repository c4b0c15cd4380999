"""Bytes that a writer of each kind and version once put on a log still say what they said."""

from pathlib import Path
from typing import Any

import ormsgpack
import pytest

from schemas.event import Event
from schemas.examples import BLOCK, EXAMPLES, SERIES
from schemas.series import unpack_series
from schemas.topics import CODEC, KINDS

WIRE = Path(__file__).with_name("wire")
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND)


def sample(kind: type[Event], version: int) -> bytes:
    """The sample; `python -m tests.unit.schemas.write_wire` writes those of new versions."""
    return (WIRE / f"{kind.KIND}.v{version}.bin").read_bytes()


def holds(now: Any, then: Any) -> bool:
    """Whether everything that was said then is said now; properties may have been added."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(
            key in now and holds(now[key], value) for key, value in then.items()
        )
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(holds, now, then))
    return type(now) is type(then) and bool(now == then)


@every_kind
def test_a_sample_of_this_version_is_read_as_what_was_written(kind: type[Event]) -> None:
    assert CODEC.decode(sample(kind, kind.VERSION)) == EXAMPLES[kind.KIND]


@every_kind
def test_a_sample_of_the_version_before_is_upgraded(kind: type[Event]) -> None:
    if kind.VERSION > 1:
        assert type(CODEC.decode(sample(kind, kind.VERSION - 1)).event) is kind


@every_kind
def test_what_is_written_now_holds_all_that_was_written_then(kind: type[Event]) -> None:
    now = ormsgpack.unpackb(CODEC.encode(EXAMPLES[kind.KIND]))
    assert holds(now, ormsgpack.unpackb(sample(kind, kind.VERSION)))


def test_a_difference_on_the_wire_is_noticed() -> None:
    assert holds({"a": [1], "b": 2}, {"a": [1]})
    assert not holds({"a": [1]}, {"a": [1], "b": 2})
    assert not holds({"a": [1.0]}, {"a": [1]})
    assert not holds({"a": [1, 2]}, {"a": [1]})


def test_a_sample_of_a_series_block_is_read() -> None:
    assert unpack_series(BLOCK) == SERIES
