"""Our API of silences, maintenance windows and deploys; times in ms since 1970."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from notifiers.duration import milliseconds
from notifiers.silences import Silence
from notifiers.time_intervals import zone
from notifiers.view import SilenceView
from notifiers.windows.spans import Span
from notifiers.windows.view import WindowView
from notifiers.windows.window import Window
from ops import maintenance
from ops.api.body import json_of, read_body
from ops.commands import NotDone
from ops.services import Services

PREFIX: Final = "/api/tocsin/v1"
MAX_BODY: Final = 262_144
MOST_SHOWN: Final = 100
"""Alerts that a preview names."""


def routes(services: Services) -> APIRouter:
    """The routes for silences, windows and deploys."""
    router = APIRouter(prefix=PREFIX)
    limiter = CapacityLimiter(16)

    async def answer(make: Callable[[], dict[str, Any]]) -> Response:
        return await to_thread.run_sync(_answered, make, limiter=limiter)

    async def text_of(request: Request) -> str:
        return (await read_body(request, MAX_BODY)).decode(errors="replace")

    @router.get("/windows")
    async def windows() -> Response:
        return await answer(lambda: {"windows": [window_json(one) for one in services.windows()]})

    @router.post("/windows")
    async def add(request: Request) -> Response:
        text = await text_of(request)

        def made() -> dict[str, Any]:
            wish = maintenance.wish_of(services, text)
            return window_json(maintenance.set_window(services, wish))

        return await answer(made)

    @router.post("/windows/preview")
    async def preview(request: Request) -> Response:
        text = await text_of(request)

        def looked() -> dict[str, Any]:
            wish = maintenance.wish_of(services, text)
            return preview_json(maintenance.previewed(services, wish))

        return await answer(looked)

    @router.get("/windows/{name}")
    async def window(name: str) -> Response:
        return await answer(lambda: window_json(maintenance.window(services, name)))

    @router.put("/windows/{name}")
    async def change(name: str, request: Request) -> Response:
        text = await text_of(request)
        return await answer(lambda: window_json(maintenance.change_window(services, text, name)))

    @router.delete("/windows/{name}")
    async def end(name: str, by: str = "") -> Response:
        return await answer(lambda: window_json(maintenance.end_window(services, name, by)))

    @router.post("/windows/{name}/start")
    async def start(name: str, request: Request) -> Response:
        text = await text_of(request)

        def started() -> dict[str, Any]:
            given = _given(text, {"by", "timeout"})
            timeout = _timeout(given)
            return window_json(maintenance.start(services, name, given.get("by", ""), timeout))

        return await answer(started)

    @router.post("/windows/{name}/finish")
    async def finish(name: str, request: Request) -> Response:
        text = await text_of(request)

        def finished() -> dict[str, Any]:
            given = _given(text, {"by"})
            return window_json(maintenance.finish(services, name, given.get("by", "")))

        return await answer(finished)

    @router.post("/deploys/start")
    async def start_deploy(request: Request) -> Response:
        text = await text_of(request)

        def started() -> dict[str, Any]:
            given = _given(text, {"service", "id", "timeout", "by", "comment"})
            service, deploy = _named(given)
            by, comment = given.get("by", ""), given.get("comment", "")
            found = maintenance.start_deploy(
                services, service, deploy, by, _timeout(given), comment
            )
            return window_json(found)

        return await answer(started)

    @router.post("/deploys/finish")
    async def finish_deploy(request: Request) -> Response:
        text = await text_of(request)

        def finished() -> dict[str, Any]:
            given = _given(text, {"service", "id", "by"})
            service, deploy = _named(given)
            found = maintenance.finish_deploy(services, service, deploy, given.get("by", ""))
            return window_json(found)

        return await answer(finished)

    @router.get("/silences")
    async def silences() -> Response:
        return await answer(
            lambda: {"silences": [silence_json(one) for one in services.silences()]}
        )

    @router.post("/silences")
    async def add_silence(request: Request) -> Response:
        text = await text_of(request)
        return await answer(
            lambda: {"id": maintenance.add_silence(services, maintenance.wish_of(services, text))}
        )

    @router.delete("/silences/{name}")
    async def expire(name: str, by: str = "") -> Response:
        def expired() -> dict[str, Any]:
            maintenance.expire_silence(services, name, by)
            return {"id": name}

        return await answer(expired)

    return router


def window_json(view: WindowView) -> dict[str, Any]:
    """A window, where it stands, and when it holds next."""
    window, wish = view.window, view.window.wish
    return {
        "id": window.id,
        "kind": str(window.kind),
        "state": str(view.state),
        "matchers": _matchers(window),
        "owner": wish.owner,
        "comment": wish.comment,
        "starts_at": wish.starts_at,
        "ends_at": wish.ends_at,
        "every": [one.model_dump() for one in wish.repeats],
        "calendar": [one.model_dump() for one in wish.calendars],
        "service": wish.service,
        "timeout": wish.timeout,
        "opened_at": window.opened_at,
        "closes_at": window.closes_at,
        "remind_before": wish.remind_before,
        "remind_to": wish.remind_to,
        "spans": [span_json(span, location_of(window)) for span in view.spans],
    }


def preview_json(found: maintenance.Preview) -> dict[str, Any]:
    """What a window would hide, and when."""
    return {
        "known": found.reach.known,
        "hidden": len(found.hides),
        "too_broad": found.reach.too_broad,
        "alerts": [
            {
                "fingerprint": one.fingerprint,
                "state": str(one.state),
                "labels": dict(one.labels),
                "summary": one.annotations.get("summary", ""),
            }
            for one in found.hides[:MOST_SHOWN]
        ],
        "spans": [span_json(span, location_of(found.window)) for span in found.spans],
    }


def silence_json(view: SilenceView) -> dict[str, Any]:
    """A silence and its state."""
    silence: Silence = view.silence
    return {
        "id": silence.id,
        "state": str(view.state),
        "matchers": _matchers(silence),
        "owner": silence.created_by,
        "comment": silence.comment,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "annotations": dict(silence.annotations),
    }


def span_json(span: Span, location: str) -> dict[str, Any]:
    """A span, and its ends as clocks there and in Greenwich show them."""
    return {
        "start": span.start,
        "end": span.end,
        "local": [_clock(one, location) for one in (span.start, span.end)],
        "utc": [_clock(one, "UTC") for one in (span.start, span.end)],
    }


def location_of(window: Window) -> str:
    """The time zone in which its owner thinks."""
    places = [one.location for one in window.repeats]
    places += [one.location for one in window.calendars]
    return places[0] if places else "UTC"


def _clock(at: int, location: str) -> str:
    moment = datetime.fromtimestamp(at / 1_000, UTC).astimezone(zone(location))
    return moment.strftime("%a %Y-%m-%d %H:%M:%S %Z")


def _matchers(one: Window | Silence) -> list[list[str]]:
    return [[str(matcher) for matcher in matchers] for matchers in one.sets]


def _answered(make: Callable[[], dict[str, Any]]) -> Response:
    try:
        return JSONResponse(make())
    except NotDone as fault:
        return JSONResponse({"status": "error", "error": str(fault)}, fault.status)


def _given(text: str, known: set[str]) -> Mapping[str, str]:
    """A flat object of texts. Raises `NotDone`."""
    try:
        found = json_of(text) if text.strip() else {}
    except ValueError as fault:
        raise NotDone(400, f"the body is no JSON: {fault}") from fault
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise NotDone(400, "the body is an object of texts")
    if unknown := found.keys() - known:
        wanted = ", ".join(sorted(known))
        raise NotDone(400, f"{min(unknown)[:60]}: unknown key; known are {wanted}")
    if long := [name for name, value in found.items() if len(value) > 1_000]:
        raise NotDone(400, f"{long[0]}: longer than 1,000 characters")
    return found


def _named(given: Mapping[str, str]) -> tuple[str, str]:
    service, deploy = given.get("service", ""), given.get("id", "")
    if not service or not deploy:
        raise NotDone(400, "service and id are wanted: which deploy of what")
    return service, deploy


def _timeout(given: Mapping[str, str]) -> int | None:
    if "timeout" not in given:
        return None
    try:
        length = milliseconds(given["timeout"])
    except ValueError as fault:
        raise NotDone(400, f"timeout: {fault}") from fault
    if length <= 0:
        raise NotDone(400, "timeout: more than nothing is wanted")
    return length
