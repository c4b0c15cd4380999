"""Alerts that clients of Alertmanager post: checked as it checks them, then on the alerts topic."""

import re
import secrets
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic_core import from_json

from notifiers.matchers import Mode, is_label_name
from ops.api.alertmanager_refusal import NOT_OF_TYPE, REQUIRED, NotValid
from ops.api.alertmanager_shapes import ZERO, time_of
from schemas.alerts import PostedAlerts
from schemas.envelope import DEFAULT_TENANT, Envelope, Producer
from schemas.errors import TooLarge
from schemas.event import Event
from schemas.pairs import packed, problem
from schemas.stage import Message
from schemas.topics import ALERTS, CODEC, MAX_MESSAGE

SOURCE = "api"
MOST = MAX_MESSAGE - 1_024
"""Bytes of one alert; the rest is for the envelope."""
AT_ONCE = 2_000
"""Alerts that are tried in one message before it is cut."""
_URI = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*:|/)[^\x00-\x20\x7f]*")
_TEXTS = frozenset({str, type(None)})
_NAMES: dict[Mode, set[str]] = {mode: set() for mode in Mode}
"""Names of labels that were found to be valid."""
_MOST_NAMES = 10_000
_NOTHING = PostedAlerts(
    decided_at=0, labels=(), annotations=(), starts_at=(), ends_at=(), generator_urls=()
)
_COLUMNS = ("labels", "annotations", "starts_at", "ends_at", "generator_urls")
_TIMES_AND_URL = ("startsAt", "endsAt", "generatorURL")
_FEW, _SHORT, _LONGEST = 256, 1_024, 65_536
_TIME = 64
"""Characters of a time that is worth remembering."""

Posted = tuple[bytes, bytes, int, int | None, str]
"""A row of `PostedAlerts`, checked: labels, annotations, start, end, generator URL."""


def items_of(body: bytes) -> list[Mapping[str, Any]]:
    """The posted alerts, of the right types. Raises `NotValid`."""
    if not body:
        raise NotValid(REQUIRED, "alerts in body is required")
    items = parsed(body, "alerts")
    if items is None:
        return []
    if not isinstance(items, list):
        raise unread("alerts", "it is no list of alerts")
    if not all(map(_is_usual, items)):
        _check(items)
    return items


def _is_usual(item: Any) -> bool:
    """Whether there is nothing to be said against it, as with nearly every alert."""
    if type(item) is not dict:
        return False
    labels, annotations, url = item.get("labels"), item.get("annotations"), item.get("generatorURL")
    return (
        type(labels) is dict
        and _TEXTS.issuperset(map(type, labels.values()))
        and (
            annotations is None
            or (type(annotations) is dict and _TEXTS.issuperset(map(type, annotations.values())))
        )
        and type(item.get("startsAt")) in _TEXTS
        and type(item.get("endsAt")) in _TEXTS
        and (url is None or (type(url) is str and (not url or _is_uri(url))))
    )


def _check(items: Sequence[Any]) -> None:
    """Say what is wrong first: types before all else. Raises `NotValid`."""
    for item in items:
        if not isinstance(item, dict):
            raise unread("alerts", "an alert is an object")
        for name in _TIMES_AND_URL:
            if type(item.get(name)) not in _TEXTS:
                raise unread("alerts", f"{name} is a text")
        for name in ("labels", "annotations"):
            found = item.get(name)
            if found is not None and not (
                isinstance(found, dict) and _TEXTS.issuperset(map(type, found.values()))
            ):
                raise unread("alerts", f"{name} is an object of texts")
    for number, item in enumerate(items):
        if item.get("labels") is None:
            raise NotValid(REQUIRED, f"{number}.labels in body is required")
        url = item.get("generatorURL")
        if url and not _is_uri(url):
            message = f'{number}.generatorURL in body must be of type uri: "{url[:200]}"'
            raise NotValid(NOT_OF_TYPE, message)


