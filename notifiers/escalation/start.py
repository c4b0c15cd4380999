"""Which policy an incident has, and where it begins."""

from notifiers import suppression
from notifiers.escalation.policy import Choice
from notifiers.group import Group
from notifiers.state import State

SEVERITY = "severity"
Standing = tuple[str, int, int, int | None]
"""Policy, the next step from 0, the round from 0, and when the step is due (ms; None: never)."""
NOWHERE: Standing = ("", 0, 0, None)


def begin(state: State, group: Group) -> Standing:
    """At the first step, which is due at once; nowhere if the route has no policy."""
    choice = choice_of(state, group)
    policy = choice.policy(severities(state, group) if choice.by_severity else ())
    return (policy, 0, 0, state.now) if policy else NOWHERE


def choice_of(state: State, group: Group) -> Choice:
    """What the group's route says."""
    route = state.plan.routes.get(group.route_id)
    return Choice() if route is None else route.escalation


def audible(state: State, group: Group) -> list[str]:
    """The members that fire and are not muted now."""
    muted = suppression.muted(state, group, state.now)
    return [one for one in group.members if state.alerts[one].fires and one not in muted]


def severities(state: State, group: Group) -> frozenset[str]:
    """The severities of what fires and is not muted."""
    levels = (state.alerts[one].level for one in audible(state, group))
    found = (level.labels.get(SEVERITY, "") for level in levels if level is not None)
    return frozenset(one for one in found if one)
