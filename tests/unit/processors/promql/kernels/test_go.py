"""What Go 1.26 answered on x86: its `math` as bits, its `time` as numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from processors.promql.columns import Floats
from processors.promql.kernels.registry import POINTWISE
from processors.promql.operators import ARITHMETIC

HERE = Path(__file__).parent
MATH = json.loads((HERE / "go_math.json").read_text())
DATES = json.loads((HERE / "go_dates.json").read_text())
UNITS = ["minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month"]
UNITS += ["month", "year"]


def floats(name: str) -> Floats:
    bits = np.array([int(row[name], 16) for row in MATH], dtype=np.uint64)
    return bits.view(np.float64)


def same(mine: Floats, theirs: Floats) -> bool:
    equal = (mine.view(np.uint64) == theirs.view(np.uint64)) | np.isnan(mine) & np.isnan(theirs)
    return bool(equal.all())


@pytest.mark.parametrize("name", sorted(set(MATH[0]) - {"x", "y", "atan2"}))
def test_functions_are_gos_to_the_bit(name: str) -> None:
    function = POINTWISE["ln" if name == "log" else name]
    with np.errstate(all="ignore"):
        assert same(function(floats("x")), floats(name))


def test_atan2_is_gos_to_the_bit() -> None:
    with np.errstate(all="ignore"):
        assert same(ARITHMETIC["atan2"](floats("x"), floats("y")), floats("atan2"))


@pytest.mark.parametrize(("place", "name"), list(enumerate(UNITS)))
def test_dates_are_gos_even_beyond_int64(place: int, name: str) -> None:
    seconds = [row[0] for row in DATES]
    values = np.array([float.fromhex(each) if "x" in each else float(each) for each in seconds])
    with np.errstate(all="ignore"):
        found = POINTWISE[name](values)
    assert found.tolist() == [float(row[1 + place]) for row in DATES]


@pytest.mark.parametrize("base", [-3.0, 0.1, 2.0, 7.5, 1e-5])
@pytest.mark.parametrize("exponent", [-20.0, -1.0, 0.0, 1.0, 2.0, 3.0, 63.0, 1000.0])
def test_whole_powers_are_powers(base: float, exponent: float) -> None:
    with np.errstate(all="ignore"):
        found = ARITHMETIC["^"](np.array([base]), exponent)[0]
        assert found == pytest.approx(np.power(base, exponent), rel=1e-13)
