"""Operators that fill in, and `info`; compared with a Prometheus server 3.15 with its flags on."""

import pytest

from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.plan import compile
from tests.unit.processors.promql.answers import Series, answer, series, steady

LEFT = steady("m", 10, job="a") + steady("m", 20, job="b")
RIGHT = steady("n", 1, job="a") + steady("n", 2, job="c")


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ("m + fill(5) n", {"job=a": 11.0, "job=b": 25.0, "job=c": 7.0}),
        ("m - fill_left(5) n", {"job=a": 9.0, "job=c": 3.0}),
        ("m - fill_right(5) n", {"job=a": 9.0, "job=b": 15.0}),
        ("m > fill(3) n", {"__name__=m,job=a": 10.0, "__name__=m,job=b": 20.0, "job=c": 3.0}),
        ("m < bool fill(3) n", {"job=a": 0.0, "job=b": 0.0, "job=c": 0.0}),
        ("m + fill(1) none", {"job=a": 11.0, "job=b": 21.0}),
        ("none + fill(1) none", {}),
        ("n - on(job) group_right fill_right(7) m", {"job=a": -9.0, "job=b": -13.0}),
    ],
)
def test_a_number_stands_for_a_series_that_is_missing(expr: str, found: dict[str, float]) -> None:
    assert answer(expr, LEFT + RIGHT, 0) == found


def test_filling_does_not_make_many_to_one_implicit() -> None:
    with pytest.raises(EvaluationFailed, match="many-to-one matching must be explicit"):
        answer("m + on() fill(1) none", LEFT, 0)


def test_filling_is_for_vectors() -> None:
    with pytest.raises(Refused, match="only allowed between instant vectors"):
        compile("m + fill(1) 3")


def target(env: str, *samples: tuple[int, float], name: str = "target_info") -> Series:
    return series(name, *samples, instance="1", job="a", env=env)


UP = steady("up", 1, instance="1", job="a") + steady("up", 0, instance="2", job="a")


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ("info(up)", {"env=prod,instance=1": 1.0, "instance=2": 0.0}),
        ('info(up, {env="prod"})', {"env=prod,instance=1": 1.0}),
        ('info(up, {env=~".+"})', {"env=prod,instance=1": 1.0}),
        ('info(up, {env="none"})', {}),
        ('info(up, {__name__="other_info"})', {"instance=1": 1.0, "instance=2": 0.0}),
    ],
)
def test_info_puts_the_targets_labels_on_its_series(expr: str, found: dict[str, float]) -> None:
    given = answer(expr, UP + target("prod", (0, 1.0)), 0)
    trimmed = {
        labels.replace("__name__=up,", "").replace(",job=a", ""): value
        for labels, value in given.items()
    }
    assert trimmed == found


def test_info_takes_the_newest_of_a_targets_series() -> None:
    found = answer("info(up)", UP[:1] + target("old", (0, 1.0)) + target("new", (10, 1.0)), 20)
    assert list(found) == ["__name__=up,env=new,instance=1,job=a"]
    with pytest.raises(EvaluationFailed, match="found duplicate series for info metric"):
        answer("info(up)", UP[:1] + target("old", (0, 1.0)) + target("new", (0, 1.0)), 20)


def test_two_info_metrics_that_disagree_fail() -> None:
    both = UP[:1] + target("a", (0, 1.0)) + target("b", (0, 1.0), name="build_info")
    with pytest.raises(EvaluationFailed, match="conflicting label: env"):
        answer('info(up, {__name__=~".+_info"})', both, 0)


def test_info_series_themselves_are_left_alone_and_read_where_the_argument_is_read() -> None:
    found = answer("info(up offset 1m)", UP[:1] + target("late", (30, 1.0)), 60)
    assert list(found) == ["__name__=up,instance=1,job=a"]
    assert compile("info(up offset 1m)").selectors[1].reach_ms == 360_000
    assert list(answer("info(target_info)", target("x", (0, 1.0)), 0)) == [
        "__name__=target_info,env=x,instance=1,job=a"
    ]


@pytest.mark.parametrize("expr", ["info(up, other_info)", 'info(up, {a="b"} offset 1m)'])
def test_infos_second_argument_is_matchers_only(expr: str) -> None:
    with pytest.raises(Refused, match="label selectors only"):
        compile(expr)
