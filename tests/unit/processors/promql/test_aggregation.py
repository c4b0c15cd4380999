"""Aggregations, and the functions of labels and order."""

import math

import pytest

from processors.promql.errors import EvaluationFailed
from processors.promql.hashing import hashed, xxh64
from processors.promql.ordering import precedes
from tests.unit.processors.promql.answers import answer, listed, steady

NAN, INF = math.nan, math.inf
MANY = (
    steady("x", 4.0, job="a", host="1")
    + steady("x", 1.0, job="a", host="2")
    + steady("x", 3.0, job="b", host="10")
    + steady("x", NAN, job="b", host="11")
)


def hosts(expr: str) -> list[str]:
    return [labels.split("host=")[1].split(",")[0] for labels, _ in listed(expr, MANY, 0)]


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ("topk(2, x)", ["1", "10"]),
        ("topk(9, x)", ["1", "10", "2", "11"]),
        ("bottomk(2, x)", ["2", "10"]),
        ("topk by (job) (1, x)", ["1", "10"]),
        ("topk(1.9, x)", ["1"]),
        ("topk(0, x)", []),
        ("topk(-1, x)", []),
        ('topk(scalar(x{host="10"}), x)', ["1", "10", "2"]),
        ("limitk(1, x)", ["1"]),
        ("limitk by (job) (1, x)", ["1", "10"]),
        ("sort(x)", ["2", "10", "1", "11"]),
        ("sort_desc(x)", ["1", "10", "2", "11"]),
        ('sort_by_label(x, "host")', ["1", "2", "10", "11"]),
        ('sort_by_label_desc(x, "job", "host")', ["11", "10", "2", "1"]),
    ],
)
def test_series_are_chosen_and_arranged(expr: str, found: list[str]) -> None:
    assert hosts(expr) == found


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        ("topk(NaN, x)", "Parameter value is NaN"),
        ("bottomk(1e30, x)", r"Scalar value 1e\+30 overflows int64"),
        ("limitk(Inf, x)", r"Scalar value \+Inf overflows int64"),
        ("limit_ratio(NaN, x)", "Ratio value is NaN"),
        ('label_replace(x, "host", "", "", "")', None),
        ('label_join(x, "host", "")', "same labelset"),
    ],
)
def test_what_cannot_be_answered_fails_in_prometheus_words(expr: str, message: str | None) -> None:
    if message is None:
        assert len(answer(expr, MANY[:1] + MANY[2:3], 0)) == 2
        return
    with pytest.raises(EvaluationFailed, match=message):
        answer(expr, MANY, 0)


def test_a_ratio_and_its_complement_are_everything() -> None:
    below, above = set(hosts("limit_ratio(0.4, x)")), set(hosts("limit_ratio(-0.6, x)"))
    assert below | above == {"1", "2", "10", "11"}
    assert not below & above
    assert hosts("limit_ratio(7, x)") == hosts("limit_ratio(-7, x)") == ["1", "10", "11", "2"]
    assert hosts("limit_ratio(0, x)") == []


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ('quantile(0.5, x{host!="11"})', 3.0),
        ('quantile(0.25, x{host!="11"})', 2.0),
        ("quantile(0, x)", NAN),
        ("quantile(2, x)", INF),
        ("quantile(-1, x)", -INF),
        ("quantile(NaN, x)", NAN),
        ('stdvar(x{job="a"})', 2.25),
        ('stddev(x{job="a"})', 1.5),
        ("stddev(x)", NAN),
        ('stdvar(x{host="1"})', 0.0),
        ("group(x)", 1.0),
    ],
)
def test_a_group_has_one_value(expr: str, value: float) -> None:
    found = answer(expr, MANY, 0)[""]
    assert found == value or (math.isnan(found) and math.isnan(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e21, "1" + "0" * 21),
        (NAN, "NaN"),
        (-INF, "-Inf"),
        (1e-7, "0.0000001"),
    ],
)
def test_a_counted_value_is_written_without_an_exponent(value: float, text: str) -> None:
    assert answer('count_values("v", x)', steady("x", value), 0) == {f"v={text}": 1.0}


def test_counted_values_group_by_their_own_label_too() -> None:
    pair = steady("x", 1, job="a", host="1") + steady("x", 1, job="a", host="2")
    assert answer('count_values by (job) ("v", x)', pair, 0) == {"job=a,v=1": 2.0}
    assert answer('count_values without (host) ("job", x)', pair, 0) == {"job=1": 2.0}


def test_labels_are_replaced_and_joined() -> None:
    one = steady("x", 1, job="a", host="web-1")
    found = answer('label_replace(x, "n", "$2", "host", "(.*)-(.*)")', one, 0)
    assert found == {"__name__=x,host=web-1,job=a,n=1": 1.0}
    assert answer('label_replace(x, "host", "", "host", ".*")', one, 0) == {"__name__=x,job=a": 1.0}
    assert answer('label_join(x, "n", "/", "job", "none", "host")', one, 0) == {
        "__name__=x,host=web-1,job=a,n=a//web-1": 1.0
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [("a2", "a10"), ("a", "b"), ("2", "10"), ("1a", "1b"), ("a1", "a1b"), ("10", "a"), ("", "1")],
)
def test_natural_order_takes_digits_for_numbers(one: str, other: str) -> None:
    assert precedes(one, other)
    assert not precedes(other, one)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"The quick brown fox jumps over the lazy dog", 0x0B242D361FDA71BC),
    ],
)
def test_the_hash_is_xxh64(data: bytes, expected: int) -> None:
    assert xxh64(data) == expected


def test_long_labels_have_a_long_length() -> None:
    assert hashed((("a", "b"),)) == xxh64(b"\x01a\x01b")
    assert hashed((("a", "b" * 300),)) == xxh64(b"\x01a\xff\x2c\x01\x00" + b"b" * 300)
