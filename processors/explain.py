"""What a plan's rules cost and where they are decided, for people: pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from processors.arrival import recorded_names, waiting
from processors.evaluator import name_of
from processors.partials.planning import EVERY, SAMPLE_BYTES, long_uses
from processors.partials.table import series_bytes
from processors.placement import Placement
from processors.promql.fusion.operations import Alone
from processors.promql.fusion.steps import Program, program
from processors.promql.plan import Plan
from processors.promql.shown import selector_text, shape
from processors.rules.group import AlertRule, Group, RecordRule, Rule
from processors.rules_plan import RulesPlan


@dataclass(frozen=True, slots=True)
class Read:
    """A selector of a rule; `reach_ms` is how far back, `series_bytes` its memory a series.

    That is reckoned at a sample every ten seconds. `partials` are cells of `resolution_ms` in
    place of samples. `recorded_by` names the rule that makes these series, if one does.
    """

    selector: str
    reach_ms: int
    series_bytes: int
    partials: bool = False
    resolution_ms: int = 0
    recorded_by: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """One rule. `spans` and `waits` say why; they are empty where it does neither.

    `spans`: why its group is decided where all partitions meet. `waits`: why it is decided at its
    group's instants alone, and not besides when samples arrive. `alike` rules have its `shape`;
    of its `steps` some are `shared` with other rules, and some run `alone`.
    """

    file: str
    group: str
    kind: str
    name: str
    expr: str
    every_ms: int
    offset_ms: int
    reads: tuple[Read, ...]
    spans: str
    spans_itself: str
    waits: str
    shape: str
    alike: int
    steps: int
    shared: int
    alone: int

    @property
    def series_bytes(self) -> int:
        """Memory of one series of each selector."""
        return sum(each.series_bytes for each in self.reads)


def explained(plan: RulesPlan) -> tuple[Explained, ...]:
    """Every rule of a plan, in order; raises `BadRules`."""
    groups = [(file.name, group) for file in plan.load() for group in file.groups]
    placement = Placement(group for _, group in groups)
    recorded = recorded_names(group for _, group in groups)
    makers = {
        rule.name: f"{name_of(file, group)}"
        for file, group in groups
        for rule in group.rules
        if isinstance(rule, RecordRule)
    }
    alike = Counter(_shape(rule) for _, group in groups for rule in group.rules)
    steps = _Steps((plan for _, group in groups for rule in group.rules for plan in rule.plans))
    return tuple(
        found
        for file, group in groups
        for found in _group(file, group, plan, placement, recorded, makers, alike, steps)
    )


def _group(
    file: str,
    group: Group,
    plan: RulesPlan,
    placement: Placement,
    recorded: frozenset[str],
    makers: dict[str, str],
    alike: Counter[str],
    steps: "_Steps",
) -> Iterator[Explained]:
    spans = placement.reason(group)
    waits = waiting(group, recorded, spans)
    for key, rule in zip(group.keys, group.rules, strict=True):
        total, shared, alone = steps.of(rule.plans)
        yield Explained(
            file=file,
            group=group.name,
            kind=_kind(rule),
            name=rule.name,
            expr=rule.expr,
            every_ms=group.interval or plan.evaluation_interval,
            offset_ms=group.query_offset,
            reads=tuple(_reads(rule, group.query_offset, makers)),
            spans=spans,
            spans_itself=placement.rule_reason(rule),
            waits=waits.get(key, ""),
            shape=_shape(rule),
            alike=alike[_shape(rule)],
            steps=total,
            shared=shared,
            alone=alone,
        )


def _kind(rule: Rule) -> str:
    if isinstance(rule, RecordRule):
        return "record"
    return "alert" if isinstance(rule, AlertRule) else "detect"


def _shape(rule: Rule) -> str:
    return "; ".join(shape(plan.tree) for plan in rule.plans)


def _reads(rule: Rule, offset: int, makers: dict[str, str]) -> Iterator[Read]:
    """Each selector once: raw samples, then partials."""
    raw: dict[str, Read] = {}
    for plan in rule.plans:
        for use in plan.selectors:
            text, reach = selector_text(use.selector), use.reach_ms + offset
            samples = -(-reach // EVERY)
            made = makers.get(use.selector.metric or "", "")
            read = Read(text, reach, samples * SAMPLE_BYTES, recorded_by=made)
            if text not in raw or raw[text].reach_ms < reach:
                raw[text] = read
    yield from raw.values()
    for far in dict.fromkeys(each for plan in rule.plans for each in long_uses(plan)):
        size = series_bytes(far.fields, far.resolution, far.reach_ms)
        made = makers.get(far.selector.metric or "", "")
        text = selector_text(far.selector)
        yield Read(text, far.reach_ms, size, True, far.resolution, made)


class _Steps:
    """The steps of all expressions together, and how many expressions have each."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._program: Program = program(plans)
        self._below: dict[int, frozenset[int]] = {}
        self._users = Counter(
            step for root in self._program.roots.values() for step in self._all(root)
        )

    def of(self, plans: Iterable[Plan]) -> tuple[int, int, int]:
        """How many steps these have, how many others share, how many run alone."""
        plans = tuple(plans)
        roots = [self._program.roots[each] for each in plans if each in self._program.roots]
        own = Counter(step for root in roots for step in self._all(root))
        shared = sum(self._users[step] > count for step, count in own.items())
        alone = sum(isinstance(self._program.steps[s].operation, Alone) for s in own)
        return len(own), shared, alone

    def _all(self, root: int) -> frozenset[int]:
        """A step and all that it needs."""
        known = self._below.get(root)
        if known is None:
            inputs = self._program.steps[root].inputs
            known = frozenset({root}).union(*(self._all(each) for each in inputs))
            self._below[root] = known
        return known
