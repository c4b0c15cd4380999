"""Timed alerts for the simulator: one JSON object a line.

    {"at": "2026-01-31T12:00:00Z", "labels": {"alertname": "DiskFull"}, "annotations": {}}
    {"at": 1769860860000, "labels": {"alertname": "DiskFull"}, "status": "resolved"}
    {"at": "2026-01-31T12:05:00Z", "silence": {"matchers": [{"name": "a", "value": "b"}], …}}
    {"at": "2026-01-31T12:06:00Z", "expire": "id"}

A line is what Alertmanager's API would have been sent at that time: `startsAt` and `endsAt` are
its fields, and a silence has the form that `amtool silence query -o json` prints.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from notifiers.problem import Problem, did_you_mean
from schemas.alerts import AlertLevel, AlertState
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.labels import derived_id

_ALERT = frozenset({"at", "labels", "annotations", "status", "startsAt", "endsAt", "generatorURL"})
_SILENCE = frozenset({"id", "matchers", "startsAt", "endsAt", "createdBy", "comment"})
_PASSED_OVER = frozenset({"status", "updatedAt", "annotations"})
"""What an exported silence has besides; it says how things were, not what to do."""
_OPERATORS = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}

Told = AlertLevel | SilenceSet | SilenceExpired


@dataclass(frozen=True, slots=True)
class Timed:
    """What the router is told at an instant (ms)."""

    at: int
    event: Told


def read_script(lines: Iterable[str], file: str) -> tuple[list[Timed], list[Problem]]:
    """The script in order of time, and every line that cannot be read."""
    script: list[Timed] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            script.append(_timed(line))
        except _Wrong as fault:
            problems.append(Problem(file, number, fault.key, str(fault)))
        except ValueError as fault:
            problems.append(Problem(file, number, "", _first_line(fault)))
    return sorted(script, key=lambda timed: timed.at), problems


def instant(found: object) -> int:
    """Milliseconds from a whole number of them or from RFC 3339. Raises ValueError."""
    if isinstance(found, int) and not isinstance(found, bool):
        if not 0 <= found <= _LATEST:
            raise ValueError(f"out of range: {_HOW}")
        return found
    if isinstance(found, str):
        try:
            at = datetime.fromisoformat(found)
        except ValueError as fault:
            raise ValueError(f'not a time: "{found[:40]}": {_HOW}') from fault
        if at.tzinfo is not None and "T" in found.upper():
            return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000)
        raise ValueError(f'not a time with its zone: "{found[:40]}": {_HOW}')
    raise ValueError(f"not a time: {_HOW}")


_LATEST = 253_402_300_799_999
"""The end of the year 9999."""
_HOW = "write 2026-01-31T12:00:00Z, or milliseconds since 1970"


class _Wrong(ValueError):
    """A key whose value cannot be used."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _timed(line: str) -> Timed:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("a JSON object is wanted")
    at = _at(found, "at")
    if at is None:
        raise _Wrong("at", "missing: say when this happens")
    if "silence" in found:
        _close(found, frozenset({"at", "silence"}))
        return Timed(at, _silence(found["silence"], at))
    if "expire" in found:
        _close(found, frozenset({"at", "expire"}))
        return Timed(at, SilenceExpired(id=_text(found, "expire")))
    _close(found, _ALERT)
    return Timed(at, _level(found, at))


def _level(found: Mapping[str, object], at: int) -> AlertLevel:
    """As Alertmanager's API completes what it is sent (`postAlertsHandler`)."""
    starts_at, ends_at = _at(found, "startsAt"), _at(found, "endsAt")
    status = found.get("status")
    if status not in (None, "firing", "resolved"):
        raise _Wrong("status", "firing or resolved is wanted")
    if status == "resolved" and (ends_at is None or ends_at > at):
        ends_at = at
    if status == "firing" and ends_at is not None and ends_at <= at:
        raise _Wrong("endsAt", "is not after `at`, so the alert is resolved, not firing")
    if starts_at is None:
        starts_at = at if ends_at is None else ends_at
    if ends_at is not None and ends_at < starts_at:
        raise _Wrong("endsAt", "is before startsAt")
    labels = {name: value for name, value in _pairs(found, "labels").items() if value}
    if not labels:
        raise _Wrong("labels", "at least one label is needed")
    over = ends_at is not None and ends_at <= at
    return AlertLevel(
        labels=labels,
        annotations=_pairs(found, "annotations"),
        state=AlertState.RESOLVED if over else AlertState.FIRING,
        active_at=starts_at,
        starts_at=starts_at,
        ends_at=ends_at,
        generator_url=_text(found, "generatorURL") if "generatorURL" in found else "",
    )


def _silence(found: object, at: int) -> SilenceSet:
    if not isinstance(found, dict):
        raise _Wrong("silence", "a JSON object is wanted")
    _close(found, _SILENCE | _PASSED_OVER, "silence.")
    ends_at = _at(found, "endsAt", "silence.")
    if ends_at is None:
        raise _Wrong("silence.endsAt", "missing: say when the silence ends")
    starts_at = _at(found, "startsAt", "silence.")
    matchers = found.get("matchers")
    if not isinstance(matchers, list) or not matchers:
        raise _Wrong("silence.matchers", "a list with at least one matcher is wanted")
    silence = tuple(_matcher(one) for one in matchers)
    return SilenceSet(
        id=str(found.get("id") or derived_id("silence", at, json.dumps(found, sort_keys=True))),
        sets=(silence,),
        starts_at=at if starts_at is None else starts_at,
        ends_at=ends_at,
        created_by=str(found.get("createdBy", "")),
        comment=str(found.get("comment", "")),
    )


def _matcher(found: object) -> SilenceMatcher:
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise _Wrong("silence.matchers", 'write {"name": …, "value": …, "isRegex", "isEqual"}')
    shape = (bool(found.get("isRegex", False)), bool(found.get("isEqual", True)))
    return SilenceMatcher.model_validate(
        {"name": found["name"], "operator": _OPERATORS[shape], "value": found.get("value", "")}
    )


def _at(found: Mapping[str, object], key: str, above: str = "") -> int | None:
    return _tried(above + key, lambda: instant(found[key])) if found.get(key) is not None else None


def _tried(key: str, read: Callable[[], int]) -> int:
    try:
        return read()
    except ValueError as fault:
        raise _Wrong(key, str(fault)) from fault


def _text(found: Mapping[str, object], key: str) -> str:
    value = found[key]
    if not isinstance(value, str):
        raise _Wrong(key, "a text is wanted")
    return value


def _pairs(found: Mapping[str, object], key: str) -> dict[str, str]:
    pairs = found.get(key, {})
    if not isinstance(pairs, dict) or not all(isinstance(one, str) for one in pairs.values()):
        raise _Wrong(key, "an object of texts is wanted")
    return pairs


def _close(found: Mapping[str, object], known: frozenset[str], above: str = "") -> None:
    for key in found:
        if key not in known:
            hint = did_you_mean(key, known)
            raise _Wrong(f"{above}{key}", "unknown key" + (f": {hint}" if hint else ""))


def _first_line(fault: ValueError) -> str:
    kind = "not JSON: " if isinstance(fault, json.JSONDecodeError) else ""
    return kind + str(fault).partition("\n")[0]
