"""The rule groups in force, evaluated at their instants: what is decided, told and remembered.

A group is evaluated at the multiples of its interval, in the log's time. The stage that holds the
samples says when, and over which source.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from processors import levels
from processors.group_state import DETECTION, GroupState, detection_key
from processors.group_state import PREFIX as GROUP
from processors.levels import generator_url
from processors.promql.columns import Source
from processors.promql.plan import SelectorUse
from processors.rules.file import BadRules
from processors.rules.group import DetectRule, Evaluation, Group, Memory
from processors.rules_plan import RulesPlan
from processors.told import alerts_told, samples_told
from schemas.alerts import AlertLevel
from schemas.plan_pieces import PREFIX as PLAN
from schemas.plan_pieces import PlanKeeper
from schemas.plans import Plan
from schemas.stage import Output, StateChange

ANNOUNCE_EVERY = 60_000
Chosen = Callable[[Group], bool]


@dataclass(slots=True)
class Decided:
    """What a step comes to, gathered while it goes on."""

    outputs: list[Output] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class RunningGroup:
    """A group of the plan in force, and what it remembers."""

    def __init__(self, file: str, group: Group, default_interval: int) -> None:
        self.name = f"{file}:{group.name}"
        self.group = group
        self.step = group.interval or default_interval
        self.state = GroupState()
        self.rules = dict(zip(group.keys, group.rules, strict=True))
        self.detectors = {
            rule.slot(key): rule for key, rule in self.rules.items() if isinstance(rule, DetectRule)
        }

    def uses(self) -> list[SelectorUse]:
        """What its rules select, and how far back from an instant."""
        return [
            SelectorUse(use.selector, use.reach_ms + self.group.query_offset)
            for rule in self.group.rules
            for plan in rule.plans
            for use in plan.selectors
        ]

    def instants(self, start: int, end: int) -> range:
        """Its instants in [start, end)."""
        return range(-(-start // self.step) * self.step, end, self.step)


class Evaluator:
    """Follows a stage's plans and evaluates those groups that are `chosen` here."""

    def __init__(self, stage: str, chosen: Chosen = lambda _: True) -> None:
        self.plan = RulesPlan()
        self.groups: list[RunningGroup] = []
        self._stage = stage
        self._chosen = chosen
        self._plans = PlanKeeper()
        self._states: dict[str, GroupState] = {}
        self._learned: dict[str, dict[str, bytes]] = {}
        self._settled = False

    @property
    def number(self) -> int:
        """The number of the plan in force."""
        return self._plans.number

    def restore(self, key: str, value: bytes) -> None:
        """Take one entry of the checkpoint; others' keys are passed over."""
        if key.startswith(GROUP):
            self._states[key.removeprefix(GROUP)] = GroupState.unpack(value)
        elif key.startswith(DETECTION):
            group_rule, _, name = key.removeprefix(DETECTION).rpartition("\0")
            self._learned.setdefault(group_rule, {})[name] = value
        elif key.startswith(PLAN):
            self._plans.restore(key, value)

    def settle(self) -> bool:
        """Once the checkpoint is read: follow the plan that was in force. Whether it did so now."""
        if self._settled:
            return False
        self._settled = True
        content = self._plans.newest()
        if content is not None:
            self._adopt(RulesPlan.unpack(content), self._states)
        self._states, self._learned = {}, {}
        return True

    def uses(self) -> list[SelectorUse]:
        """What the groups select."""
        return [use for running in self.groups for use in running.uses()]

    def next_instant(self, start: int) -> int | None:
        """The first instant of any group from `start` on."""
        return min((running.instants(start, 2**62)[0] for running in self.groups), default=None)

    def evaluate(
        self, source: Source, start: int, end: int, decided: Decided, once: bool = False
    ) -> None:
        """Every group at its instants in [start, end), or at the first of them, in order of time.

        Before a gap the first instant alone is due: up to it everything was read, and what came
        in just before would be decided on by nobody otherwise.
        """
        due = [
            (at, order)
            for order, running in enumerate(self.groups)
            for at in running.instants(start, end)[: 1 if once else None]
        ]
        for at, order in sorted(due):
            running = self.groups[order]
            if at > running.state.last:
                self.evaluate_group(running, source, at, decided)

    def evaluate_group(
        self, running: RunningGroup, source: Source, at: int, decided: Decided
    ) -> None:
        """One group at one instant; if that fails, its alerts stand and the others go on."""
        before = running.state
        try:
            found = running.group.evaluate(source, at, before.memory, self.plan.external)
            told = alerts_told(running.name, self.number, at, self._levels(running, found, at))
            told += samples_told(running.name, found)
        except Exception as fault:
            decided.counts[f"rule failed:{running.name}: {fault!r}"[:300]] += 1
            return
        running.state = GroupState(at, found.memory)
        decided.counts["evaluations"] += len(running.group.rules)
        for failure in found.failures:
            decided.counts[f"rule failed:{running.name}:{failure.key}: {failure.reason}"] += 1
        decided.outputs += told
        learned = _learned(running.name, found.memory)
        # First, for a replay that meets it must not learn the same instant twice.
        if learned or running.state.worth_keeping(before):
            decided.changes.append(StateChange(GROUP + running.name, running.state.pack()))
        decided.changes += learned

    def switch(self, piece: Plan, now: int, decided: Decided) -> bool:
        """Take a piece of a plan; once it is whole, follow it. Whether the plan changed."""
        if piece.stage != self._stage:
            return False
        content, kept = self._plans.add(piece)
        decided.changes += kept
        if content is None:
            return False
        try:
            plan = RulesPlan.unpack(content)
            plan.load()
        except (ValueError, BadRules):
            decided.counts["plan refused"] += 1
            decided.changes += self._plans.refuse(piece.number)
            return False
        decided.changes += self._plans.follow(piece.number)
        before = {running.name: running for running in self.groups}
        self._adopt(plan, {name: running.state for name, running in before.items()})
        for running in self.groups:
            earlier = before.pop(running.name, None)
            if earlier is not None:
                self._withdraw(earlier, set(running.rules), now, decided)
                decided.changes.append(StateChange(GROUP + running.name, running.state.pack()))
        for name, gone in before.items():
            self._withdraw(gone, set(), now, decided)
            decided.changes.append(StateChange(GROUP + name, None))
        return True

    def _adopt(self, plan: RulesPlan, known: Mapping[str, GroupState]) -> None:
        """Follow a plan; groups of the same file and name go on with what they remember."""
        self.plan = plan
        self.groups = [
            RunningGroup(file.name, group, plan.evaluation_interval)
            for file in plan.load()
            for group in file.groups
            if self._chosen(group)
        ]
        for running in self.groups:
            state = known.get(running.name, GroupState()).only(running.rules)
            running.state = GroupState(state.last, self._at_work(running, state.memory))

    def _at_work(self, running: RunningGroup, memory: Memory) -> Memory:
        """The memory with detectors that go on with what they learned."""
        detections = {
            slot: memory.detections.get(slot)
            or rule.detector.begin(self._learned.get(detection_key(running.name, slot), {}))
            for slot, rule in running.detectors.items()
        }
        return Memory(memory.alerts, memory.recorded, detections)

    def _levels(self, running: RunningGroup, found: Evaluation, at: int) -> list[AlertLevel]:
        told = [levels.changed(each, self._url(running, key)) for key, each in found.transitions]
        if at // ANNOUNCE_EVERY > (at - running.step) // ANNOUNCE_EVERY:
            fresh = {(key, each.labels) for key, each in found.transitions}
            told += [
                levels.repeated(labels, alert, self._url(running, key))
                for key, alerts in found.memory.alerts.items()
                for labels, alert in alerts.items()
                if (key, labels) not in fresh
            ]
        return told

    def _url(self, running: RunningGroup, key: str) -> str:
        return generator_url(self.plan.external_url, running.rules[key].expr)

    def _withdraw(self, running: RunningGroup, stay: set[str], now: int, decided: Decided) -> None:
        """Resolve the alerts of rules that are no more."""
        reason = f"rule removed by plan {self.number}"
        told = [
            levels.withdrawn(labels, alert, now, reason)
            for key, alerts in running.state.memory.alerts.items()
            if key not in stay
            for labels, alert in alerts.items()
        ]
        decided.outputs += alerts_told(running.name, self.number, now, told)


def _learned(group: str, memory: Memory) -> list[StateChange]:
    """What the group's detectors learned since the last instant."""
    return [
        StateChange(f"{DETECTION}{detection_key(group, slot)}\0{name}", value)
        for slot, detection in memory.detections.items()
        for name, value in detection.changes().items()
    ]
