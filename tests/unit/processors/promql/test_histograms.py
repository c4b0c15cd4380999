"""Classic histograms; the numbers are those of promtool 3.15 on the same buckets."""

import math

import pytest

from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.histograms import bound, numeral
from processors.promql.plan import compile
from tests.unit.processors.promql.answers import Series, answer, steady

NAN, INF = math.nan, math.inf


def buckets(name: str, **counts: float) -> Series:
    """Buckets whose bounds are the names of arguments, with `_` for a point."""
    return [
        each
        for le, count in counts.items()
        for each in steady(name, count, le=le.removeprefix("le").replace("_", ".") or "+Inf")
    ]


PLAIN = buckets("x", le0_1=1, le0_5=3, le1=6, le=10)


@pytest.mark.parametrize(
    ("of", "share", "value"),
    [
        (PLAIN, 0.5, 0.5 + 0.5 * 2 / 3),
        (PLAIN, 0.05, 0.05),
        (PLAIN, 0.0, 0.0),
        (PLAIN, 0.99, 1.0),
        (PLAIN, 1.5, INF),
        (PLAIN, -1, -INF),
        (PLAIN, NAN, NAN),
        (PLAIN[:-1], 0.5, NAN),  # no +Inf
        (PLAIN[-1:], 0.5, NAN),  # nothing but +Inf
        (buckets("x", le1=0, le=0), 0.5, NAN),
        (buckets("x", **{"le-1": 1, "le0": 2, "le": 3}), 0.2, -1.0),
        (buckets("x", le1=4, le2=2, le=8), 0.5, 1.0),  # a decrease is taken out
        (buckets("x", le1=1, le1_0=1, le2=2, le=4), 0.5, 1.0),  # 1 and 1.0 are one bound
        (buckets("x", le1=4, le2=4 + 1e-15, le=4 + 2e-15), 1.0, 1.0),  # rounding errors
    ],
)
def test_a_quantile_is_interpolated_in_its_bucket(of: Series, share: float, value: float) -> None:
    found = answer(f"histogram_quantile({share}, x)", of, 0)[""]
    assert found == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    ("lower", "upper", "value"),
    [
        (0, 1, 0.6),
        (0.1, 0.5, 0.2),
        (-INF, 0.3, 0.2),
        (0.5, INF, 0.7),
        (-INF, INF, 1.0),
        (1, 1, 0.0),
        (2, 1, 0.0),
        (NAN, 1, NAN),
        (5, 6, 0.0),
    ],
)
def test_a_fraction_is_what_lies_between(lower: float, upper: float, value: float) -> None:
    found = answer(f"histogram_fraction({lower}, {upper}, x)".replace("inf", "Inf"), PLAIN, 0)[""]
    assert found == pytest.approx(value, nan_ok=True)


def test_histograms_of_different_sizes_stand_side_by_side() -> None:
    small = [((*labels, ("z", "1")), samples) for labels, samples in buckets("x", le1=1, le=2)]
    none = steady("x", 5, le="what") + steady("x", 5, z="2")
    found = answer("histogram_quantile(0.5, x)", PLAIN + small + none, 0)
    assert found == {"": pytest.approx(0.5 + 1 / 3), "z=1": 1.0}


def test_two_metrics_are_two_histograms_that_then_have_the_same_labels() -> None:
    with pytest.raises(EvaluationFailed, match="same labelset"):
        answer('histogram_quantile(0.5, {__name__=~"x|y"})', PLAIN + buckets("y", le=1), 0)


def test_several_quantiles_are_told_apart_by_a_label() -> None:
    found = answer('histogram_quantiles(x, "q", 0.05, 1)', PLAIN, 0)
    assert found == {"q=0.05": pytest.approx(0.05), "q=1.0": 1.0}


@pytest.mark.parametrize("name", ["histogram_count", "histogram_sum", "histogram_stddev"])
def test_functions_of_native_histograms_are_refused(name: str) -> None:
    with pytest.raises(Refused, match="native histograms are not supported"):
        compile(f"{name}(x)")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("+Inf", INF),
        ("-inf", -INF),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("0x1p-2", 0.25),
        ("", None),
        ("1e999", None),
        (" 1", None),
        ("1_0", None),
        ("NaN", None),
        ("0x1p99999", None),
    ],
)
def test_a_bound_is_read_as_go_reads_it(text: str, value: float | None) -> None:
    assert bound(text) == value


def test_numerals_are_open_metrics() -> None:
    given = [0.5, 1.0, 0.0, -0.0, 1e6, 1e-5, 123456.0, NAN, INF, -INF, 1234567.5]
    written = " ".join(numeral(each) for each in given)
    assert written == "0.5 1.0 0.0 0.0 1e+06 1e-05 123456.0 NaN +Inf -Inf 1.2345675e+06"
