"""Whether a group's receiver is to be told, and why: Alertmanager's `DedupStage.needsUpdate`."""

from collections.abc import Set
from dataclasses import dataclass

from schemas.deliveries import Why


@dataclass(frozen=True, slots=True)
class Entry:
    """What an integration was told last: fingerprints that fired, that had resolved, and when."""

    firing: frozenset[str]
    resolved: frozenset[str]
    at: int


def needs_telling(
    told: Entry | None,
    firing: Set[str],
    resolved: Set[str],
    *,
    send_resolved: bool,
    repeat: int,
    at: int,
) -> Why:
    """The decision of one flush for one integration; times in ms."""
    if told is None:
        return Why.FIRST if firing else Why.NOTHING
    if not firing <= told.firing:
        return Why.GREW if told.firing else Why.FIRST
    if not firing:
        # Also without send_resolved: what was told must be forgotten. And if nothing fired when
        # it was last told, alerts came and went since, of which the receiver knows nothing.
        return Why.ALL_RESOLVED if told.firing else Why.NOTHING
    if send_resolved and not resolved <= told.resolved:
        return Why.SOME_RESOLVED
    return Why.REPEAT if told.at < at - repeat else Why.NOTHING
