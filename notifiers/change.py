"""One difference between two routing files, and how values are shown in it."""

from collections.abc import Iterator
from dataclasses import dataclass

from notifiers.fallback.settings import Fallback
from notifiers.heartbeats.definition import in_words
from notifiers.matchers import written
from notifiers.storms.settings import OFF, FlapDetection, RateLimit

_NAMES = {
    "carries_on": "continue",
    "mute": "mute_time_intervals",
    "active": "active_time_intervals",
    "escalation": "escalation_policy",
    "flaps": "flap_detection",
}
_TIMERS = frozenset({"group_wait", "group_interval", "repeat_interval", "resolve_timeout"})
_DURATIONS = frozenset({"acknowledge_timeout", "grace", "max_runtime", "interval", "within"})


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `before` is empty for what is new, `after` for what is gone."""

    kind: str
    name: str
    key: str
    before: str
    after: str


def gone_or_new(kind: str, name: str, before: str, after: str) -> Change:
    """Something that only one of the files has."""
    return Change(kind, name, "", before, after)


def if_different(kind: str, name: str, key: str, before: object, after: object) -> Iterator[Change]:
    """A key with its values, if those differ; for what is no secret."""
    if before != after:
        yield Change(kind, name, _NAMES.get(key, key), _shown(key, before), _shown(key, after))


def _shown(key: str, value: object) -> str:
    if value is None:
        return "none"
    if key in _TIMERS and isinstance(value, int):
        return f"{value / 1_000:g}s"
    if key in _DURATIONS and isinstance(value, int):
        return in_words(value)
    match value:
        case bool():
            return str(value).lower()
        case RateLimit(messages, per, exempt):
            but = f" except {written(exempt)}" if exempt else ""
            return f"{messages} in {in_words(per)}{but}"
        case Fallback(receiver, after):
            return f"{receiver} after {in_words(after)}"
        case FlapDetection(changes, within, stable):
            spans = f"within {in_words(within)}, stable {in_words(stable)}"
            return "off" if value == OFF else f"{changes} changes {spans}"
        case frozenset():
            return f"[{', '.join(sorted(value))}]"
        case dict() | tuple() if key in {"labels", "annotations"}:
            pairs = value.items() if isinstance(value, dict) else value
            return f"[{', '.join(f'{label}={text}' for label, text in sorted(pairs))}]"
        case tuple():
            return f"[{', '.join(value)}]"
    return str(value)
