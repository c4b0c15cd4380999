"""What may be called over a window and on a value; a new family adds its file and lines here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from processors.promql.columns import Floats
from processors.promql.kernels import over_time, pointwise, rates


@dataclass(frozen=True, slots=True)
class RangeKernel:
    """A function of each row's window; rows with fewer than `least` samples have no value.

    `apply` takes the window, then the call's scalar arguments in PromQL's order; `range_at` is the
    place of the range among PromQL's arguments.
    """

    apply: Callable[..., Floats]
    least: int = 1
    keeps_name: bool = False
    range_at: int = 0


RANGES: Mapping[str, RangeKernel] = {
    "avg_over_time": RangeKernel(over_time.avg),
    "sum_over_time": RangeKernel(over_time.total),
    "min_over_time": RangeKernel(over_time.low),
    "max_over_time": RangeKernel(over_time.high),
    "count_over_time": RangeKernel(over_time.count),
    "last_over_time": RangeKernel(over_time.last, keeps_name=True),
    "present_over_time": RangeKernel(over_time.present),
    "rate": RangeKernel(rates.rate, least=2),
    "increase": RangeKernel(rates.increase, least=2),
    "delta": RangeKernel(rates.delta, least=2),
    "irate": RangeKernel(rates.instant_rate, least=2),
    "idelta": RangeKernel(rates.instant_delta, least=2),
    "changes": RangeKernel(rates.changes),
    "resets": RangeKernel(rates.resets),
}

# Values first, then whatever scalars the call has.
POINTWISE: Mapping[str, Callable[..., Any]] = {
    "abs": pointwise.absolute,
    "ceil": pointwise.ceil,
    "floor": pointwise.floor,
    "round": pointwise.rounded,
    "clamp": pointwise.clamp,
    "clamp_min": pointwise.clamp_min,
    "clamp_max": pointwise.clamp_max,
    "sgn": pointwise.sign,
    "sqrt": pointwise.root,
}
