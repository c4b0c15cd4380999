import math

import pytest

from processors.rules import golang


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
    assert golang.number(value) == printed


def test_prefixes_end_where_the_numbers_do() -> None:
    assert golang.humanize(1e30) == "1e+06Y"
    assert golang.humanize(0.0) == "0"
    assert golang.humanize(math.inf) == "+Inf"
    assert golang.humanize1024(0.5) == "0.5"
    assert golang.humanize1024(2.0**70) == "1Zi"
    assert golang.humanize_duration(math.nan) == "NaN"
    assert golang.humanize_duration(0.00025) == "250us"
    assert golang.humanize_duration(59.5) == "59.5s"
    assert golang.humanize_duration(60.0) == "1m 0s"


def test_printf_says_what_is_wrong_with_its_arguments_as_go_does() -> None:
    assert golang.printf("%s %v", ["a"]) == "a %!v(MISSING)"
    assert golang.printf("x", [1.5, "b"]) == "x%!(EXTRA float64=1.5, string=b)"
    assert golang.printf("%f", ["b"]) == "%!f(string=b)"
    assert golang.printf("%s", [2.0]) == "%!s(float64=2)"
    assert golang.printf("%.1s|%5s|%-5s|", ["abc", "abc", "abc"]) == "a|  abc|abc  |"
    assert golang.printf("%+v %.3v %6.2f", [1.0, 1.0, math.inf]) == "+1 1   +Inf"
