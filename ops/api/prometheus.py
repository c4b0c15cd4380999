"""Prometheus's API: instant and range queries, and the alerts that are on."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ops.api.body import read_body
from ops.api.guard import MAX_BODY
from ops.api.numbers import (
    exponent_text,
    parse_step,
    parse_time,
    seconds,
    value_text,
    when_text,
)
from ops.history.errors import HistoryAway, HistoryError
from ops.services import AlertView, QueryFailed, Services
from schemas.alerts import AlertState
from schemas.errors import Refused

MOST_FIELDS: Final = 100
MAX_POINTS: Final = 11_000
"""Prometheus's own limit on the points of a series."""
MAX_EXPRESSION: Final = 16_384
QUERIES_AT_ONCE: Final = 4

Answer = Callable[[Services, Mapping[str, str]], dict[str, Any]]


def routes(services: Services) -> APIRouter:
    """The routes under `/api/v1`."""
    router = APIRouter(prefix="/api/v1")
    limiter = CapacityLimiter(QUERIES_AT_ONCE)

    async def ask(answer: Answer, request: Request) -> Response:
        try:
            parameters = await _parameters(request)
        except ValueError:
            return _error(400, "bad_data", f"more than {MOST_FIELDS} fields")
        return await to_thread.run_sync(answered, answer, services, parameters, limiter=limiter)

    @router.api_route("/query", methods=["GET", "POST"])
    async def query(request: Request) -> Response:
        return await ask(instant, request)

    @router.api_route("/query_range", methods=["GET", "POST"])
    async def query_range(request: Request) -> Response:
        return await ask(over_range, request)

    @router.get("/alerts")
    def alerts() -> Response:
        live = [alert for alert in services.alerts() if alert.state != AlertState.RESOLVED]
        return _success({"alerts": [alert_json(alert) for alert in live]})

    return router


def answered(answer: Answer, services: Services, parameters: Mapping[str, str]) -> Response:
    """The answer, or what went wrong in Prometheus's words."""
    try:
        return _success(answer(services, parameters))
    except Refused as fault:
        return _error(400, "bad_data", str(fault))
    except QueryFailed as fault:
        return _error(422, "execution", str(fault))
    except HistoryAway as fault:
        return _error(503, "unavailable", f"history is away: {fault}")
    except HistoryError as fault:
        return _error(422, "execution", str(fault))


def instant(services: Services, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The value of an expression at one instant."""
    at = parse_time(parameters["time"], "time") if parameters.get("time") else None
    result = services.query(_expression(parameters), at)
    t = seconds(result.at)
    if result.kind == "scalar":
        return {"resultType": "scalar", "result": [t, value_text(result.samples[0][1])]}
    vector = [
        {"metric": dict(labels), "value": [t, value_text(value)]}
        for labels, value in result.samples
    ]
    return {"resultType": "vector", "result": vector}


def over_range(services: Services, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The values of an expression at the steps of a range."""
    start = parse_time(_needed(parameters, "start"), "start")
    end = parse_time(_needed(parameters, "end"), "end")
    step = parse_step(_needed(parameters, "step"), "step")
    if end < start:
        raise Refused('invalid parameter "end": end timestamp must not be before start time')
    if (end - start) // step > MAX_POINTS:
        raise Refused(
            f"exceeded maximum resolution of {MAX_POINTS} points per timeseries: raise the step"
        )
    found = services.query_range(_expression(parameters), start, end, step)
    matrix = [
        {"metric": dict(labels), "values": [[seconds(t), value_text(v)] for t, v in points]}
        for labels, points in found
    ]
    return {"resultType": "matrix", "result": matrix}


def alert_json(alert: AlertView) -> dict[str, Any]:
    """An alert in Prometheus's shape."""
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": str(alert.state),
        "activeAt": when_text(alert.active_at),
        "value": exponent_text(alert.value),
    }


async def _parameters(request: Request) -> dict[str, str]:
    parameters = dict(request.query_params)
    if request.method == "POST":
        body = await read_body(request, MAX_BODY)
        parameters |= dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS))
    return parameters


def _needed(parameters: Mapping[str, str], name: str) -> str:
    if not parameters.get(name):
        raise Refused(f'invalid parameter "{name}": is missing')
    return parameters[name]


def _expression(parameters: Mapping[str, str]) -> str:
    expr = _needed(parameters, "query")
    if len(expr) > MAX_EXPRESSION:
        raise Refused(f'invalid parameter "query": longer than {MAX_EXPRESSION} characters')
    return expr


def _success(content: dict[str, Any]) -> Response:
    return JSONResponse({"status": "success", "data": content})


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"status": "error", "errorType": kind, "error": message}, status)
