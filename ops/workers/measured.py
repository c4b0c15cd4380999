"""A worker's statuses as figures of `/metrics`."""

from collections.abc import Iterator, Sequence

from ops.figures import Reading
from ops.services import StageStatus


def measured(statuses: Sequence[StageStatus]) -> Iterator[Reading]:
    """Every figure of a status: the known ones under their own names."""
    for status in statuses:
        stage = {"stage": status.name}
        yield "tocsin_stage_healthy", stage, float(status.healthy)
        yield "tocsin_stage_ready", stage, float(status.ready)
        split = any(name.startswith("lag:") for name in status.figures)
        for name, value in status.figures.items():
            match name.partition(":"):
                case ("lag", "", _):
                    # Of one that is told by partition, the sum would count everything twice.
                    if not split:
                        yield "tocsin_stage_lag_records", stage, value
                case ("lag", _, partition):
                    yield "tocsin_stage_lag_records", {**stage, "partition": partition}, value
                case ("watermark", "", _):
                    yield "tocsin_stage_watermark_seconds", stage, value
                case ("plan", "", _):
                    yield "tocsin_plan_number", stage, value
                case _:
                    yield "tocsin_stage_figure", {**stage, "figure": name}, value
