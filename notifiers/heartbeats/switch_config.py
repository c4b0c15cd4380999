"""`dead_mans_switch:` of a routing file.

dead_mans_switch:
  receiver: outside            # its webhook is the ping URL of somebody who watches us
  interval: 1m
  require: detector            # only while a detector is heard; left out: while the router decides
  within: 3m                   # how old its last announcement may be
"""

from collections.abc import Container
from dataclasses import dataclass

from notifiers.yaml_reader import Section

DEFAULT_INTERVAL, SHORTEST, LONGEST = 60_000, 1_000, 86_400_000
DEFAULT_WITHIN = 180_000


@dataclass(frozen=True, slots=True)
class SwitchConfig:
    """To whom the router says that it is alive, how often, and while what is heard; in ms.

    `within` is how long ago a detector may have been heard; None asks for no detector.
    """

    receiver: str
    interval: int
    within: int | None


def read_switch(root: Section, receivers: Container[str]) -> SwitchConfig | None:
    """The switch, if there is one; what is wrong with it is noted there."""
    found = root.section("dead_mans_switch")
    if found is None:
        return None
    receiver = found.text("receiver") or ""
    if not receiver:
        found.problem("receiver", "missing receiver of the dead man's switch", at=found.node)
    elif receiver not in receivers:
        found.problem("receiver", f'undefined receiver "{receiver}" used in dead_mans_switch')
    interval, within = found.duration("interval"), found.duration("within")
    interval = DEFAULT_INTERVAL if interval is None else interval
    if not SHORTEST <= interval <= LONGEST:
        found.problem("interval", "a second at least and a day at most are wanted")
    required = found.parsed("require", _required)
    if within is not None and not required:
        found.problem("within", "it has a meaning only with require: detector")
    elif within is not None and within < SHORTEST:
        found.problem("within", "a second at least is wanted")
    found.close()
    age = (DEFAULT_WITHIN if within is None else within) if required else None
    return SwitchConfig(receiver, max(interval, SHORTEST), age)


def _required(text: str) -> bool:
    if text != "detector":
        raise ValueError(f'detector is wanted, not "{text[:40]}"')
    return True
