"""What is told of an evaluation: alert batches and recorded samples, under derived ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from processors import levels
from processors.promql.columns import Rows
from processors.promql.labels import Labels, get
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


class Recorder:
    """Tells what a group records: the same series are recorded at most instants, and packed once.

    The last instant's series alone are kept, as long as the recorder is.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._series: tuple[Labels, ...] = ()
        self._pieces: tuple[_Recorded, ...] = ()

    def told(self, found: Evaluation) -> list[Output]:
        """The samples on their way to the log; windows see them when they are read from it."""
        values = np.fromiter((value for _, value in found.samples), np.float64, len(found.samples))
        series = tuple(labels for labels, _ in found.samples)
        if series != self._series:
            self._series, self._pieces = series, _recorded(self._group, series)
        return [
            Output(
                METRICS,
                piece.instance,
                derived_id("recorded", self._group, found.sampled_at, piece.instance, piece.number),
                metric_batch(
                    piece.instance, piece.block, values[piece.rows].tolist(), [found.sampled_at]
                ),
            )
            for piece in self._pieces
        ]


@dataclass(frozen=True, slots=True, eq=False)
class _Recorded:
    """Series of one instance that are sent together; `rows` are theirs among all of the group."""

    instance: str
    number: int
    block: bytes
    rows: Rows


def _recorded(group: str, series: Sequence[Labels]) -> tuple[_Recorded, ...]:
    rows: dict[str, list[int]] = {}
    for row, labels in enumerate(series):
        instance = get(labels, "instance") or f"rules/{group}"
        rows.setdefault(instance[:MAX_NAME], []).append(row)
    return tuple(
        _Recorded(instance, number, pack_series([series[row] for row in piece]), np.array(piece))
        for instance, every in rows.items()
        for number, piece in enumerate(_pieces(every, series))
    )


def _lives(batch: Sequence[AlertLevel]) -> list[object]:
    return [(sorted(level.labels.items()), level.active_at, level.state) for level in batch[:1]]


def _pieces(rows: Sequence[int], series: Sequence[Labels]) -> Iterator[list[int]]:
    """Rows in order, as many together as a batch holds."""
    piece: list[int] = []
    text = 0
    for row in rows:
        size = sum(len(name) + 4 * len(of) for name, of in series[row])
        if piece and (len(piece) >= RECORDED_SERIES or text + size > RECORDED_TEXT):
            yield piece
            piece, text = [], 0
        piece.append(row)
        text += size
    if piece:
        yield piece
