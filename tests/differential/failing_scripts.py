"""Random lives of alerts whose receivers fail for a while, and come back.

A script is one route with one receiver, which may have a second channel that is well. Its time is
cut into episodes: at the start of each some alerts fire or end, and the receiver may fail for some
seconds; a second change may come in their midst. An episode is longer than it takes both sides to
have said everything: outages end well within the ten seconds that Alertmanager tries for, and
before our breaker opens.
"""

from dataclasses import dataclass
from random import Random

from tests.support.failing_webhook import Fault, Outage

EPISODE = 9.0
MIDST = 2.0
"""Seconds into an episode at which its second change comes: what came first is under way."""
INTERVAL = 1.0
TIMEOUT = 0.7
"""Seconds that a receiver has for its answer."""
REFUSALS = frozenset({Fault.BAD_REQUEST, Fault.NOT_FOUND})
RETRIED = frozenset({Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.SILENCE, Fault.HANG_UP})
"""What both try again within the attempt. A 429 only we do."""
LIMITED = frozenset({Fault.RATE_LIMITED})


@dataclass(frozen=True, slots=True)
class Change:
    """Alerts that fire and that end at an instant, by the value of their label `n`."""

    at: float
    fires: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """One receiver's: how it is told, what happens, and when it fails."""

    name: str
    has_neighbour: bool
    send_resolved: bool
    repeat: float
    group_by: tuple[str, ...]
    changes: tuple[Change, ...]
    outages: tuple[Outage, ...]

    @property
    def faults(self) -> frozenset[Fault]:
        """How the receiver ever fails."""
        return frozenset(one.fault for one in self.outages)

    @property
    def neighbour(self) -> str:
        """The name of the channel that is well."""
        return f"{self.name}-well"


def script(random: Random, name: str, episodes: int) -> Script:
    """A random script of so many episodes."""
    faults = random.choice((REFUSALS, RETRIED, RETRIED, LIMITED))
    refuses = faults is REFUSALS
    changes: list[Change] = []
    outages: list[Outage] = []
    firing: set[int] = set()
    for episode in range(episodes):
        begins = episode * EPISODE
        changes.append(_change(random, begins, firing))
        if random.random() < 0.85:
            fault = random.choice(sorted(faults))
            # Ticks come at half seconds, and somewhat late.
            ends = begins + random.choice((2.2, 3.2))
            outages.append(Outage(begins, ends, fault))
            # After a 429 we say once more what Alertmanager decides anew.
            if ends > begins + 3 and fault is not Fault.RATE_LIMITED and random.random() < 0.7:
                changes.append(_change(random, begins + MIDST, firing))
    return Script(
        name,
        has_neighbour=random.random() < 0.3,
        send_resolved=random.random() < 0.75,
        # A late answer shifts Alertmanager's ticks, and so the repetitions; a refusal does not.
        repeat=random.choice((2.5, 3_600.0)) if refuses else 3_600.0,
        group_by=random.choice(((), ("n",), ("parity",))),
        changes=tuple(changes),
        outages=tuple(outages),
    )


def _change(random: Random, at: float, firing: set[int]) -> Change:
    """At least one alert fires or ends; nothing ends at the instant at which it fires."""
    ends = {one for one in sorted(firing) if random.random() < 0.5}
    idle = [one for one in range(4) if one not in firing]
    wanted = random.randint(0 if ends else 1, 2)
    fires = set(random.sample(idle, min(wanted, len(idle))))
    if not ends | fires:
        ends = set(firing)
    firing -= ends
    firing |= fires
    return Change(at, tuple(sorted(fires)), tuple(sorted(ends)))
