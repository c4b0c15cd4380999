"""Whom a step reaches at an instant: people, on call or named, over their contacts. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from notifiers.config import Config
from notifiers.escalation.policy import Kind, Step, Target
from notifiers.oncall.people import is_within
from notifiers.oncall.schedule import Schedule

OnCall = Callable[[Schedule, int], tuple[str, str] | None]
"""Who has a schedule at an instant, and by which layer."""


@dataclass(frozen=True, slots=True)
class Call:
    """One target of a step: whom it means and over what, or `why` it reaches nobody."""

    target: Target
    who: str = ""
    receivers: tuple[str, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        if not self.receivers:
            return self.why
        return self.who if self.target.name == self.who else f"{self.who} ({self.target})"


def is_open(step: Step, config: Config, at: int) -> bool:
    """Whether the time of day lets a step be done."""
    times = config.time_intervals
    if step.active and not is_within(step.active, times, at):
        return False
    return not is_within(step.mute, times, at)


def calls(
    step: Step, config: Config, on_call: OnCall, severities: Collection[str], at: int
) -> list[Call]:
    """What each target of a step comes to."""
    return [_call(target, config, on_call, severities, at) for target in step.targets]


def _call(
    target: Target, config: Config, on_call: OnCall, severities: Collection[str], at: int
) -> Call:
    if target.kind is Kind.RECEIVER:
        return Call(target, target.name, (target.name,))
    name = target.name
    if target.kind is Kind.SCHEDULE:
        found = on_call(config.schedules[name], at)
        if found is None:
            return Call(target, why=f"nobody is on call in {target}")
        name = found[0]
    user = config.users.get(name)
    if user is None:
        return Call(target, why=f"{name}, whom {target} names, is not among the users")
    receivers = user.receivers(severities, config.time_intervals, at)
    if not receivers:
        return Call(target, why=f"{name} has no contact that holds now")
    return Call(target, name, receivers)
