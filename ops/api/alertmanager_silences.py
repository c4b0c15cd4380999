"""Alertmanager's silences: listed, made, changed and expired."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import QueryParams

from notifiers.matchers import Matcher, Mode, Operator, is_label_name
from notifiers.silences import Silence, SilenceState, UnknownSilence, edit
from notifiers.view import SilenceView
from ops.api.alertmanager_posting import message_of, parsed, unread
from ops.api.alertmanager_query import flag, matchers_of
from ops.api.alertmanager_refusal import NOT_OF_TYPE, REQUIRED, TOO_FEW, Denied, NotValid
from ops.api.alertmanager_shapes import ZERO, silence_json, time_of
from ops.services import Services
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.event import Event
from schemas.stage import Message

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.I)
_ORDER = {SilenceState.ACTIVE: 1, SilenceState.PENDING: 2, SilenceState.EXPIRED: 3}


def listed(services: Services, given: QueryParams) -> list[dict[str, Any]]:
    """The silences asked for: active ones by end, pending by start, expired by end, latest first.

    Raises `Denied`.
    """
    wanted = matchers_of(given.getlist("filter"), services.routing().mode)
    found = [
        view
        for view in services.silences()
        if flag(given, str(view.state))
        and any(set(wanted) <= set(matchers) for matchers in view.silence.sets)
    ]
    return [silence_json(view) for view in sorted(found, key=_place)]


def one(services: Services, silence_id: str) -> dict[str, Any]:
    """The silence with this id. Raises `Denied`, `NotValid`."""
    return silence_json(_known(services, silence_id))


def expired(services: Services, silence_id: str) -> list[Message]:
    """What ends a silence: nothing if it is over. Raises `Denied`, `NotValid`."""
    view = _known(services, silence_id)
    if view.state is SilenceState.EXPIRED:
        return []
    return [message_of(SilenceExpired(id=view.silence.id), services.now())]


def posted(services: Services, body: bytes) -> tuple[str, list[Message]]:
    """The id of the silence that is made or changed, and what does it.

    A change that would rewrite what was silenced already ends the old one and makes another, as
    Alertmanager does. Raises `Denied`, `NotValid`.
    """
    now, mode = services.now(), services.routing().mode
    wanted = silence_of(body)
    if wanted.starts_at >= wanted.ends_at:
        raise Denied(400, "Failed to create silence: start time must be before end time")
    if wanted.ends_at < now:
        raise Denied(400, "Failed to create silence: end time can't be in the past")
    if wanted.starts_at == ZERO:
        wanted = replace(wanted, starts_at=now)
    if wrong := _wrong(wanted.sets[0], mode):
        raise Denied(400, f"invalid silence: {wrong}")
    known = {view.silence.id: view.silence for view in services.silences()}
    try:
        change = edit(known, wanted, now)
    except UnknownSilence as fault:
        raise Denied(404, "silence not found") from fault
    if not change.id:
        wanted = replace(wanted, id=str(uuid.uuid4()), starts_at=max(wanted.starts_at, now))
    events: list[Event] = [SilenceExpired(id=name) for name in change.expire]
    events.append(_command(wanted))
    return wanted.id, [message_of(event, now) for event in events]


def silence_of(body: bytes) -> Silence:
    """The silence in a request. Raises `NotValid`, and `Denied` for what is no expression."""
    if not body:
        raise NotValid(REQUIRED, "silence in body is required")
    item = parsed(body, "silence")
    item = {} if item is None else item
    if not isinstance(item, dict):
        raise unread("silence", "it is no object")
    for name in ("comment", "createdBy", "endsAt", "matchers", "startsAt"):
        if item.get(name) is None:
            raise NotValid(REQUIRED, f"{name} in body is required")
    for name in ("id", "comment", "createdBy", "endsAt", "startsAt"):
        if not isinstance(item.get(name), str | None):
            raise unread("silence", f"{name} is a text")
    annotations = item.get("annotations") or {}
    if not isinstance(annotations, dict):
        raise unread("silence", "annotations is an object of texts")
    return Silence(
        item.get("id") or "",
        (_matchers(item["matchers"]),),
        _time(item, "startsAt"),
        _time(item, "endsAt"),
        item["createdBy"],
        item["comment"],
        annotations,
    )


def _matchers(found: object) -> tuple[Matcher, ...]:
    if not isinstance(found, list):
        raise unread("silence", "matchers is a list")
    if not found:
        raise NotValid(TOO_FEW, "matchers in body should have at least 1 items")
    return tuple(_matcher(number, item) for number, item in enumerate(found))


def _matcher(number: int, item: object) -> Matcher:
    if not isinstance(item, dict):
        raise unread("silence", "a matcher is an object")
    for name, kind in (("isRegex", bool), ("name", str), ("value", str)):
        if item.get(name) is None:
            raise NotValid(REQUIRED, f"matchers.{number}.{name} in body is required")
        if not isinstance(item[name], kind):
            raise unread("silence", f"matchers.{number}.{name} is of another type")
    equal = item.get("isEqual")
    if not isinstance(equal, bool | None):
        raise unread("silence", f"matchers.{number}.isEqual is of another type")
    if item["isRegex"]:
        operator = Operator.MATCHES_NOT if equal is False else Operator.MATCHES
    else:
        operator = Operator.NOT_EQUAL if equal is False else Operator.EQUAL
    try:
        return Matcher(item["name"], operator, item["value"])
    except ValueError as fault:
        what = f'invalid regular expression "{item["value"][:200]}": {fault}'
        text = f"invalid silence: invalid label matcher {number} in set 0: {what}"
        raise Denied(400, text) from fault


def _time(item: Mapping[str, Any], name: str) -> int:
    try:
        return time_of(item[name])
    except ValueError as fault:
        raise unread("silence", f"{name} {item[name][:60]!r} is no time in RFC 3339") from fault


def _wrong(matchers: tuple[Matcher, ...], mode: Mode) -> str:
    for number, matcher in enumerate(matchers):
        if not is_label_name(matcher.name, mode):
            return f'invalid label matcher {number} in set 0: invalid label name "{matcher.name}"'
    if all(matcher.matches({}) for matcher in matchers):
        return "matcher set 0: at least one matcher must not match the empty string"
    return ""


def _command(silence: Silence) -> SilenceSet:
    try:
        return SilenceSet(
            id=silence.id,
            sets=tuple(
                tuple(
                    SilenceMatcher(name=one.name, operator=one.operator.value, value=one.value)
                    for one in matchers
                )
                for matchers in silence.sets
            ),
            starts_at=silence.starts_at,
            ends_at=silence.ends_at,
            created_by=silence.created_by,
            comment=silence.comment,
            annotations=silence.annotations,
        )
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part)[:100] for part in first["loc"])
        raise Denied(400, f"invalid silence: {where}: {first['msg']}") from fault


def _known(services: Services, silence_id: str) -> SilenceView:
    if _UUID.fullmatch(silence_id) is None:
        message = f'silenceID in path must be of type uuid: "{silence_id[:200]}"'
        raise NotValid(NOT_OF_TYPE, message)
    for view in services.silences():
        if view.silence.id == silence_id:
            return view
    raise Denied(404)


def _place(view: SilenceView) -> tuple[int, int]:
    silence = view.silence
    match view.state:
        case SilenceState.ACTIVE:
            return _ORDER[view.state], silence.ends_at
        case SilenceState.PENDING:
            return _ORDER[view.state], silence.starts_at
        case SilenceState.EXPIRED:
            return _ORDER[view.state], -silence.ends_at
