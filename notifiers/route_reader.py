"""The route tree as the configuration gives it, checked against what the file defines."""

from collections.abc import Collection
from dataclasses import dataclass

from notifiers.escalation.reader import read_choice
from notifiers.matcher_reader import read_matchers
from notifiers.matchers import Mode, is_label_name
from notifiers.problem import did_you_mean
from notifiers.route_tree import RouteConfig
from notifiers.storms.flap_reader import read_flap_detection
from notifiers.templating.templates import check
from notifiers.yaml_reader import Section


@dataclass(frozen=True, slots=True)
class Known:
    """The names that routes may use, and the grammar that they are written in."""

    receivers: Collection[str]
    time_intervals: Collection[str]
    mode: Mode
    policies: Collection[str] = ()


def read_root(root: Section, known: Known) -> RouteConfig | None:
    """The tree under `route:`."""
    found = root.section("route")
    if found is None:
        if "route" not in root.items or root.value("route") is None:
            root.problem("route", "no route provided in config")
        return None
    route = _route(found, known)
    if not route.receiver:
        found.problem("receiver", "root route must specify a default receiver")
    if route.matchers:
        found.problem("matchers", "root route must not have any matchers", at=found.node)
    if route.carries_on:
        found.problem("continue", "cannot have continue in root route")
    for names, kind in ((route.mute, "mute"), (route.active, "active")):
        if names:
            message = f"root route must not have any {kind} time intervals"
            found.problem(f"{kind}_time_intervals", message)
    return route


def _route(found: Section, known: Known) -> RouteConfig:
    receiver = found.text("receiver") or ""
    if receiver and receiver not in known.receivers:
        hint = did_you_mean(receiver, known.receivers)
        found.problem("receiver", f'undefined receiver "{receiver}" used in route', hint)
    group_by, by_all = _group_by(found, known.mode)
    interval, repeat = found.duration("group_interval"), found.duration("repeat_interval")
    if interval == 0:
        found.problem("group_interval", "group_interval cannot be zero")
    if repeat == 0:
        found.problem("repeat_interval", "repeat_interval cannot be zero")
    route = RouteConfig(
        receiver=receiver,
        matchers=read_matchers(found, known.mode),
        group_by=group_by,
        group_by_all=by_all,
        carries_on=found.boolean("continue") is True,
        group_wait=found.duration("group_wait"),
        group_interval=interval,
        repeat_interval=repeat,
        mute=_time_intervals(found, "mute_time_intervals", known),
        active=_time_intervals(found, "active_time_intervals", known),
        escalation=read_choice(found, known.policies),
        flaps=read_flap_detection(found),
        labels=_labels(found, known.mode),
        routes=tuple(_route(child, known) for child in found.sections("routes")),
        line=found.node.start_mark.line + 1,
    )
    found.close()
    return route


def _labels(found: Section, mode: Mode) -> tuple[tuple[str, str], ...]:
    pairs = found.pairs("labels")
    for name, value, node in pairs:
        if not is_label_name(name, mode):
            found.problem("labels", f'invalid label name "{name}" in route labels', at=node)
        try:
            check(value)
        except ValueError as fault:
            found.problem("labels", f"{name}: {fault}", at=node)
    return tuple((name, value) for name, value, _ in pairs)


def _group_by(found: Section, mode: Mode) -> tuple[frozenset[str] | None, bool]:
    names: set[str] = set()
    by_all = False
    for name, node in found.texts("group_by"):
        if name == "...":
            by_all = True
        elif not is_label_name(name, mode):
            found.problem("group_by", f'invalid label name "{name}" in group_by list', at=node)
        elif name in names:
            found.problem("group_by", f'duplicated label "{name}" in group_by', at=node)
        names.add(name)
    names.discard("...")
    if names and by_all:
        message = "cannot have wildcard group_by (`...`) and other labels at the same time"
        found.problem("group_by", message)
    # An empty list groups by nothing; only a missing one lets the parent's hold.
    given = found.value("group_by") is not None and not by_all
    return (frozenset(names) if given else None), by_all


def _time_intervals(found: Section, key: str, known: Known) -> tuple[str, ...]:
    texts = found.texts(key)
    for name, node in texts:
        if name not in known.time_intervals:
            hint = did_you_mean(name, known.time_intervals)
            found.problem(key, f'undefined time interval "{name}" used in route', hint, at=node)
    return tuple(name for name, _ in texts)
