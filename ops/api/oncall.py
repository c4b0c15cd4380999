"""Who is on call, and who takes over: schedules and overrides over HTTP; times in ms."""

import uuid
from collections.abc import Callable
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from notifiers.alert_script import instant
from notifiers.config import Config
from notifiers.oncall.book import MOST, MadeOverride, OverrideBook
from notifiers.oncall.schedule import DAY, Schedule, Shift
from ops.api.alertmanager import AT_ONCE
from ops.api.alertmanager_query import config_of
from ops.api.body import json_of, read_body
from ops.api.guard import MAX_BODY
from ops.commands import NotDone, give
from ops.services import Services
from schemas.event import Event
from schemas.oncall import OverrideEnded, OverrideSet

PREFIX: Final = "/api/tocsin/v1/oncall"
AHEAD: Final = 14 * DAY
"""How far the end of a shift is looked for."""
LONGEST: Final = 366 * DAY
LAST: Final = 221_845_392_000_000
"""The year 9000: calendars look some years ahead."""
FAR: Final = "before 1970 or after 9000"
MOST_TEXT: Final = 200


def routes(services: Services) -> APIRouter:
    """The routes under `/api/tocsin/v1/oncall`."""
    router = APIRouter(prefix=PREFIX)
    limiter = CapacityLimiter(AT_ONCE)

    async def answer(make: Callable[[], Response]) -> Response:
        return await to_thread.run_sync(make, limiter=limiter)

    @router.get("")
    async def now(at: str | None = None) -> Response:
        def listed() -> Response:
            return JSONResponse(_listed(services, _time(at, "at", services.now())))

        return await answer(listed)

    @router.post("/overrides")
    async def make(request: Request) -> Response:
        body = await read_body(request, MAX_BODY)

        def made() -> Response:
            command = _command(services, body)
            return _done(services, command, command.id)

        return await answer(made)

    @router.delete("/overrides/{name}")
    async def end(name: str, by: str = "") -> Response:
        def ended() -> Response:
            if name not in {one.id for one in services.overrides()}:
                raise HTTPException(404, f'there is no override "{name[:MOST_TEXT]}"')
            command = OverrideEnded(id=name, by=by[:MOST_TEXT])
            return _done(services, command, name)

        return await answer(ended)

    @router.get("/{schedule:path}.ics")
    async def calendar(schedule: str, request: Request) -> Response:
        return await answer(lambda: _calendar(services, schedule, request))

    @router.get("/{schedule:path}")
    async def shifts(schedule: str, request: Request) -> Response:
        def listed() -> Response:
            return JSONResponse(_shifts(services, schedule, request))

        return await answer(listed)

    return router


def _done(services: Services, command: Event, name: str) -> Response:
    try:
        give(services, [command])
    except NotDone as fault:
        raise HTTPException(fault.status, str(fault)) from fault
    return JSONResponse({"id": name})


def _listed(services: Services, at: int) -> dict[str, Any]:
    config, book = _known(services)
    return {
        "at": at,
        "schedules": [_schedule(book.over(one), at) for one in config.schedules.values()],
        "overrides": [_override(made, services.now()) for made in services.overrides()],
    }


def _schedule(schedule: Schedule, at: int) -> dict[str, Any]:
    shift = schedule.shifts(at, at + AHEAD)[0]
    # The last edge that was looked for is no hand-over.
    until = None if shift.end == at + AHEAD else shift.end
    return {
        "name": schedule.name,
        "time_zone": schedule.location,
        "user": shift.user,
        "layer": shift.by or None,
        "until": until,
    }


def _override(made: MadeOverride, now: int) -> dict[str, Any]:
    one = made.override
    state = "pending" if now < one.start else "active" if now < one.end else "over"
    return {
        "id": made.id,
        "schedule": made.schedule,
        "user": one.user,
        "start": one.start,
        "end": one.end,
        "by": made.by,
        "state": state,
    }


