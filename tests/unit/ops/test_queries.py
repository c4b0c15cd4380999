"""PromQL over history: what the engine is given, and what goes wrong."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from ops import queries
from ops.history.errors import HistoryAway, HistoryRefused
from ops.services import QueryFailed
from ops.settings import Settings
from schemas.errors import Refused

T = 1_700_000_000_000


class Rows:
    """History as the queries see it: two hosts, out of label order, a sample each ten seconds."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.series = {1: "b", 2: "a"}
        self.limits: list[Mapping[str, Any]] = []
        self.fails: Exception | None = None

    def query_arrow(self, sql: str, params: Any = None, settings: Any = None) -> pa.Table:
        self.limits.append(settings)
        if self.fails is not None:
            raise self.fails
        if "FROM samples" in sql:
            self.asked.append(params)
            rows = [(i, T + n * 10_000, float(i * 100 + n)) for i in (1, 2) for n in range(31)]
            rows = [row for row in rows if params["start"] <= row[1] <= params["end"]]
            series, at, value = zip(*rows, strict=True) if rows else ((), (), ())
            return pa.table(
                {
                    "series": pa.array(series, pa.uint64()),
                    "at": pa.array(at, pa.int64()),
                    "value": pa.array(value, pa.float64()),
                }
            )
        return pa.table(
            {
                "id": pa.array(list(self.series), pa.uint64()),
                "its_name": ["x", "x"],
                "its_labels": pa.array(
                    [[("instance", name)] for name in self.series.values()],
                    pa.map_(pa.string(), pa.string()),
                ),
            }
        )


def test_an_instant_sees_the_newest_samples_in_label_order() -> None:
    answer = queries.query(Rows(), "x", T + 60_000)  # type: ignore[arg-type]  # all it asks for
    assert answer.kind == "vector"
    assert [(labels["instance"], value) for labels, value in answer.samples] == [
        ("a", 206.0),
        ("b", 106.0),
    ]


def test_only_what_the_expression_reaches_back_for_is_fetched() -> None:
    rows = Rows()
    queries.query(rows, "rate(x[1m])", T + 300_000)  # type: ignore[arg-type]
    assert (rows.asked[0]["start"], rows.asked[0]["end"]) == (T + 240_000, T + 300_000)


def test_what_history_matched_is_not_matched_again() -> None:
    answer = queries.query(Rows(), 'x{instance=~"only RE2 knows"}', T)  # type: ignore[arg-type]
    assert [labels["instance"] for labels, _ in answer.samples] == ["a", "b"]


def test_a_range_query_says_where_it_starts_and_ends() -> None:
    found = queries.query_range(Rows(), "x @ end() - x @ start()", T, T + 60_000, 30_000)  # type: ignore[arg-type]
    assert [value for _, value in found[0][1]] == [6.0, 6.0, 6.0]
    asked = queries.query_range(Rows(), "vector(step() + range())", T, T + 60_000, 30_000)  # type: ignore[arg-type]
    assert [value for _, value in asked[0][1]] == [90.0, 90.0, 90.0]


def test_a_fixed_time_is_fetched_by_itself() -> None:
    rows = Rows()
    queries.query(rows, f"x - x @ {T / 1000 - 86_400}", T)  # type: ignore[arg-type]
    assert len(rows.asked) == 2


def test_defaults_of_queries_are_those_of_rules() -> None:
    settings = Settings(
        lookback_delta=timedelta(seconds=7), evaluation_interval=timedelta(seconds=3)
    )
    assert queries.defaults_of(settings) == queries.Defaults(lookback=7_000, step=3_000)


def test_a_sorted_answer_keeps_its_order() -> None:
    found = queries.query(Rows(), "sort_desc(x)", T)  # type: ignore[arg-type]
    values = [value for _, value in found.samples]
    assert values == sorted(values, reverse=True) != sorted(values)
    assert [value for _, value in queries.query(Rows(), "topk(9, x)", T).samples] == values  # type: ignore[arg-type]


def test_a_scalar_is_one_sample_without_labels() -> None:
    answer = queries.query(Rows(), "1 + 1", T)  # type: ignore[arg-type]
    assert (answer.kind, list(answer.samples)) == ("scalar", [({}, 2.0)])


def test_a_range_is_fetched_once_and_evaluated_at_every_step() -> None:
    rows = Rows()
    found = queries.query_range(rows, "sum(x)", T, T + 60_000, 30_000)  # type: ignore[arg-type]
    assert found == [({}, [(T, 300.0), (T + 30_000, 306.0), (T + 60_000, 312.0)])]
    assert len(rows.asked) == 1


@pytest.mark.parametrize("expr", ["sum(", "x[5m]", '"text"'])
def test_a_bad_expression_is_refused(expr: str) -> None:
    with pytest.raises(Refused):
        queries.query(Rows(), expr, T)  # type: ignore[arg-type]


@pytest.mark.parametrize(("end", "step"), [(T - 1, 1_000), (T, 0), (T + 10**9, 1)])
def test_a_range_that_makes_no_sense_is_refused(end: int, step: int) -> None:
    with pytest.raises(Refused):
        queries.query_range(Rows(), "x", T, end, step)  # type: ignore[arg-type]


def test_an_expression_without_an_answer_on_this_data_fails() -> None:
    with pytest.raises(QueryFailed, match="duplicate series"):
        queries.query(Rows(), "x + on () x", T + 60_000)  # type: ignore[arg-type]


def test_every_question_to_history_is_bounded_in_rows_and_time() -> None:
    rows = Rows()
    queries.query(rows, "x", T)  # type: ignore[arg-type]
    assert len(rows.limits) == 2
    assert {limits["max_result_rows"] for limits in rows.limits} == {20_000_000}
    assert {limits["max_execution_time"] for limits in rows.limits} == {30}


@pytest.mark.parametrize("fault", [HistoryRefused("rows", 396), HistoryAway("time", 159)])
def test_what_is_too_much_for_history_is_refused_with_what_to_do(fault: Exception) -> None:
    rows = Rows()
    rows.fails = fault
    with pytest.raises(HistoryRefused, match="narrow the selector or the range"):
        queries.query(rows, "x", T)  # type: ignore[arg-type]


def test_that_history_is_away_stays_an_absence() -> None:
    rows = Rows()
    rows.fails = HistoryAway("gone")
    with pytest.raises(HistoryAway, match="gone"):
        queries.query(rows, "x", T)  # type: ignore[arg-type]


def test_a_range_query_stops_after_thirty_seconds() -> None:
    seconds = iter(range(0, 1_000, 11))
    with pytest.raises(QueryFailed, match="took longer than 30 s"):
        queries.query_range(
            Rows(),  # type: ignore[arg-type]
            "x",
            T,
            T + 60_000,
            10_000,
            clock=lambda: float(next(seconds)),
        )


def test_one_long_series_among_many_is_refused_before_it_fills_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "MOST_CELLS", 61)
    with pytest.raises(Refused, match="2 series of up to 31 samples"):
        queries.query(Rows(), "rate(x[1h])", T + 300_000)  # type: ignore[arg-type]
