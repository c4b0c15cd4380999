import math

import pytest

from schemas.templates import numbers


# Go's own output, read off a Go program's or promtool's.
@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (0.5, "0.5"),
        (100000.0, "100000"),
        (999999.5, "999999.5"),
        (1e6, "1e+06"),
        (1234567.25, "1.23456725e+06"),
        (1e300, "1e+300"),
        (-1e-7, "-1e-07"),
        (0.000123456, "0.000123456"),
        (math.nan, "NaN"),
        (-math.inf, "-Inf"),
    ],
)
def test_numbers_are_printed_as_go_prints_them(value: float, printed: str) -> None:
    assert numbers.number(value) == printed


def test_prefixes_end_where_the_numbers_do() -> None:
    assert numbers.humanize(1e30) == "1e+06Y"
    assert numbers.humanize(0.0) == "0"
    assert numbers.humanize(math.inf) == "+Inf"
    assert numbers.humanize1024(0.5) == "0.5"
    assert numbers.humanize1024(2.0**70) == "1Zi"
    assert numbers.humanize_duration(math.nan) == "NaN"
    assert numbers.humanize_duration(0.00025) == "250us"
    assert numbers.humanize_duration(59.5) == "59.5s"
    assert numbers.humanize_duration(60.0) == "1m 0s"
