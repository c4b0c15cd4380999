"""What may be called over a window and on a value; a new family adds its file and lines here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from processors.promql.columns import Floats
from processors.promql.kernels import (
    dates,
    elementary,
    hyperbolic,
    over_time,
    pointwise,
    quantiles,
    rates,
    spread,
    trends,
    trigonometry,
)


@dataclass(frozen=True, slots=True)
class RangeKernel:
    """A function of each row's window; rows with fewer than `least` samples have no value.

    `apply` takes the window, then the call's scalar arguments in PromQL's order; `range_at` is the
    place of the range among PromQL's arguments. `check` raises EvaluationFailed for scalars that
    are refused wherever there is any sample.
    """

    apply: Callable[..., Floats]
    least: int = 1
    keeps_name: bool = False
    range_at: int = 0
    check: Callable[..., None] | None = None


RANGES: Mapping[str, RangeKernel] = {
    "avg_over_time": RangeKernel(over_time.avg),
    "sum_over_time": RangeKernel(over_time.total),
    "min_over_time": RangeKernel(over_time.low),
    "max_over_time": RangeKernel(over_time.high),
    "count_over_time": RangeKernel(over_time.count),
    "first_over_time": RangeKernel(over_time.first, keeps_name=True),
    "last_over_time": RangeKernel(over_time.last, keeps_name=True),
    "present_over_time": RangeKernel(over_time.present),
    "ts_of_first_over_time": RangeKernel(over_time.time_of_first),
    "ts_of_last_over_time": RangeKernel(over_time.time_of_last),
    "ts_of_min_over_time": RangeKernel(over_time.time_of_low),
    "ts_of_max_over_time": RangeKernel(over_time.time_of_high),
    "quantile_over_time": RangeKernel(quantiles.quantile_over_time, range_at=1),
    "mad_over_time": RangeKernel(quantiles.median_deviation),
    "stddev_over_time": RangeKernel(spread.deviation),
    "stdvar_over_time": RangeKernel(spread.variance),
    "deriv": RangeKernel(trends.derivative, least=2),
    "predict_linear": RangeKernel(trends.predict_linear, least=2),
    "double_exponential_smoothing": RangeKernel(trends.smoothed, least=2, check=trends.factors),
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
    "deg": pointwise.degrees,
    "rad": pointwise.radians,
    "exp": np.exp,
    "ln": elementary.log,
    "log2": elementary.log2,
    "log10": elementary.log10,
    "sin": trigonometry.sin,
    "cos": trigonometry.cos,
    "tan": trigonometry.tan,
    "asin": trigonometry.asin,
    "acos": trigonometry.acos,
    "atan": trigonometry.atan,
    "sinh": hyperbolic.sinh,
    "cosh": hyperbolic.cosh,
    "tanh": hyperbolic.tanh,
    "asinh": hyperbolic.asinh,
    "acosh": hyperbolic.acosh,
    "atanh": hyperbolic.atanh,
    "minute": dates.minute,
    "hour": dates.hour,
    "day_of_week": dates.day_of_week,
    "day_of_month": dates.day_of_month,
    "day_of_year": dates.day_of_year,
    "days_in_month": dates.days_in_month,
    "month": dates.month,
    "year": dates.year,
}
