"""What partitions of the metrics topic send on for rule groups that span instances."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from schemas.event import Event, Milliseconds, Name, Whole
from schemas.metrics import MetricBatch


class Gathered(Event):
    """Samples that a rule group selects, from one partition; the marker of `at` follows them.

    They are what was appended up to `at` and after the marker before it, under corrected times.
    `digest` names what the group selects; the columns are those of a metric batch with its `index`.
    """

    KIND: ClassVar[str] = "gathered"

    group: Name
    digest: Name
    source: int = Field(ge=0, le=2**31)
    offset: Whole
    plan: Whole
    at: Milliseconds
    series: bytes = Field(min_length=1)
    times: bytes
    values: bytes
    index: bytes

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        self.batch()
        return self

    def batch(self) -> MetricBatch:
        """The samples as a metric batch."""
        return MetricBatch(
            instance=self.group,
            series=self.series,
            times=self.times,
            values=self.values,
            index=self.index,
        )


class Marker(Event):
    """A partition has sent all that a rule group selects of what it had appended up to `at`.

    `source` is the partition, one of `sources`; `offset` is where its reading goes on.
    """

    KIND: ClassVar[str] = "marker"

    group: Name
    digest: Name
    source: int = Field(ge=0, le=2**31)
    sources: int = Field(ge=1, le=2**31)
    offset: Whole
    plan: Whole
    at: Milliseconds
