"""What is told of an evaluation: alert batches and recorded samples, under derived ids."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from processors import levels
from processors.promql.labels import Labels
from processors.rules.group import Evaluation
from schemas.alerts import AlertBatch, AlertLevel
from schemas.labels import derived_id
from schemas.metrics import metric_batch
from schemas.series import pack_series
from schemas.stage import Output
from schemas.topics import ALERTS, METRICS

MAX_NAME = 1_000
RECORDED_SERIES = 2_000
RECORDED_TEXT = 200_000
"""Series, and bytes of their labels, of one recorded batch: well below the message limit."""


def alerts_told(group: str, plan: int, at: int, told: Sequence[AlertLevel]) -> list[Output]:
    """The levels that a group decided at an instant."""
    return [
        Output(
            ALERTS,
            "default",
            derived_id("alerts", group, plan, at, *_lives(batch)),
            AlertBatch(source=group, plan=plan, decided_at=at, alerts=batch),
        )
        for batch in levels.batches(told)
    ]


def samples_told(group: str, found: Evaluation) -> list[Output]:
    """The samples on their way to the log; windows see them when they are read from it."""
    by_instance: dict[str, list[tuple[Labels, float]]] = {}
    for labels, value in found.samples:
        instance = dict(labels).get("instance", f"rules/{group}")[:MAX_NAME]
        by_instance.setdefault(instance, []).append((labels, value))
    return [
        Output(
            METRICS,
            instance,
            derived_id("recorded", group, found.sampled_at, instance, number),
            metric_batch(
                instance,
                _packed(tuple(labels for labels, _ in samples)),
                [value for _, value in samples],
                [found.sampled_at],
            ),
        )
        for instance, all_samples in by_instance.items()
        for number, samples in enumerate(_pieces(all_samples))
    ]


@lru_cache(maxsize=20_000)
def _packed(series: tuple[Labels, ...]) -> bytes:
    """The same series are recorded at every instant."""
    return pack_series(series)


def _lives(batch: Sequence[AlertLevel]) -> list[object]:
    return [(sorted(level.labels.items()), level.active_at, level.state) for level in batch[:1]]


def _pieces(samples: Sequence[tuple[Labels, float]]) -> Iterator[list[tuple[Labels, float]]]:
    """Samples in order, as many together as a batch holds."""
    piece: list[tuple[Labels, float]] = []
    text = 0
    for labels, value in samples:
        size = sum(len(name) + 4 * len(of) for name, of in labels)
        if piece and (len(piece) >= RECORDED_SERIES or text + size > RECORDED_TEXT):
            yield piece
            piece, text = [], 0
        piece.append((labels, value))
        text += size
    if piece:
        yield piece
