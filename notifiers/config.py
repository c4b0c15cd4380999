"""Alertmanager's configuration file: the part that is supported, and a clear refusal of the rest.

    config, problems = read(text, "routes.yml")

Either there is a configuration or there are problems; all of them at once.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from notifiers.escalation.policy import Policy
from notifiers.escalation.reader import Names, read_policies
from notifiers.fallback import settings as fallbacks
from notifiers.global_config import Global, read_global
from notifiers.heartbeats.definition import Definition
from notifiers.heartbeats.reader import read_heartbeats
from notifiers.heartbeats.switch_config import SwitchConfig, read_switch
from notifiers.incidents.reader import read_acknowledge_timeout
from notifiers.inhibit_rules import InhibitRule, read_inhibit_rule
from notifiers.matchers import Mode
from notifiers.oncall.people import User
from notifiers.oncall.people_reader import read_users
from notifiers.oncall.reader import read_schedules
from notifiers.oncall.schedule import Schedule
from notifiers.oncall.whose import assigned
from notifiers.problem import Problem
from notifiers.receivers import Receiver, read_receiver
from notifiers.route_reader import Known, read_root
from notifiers.route_tree import Route, build
from notifiers.storms.dependency_reader import read_dependencies
from notifiers.storms.flap_reader import read_flap_detection
from notifiers.storms.limit_reader import read_rate_limit
from notifiers.storms.settings import Dependency
from notifiers.time_intervals import TimeInterval, read_time_interval
from notifiers.yaml_reader import Reading, Section, compose

_LATER = frozenset({"tracing", "event_recorder"})
MODE_KEY = "matchers_mode"
"""Where a plan says in which mode matchers are read."""
_CALLS = frozenset({"users", "on_call", "escalation_policies"})
"""With one of these, whoever is in a schedule must be somebody who can be reached."""
_Intervals = dict[str, tuple[TimeInterval, ...]]


class Suppression(StrEnum):
    """What the end of a mute means: TOCSIN tells then what still fires."""

    ALERTMANAGER = "alertmanager"
    TOCSIN = "tocsin"


@dataclass(frozen=True, slots=True)
class Config:
    """What a routing file says; `resolve_timeout` in ms, `templates` globs of files."""

    route: Route
    receivers: dict[str, Receiver]
    resolve_timeout: int = 300_000
    inhibit_rules: tuple[InhibitRule, ...] = ()
    time_intervals: dict[str, tuple[TimeInterval, ...]] = field(default_factory=dict)
    templates: tuple[str, ...] = ()
    suppression: Suppression = Suppression.ALERTMANAGER
    heartbeats: dict[str, Definition] = field(default_factory=dict)
    dead_mans_switch: SwitchConfig | None = None
    schedules: dict[str, Schedule] = field(default_factory=dict)
    acknowledge_timeout: int | None = None
    """How long an acknowledgement lasts that names no end; None: for ever."""
    users: dict[str, User] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    dependencies: tuple[Dependency, ...] = ()


def read(
    text: str, file: str, *, bare: bool = False, mode: Mode = Mode.FALLBACK
) -> tuple[Config | None, list[Problem]]:
    """The configuration in this text, or everything that is wrong with it.

    `bare` is for a plan, which says of a channel only what the router decides by.
    `mode` is the grammar of matchers and label names, unless the text names one itself.
    """
    reading = Reading(file)
    root = compose(text, reading)
    if root is None:
        return None, reading.problems
    mode = root.parsed(MODE_KEY, _mode) or mode
    defaults = read_global(root.section("global"))
    receivers = _receivers(root, defaults, mode, bare=bare)
    intervals = _time_intervals(root)
    users = read_users(root, receivers, intervals, mode)
    schedules = read_schedules(root, intervals, users if root.items.keys() & _CALLS else None)
    policies = read_policies(root, Names(users, schedules, receivers, intervals))
    route = read_root(root, Known(receivers, intervals, mode, policies))
    rules = tuple(read_inhibit_rule(found, mode) for found in root.sections("inhibit_rules"))
    templates = tuple(text for text, _ in root.texts("templates"))
    suppression = root.parsed("suppression", _suppression)
    dependencies = read_dependencies(root, mode)
    flaps = read_flap_detection(root)
    if dependencies and suppression is Suppression.ALERTMANAGER:
        hint = "leave suppression out: it is tocsin in a file with dependencies"
        root.problem("suppression", "dependencies need suppression: tocsin", hint)
    acknowledge_timeout = read_acknowledge_timeout(root)
    heartbeats = read_heartbeats(root)
    switch = read_switch(root, receivers)
    root.close(_LATER)
    if route is None or reading.problems:
        return None, sorted(reading.problems, key=lambda problem: problem.line)
    return Config(
        build(replace(route, flaps=route.flaps or flaps)),
        assigned(receivers, users.values()),
        defaults.resolve_timeout,
        inhibit_rules=rules,
        time_intervals=intervals,
        templates=templates,
        suppression=suppression
        or (Suppression.TOCSIN if dependencies else Suppression.ALERTMANAGER),
        heartbeats=heartbeats,
        dead_mans_switch=switch,
        schedules=schedules,
        acknowledge_timeout=acknowledge_timeout,
        users=users,
        policies=policies,
        dependencies=dependencies,
    ), []


def _receivers(root: Section, defaults: Global, mode: Mode, *, bare: bool) -> dict[str, Receiver]:
    receivers: dict[str, Receiver] = {}
    sections: list[tuple[Section, str]] = []
    limit = read_rate_limit(root, mode, None)
    for found in root.sections("receivers"):
        receiver = read_receiver(found, defaults, bare=bare, mode=mode, limit=limit)
        if receiver is None:
            continue
        if (first := receivers.get(receiver.name)) is not None:
            hint = f"it stands already in line {first.line}"
            found.problem("name", f'receiver name "{receiver.name}" is not unique', hint)
        else:
            sections.append((found, receiver.name))
        receivers.setdefault(receiver.name, receiver)
    fallbacks.check(sections, receivers)
    return receivers


def _time_intervals(root: Section) -> _Intervals:
    intervals: _Intervals = {}
    lines: dict[str, int] = {}
    for key, kind in (
        ("mute_time_intervals", "mute time interval"),
        ("time_intervals", "time interval"),
    ):
        for found in root.sections(key):
            name = found.text("name") or ""
            spans = tuple(map(read_time_interval, found.sections("time_intervals")))
            found.close()
            if not name:
                found.problem("name", f"missing name in {kind}")
            elif name in intervals:
                hint = f"it stands already in line {lines[name]}"
                found.problem("name", f'{kind} "{name}" is not unique', hint)
            else:
                intervals[name], lines[name] = spans, found.line("name")
    return intervals


def _suppression(text: str) -> Suppression:
    try:
        return Suppression(text)
    except ValueError as fault:
        known = " or ".join(Suppression)
        raise ValueError(f'{known} is wanted, not "{text[:40]}"') from fault


def _mode(text: str) -> Mode:
    try:
        return Mode(text)
    except ValueError as fault:
        raise ValueError(f'{", ".join(Mode)} is wanted, not "{text[:40]}"') from fault
