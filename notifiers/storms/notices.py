"""What messages say of storms besides their alerts."""

from collections import Counter
from collections.abc import Collection, Iterable

from notifiers.state import State
from notifiers.storms.summary import listed, plural

SERVICE = "service"
"""The label by which explained alerts are counted."""


def notice(state: State, firing: Collection[str]) -> str:
    """What these alerts explain, and which of them flap; empty if there is nothing to say."""
    return " ".join(filter(None, (_explained(state, firing), _flapping(state, firing))))


def _explained(state: State, fingerprints: Iterable[str]) -> str:
    """What these alerts explain, in words; empty if nothing."""
    if not state.families:
        return ""
    found = state.families.explained_by(fingerprints)
    levels = [
        alert.level
        for alert in (state.alerts.get(one) for one in found - set(fingerprints))
        if alert is not None and alert.fires and alert.level is not None
    ]
    if not levels:
        return ""
    names = Counter(level.labels.get("alertname", "") for level in levels)
    services = {level.labels[SERVICE] for level in levels if level.labels.get(SERVICE)}
    where = f" of {plural(len(services), SERVICE)}" if services else ""
    return f"Explains {plural(len(levels), 'alert')}{where}: {listed(names)}."


def _flapping(state: State, fingerprints: Iterable[str]) -> str:
    """Which of these flap, in words; empty if none does."""
    if not state.flaps.flapping:
        return ""
    names: dict[str, int] = {}
    for one in fingerprints:
        alert = state.alerts.get(one)
        if one in state.flaps.flapping and alert is not None and alert.level is not None:
            name = alert.level.labels.get("alertname", "")
            names[name] = names.get(name, 0) + 1
    if not names:
        return ""
    count = plural(sum(names.values()), "alert")
    return f"Flapping: {count} ({listed(names)}); told when stable."