def _shifts(services: Services, name: str, request: Request) -> dict[str, Any]:
    schedule, start, end = asked(services, name, request)
    return {
        "name": schedule.name,
        "time_zone": schedule.location,
        "shifts": [shift_json(one) for one in schedule.shifts(start, end)],
    }


def _calendar(services: Services, name: str, request: Request) -> Response:
    from notifiers.oncall.icalendar_writer import calendar_of

    config, _ = _known(services)
    schedule, start, end = asked(services, name, request)
    emails = {user.name: user.email for user in config.users.values()}
    content = calendar_of(schedule, schedule.shifts(start, end), emails, services.now())
    return Response(content, media_type="text/calendar; charset=utf-8")


def shift_json(shift: Shift) -> dict[str, Any]:
    """A shift as the API and `tocsin oncall show --json` say it."""
    return {"start": shift.start, "end": shift.end, "user": shift.user, "layer": shift.by}


def asked(services: Services, name: str, request: Request) -> tuple[Schedule, int, int]:
    """A schedule with its overrides, from and to when. Raises HTTPException."""
    config, book = _known(services)
    if name not in config.schedules:
        raise HTTPException(404, f'there is no schedule "{name[:MOST_TEXT]}"')
    start = _time(request.query_params.get("from"), "from", services.now())
    end = _time(request.query_params.get("to"), "to", start + AHEAD)
    if not start < end <= start + LONGEST:
        raise HTTPException(400, "to must be after from, by a year at most")
    return book.over(config.schedules[name]), start, end


def _known(services: Services) -> tuple[Config, OverrideBook]:
    config = config_of(services.routing())
    if config is None:
        raise HTTPException(503, "there is no routing file in force that can be read")
    book = OverrideBook()
    for made in services.overrides():
        book.put(made)
    return config, book


def _command(services: Services, body: bytes) -> OverrideSet:
    try:
        found = json_of(body)
    except ValueError as fault:
        raise HTTPException(400, f"the body is not JSON: {fault}") from fault
    if not isinstance(found, dict):
        raise HTTPException(400, "an object with schedule, user, from and to is wanted")
    if unknown := sorted(found.keys() - {"schedule", "user", "from", "to", "by"}):
        raise HTTPException(400, f"unknown: {', '.join(map(str, unknown))[:MOST_TEXT]}")
    config, _ = _known(services)
    schedule, user, by = _text(found, "schedule"), _text(found, "user"), _text(found, "by", "")
    if schedule not in config.schedules:
        known = ", ".join(config.schedules) or "none"
        raise HTTPException(400, f'there is no schedule "{schedule}"; there is {known}'[:500])
    if config.users and user not in config.users:
        known = ", ".join(config.users)
        raise HTTPException(400, f'there is no user "{user}"; there is {known}'[:500])
    start, end = _instant(found.get("from"), "from"), _instant(found.get("to"), "to")
    if end <= start or end <= services.now() or start < 0 or end > LAST:
        raise HTTPException(400, f"to must be after from, in the future, and not {FAR}")
    live = sum(1 for made in services.overrides() if made.override.end > services.now())
    if live >= MOST:
        raise HTTPException(409, f"there are {live:,} overrides that are not over: remove some")
    return OverrideSet(
        id=uuid.uuid4().hex, schedule=schedule, user=user, start=start, end=end, by=by
    )


def _text(found: dict[str, Any], key: str, default: str | None = None) -> str:
    value = found.get(key, default)
    if not isinstance(value, str) or len(value) > MOST_TEXT or (not value and default is None):
        raise HTTPException(400, f"{key}: a text of at most {MOST_TEXT} characters is wanted")
    return value


def _time(text: str | None, key: str, default: int) -> int:
    if text is None:
        return default
    number = text.isascii() and text.isdigit() and len(text) < 17
    at = _instant(int(text) if number else text, key)
    if not 0 <= at <= LAST:
        raise HTTPException(400, f"{key}: a time not {FAR} is wanted")
    return at


def _instant(found: object, key: str) -> int:
    try:
        return instant(found)
    except ValueError as fault:
        raise HTTPException(400, f"{key}: {fault}") from fault