def levels_of(
    items: Sequence[Mapping[str, Any]], now: int, mode: Mode
) -> tuple[list[Posted], list[str]]:
    """The alerts that are valid, and what is wrong with the others. Raises `NotValid`."""
    timed = [(item, _time(item, "startsAt"), _time(item, "endsAt")) for item in items]
    known = _NAMES[mode]
    levels, problems = [], []
    for item, said, ends_at in timed:
        starts_at = said if said is not None else now if ends_at is None else ends_at
        labels, annotations = item["labels"], item.get("annotations") or {}
        if not all(labels.values()):
            labels = {name: value for name, value in labels.items() if value}
        if None in annotations.values():
            annotations = {name: value or "" for name, value in annotations.items()}
        is_new = False
        if (
            not labels
            or (ends_at is not None and ends_at < starts_at)
            or not (labels.keys() <= known and annotations.keys() <= known)
        ):
            wrong = _wrong(labels, annotations, starts_at, ends_at, mode)
            if wrong:
                problems.append(wrong)
                continue
            is_new = True
        one, notes = packed(labels), packed(annotations)
        url = item.get("generatorURL") or ""
        if (
            len(one) > _SHORT
            or len(notes) > _SHORT
            or len(url) > _SHORT
            or len(labels) + len(annotations) > _FEW
        ) and (too_much := _too_much(one, notes, url)):
            problems.append(f"invalid alert: {too_much}")
            continue
        if is_new:
            _learn(known, labels, annotations)
        levels.append((one, notes, starts_at, ends_at, url))
    return levels, problems


def batches(levels: Sequence[Posted], now: int) -> list[Message]:
    """The messages that carry them, none larger than a message may be. Raises `TooLarge`."""
    messages = []
    for start in range(0, len(levels), AT_ONCE):
        messages += _cut(levels[start : start + AT_ONCE], now)
    return messages


def message_of(event: Event, now: int) -> Message:
    """An event of ours on the alerts topic."""
    envelope = Envelope(secrets.token_hex(16), Producer(SOURCE), now, event)
    return Message(ALERTS, DEFAULT_TENANT, CODEC.encode(envelope))


def parsed(body: bytes, name: str) -> Any:
    """The JSON of a body. Raises `NotValid`."""
    try:
        return from_json(body)
    except ValueError as fault:
        raise unread(name, str(fault)) from fault


def unread(name: str, why: str) -> NotValid:
    """A body that is not of the right types."""
    return NotValid(400, f'parsing {name} body from "" failed, because {why}')


def _cut(levels: Sequence[Posted], now: int) -> list[Message]:
    envelope = Envelope(secrets.token_hex(16), Producer(SOURCE), now, _NOTHING)
    columns: dict[str, Any] = dict(zip(_COLUMNS, zip(*levels, strict=True), strict=True))
    body = {"decided_at": now, **columns}
    message = Message(ALERTS, DEFAULT_TENANT, CODEC.sealed(envelope, body))
    if len(message.value) + len(message.key) <= MAX_MESSAGE:
        return [message]
    if len(levels) == 1:
        raise TooLarge(f"an alert is larger than {MAX_MESSAGE} bytes")
    half = len(levels) // 2
    return _cut(levels[:half], now) + _cut(levels[half:], now)


def _too_much(labels: bytes, annotations: bytes, url: str) -> str:
    """Which limit of an event is exceeded; empty if none is, as with every alert that is short."""
    if len(url) > _LONGEST:
        return f"generatorURL has {len(url)} characters, the limit is {_LONGEST}"
    for what, one in (("labels", labels), ("annotations", annotations)):
        if found := problem([one]):
            return f"{what}: {found}"
    size = len(labels) + len(annotations) + len(url.encode())
    # Alone in a message it must fit: others share theirs with it.
    return f"has {size} bytes, the limit is {MOST}" if size > MOST else ""


def _learn(known: set[str], *maps: Mapping[str, str]) -> None:
    """These names are valid: they are not looked at again."""
    if len(known) > _MOST_NAMES:
        known.clear()
    for names in maps:
        known.update(names)


def _is_uri(text: str) -> bool:
    return _is_known_uri(text) if len(text) <= _SHORT else _URI.fullmatch(text) is not None


@lru_cache(maxsize=4_096)
def _is_known_uri(text: str) -> bool:
    return _URI.fullmatch(text) is not None


@lru_cache(maxsize=4_096)
def _instant(text: str) -> int:
    return time_of(text)


def _time(item: Mapping[str, Any], name: str) -> int | None:
    text = item.get(name)
    if not text:
        return None
    try:
        at = _instant(text) if len(text) <= _TIME else time_of(text)
    except ValueError as fault:
        raise unread("alerts", f"{name} {text[:60]!r} is no time in RFC 3339") from fault
    return None if at == ZERO else at


def _wrong(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    starts_at: int,
    ends_at: int | None,
    mode: Mode,
) -> str:
    """What Alertmanager would find first; empty if nothing."""
    if ends_at is not None and ends_at < starts_at:
        return "start time must be before end time"
    if not labels:
        return "at least one label pair required"
    for pairs, what in ((labels, "label set"), (annotations, "annotations")):
        for name in pairs:
            if not is_label_name(name, mode):
                return f'invalid {what}: invalid name "{name[:200]}"'
    return ""
