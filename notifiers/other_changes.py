"""What differs between two routing files besides routes and receivers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from notifiers.change import Change, gone_or_new, if_different
from notifiers.config import Config
from notifiers.heartbeats.definition import Definition

_OF_HEARTBEAT = ("schedule", "grace", "max_runtime", "labels", "annotations")
_OF_SWITCH = ("receiver", "interval", "within")


def other_changes(old: Config, new: Config) -> Iterator[Change]:
    """Every such difference."""
    yield from if_different(
        "global", "", "resolve_timeout", old.resolve_timeout, new.resolve_timeout
    )
    for key in ("suppression", "acknowledge_timeout"):
        yield from if_different("file", "", key, getattr(old, key), getattr(new, key))
    yield from _counted("inhibit_rules", "rules", old.inhibit_rules, new.inhibit_rules)
    yield from _counted("dependencies", "dependencies", _lineless(old), _lineless(new))
    yield from _defined("time interval", "spans", old.time_intervals, new.time_intervals)
    yield from _defined("user", "contacts", old.users, new.users)
    yield from _defined("schedule", "shifts", old.schedules, new.schedules)
    yield from _defined("escalation policy", "steps", old.policies, new.policies)
    yield from _switch_changes(old, new)
    yield from _heartbeat_changes(old.heartbeats, new.heartbeats)


def _lineless(config: Config) -> tuple[object, ...]:
    """The dependencies, wherever in the file they stand."""
    return tuple(replace(one, line=0) for one in config.dependencies)


def _counted(
    key: str, what: str, before: tuple[object, ...], after: tuple[object, ...]
) -> Iterator[Change]:
    if before != after:
        yield Change("file", "", key, f"{len(before)} {what}", f"{len(after)} {what}")


def _switch_changes(old: Config, new: Config) -> Iterator[Change]:
    was, is_ = old.dead_mans_switch, new.dead_mans_switch
    if was is None or is_ is None:
        if was is not is_:
            told = ("" if one is None else f"to {one.receiver}" for one in (was, is_))
            yield gone_or_new("dead man's switch", "", *told)
        return
    for key in _OF_SWITCH:
        before, after = getattr(was, key), getattr(is_, key)
        yield from if_different("dead man's switch", "", key, before, after)


def _heartbeat_changes(
    before: Mapping[str, Definition], after: Mapping[str, Definition]
) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        was, is_ = before.get(name), after.get(name)
        if was is None or is_ is None:
            told = ("" if one is None else one.schedule for one in (was, is_))
            yield gone_or_new("heartbeat", name, *told)
            continue
        for key in _OF_HEARTBEAT:
            yield from if_different("heartbeat", name, key, getattr(was, key), getattr(is_, key))
        if was.paths != is_.paths:
            # Only that they differ: who knows one can ping.
            yield Change("heartbeat", name, "ping address", "changed", "changed")


def _defined(
    kind: str, key: str, before: Mapping[str, object], after: Mapping[str, object]
) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        was, is_ = before.get(name), after.get(name)
        if was is None or is_ is None:
            told = ("" if one is None else "there" for one in (was, is_))
            yield gone_or_new(kind, name, *told)
        elif was != is_:
            yield Change(kind, name, key, "changed", "changed")
