"""A step of escalation is due: who is called, and when the next step is.

Nothing here tells an incident that somebody has taken on: only an open one rings. The first step
of a beginning comes with another page (the first of the incident, that of an acknowledgement that
ended, that of a graver alert), so whoever hears of the incident already is not paged twice by it.
"""

from dataclasses import dataclass

from notifiers import flush
from notifiers.config import Config
from notifiers.escalation import rise, start
from notifiers.escalation.call import Call, calls, is_open
from notifiers.escalation.policy import Policy
from notifiers.group import Group
from notifiers.incidents.incident import Incident
from notifiers.incidents.told import happens
from notifiers.state import State
from schemas.deliveries import Why

MINUTE = 60_000


@dataclass(slots=True)
class _Round:
    """Where the walk through the steps is."""

    step: int
    number: int
    from_first: bool
    """Whether every step of this round was tried in this walk, and none reached anybody."""
    is_first: bool
    """Whether escalation begins with this walk."""


def ring(state: State, incident: Incident) -> None:
    """Do the step that is due; every way out moves the alarm."""
    group, config = state.groups.get(incident.group_id), state.plan.config
    name, step, number, _ = incident.escalation
    if group is None or config is None:
        _move(state, incident, (name, step, number, None))
        return
    if not start.audible(state, group):
        # Nobody would be told. What is muted goes on being what it is; so does its turn.
        _wait(state, incident)
        return
    has_risen = rise.rise(state, group, incident)
    is_first = (step, number) == (0, 0) and not has_risen
    policy = _policy(state, incident, group, config)
    if policy is None:
        return
    _, step, number, _ = incident.escalation
    at = _Round(step, number, from_first=step == 0, is_first=is_first)
    while (found := _next(state, incident, group, policy, at)) is None:
        pass
    _move(state, incident, (policy.name, at.step, at.number, found or None))


def _next(state: State, incident: Incident, group: Group, policy: Policy, at: _Round) -> int | None:
    """Do one step; when the next is due (0: never), or None to go on at once."""
    if at.step >= len(policy.steps):
        if at.number >= policy.repeat:
            detail = f"{policy.name} is at its end and nobody has acknowledged"
            happens(state, incident, "escalation ended", detail=detail)
            return 0
        nobody, at.step, at.number, at.from_first = at.from_first, 0, at.number + 1, True
        return state.now + max(sum(one.wait for one in policy.steps), MINUTE) if nobody else None
    reached = _do(state, incident, group, policy, at)
    wait = policy.steps[at.step].wait
    at.step += 1
    if not reached:
        return None
    return state.now + wait


def _do(state: State, incident: Incident, group: Group, policy: Policy, at: _Round) -> bool:
    """Call whom the step names; whether that was anybody."""
    config = state.plan.config
    assert config is not None
    step, by = policy.steps[at.step], _by(policy, at)
    if not is_open(step, config, state.now):
        happens(state, incident, "step passed over", detail=f"{by}: not at this time of day")
        return False
    severities = start.severities(state, group)
    found = calls(step, config, state.overrides.on_call, severities, state.now)
    for call in found:
        if not call.receivers:
            happens(state, incident, "nobody to escalate to", detail=f"{call} by {by}")
    reached = [call for call in found if call.receivers]
    if reached:
        _tell(state, incident, group, reached, by, is_first=at.is_first)
    return bool(reached)


def _tell(
    state: State, incident: Incident, group: Group, reached: list[Call], by: str, *, is_first: bool
) -> None:
    heard = frozenset((group.receiver, *incident.also)) if is_first else frozenset[str]()
    for who in dict.fromkeys(map(str, reached)):
        happens(state, incident, "escalated", detail=f"to {who} by {by}")
    receivers = dict.fromkeys(name for call in reached for name in call.receivers)
    new = [one for one in receivers if one != group.receiver and one not in incident.also]
    incident.also = (*incident.also, *new)
    state.incidents.put(incident)
    state.counts["escalation step"] += 1
    flush.tell(state, group.id, Why.ESCALATED, frozenset(receivers) - heard)


def _by(policy: Policy, at: _Round) -> str:
    again = f", round {at.number + 1}" if at.number else ""
    return f"step {at.step + 1} of {policy.name}{again}"


def _policy(state: State, incident: Incident, group: Group, config: Config) -> Policy | None:
    """The policy in force; if the plan took it away, the route's other one at the same step."""
    name, step, number, due = incident.escalation
    choice = start.choice_of(state, group)
    if choice.has(name) and name in config.policies:
        return config.policies[name]
    other = choice.policy(start.severities(state, group))
    if other not in config.policies:
        detail = f"the routing file has no policy for it any more; it was {name}"
        happens(state, incident, "escalation stopped", detail=detail)
        _move(state, incident, start.NOWHERE)
        return None
    detail = f"from {name} to {other}: the routing file changed"
    happens(state, incident, "escalation goes on", detail=detail)
    _move(state, incident, (other, step, number, due))
    return config.policies[other]


def _wait(state: State, incident: Incident) -> None:
    name, step, number, _ = incident.escalation
    state.counts["escalation waits"] += 1
    _move(state, incident, (name, step, number, state.now + MINUTE))


def _move(state: State, incident: Incident, standing: start.Standing) -> None:
    incident.escalation = standing
    state.incidents.put(incident)
