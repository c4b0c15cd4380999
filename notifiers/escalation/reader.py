"""`escalation_policies:` and `on_call:` of a routing file, and a route's `escalation_policy:`.

on_call: [primary, backup]          # the schedules that `standard` and `emergency` call
escalation_policies:
  - name: payments
    repeat: 2                       # after the first time through
    acknowledge_timeout: 2h
    steps:
      - {notify: [{schedule: primary}], wait: 5m}
      - {notify: [{user: ada}, {receiver: chat}], wait: 10m, active_time_intervals: [nights]}
"""

from collections.abc import Collection
from dataclasses import dataclass

import yaml

from notifiers.escalation.policy import NONE, Choice, Kind, Policy, Step, Target
from notifiers.escalation.shipped import SHIPPED, shipped
from notifiers.oncall.people import Intervals
from notifiers.oncall.people_reader import read_intervals
from notifiers.problem import did_you_mean
from notifiers.yaml_reader import Section

MOST_STEPS, MOST_REPEATS = 100, 100
_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Names:
    """The names that steps may call."""

    users: Collection[str]
    schedules: Collection[str]
    receivers: Collection[str]
    intervals: Intervals

    def of(self, kind: Kind) -> Collection[str]:
        """The names of this kind."""
        return {
            Kind.USER: self.users,
            Kind.SCHEDULE: self.schedules,
            Kind.RECEIVER: self.receivers,
        }[kind]


def read_policies(root: Section, names: Names) -> dict[str, Policy]:
    """All policies by name, the shipped ones first; what is wrong with them is noted there."""
    policies = shipped(_on_call(root, names.schedules), names.users)
    lines: dict[str, int] = {}
    for found in root.sections("escalation_policies"):
        policy = _policy(found, names)
        if not policy.name:
            found.problem("name", "missing name of the escalation policy")
        elif policy.name == NONE:
            found.problem("name", f'"{NONE}" means that there is no policy: choose another name')
        elif policy.name in lines:
            hint = f"it stands already in line {lines[policy.name]}"
            found.problem("name", f'escalation policy "{policy.name}" is not unique', hint)
        lines.setdefault(policy.name, found.line("name"))
        policies[policy.name] = policy
    return policies


def _on_call(root: Section, schedules: Collection[str]) -> tuple[str, ...]:
    node = root.value("on_call")
    if isinstance(node, yaml.ScalarNode):
        texts = [(str(node.value), node)]
    else:
        texts = [
            (text, at) for text, at in root.texts("on_call") if isinstance(at, yaml.ScalarNode)
        ]
    for text, at in texts:
        if text not in schedules:
            hint = did_you_mean(text, schedules)
            root.problem("on_call", f'undefined schedule "{text}" is on call', hint, at=at)
    return tuple(text for text, _ in texts)


def _policy(found: Section, names: Names) -> Policy:
    name = found.text("name") or ""
    steps = tuple(_step(one, names) for one in found.sections("steps"))
    if not steps and not found.nodes("steps"):
        hint = "steps: [{notify: [{schedule: NAME}], wait: 5m}]"
        found.problem("steps", "an escalation policy needs steps", hint)
    elif len(steps) > MOST_STEPS:
        found.problem("steps", f"more than {MOST_STEPS} steps")
    repeat = found.number("repeat") or 0
    if repeat > MOST_REPEATS:
        found.problem("repeat", f"at most {MOST_REPEATS} repeats")
    timeout = found.duration("acknowledge_timeout")
    if timeout == 0:
        found.problem("acknowledge_timeout", "it cannot be zero", "left out: never")
    found.close()
    return Policy(name, steps, repeat, timeout)


def _step(found: Section, names: Names) -> Step:
    targets = tuple(
        target for one in found.sections("notify") if (target := _target(one, names)) is not None
    )
    if not targets and not found.nodes("notify"):
        hint = "notify: [{user: NAME}], [{schedule: NAME}] or [{receiver: NAME}]"
        found.problem("notify", "a step that notifies nobody", hint)
    wait = found.duration("wait")
    if "wait" not in found.items:
        hint = "how long to wait for an acknowledgement before the next step, such as 5m"
        found.problem("wait", "missing wait of the step", hint)
    elif wait == 0:
        found.problem("wait", "a wait cannot be zero: name all in one step instead")
    active = read_intervals(found, "active_time_intervals", names.intervals)
    mute = read_intervals(found, "mute_time_intervals", names.intervals)
    found.close()
    return Step(targets, wait or 1, active, mute)


def _target(found: Section, names: Names) -> Target | None:
    given = [(kind, text) for kind in Kind if (text := found.text(kind)) is not None]
    found.close()
    if len(given) != 1:
        if not set(found.items) - set(Kind):
            message = "one of user, schedule and receiver is wanted"
            found.problem("notify", message, at=found.node)
        return None
    kind, name = given[0]
    known = names.of(kind)
    if name not in known:
        hint = did_you_mean(name, known) or f"define it under `{kind}s`"
        found.problem(kind, f'undefined {kind} "{name}" in escalation policy', hint)
    return Target(kind, name)


def read_choice(found: Section, policies: Collection[str]) -> Choice | None:
    """`escalation_policy:` of a route: a name, or names by severity; None if it says nothing."""
    key = "escalation_policy"
    node = found.value(key)
    if isinstance(node, yaml.ScalarNode):
        return Choice(_known(found, str(node.value), node, policies))
    if node is None:
        return None
    pairs = [
        (severity, _known(found, name, at, policies)) for severity, name, at in found.pairs(key)
    ]
    default = next((name for severity, name in pairs if severity == _DEFAULT), "")
    return Choice(default, tuple(pair for pair in pairs if pair[0] != _DEFAULT))


def _known(found: Section, name: str, node: yaml.Node, policies: Collection[str]) -> str:
    if name == NONE:
        return ""
    if name not in policies:
        hint = did_you_mean(name, policies)
        if name in SHIPPED:
            hint = f"define it, or name a schedule with `on_call:` that {name} shall call"
        message = f'undefined escalation policy "{name}" used in route'
        found.problem("escalation_policy", message, hint, at=node)
    return name
