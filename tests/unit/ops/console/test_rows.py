import math

import pytest

from ops.console.rows import (
    HOST_COLUMNS,
    METRICS,
    ago,
    alert_rows,
    figure,
    health_word,
    host_rows,
    line_series,
    stage_rows,
)
from ops.services import QueryResult, StageStatus
from processors.promql.plan import compile as compile_promql
from schemas.alerts import AlertState
from tests.support.fake_services import NOW, FakeAlert

Value = float | None


def named(name: str, severity: str, state: AlertState = AlertState.FIRING) -> FakeAlert:
    return FakeAlert({"alertname": name, "severity": severity}, state)


def answers(**columns: float) -> dict[str, QueryResult]:
    return {
        name: QueryResult("vector", NOW, [({"instance": "web-1"}, value)])
        for name, value in columns.items()
    }


def test_the_worst_alert_stands_first_and_what_is_resolved_nowhere() -> None:
    rows = alert_rows(
        [
            named("calm", "info"),
            named("waiting", "critical", AlertState.PENDING),
            named("over", "critical", AlertState.RESOLVED),
            named("odd", "whatever"),
            named("worst", "critical"),
        ],
        NOW,
    )
    assert [row["alert"] for row in rows] == ["worst", "calm", "odd", "waiting"]


def test_an_alert_row_says_what_people_ask() -> None:
    labels = {"alertname": "A", "severity": "high", "job": "shop", "instance": "web-1"}
    (row,) = alert_rows([FakeAlert(labels, annotations={"description": "d"}, value=1 / 3)], NOW)
    assert row["service"] == "shop"
    assert row["summary"] == "d"
    assert row["since"] == "30s"
    assert row["value"] == "0.3333"


def test_a_severity_of_a_strangers_making_is_no_style() -> None:
    (row,) = alert_rows([named("A", "x onclick=1")], NOW)
    assert (row["severity"], row["look"]) == ("x onclick=1", "other")


def test_a_pending_alert_counts_from_when_it_first_held() -> None:
    (row,) = alert_rows([named("A", "low", AlertState.PENDING)], NOW)
    assert row["since"] == "1m 0s"


@pytest.mark.parametrize(
    ("up", "seen", "state", "said"),
    [
        (1.0, NOW / 1_000 - 5, "up", "5s ago"),
        (0.0, NOW / 1_000 - 5, "down", "5s ago"),
        (1.0, NOW / 1_000 - 61, "silent", "1m 1s ago"),
        (1.0, None, "silent", "over 5m ago"),
    ],
)
def test_a_host_is_up_down_or_silent(up: float, seen: Value, state: str, said: str) -> None:
    columns = answers(up=up) if seen is None else answers(up=up, seen=seen)
    (row,) = host_rows(columns, NOW)
    assert (row["state"], row["seen"]) == (state, said)


def test_what_nobody_measured_is_a_dash() -> None:
    (row,) = host_rows(answers(up=1.0, cpu=math.nan, memory=42.25), NOW)
    assert (row["cpu"], row["cpu_text"]) == (None, "–")
    assert (row["memory"], row["memory_text"]) == (0.4225, "42.2 %")
    assert row["load"] == "–"


def test_a_line_has_gaps_where_nothing_was_measured() -> None:
    (line,) = line_series([({"instance": "web-1"}, [(1, 0.5), (2, math.nan)])])
    assert (line["name"], line["data"]) == ("web-1", [[1, 0.5], [2, None]])


def test_the_header_has_one_word_and_its_reason() -> None:
    well = StageStatus("router", healthy=True, ready=True)
    assert health_word([well]) == ("Healthy", "positive", "")
    ill = StageStatus("history", healthy=False, ready=False, message="restarts", vital=False)
    assert health_word([well, ill]) == ("Degraded", "warning", "history: restarts")
    gone = StageStatus("courier", healthy=False, ready=False)
    assert health_word([well, ill, gone])[0] == "Unhealthy"
    slow = StageStatus("router", healthy=True, ready=False)
    assert health_word([slow]) == ("Starting", "grey-7", "router")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (93.456, "93.46"),
        (12345.6, "1.235e+04"),
        (1e9, "1e+09"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
    ],
)
def test_figures_have_four_digits(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(-5, "0s"), (59_999, "59s"), (61_000, "1m 1s"), (3_661_000, "1h 1m"), (90_000_000, "1d 1h")],
)
def test_ages_have_two_units(milliseconds: int, text: str) -> None:
    assert ago(milliseconds) == text


@pytest.mark.parametrize("expr", [*HOST_COLUMNS.values(), *(m.expr for m in METRICS.values())])
def test_every_expression_of_the_page_is_one_that_the_engine_knows(expr: str) -> None:
    compile_promql(expr)


def test_a_stage_tells_how_it_is_and_who_runs_it() -> None:
    rows = stage_rows(
        [
            StageStatus("log", True, True),
            StageStatus("detector", True, True, figures={"workers": 2, "lag": 12_345}),
            StageStatus("router", True, False, figures={"workers": 1, "lag": 3}),
            StageStatus("courier", False, True, figures={"workers": 0}),
            StageStatus("historian", False, True, vital=False),
        ]
    )
    assert [(row["state"], row["does"]) for row in rows] == [
        ("up", "ready"),
        ("up", "ready · 2 workers · lag 12,345"),
        ("silent", "starting · 1 worker"),
        ("down", "unhealthy · 0 workers"),
        ("silent", "unhealthy"),
    ]
