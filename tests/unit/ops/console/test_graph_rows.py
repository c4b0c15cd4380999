"""What an expression gives, as the page of queries shows it."""

import math

import pytest

from ops.console.graph_rows import MOST_ROWS, STRETCHES, count_text, lines_of, named, value_rows
from ops.console.rows import MAX_LINES
from ops.services import QueryResult


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({"__name__": "up", "job": "node", "instance": "a"}, 'up{instance="a", job="node"}'),
        ({"__name__": "up"}, "up"),
        ({"job": "node"}, '{job="node"}'),
        ({}, "{}"),
    ],
)
def test_a_series_is_named_as_in_promql(labels: dict[str, str], text: str) -> None:
    assert named(labels) == text


def test_lines_have_gaps_where_there_is_no_number_and_a_lone_point_is_seen() -> None:
    two, one = lines_of([({"a": "2"}, [(1, 0.5), (2, math.nan)]), ({"a": "3"}, [(1, math.inf)])])
    assert two["data"] == [[1, 0.5], [2, None]]
    assert (two["showSymbol"], one["showSymbol"]) == (False, True)
    many = [({"a": str(n)}, [(1, 1.0)]) for n in range(MAX_LINES + 5)]
    assert len(lines_of(many)) == MAX_LINES


def test_values_stand_in_the_order_of_their_names() -> None:
    rows = value_rows(QueryResult("vector", 1, [({"b": "1"}, 2.0), ({"a": "1"}, 1 / 3)]))
    assert [(row["series"], row["value"]) for row in rows] == [
        ('{a="1"}', "0.3333"),
        ('{b="1"}', "2"),
    ]


def test_what_is_left_out_is_said() -> None:
    assert count_text(0) == "Nothing matches now."
    assert count_text(1) == "1 series"
    assert count_text(MAX_LINES + 1) == f"{MAX_LINES + 1} series; the chart shows {MAX_LINES}"
    assert count_text(MOST_ROWS + 1).endswith(f", the table {MOST_ROWS}")


def test_no_stretch_has_more_steps_than_an_answer_may_have() -> None:
    assert all(
        length % step == 0 and length // step < 11_000 for length, step in STRETCHES.values()
    )
