"""Recorded samples on their way to the log: packed once while the series are the same."""

import gc
import weakref
from collections.abc import Sequence

import numpy as np
import pytest

from processors import told
from processors.promql.labels import Labels
from processors.rules.group import Evaluation, Memory
from processors.told import Recorder
from schemas.metrics import MetricBatch
from schemas.series import pack_series, unpack_series

HERE = (("__name__", "r"), ("instance", "a"))
THERE = (("__name__", "r"), ("instance", "b"))
NOWHERE = (("__name__", "r"),)


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many series each block that was packed holds."""
    sizes: list[int] = []

    def counted(series: Sequence[Labels]) -> bytes:
        sizes.append(len(series))
        return pack_series(series)

    monkeypatch.setattr(told, "pack_series", counted)
    return sizes


def sent(recorder: Recorder, at: int, *samples: tuple[Labels, float]) -> dict[Labels, float]:
    found: dict[Labels, float] = {}
    for output in recorder.told(Evaluation(at, at, Memory(), (), samples, ())):
        batch = output.event
        assert isinstance(batch, MetricBatch)
        assert batch.instance == output.key
        values = np.frombuffer(batch.values, "<f8").tolist()
        found |= zip(unpack_series(batch.series), values, strict=True)
    return found


def test_the_same_series_are_packed_once(packed: list[int]) -> None:
    recorder = Recorder("g")
    for at in (1, 2, 3):
        samples = ((HERE, 1.0 * at), (THERE, 2.0 * at), (NOWHERE, 3.0 * at))
        assert sent(recorder, at, *samples) == dict(samples)
    assert packed == [1, 1, 1]


def test_other_series_take_the_place_of_the_last(packed: list[int]) -> None:
    recorder = Recorder("g")
    assert sent(recorder, 1, (HERE, 1.0)) == {HERE: 1.0}
    assert sent(recorder, 2, (THERE, 2.0)) == {THERE: 2.0}
    assert sent(recorder, 3, (HERE, 3.0)) == {HERE: 3.0}
    assert sent(recorder, 4) == {}
    assert packed == [1, 1, 1]


def test_only_the_last_instants_series_are_kept() -> None:
    recorder = Recorder("g")
    sent(recorder, 1, (HERE, 1.0))
    (piece,) = recorder._pieces
    kept = weakref.ref(piece.rows)
    del piece
    assert kept() is not None
    sent(recorder, 2, (THERE, 1.0))
    gc.collect()
    assert kept() is None
