import math
from collections.abc import Callable

import pytest

from ops.api.numbers import exponent_text, value_text
from ops.history.errors import HistoryAway
from ops.services import QueryFailed, QueryResult
from schemas.alerts import AlertState
from schemas.errors import Refused
from tests.support.fake_services import NOW, FakeAlert, FakeServices
from tests.unit.ops.api.asking import ask


def raising(fault: Exception) -> Callable[[str, int | None], QueryResult]:
    def answer(expr: str, at: int | None) -> QueryResult:
        raise fault

    return answer


def test_an_instant_query_answers_in_prometheus_shape() -> None:
    answer = ask("GET", "/api/v1/query", params={"query": "up", "time": "1750000000.5"})
    assert answer.json() == {
        "status": "success",
        "data": {
            "resultType": "vector",
            "result": [
                {"metric": {"__name__": "up", "instance": "web-1"}, "value": [1750000000.5, "1"]}
            ],
        },
    }


def test_a_scalar_is_a_pair() -> None:
    services = FakeServices(answer=lambda expr, at: QueryResult("scalar", NOW, [({}, 2.0)]))
    answer = ask("GET", "/api/v1/query?query=2", services).json()
    assert answer["data"] == {"resultType": "scalar", "result": [1750000000, "2"]}


def test_a_query_may_come_as_a_form_and_its_time_as_rfc_3339() -> None:
    asked = []

    def answer(expr: str, at: int | None) -> QueryResult:
        asked.append((expr, at))
        return QueryResult("vector", NOW, [])

    form = {"query": "up == 1", "time": "2025-06-15T15:06:40.250Z"}
    assert ask("POST", "/api/v1/query", FakeServices(answer=answer), data=form).status_code == 200
    assert asked == [("up == 1", 1_750_000_000_250)]


def test_nan_and_infinities_are_prometheus_strings() -> None:
    values = [math.nan, math.inf, -math.inf, 0.1, 1e21, 1e-7, -0.0, 100.0]
    services = FakeServices(
        answer=lambda expr, at: QueryResult("vector", NOW, [({}, v) for v in values])
    )
    result = ask("GET", "/api/v1/query?query=x", services).json()["data"]["result"]
    assert [row["value"][1] for row in result] == [
        "NaN",
        "+Inf",
        "-Inf",
        "0.1",
        "1000000000000000000000",
        "0.0000001",
        "-0",
        "100",
    ]


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Refused("parse error"), 400, "bad_data"),
        (QueryFailed("many-to-many"), 422, "execution"),
        (HistoryAway("restarting"), 503, "unavailable"),
    ],
)
def test_what_goes_wrong_has_prometheus_type_and_status(
    fault: Exception, status: int, kind: str
) -> None:
    answer = ask("GET", "/api/v1/query?query=x", FakeServices(answer=raising(fault)))
    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert answer.json()["errorType"] == kind
    assert str(fault) in answer.json()["error"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "query=up&time=yesterday",
        "query=up&time=nan",
        "query=up&time=1e300",
        "query=up&time=2025-06-15T15:06:40",
        "query=" + "x" * 20_000,
    ],
)
def test_a_bad_parameter_is_bad_data(query: str) -> None:
    answer = ask("GET", f"/api/v1/query?{query}")
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")


def test_a_range_query_answers_with_a_matrix() -> None:
    path = "/api/v1/query_range?query=up&start=1000&end=1030&step=15s"
    assert ask("GET", path).json()["data"] == {
        "resultType": "matrix",
        "result": [
            {
                "metric": {"instance": "web-1"},
                "values": [[1000, "0.5"], [1015, "0.5"], [1030, "0.5"]],
            }
        ],
    }


@pytest.mark.parametrize(
    "query",
    [
        "query=up&start=1&end=2",
        "query=up&start=2&end=1&step=1",
        "query=up&start=1&end=2&step=0",
        "query=up&start=1&end=2&step=-1",
        "query=up&start=1&end=2&step=soon",
        "query=up&start=0&end=1000000&step=1",
    ],
)
def test_a_bad_range_is_bad_data(query: str) -> None:
    assert ask("GET", f"/api/v1/query_range?{query}").status_code == 400


def test_alerts_are_those_that_are_on() -> None:
    services = FakeServices(
        known=[
            FakeAlert({"alertname": "A"}, AlertState.PENDING, {"summary": "s"}, NOW, value=0.85),
            FakeAlert({"alertname": "B"}, AlertState.RESOLVED),
        ]
    )
    assert ask("GET", "/api/v1/alerts", services).json()["data"]["alerts"] == [
        {
            "labels": {"alertname": "A"},
            "annotations": {"summary": "s"},
            "state": "pending",
            "activeAt": "2025-06-15T15:06:40.000Z",
            "value": "8.5e-01",
        }
    ]


def test_our_own_alerts_are_all_of_them_and_valid_json() -> None:
    services = FakeServices(known=[FakeAlert({"a": "b"}, AlertState.RESOLVED, value=math.nan)])
    found = ask("GET", "/api/tocsin/v1/alerts", services).json()["alerts"]
    assert [(alert["state"], alert["value"]) for alert in found] == [("resolved", None)]


@pytest.mark.parametrize(
    ("value", "plain", "exponent"),
    [
        (1.0, "1", "1e+00"),
        (0.0, "0", "0e+00"),
        (1234.5, "1234.5", "1.2345e+03"),
        (1e-9, "0.000000001", "1e-09"),
        (1e100, "1" + "0" * 100, "1e+100"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, plain: str, exponent: str) -> None:
    assert value_text(value) == plain
    assert exponent_text(value) == exponent
