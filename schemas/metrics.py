"""Samples in columns: one batch is what one instance measured."""

from array import array
from collections.abc import Sequence
from sys import byteorder
from typing import ClassVar, Self

from pydantic import Field, model_validator

from schemas.event import Event, Name
from schemas.labels import Labels
from schemas.series import MAX_SERIES, pack_series

MAX_SAMPLES = 1_000_000


class MetricBatch(Event):
    """Samples of one instance.

    `series` is a packed block (`schemas.series`) of S label sets. `values` holds N float64 and
    `times` N int64 milliseconds, both little-endian; a single time stands for all values.
    `index` holds N uint32, the series of each sample; empty, sample i is of series i and N = S.
    """

    KIND: ClassVar[str] = "metrics"

    instance: Name
    series: bytes = Field(min_length=1)
    times: bytes
    values: bytes
    index: bytes = b""

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        samples, odd = divmod(len(self.values), 8)
        if odd or samples > MAX_SAMPLES:
            raise ValueError(f"values is no column of at most {MAX_SAMPLES} float64")
        if len(self.times) not in (8, samples * 8):
            raise ValueError(f"times holds {len(self.times)} bytes for {samples} samples")
        if self.index and len(self.index) != samples * 4:
            raise ValueError(f"index holds {len(self.index)} bytes for {samples} samples")
        if not self.index and samples > MAX_SERIES:
            raise ValueError(f"more than {MAX_SERIES} series")
        return self

    @property
    def count(self) -> int:
        """How many samples."""
        return len(self.values) // 8


def metric_batch(
    instance: str,
    series: Sequence[Labels] | bytes,
    values: Sequence[float],
    times: Sequence[int],
    index: Sequence[int] | None = None,
) -> MetricBatch:
    """A batch from Python sequences; `series` may be a block packed earlier."""
    return MetricBatch(
        instance=instance,
        series=series if isinstance(series, bytes) else pack_series(series),
        times=_column("q", times),
        values=_column("d", values),
        index=b"" if index is None else _column("I", index),
    )


def _column(code: str, numbers: Sequence[float]) -> bytes:
    column = array(code, numbers)
    if byteorder == "big":
        column.byteswap()
    return column.tobytes()
