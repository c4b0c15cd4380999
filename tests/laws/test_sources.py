"""What holds for every source: a new one adds a line to SOURCES."""

import re
import time
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from datetime import timedelta
from typing import Any

import pytest

from collectors.batches import Batcher, Sealer, up
from collectors.sources.http_check import HttpCheck, HttpReading, Phase, observe_http
from collectors.sources.httpx_probe import HttpSource
from collectors.sources.naming import Naming
from collectors.sources.psutil_host import HostSource
from collectors.sources.source import Observation, Source
from schemas.labels import labels_of
from schemas.metrics import MetricBatch
from schemas.series import unpack_series
from schemas.topics import CODEC
from tests.unit.collectors.readings import HOST

CHECK = HttpCheck.model_validate(
    {"name": "web", "url": "http://127.0.0.1:9/", "interval": "2s", "timeout": "500ms"}
)
SOURCES: dict[str, Callable[[], Source[Any]]] = {
    "host": lambda: HostSource("web-1", timedelta(seconds=5)),
    "http check": lambda: HttpSource(CHECK),
}
READINGS: dict[str, tuple[Callable[[], Source[Any]], Any]] = {
    "host": (SOURCES["host"], HOST),
    "http check, answered": (
        SOURCES["http check"],
        HttpReading(at=5, duration=0.1, status=200, body=b"x", phases={Phase.CONNECT: 0.1}),
    ),
    "http check, failed": (
        SOURCES["http check"],
        HttpReading(at=5, duration=0.1, error="connect failed: refused"),
    ),
}


@pytest.fixture(params=SOURCES.values(), ids=SOURCES.keys())
def source(request: pytest.FixtureRequest) -> Source[Any]:
    return request.param()  # type: ignore[no-any-return]


@pytest.fixture(params=READINGS.values(), ids=READINGS.keys())
def recorded(request: pytest.FixtureRequest) -> tuple[Source[Any], Any]:
    made, reading = request.param
    return made(), reading


def assert_well_formed(source: Source[Any], observation: Observation) -> None:
    assert observation.samples
    for labels, value in observation.samples:
        pairs = dict(labels)
        assert labels == labels_of(pairs)
        assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", pairs.pop("__name__"))
        assert (pairs["instance"], pairs["job"]) == (source.instance, source.job)
        assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in pairs)
        assert type(value) is float
    assert len({labels for labels, _ in observation.samples}) == len(observation.samples)
    assert up(source.instance, source.job, True)[0] not in dict(observation.samples)
    if observation.result is not None:
        assert observation.result.instance == source.instance
        assert observation.result.at == observation.at


def test_what_it_sees_is_well_formed(source: Source[Any]) -> None:
    assert_well_formed(source, source.observe(source.read(1_700_000_000_000)))


def test_a_recorded_reading_is_well_formed(recorded: tuple[Source[Any], Any]) -> None:
    assert_well_formed(recorded[0], recorded[0].observe(recorded[1]))


def test_a_reading_says_the_same_whenever_it_is_asked(recorded: tuple[Source[Any], Any]) -> None:
    source, reading = recorded
    assert source.observe(reading) == source.observe(reading)


def test_a_reading_is_frozen(source: Source[Any]) -> None:
    reading = source.read(1)
    with pytest.raises(FrozenInstanceError):
        setattr(reading, fields(reading)[0].name, None)


def test_samples_have_the_time_at_which_it_was_asked(source: Source[Any]) -> None:
    assert source.observe(source.read(12_345)).at == 12_345


def test_a_reading_ends_within_the_interval(source: Source[Any]) -> None:
    begun = time.monotonic()
    source.read(1)
    assert time.monotonic() - begun < source.interval.total_seconds()


def test_the_series_of_two_readings_are_the_same_so_that_the_block_is_packed_once(
    recorded: tuple[Source[Any], Any],
) -> None:
    source, reading = recorded
    batcher = Batcher(source.instance)
    first, second = (batcher.events(source.observe(reading))[0] for _ in range(2))
    assert isinstance(first, MetricBatch)
    assert isinstance(second, MetricBatch)
    assert first.series is second.series


def test_what_it_sees_survives_the_wire(source: Source[Any]) -> None:
    observation = source.observe(source.read(7))
    sealer = Sealer("agent", 1)
    events = [
        CODEC.decode(CODEC.encode(sealer.seal(event))).event
        for event in Batcher(source.instance).events(observation)
    ]
    batches = [event for event in events if isinstance(event, MetricBatch)]
    series = [labels for batch in batches for labels in unpack_series(batch.series)]
    assert series == [labels for labels, _ in observation.samples]


def test_what_is_pure_is_a_function_of_the_reading_alone() -> None:
    reading = HttpReading(at=5, duration=0.1, status=200)
    first, second = (observe_http(CHECK, reading, Naming(CHECK.url, "web")) for _ in range(2))
    assert first == second
