"""A detector's plan: what reaches back beyond the raw windows is made to read partials.

Raised for what they cannot serve: `Refused`, with the cost of serving it and what to do instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from math import gcd
from typing import Any

from processors.partials.answers import ANSWERS, NAMES
from processors.partials.fields import NEWEST
from processors.partials.nodes import LongInstant, LongRanged
from processors.partials.spans import (
    DAY,
    FARTHEST,
    LATENESS,
    MINUTE,
    RAW_REACH,
    TEN_MINUTES,
    shown,
)
from processors.partials.store import LongUse
from processors.promql.errors import Refused
from processors.promql.nodes import Instant, Ranged, Selected
from processors.promql.plan import Plan
from processors.promql.reach import SelectorUse
from processors.promql.selector import Selector
from processors.promql.subquery import Stepped
from processors.promql.tree import At

SAMPLE_BYTES = 16
EVERY = 10_000
"""ms between samples that costs are reckoned with."""


def planned(plan: Plan, query_offset: int = 0) -> Plan:
    """The plan as a detector runs it, in a group of that offset (ms); raises Refused."""
    if all(use.reach_ms + query_offset <= RAW_REACH for use in plan.selectors):
        return plan
    planning = _Planning(plan.lookback, query_offset)
    root = planning.node(plan.root, _Times())
    return replace(plan, root=root, selectors=tuple(planning.raw.values()))


def long_uses(plan: Plan) -> Iterator[LongUse]:
    """What a plan reads of partials."""
    for node in _below(plan.root):
        if isinstance(node, LongInstant | LongRanged):
            yield node.use


def _below(node: object) -> Iterator[object]:
    if isinstance(node, tuple):
        for each in node:
            yield from _below(each)
    elif is_dataclass(node) and not isinstance(node, type):
        yield node
        for part in fields(node):
            yield from _below(getattr(node, part.name))


@dataclass(frozen=True, slots=True)
class _Times:
    """When a part is evaluated: up to `early` before the instant; inside a subquery, its step."""

    early: int = 0
    step: int = 0

    def moved(self, at: At, offset: int) -> "_Times":
        """What `@` and `offset` refer to, seen from these times."""
        early = 0 if at is not None else self.early
        return _Times(early + offset, self.step)


@dataclass(slots=True)
class _Planning:
    """One pass over one plan; `raw` is what it needs of the raw windows."""

    lookback: int
    query_offset: int
    raw: dict[Selector, SelectorUse] = field(default_factory=dict)

    def node(self, node: Any, times: _Times) -> Any:
        """A node, or a tuple of nodes, with long ones in place of those that reach too far."""
        match node:
            case Instant(reference=reference):
                return self.instant(node, times.moved(reference.at, reference.offset))
            case Ranged(range=Selected(reference=reference) as selected):
                ranged = replace(node, scalars=self.node(node.scalars, times))
                here = times.moved(reference.at, reference.offset)
                return self.ranged(ranged, selected, here)
            case Stepped(reference=reference):
                here = times.moved(reference.at, reference.offset)
                inner = _Times(here.early + node.window, node.step)
                return replace(node, inner=self.node(node.inner, inner))
            case tuple():
                parts = tuple(self.node(each, times) for each in node)
                same = all(new is old for new, old in zip(parts, node, strict=True))
                return node if same else parts
        if not is_dataclass(node) or isinstance(node, type):
            return node
        held = {part.name: getattr(node, part.name) for part in fields(node) if part.init}
        changed = {name: self.node(part, times) for name, part in held.items()}
        if all(changed[name] is part for name, part in held.items()):
            return node
        return replace(node, **changed)

    def instant(self, node: Instant, times: _Times) -> Any:
        """An instant selector: from partials if it is far back."""
        reach = times.early + self.lookback
        if self.near(node.selector, reach, times):
            return node
        grain = gcd(times.step, abs(node.reference.offset)) if times.step else 0
        resolution = self.resolution(None, reach, grain, str(node.selector.metric or "a selector"))
        use = self.use(node.selector, resolution, NEWEST, reach)
        return LongInstant(use, node.reference, node.timed)

    def ranged(self, node: Ranged, selected: Selected, times: _Times) -> Any:
        """A function over a range selector: from partials if it reaches far back."""
        reach = times.early + selected.window
        if self.near(selected.selector, reach, times):
            return node
        name = NAMES[node.kernel]
        answer = ANSWERS.get(node.kernel)
        if answer is None:
            raise Refused(_unserved(name, reach))
        offset, window = selected.reference.offset, selected.window
        whole = bool(times.step) or offset > LATENESS
        grain = gcd(times.step, abs(offset), window) if times.step else window if whole else 0
        resolution = self.resolution(window, reach, grain, name)
        use = self.use(selected.selector, resolution, answer.fields, reach)
        return LongRanged(node.kernel, answer, use, window, selected.reference, whole, node.scalars)

    def near(self, selector: Selector, reach: int, times: _Times) -> bool:
        """Whether raw windows serve this; notes that they have to."""
        if reach + self.query_offset > RAW_REACH:
            return False
        self.needs(SelectorUse(selector, max(reach, 0), max(0, -times.early)))
        return True

    def needs(self, use: SelectorUse) -> None:
        """Raw samples of a selector are wanted."""
        known = self.raw.get(use.selector, use)
        self.raw[use.selector] = replace(
            known,
            reach_ms=max(known.reach_ms, use.reach_ms),
            ahead_ms=max(known.ahead_ms, use.ahead_ms),
        )

    def use(self, selector: Selector, resolution: int, wanted: Any, reach: int) -> LongUse:
        """Cells of a selector are wanted, and raw samples until they close."""
        if reach > FARTHEST:
            raise Refused(
                f"a range that reaches back {shown(reach)} is beyond what partials are kept for, "
                f"{shown(FARTHEST)}: record the figure of a day, and take fewer samples of that"
            )
        self.needs(SelectorUse(selector, LATENESS + resolution))
        return LongUse(selector, resolution, wanted, reach + self.query_offset)

    def resolution(self, window: int | None, reach: int, grain: int, what: str) -> int:
        """How long a cell is; `grain` divides the times that must be whole cells, 0 for none."""
        coarse = reach > DAY and (window is None or window >= DAY)
        for resolution in (TEN_MINUTES, MINUTE) if coarse else (MINUTE,):
            if grain % resolution == 0:
                return resolution
        raise Refused(
            f"{what} reaches back {shown(reach)}, where one-minute partials are kept in place of "
            f"raw samples (for {shown(RAW_REACH)}): its range, its offset and the step of the "
            "subquery around it must be whole minutes"
        )


def _unserved(name: str, reach: int) -> str:
    cost = reach // EVERY * SAMPLE_BYTES / 1000
    return (
        f"{name} needs every sample, and reaches back {shown(reach)}; raw samples are kept for "
        f"{shown(RAW_REACH)}, and partials cannot answer it. Raw samples for {shown(reach)}, one "
        f"each {shown(EVERY)}, would take {cost:,.0f} kB a series: take a range of at most "
        f"{shown(RAW_REACH)}, or record {name} over 1h and take avg_over_time of that"
    )
