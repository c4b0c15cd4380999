"""Heartbeats of jobs as they stand."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from notifiers.heartbeats.book import PREFIX
from notifiers.heartbeats.heartbeat import Heartbeat, unpacked_heartbeat
from ops.services import Services


def routes(services: Services) -> APIRouter:
    """`/api/tocsin/v1/heartbeats`."""
    router = APIRouter()

    @router.get("/api/tocsin/v1/heartbeats")
    def heartbeats() -> Response:
        now = services.now()
        entries = sorted(services.remembered(PREFIX).items())
        found = [heartbeat_json(unpacked_heartbeat(*entry), now) for entry in entries]
        return JSONResponse({"heartbeats": found, "at": now})

    return router


def heartbeat_json(heartbeat: Heartbeat, now: int) -> dict[str, Any]:
    """One heartbeat without the secrets by which it is pinged; instants and durations in ms."""
    definition = heartbeat.definition
    return {
        "name": heartbeat.name,
        "state": str(heartbeat.state_at(now)),
        "started": bool(heartbeat.runs),
        "reason": heartbeat.reason,
        "down_at": heartbeat.down_at if heartbeat.cause is not None else None,
        "schedule": definition.schedule,
        "period": definition.period if not definition.cron else None,
        "cron": definition.cron or None,
        "timezone": definition.timezone,
        "grace": definition.grace,
        "max_runtime": definition.max_runtime,
        "last_ping": heartbeat.last_ping,
        "last_start": heartbeat.last_start,
        "last_duration": heartbeat.last_duration,
        "exit_status": heartbeat.exit_status,
        "last_body": heartbeat.body,
        "expected_at": heartbeat.expected,
        "deadline": heartbeat.deadline,
        "labels": dict(definition.labels),
        "annotations": dict(definition.annotations),
    }
