"""Every line is Go's own output."""

import math

from schemas.templates.printf import sprintf


def test_printf_says_what_is_wrong_with_its_arguments_as_go_does() -> None:
    assert sprintf("%s %v", ["a"]) == "a %!v(MISSING)"
    assert sprintf("x", [1.5, "b"]) == "x%!(EXTRA float64=1.5, string=b)"
    assert sprintf("%f", ["b"]) == "%!f(string=b)"
    assert sprintf("%s", [2.0]) == "%!s(float64=2)"
    assert sprintf("%.1s|%5s|%-5s|", ["abc", "abc", "abc"]) == "a|  abc|abc  |"
    assert sprintf("%+v %.3v %6.2f", [1.0, 1.0, math.inf]) == "1 1   +Inf"
