"""Figures side by side, with ratios to Alertmanager and the goals of the project's sixth issue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from benchmarks.notify.contestants import TOCSIN

Runs = Mapping[str, list[dict[str, float]]]
"""By contestant: the figures of each repeat."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What Tocsin's figure is held against: `peer` times Alertmanager's, or `fixed`."""

    text: str
    met: Callable[[float, float], bool]


def _times(share: float) -> Goal:
    return Goal(f"≥ {share:g} × Alertmanager's", lambda ours, peer: ours >= share * peer)


def _at_most(limit: float, unit: str) -> Goal:
    return Goal(f"≤ {limit:g} {unit}".strip(), lambda ours, _: ours <= limit)


def _at_least(limit: float) -> Goal:
    return Goal(f"≥ {limit:,.0f}", lambda ours, _: ours >= limit)


_NO_MORE = Goal("no more", lambda ours, peer: ours <= peer)
_ALERTS = "alerts per CPU-second"

ROWS: dict[str, tuple[str, str, Goal | None]] = {
    "new, batches of 1,000": (_ALERTS, ",.0f", _times(1.5)),
    "new, batches of 100": (_ALERTS, ",.0f", _times(1.5)),
    "new, batches of 1": (_ALERTS, ",.0f", _times(0.6)),
    "again, batches of 1,000": (_ALERTS, ",.0f", _times(1.5)),
    "again, batches of 100": (_ALERTS, ",.0f", _times(1.5)),
    "again, batches of 1": (_ALERTS, ",.0f", _times(0.6)),
    "MiB idle": ("memory", ".0f", None),
    "MiB per 10,000 active": ("memory", ".1f", _NO_MORE),
    "idle p50": ("POST to webhook, ms", ".1f", _at_most(10, "ms")),
    "idle p99": ("POST to webhook, ms", ".1f", _at_most(40, "ms")),
    "busy p50": ("the same, 20,000 active posted again", ".1f", _at_most(10, "ms")),
    "busy p99": ("the same, 20,000 active posted again", ".1f", _at_most(40, "ms")),
    "calls per CPU-second": ("webhook calls", ",.0f", _at_least(1_000)),
    "calls per second": ("webhook calls", ",.0f", None),
    "storm calls": ("10,000 alerts in 50 groups", ",.0f", _NO_MORE),
    "storm CPU": ("10,000 alerts in 50 groups, CPU-seconds", ".2f", _NO_MORE),
    "storm seconds": ("10,000 alerts in 50 groups, until the last call", ".2f", None),
    "bus, new": ("levels per CPU-second", ",.0f", None),
    "bus, unchanged": ("levels per CPU-second", ",.0f", _at_least(50_000)),
    "bus, changed": ("levels per CPU-second", ",.0f", _at_least(10_000)),
    "bus, resolved": ("levels per CPU-second", ",.0f", _at_least(10_000)),
}


def medians(runs: Runs) -> dict[str, dict[str, float]]:
    """By contestant and figure: the median of the repeats that have it."""
    found: dict[str, dict[str, float]] = {}
    for name, repeats in runs.items():
        keys = dict.fromkeys(key for figures in repeats for key in figures)
        found[name] = {
            key: median(figures[key] for figures in repeats if key in figures) for key in keys
        }
    return found


def table(found: Mapping[str, Mapping[str, float]]) -> str:
    """As Markdown; the first contestant is the one that ratios and goals are about."""
    names = list(found)
    peer = names[0]
    lines = [
        f"| what | | {' | '.join(names)} | ratio | goal | |",
        "|---" * (len(names) + 5) + "|",
    ]
    for key, (what, form, goal) in ROWS.items():
        if key not in found[TOCSIN]:
            continue
        cells = [format(found[name][key], form) if key in found[name] else "" for name in names]
        ours = found[TOCSIN][key]
        theirs = None if peer == TOCSIN else found[peer].get(key)
        ratio = f"{ours / theirs:.2f}" if theirs else ""
        lines.append(
            f"| {key} | {what} | {' | '.join(cells)} | {ratio} | {_held(goal, ours, theirs)} |"
        )
    return "\n".join(lines)


def _held(goal: Goal | None, ours: float, theirs: float | None) -> str:
    if goal is None:
        return " | "
    if theirs is None and goal.met(ours, 0.0) == goal.met(ours, 1e12):
        return f"{goal.text} | {_said(goal.met(ours, 0.0))}"
    if theirs is None:
        return f"{goal.text} | not compared"
    return f"{goal.text} | {_said(goal.met(ours, theirs))}"


def _said(met: bool) -> str:
    return "met" if met else "**missed**"
