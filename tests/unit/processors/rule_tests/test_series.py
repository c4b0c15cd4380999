import math

import pytest

from processors.promql.columns import STALE
from processors.rule_tests.series import BadSeries, labels, values


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("1 2.5 -3 +4 1e3 .5 1_000", (1.0, 2.5, -3.0, 4.0, 1000.0, 0.5, 1000.0)),
        ("1x3", (1.0, 1.0, 1.0, 1.0)),
        ("1+2x3", (1.0, 3.0, 5.0, 7.0)),
        ("10-2.5x2 -1-1x1", (10.0, 7.5, 5.0, -1.0, -2.0)),
        ("_ _x2 1x0", (None, None, None, 1.0)),
        ("0x10", (0.0,) * 11),
        ("Inf -inf +Inf", (math.inf, -math.inf, math.inf)),
        ("", ()),
        ("7x1000000000000", (7.0,) * 20),
    ],
)
def test_values_are_promtools_notation(written: str, found: tuple[float | None, ...]) -> None:
    assert values(written, 20) == found


def test_stale_is_prometheuss_marker_and_nan_is_not() -> None:
    stale, nan = values("stale NaN", 2)
    assert stale is STALE
    assert nan is not None
    assert math.isnan(nan)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1 foo", "unexpected 'foo' in series values, expected number or \"stale\""),
        ("1+2", "'1+2' needs a count"),
        ("{{schema:1}}", "native histograms are not supported"),
        ("1x-3", "unexpected '1x-3'"),
    ],
)
def test_values_that_are_none_are_refused(written: str, said: str) -> None:
    with pytest.raises(BadSeries, match=f".*{said[:20].replace('+', '.')}"):
        values(written, 20)


def test_series_are_written_as_in_promql() -> None:
    assert labels('m{b="2", a="1"}') == (("__name__", "m"), ("a", "1"), ("b", "2"))
    assert labels("{}") == labels("") == ()
    assert labels('{"a b"="c"}') == (("a b", "c"),)


@pytest.mark.parametrize("written", ["m{", "m[5m]", "m offset 5m", 'm{a=~"x"}', "1", "sum(m)"])
def test_what_is_no_series_is_refused(written: str) -> None:
    with pytest.raises(BadSeries):
        labels(written)
