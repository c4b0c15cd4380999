"""Observations to batches."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.batches import STALE, Batcher, Sealer, up
from collectors.sources.source import Observation, Sample
from schemas.checks import CheckResult, CheckStatus
from schemas.envelope import Envelope
from schemas.labels import Labels, derived_id, labels_of
from schemas.metrics import MetricBatch
from schemas.series import unpack_series
from schemas.topics import CODEC, MAX_MESSAGE

Decoded = list[tuple[dict[Labels, int], int]]


def sample(name: str, value: float = 1.0, **labels: str) -> Sample:
    return labels_of({"__name__": name, **labels}), value


def batches(batcher: Batcher, at: int, *samples: Sample) -> list[MetricBatch]:
    events = batcher.events(Observation(at, samples))
    assert all(isinstance(event, MetricBatch) for event in events)
    return [event for event in events if isinstance(event, MetricBatch)]


def bits(batch: MetricBatch) -> dict[Labels, int]:
    """Series to the bits of its value."""
    return dict(
        zip(
            unpack_series(batch.series),
            struct.unpack(f"<{batch.count}Q", batch.values),
            strict=True,
        )
    )


def test_the_series_block_is_the_same_bytes_while_the_series_stay() -> None:
    batcher = Batcher("web-1")
    (first,) = batches(batcher, 1, sample("a"), sample("b"))
    (second,) = batches(batcher, 2, sample("a", 7.0), sample("b"))
    assert second.series is first.series
    assert struct.unpack("<2d", second.values) == (7.0, 1.0)
    assert struct.unpack("<q", second.times) == (2,)


def test_a_vanished_series_gets_one_stale_marker_with_prometheus_s_bits() -> None:
    batcher = Batcher("web-1")
    batches(batcher, 1, sample("a"), sample("b"))
    kept, gone = batches(batcher, 2, sample("a"))
    assert bits(gone) == {labels_of({"__name__": "b"}): 0x7FF0000000000002}
    assert list(bits(kept)) == [labels_of({"__name__": "a"})]
    assert len(batches(batcher, 3, sample("a"))) == 1


def test_the_stale_marker_survives_the_codec() -> None:
    batcher = Batcher("web-1")
    batches(batcher, 1, sample("a"))
    (marker,) = batches(batcher, 2)
    decoded = CODEC.decode(CODEC.encode(Sealer("agent", 1).seal(marker))).event
    assert isinstance(decoded, MetricBatch)
    assert decoded.values == bytes.fromhex("020000000000f07f")
    assert math.isnan(STALE)


def test_a_series_that_comes_back_is_no_longer_stale() -> None:
    batcher = Batcher("web-1")
    batches(batcher, 1, sample("a"), sample("b"))
    batches(batcher, 2, sample("a"))
    (back,) = batches(batcher, 3, sample("a"), sample("b", 5.0))
    assert back.count == 2


def test_an_observation_of_nothing_ends_every_series() -> None:
    batcher = Batcher("web-1")
    batches(batcher, 1, sample("a"), sample("b"))
    (gone,) = batches(batcher, 2)
    assert set(bits(gone).values()) == {0x7FF0000000000002}
    assert batches(batcher, 3) == []


def test_of_two_samples_with_the_same_labels_the_last_stands() -> None:
    (batch,) = batches(Batcher("web-1"), 1, sample("a", 1.0), sample("a", 2.0))
    assert struct.unpack("<d", batch.values) == (2.0,)


def test_extra_labels_go_to_every_series_and_override_none() -> None:
    batcher = Batcher("web-1", labels_of({"env": "prod", "mode": "x"}))
    (batch,) = batches(batcher, 1, sample("a", mode="idle"))
    assert unpack_series(batch.series) == (
        labels_of({"__name__": "a", "env": "prod", "mode": "idle"}),
    )


def test_a_check_result_carries_the_extra_labels_and_follows_its_samples() -> None:
    result = CheckResult(
        instance="u", check="web", target="u", status=CheckStatus.HEALTHY, at=1, duration=0.1
    )
    events = Batcher("u", labels_of({"env": "prod"})).events(Observation(1, (sample("a"),), result))
    assert isinstance(events[-1], CheckResult)
    assert events[-1].labels == {"env": "prod"}


@pytest.mark.parametrize("series", [1, 1_000, 60_000])
def test_every_batch_fits_a_message(series: int) -> None:
    # Hex digits of a multiplicative hash compress badly, as ids in real labels do.
    samples = [
        sample("m", float(n), id=f"{n * 0x9E3779B97F4A7C15 % 2**256:064x}") for n in range(series)
    ]
    found = batches(Batcher("web-1"), 1, *samples)
    sealer = Sealer("agent", 1)
    assert all(len(CODEC.encode(sealer.seal(each))) <= MAX_MESSAGE - 1_024 for each in found)
    values = [value for each in found for value in struct.unpack(f"<{each.count}d", each.values)]
    assert values == [value for _, value in samples]
    names = [labels for each in found for labels in unpack_series(each.series)]
    assert names == [labels for labels, _ in samples]


def test_a_batch_of_series_with_very_long_labels_is_split_before_it_is_packed() -> None:
    samples = [sample("m", text="x" * 8_000, n=str(n)) for n in range(3_000)]
    found = batches(Batcher("web-1"), 1, *samples)
    assert len(found) > 1
    assert sum(each.count for each in found) == 3_000
    assert all(unpack_series(each.series) for each in found)


def test_ids_are_derived_and_sequences_count_up_from_1() -> None:
    sealer = Sealer("agent:web-1", 1_700_000_000_000, "acme")
    (batch,) = batches(Batcher("web-1"), 1, sample("a"))
    sealed: list[Envelope] = [sealer.seal(batch) for _ in range(3)]
    assert [each.producer.sequence for each in sealed] == [1, 2, 3]
    assert sealed[1].id == derived_id("agent:web-1", 1_700_000_000_000, 2)
    assert {each.tenant for each in sealed} == {"acme"}


def test_up_says_whether_a_source_answered() -> None:
    assert up("web-1", "node", True) == sample("up", 1.0, instance="web-1", job="node")
    assert up("web-1", "node", False)[1] == 0.0


@given(st.lists(st.sets(st.sampled_from("abcde")), max_size=12))
def test_a_reader_that_heeds_markers_knows_which_series_live(turns: list[set[str]]) -> None:
    batcher = Batcher("web-1")
    alive: set[str] = set()
    for at, names in enumerate(turns):
        for batch in batches(batcher, at, *(sample(name) for name in sorted(names))):
            for labels, value in bits(batch).items():
                name = dict(labels)["__name__"]
                if value == 0x7FF0000000000002:
                    alive.remove(name)  # KeyError: a marker for what is not alive
                else:
                    alive.add(name)
        assert alive == names
