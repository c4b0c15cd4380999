"""What an expression reads of each selector: how far around the instant, and at fixed times."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from processors.promql.errors import Refused
from processors.promql.info import metadata
from processors.promql.selector import Selector
from processors.promql.subquery import steps
from processors.promql.tree import At, Call, Expression, Select, Subquery, children

MOST_STEPS = 11_000
"""Evaluations of one subquery, those that it is nested in included: as many as a range query."""


@dataclass(frozen=True, slots=True)
class SelectorUse:
    """A selector and the samples that an evaluation needs of it, in milliseconds.

    From `reach_ms` before the instant to `ahead_ms` after it (negative offsets), and the spans of
    `fixed_at`, which an absolute `@` names.
    """

    selector: Selector
    reach_ms: int
    ahead_ms: int = 0
    fixed_at: tuple[tuple[int, int], ...] = ()

    def spans(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """What evaluations from `start` to `end` read, as spans that are open on their left."""
        if self.reach_ms or self.ahead_ms:
            return ((start - self.reach_ms, end + self.ahead_ms), *self.fixed_at)
        return self.fixed_at


@dataclass(frozen=True, slots=True)
class _Times:
    """When a part is evaluated: `early` to `late` before the instant, or before a fixed time."""

    early: int = 0
    late: int = 0
    fixed: int | None = None

    def moved(self, at: At, offset: int) -> "_Times":
        """What `@` and `offset` refer to, seen from these times."""
        base = self if at is None else _Times(fixed=at if isinstance(at, int) else None)
        return replace(base, early=base.early + offset, late=base.late + offset)


def uses(tree: Expression, lookback: int) -> tuple[SelectorUse, ...]:
    """What is needed of every selector in the expression, once each."""
    found: dict[Selector, SelectorUse] = {}
    for select, times in _selects(tree, _Times()):
        back = times.early + (lookback if select.window is None else select.window)
        known = found.get(select.selector, SelectorUse(select.selector, 0))
        if times.fixed is None:
            reach, ahead = max(known.reach_ms, back), max(known.ahead_ms, -times.late)
            known = replace(known, reach_ms=reach, ahead_ms=ahead)
        else:
            span = (times.fixed - back, times.fixed - times.late)
            known = replace(known, fixed_at=tuple(dict.fromkeys((*known.fixed_at, span))))
        found[select.selector] = known
    return tuple(found.values())


def _selects(tree: Expression, times: _Times) -> Iterator[tuple[Select, _Times]]:
    if isinstance(tree, Select):
        yield tree, times.moved(tree.at, tree.offset)
        return
    if isinstance(tree, Subquery):
        times = times.moved(tree.at, tree.offset)
        times = replace(times, early=times.early + tree.range)
    if isinstance(tree, Call) and tree.name == "info":
        yield from _selects(tree.args[0], times)
        yield from _selects(metadata(tree), times)
        return
    for child in children(tree):
        yield from _selects(child, times)


def bounded(tree: Expression, default_step: int, outside: int = 1) -> None:
    """Raises Refused where a subquery would be evaluated too often."""
    if isinstance(tree, Subquery):
        step = tree.step or default_step
        outside *= max(1, len(steps(0, tree.range, step)))
        if outside > MOST_STEPS:
            raise Refused(
                f"a subquery of {outside} evaluations (a range of {tree.range / 1000:g} s at steps "
                f"of {step / 1000:g} s, times those it is nested in) is more than {MOST_STEPS}: "
                "take a longer step, or record the inner expression"
            )
    for child in children(tree):
        bounded(child, default_step, outside)
