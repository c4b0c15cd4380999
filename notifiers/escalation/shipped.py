"""The policies that are there without being written: they need to know only who is on call.

`on_call:` of the routing file names schedules, the primary one first. Who defines a policy of the
same name has their own instead.
"""

from collections.abc import Iterable

from notifiers.escalation.policy import Kind, Policy, Step, Target

MINUTE = 60_000
STANDARD, EMERGENCY = "standard", "emergency"
SHIPPED = (STANDARD, EMERGENCY)


def shipped(on_call: tuple[str, ...], users: Iterable[str]) -> dict[str, Policy]:
    """`standard` and `emergency` for these schedules and users; none without a schedule."""
    if not on_call:
        return {}
    first = (Target(Kind.SCHEDULE, on_call[0]),)
    every = tuple(Target(Kind.SCHEDULE, name) for name in on_call)
    people = tuple(Target(Kind.USER, name) for name in users)
    standard = Policy(
        STANDARD,
        (Step(first, 10 * MINUTE), Step(every, 15 * MINUTE)),
        repeat=2,
        acknowledge_timeout=240 * MINUTE,
    )
    emergency = Policy(
        EMERGENCY,
        (Step(every, 3 * MINUTE), Step((*every, *people), 5 * MINUTE)),
        repeat=5,
        acknowledge_timeout=60 * MINUTE,
    )
    return {STANDARD: standard, EMERGENCY: emergency}
