"""PromQL's arithmetic and comparisons on arrays and numbers, with Go's floats."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from processors.promql.kernels.elementary import power
from processors.promql.kernels.trigonometry import atan2

Operation = Callable[[Any, Any], Any]

ARITHMETIC: Mapping[str, Operation] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    # C's fmod, whose result has the sign of the dividend, is Go's math.Mod.
    "%": np.fmod,
    "^": power,
    "atan2": atan2,
}
COMPARISONS: Mapping[str, Operation] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
SETS = frozenset({"and", "or", "unless"})
