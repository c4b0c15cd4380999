"""The rule groups in force, evaluated at their instants: what is decided, told and remembered.

A group is evaluated at the multiples of its interval, in the log's time. The stage that holds the
samples says when, and over which source.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from processors import levels
from processors.arrival import Arrived, arrival_rules, recorded_names
from processors.detect.model import Resumes
from processors.group_state import DETECTION, GroupState, Restored, detection_key
from processors.group_state import PREFIX as GROUP
from processors.levels import generator_url
from processors.on_arrival import ByInstance, OnArrival
from processors.partials.planning import long_uses
from processors.partials.store import LongUse
from processors.placement import Placement
from processors.promql.columns import Source
from processors.promql.plan import SelectorUse
from processors.rules.alert_series import wanted
from processors.rules.file import BadRules
from processors.rules.group import AlertRule, DetectRule, Evaluation, Failure, Group, Memory
from processors.rules.lifecycle import Transition
from processors.rules.together import Together
from processors.rules_plan import RulesPlan
from processors.told import Recorder, alerts_told
from schemas.alerts import AlertLevel
from schemas.plan_pieces import PREFIX as PLAN
from schemas.plan_pieces import PlanKeeper
from schemas.plans import Plan
from schemas.stage import Output, StateChange

ANNOUNCE_EVERY = 60_000
Chosen = Callable[[str], bool]
"""Told why a group spans instances (empty if it does not): whether it is evaluated here."""
NOTHING = Arrived()
NO_NOTES: Mapping[str, str] = {}


@dataclass(slots=True)
class Decided:
    """What a step comes to, gathered while it goes on."""

    outputs: list[Output] = field(default_factory=list)
    changes: list[StateChange] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class RunningGroup:
    """A group of the plan in force, and what it remembers."""

    def __init__(
        self,
        file: str,
        group: Group,
        default_interval: int,
        recorded: Collection[str] = (),
        spans: str = "",
    ) -> None:
        self.name = name_of(file, group)
        self.group = group
        self.step = group.interval or default_interval
        self.state = GroupState()
        self.recorder = Recorder(self.name)
        self.arrival = arrival_rules(group, recorded, spans)
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

    def long_uses(self) -> list[LongUse]:
        """What its rules read of partials."""
        return [use for rule in self.group.rules for plan in rule.plans for use in long_uses(plan)]

    def instants(self, start: int, end: int) -> range:
        """Its instants in [start, end)."""
        return range(-(-start // self.step) * self.step, end, self.step)


def name_of(file: str, group: Group) -> str:
    """What a group is known by."""
    return f"{file}:{group.name}"


class Evaluator:
    """Follows a stage's plans and evaluates those groups that are `chosen` here."""

    def __init__(self, stage: str, chosen: Chosen = lambda _: True) -> None:
        self.plan = RulesPlan()
        self.groups: list[RunningGroup] = []
        self.elsewhere: list[RunningGroup] = []
        """Groups of the plan that are not evaluated here."""
        self._moved: list[RunningGroup] = []
        """Groups that were evaluated here by a checkpoint from before there were more partitions;
        the next plan, which has to come, ends their alerts."""
        self._stage = stage
        self._chosen = chosen
        self._plans = PlanKeeper()
        self.refuses = False
        """The plan in force cannot be followed: nothing is decided until the next one."""
        self._orphans: dict[str, GroupState] = {}
        self._restored = Restored()
        self._learned: dict[str, dict[str, bytes]] = {}
        self._written: dict[str, set[str]] = {}
        """What detectors keep in the checkpoint, by slot: so that it goes when they do."""
        self._on_arrival = OnArrival(())
        self._settled = False
        self._alert_series = False
        self._together = Together()

    @property
    def number(self) -> int:
        """The number of the plan in force."""
        return self._plans.number

    def restore(self, key: str, value: bytes) -> None:
        """Take one entry of the checkpoint; others' keys are passed over."""
        if key.startswith(GROUP):
            self._restored.add(key, value)
        elif key.startswith(DETECTION):
            slot, _, name = key.removeprefix(DETECTION).rpartition("\0")
            self._learned.setdefault(slot, {})[name] = value
            self._written.setdefault(slot, set()).add(name)
        elif key.startswith(PLAN):
            self._plans.restore(key, value)

    def settle(self) -> bool:
        """Once the checkpoint is read: follow the plan that was in force. Whether it did so now."""
        if self._settled:
            return False
        self._settled = True
        content = self._plans.newest()
        states, self._restored = self._restored.states(), Restored()
        if content is None:
            return True
        try:
            self._adopt(RulesPlan.unpack(content), states)
        except (ValueError, BadRules):
            # An older version took this plan. The next one has to be read all the same, and goes on
            # with what the groups remember.
            self.plan, self._orphans, self.refuses = RulesPlan(), states, True
            return True
        self._moved = [each for each in self.elsewhere if each.name in states]
        for each in self._moved:
            each.state = states[each.name]
        self._learned = {}
        return True

    def uses(self) -> list[SelectorUse]:
        """What the groups select."""
        return [use for running in self.groups for use in running.uses()]

    def long_uses(self) -> list[LongUse]:
        """What the groups read of partials."""
        return [use for running in self.groups for use in running.long_uses()]

    def arriving(self) -> frozenset[str]:
        """The metrics whose samples make some rule be evaluated on arrival."""
        rules = (each for running in self.groups for each in running.arrival)
        return frozenset(name for each in rules for name in each.metrics)

    def next_instant(self, start: int) -> int | None:
        """The first instant of any group from `start` on."""
        return min((running.instants(start, 2**62)[0] for running in self.groups), default=None)

    def evaluate(
        self,
        source: ByInstance,
        start: int,
        end: int,
        decided: Decided,
        once: bool = False,
        arrived: Arrived = NOTHING,
    ) -> None:
        """Every group at its instants in [start, end), or at the first of them, in order of time.

        Before a gap the first instant alone is due: up to it everything was read, and what came
        in just before would be decided on by nobody otherwise. What `arrived` is decided on in its
        place; a group whose own instant it is has seen it then.
        """
        due = [
            (at, order)
            for order, running in enumerate(self.groups)
            for at in running.instants(start, end)[: 1 if once else None]
        ]
        if arrived.instances and start <= arrived.at < end:
            due.append((arrived.at, len(self.groups)))
        together = self._together.over(source)
        for at, order in sorted(due):
            if order == len(self.groups):
                self.evaluate_arrived(source, arrived, decided)
            elif at > (running := self.groups[order]).state.last:
                self.evaluate_group(running, together, at, decided)

    def evaluate_group(
        self,
        running: RunningGroup,
        source: Source,
        at: int,
        decided: Decided,
        notes: Mapping[str, str] = NO_NOTES,
    ) -> None:
        """One group at one instant; if that fails, its alerts stand and the others go on.

        `notes` are told as annotations of every alert.
        """
        before = running.state
        try:
            found = running.group.evaluate(
                source,
                at,
                before.memory,
                self.plan.external,
                self.plan.external_url,
                self._alert_series,
            )
            told_levels = levels.noted(self._levels(running, found, at), notes)
            told = alerts_told(running.name, self.number, at, told_levels)
            told += running.recorder.told(found)
        except Exception as fault:
            decided.counts[f"rule failed:{running.name}: {fault!r}"[:300]] += 1
            return
        running.state = GroupState(at, found.memory)
        decided.counts["evaluations"] += len(running.group.rules)
        for failure in found.failures:
            decided.counts[_failed(running, failure)] += 1
        decided.outputs += told
        learned = self._news(running.name, found.memory)
        decided.changes += learned
        changed = running.state.changes(running.name, before)
        decided.changes += changed or ([running.state.head(running.name)] if learned else [])

    def evaluate_arrived(self, source: ByInstance, arrived: Arrived, decided: Decided) -> None:
        """The alerts that have news, of groups that have not seen this instant; others stand."""
        memories = {
            number: running.state.memory
            for number, running in enumerate(self.groups)
            if running.arrival and arrived.at > running.state.last
        }
        if not memories:
            return
        plan = self.plan
        try:
            found, evaluations = self._on_arrival.evaluate(
                source, arrived, memories, plan.external, plan.external_url
            )
        except Exception as fault:
            decided.counts[f"rule failed:on arrival: {fault!r}"[:300]] += 1
            return
        decided.counts["evaluations on arrival"] += evaluations
        for number, advanced in found.items():
            running = self.groups[number]
            for failure in advanced.failures:
                decided.counts[_failed(running, failure)] += 1
            if not advanced.changed:
                continue
            try:
                memory = self._on_arrival.after(number, running.state.memory, advanced)
                changes = self._changes(running, advanced.transitions)
                told = alerts_told(running.name, self.number, arrived.at, changes)
            except Exception as fault:
                # Its alerts stand as they were, and the others go on.
                decided.counts[f"rule failed:{running.name}: {fault!r}"[:300]] += 1
                continue
            before, running.state = running.state, GroupState(arrived.at, memory)
            decided.outputs += told
            decided.changes += running.state.changes(running.name, before)

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
        before = {running.name: running for running in (*self._moved, *self.groups)}
        self._moved = []
        known = {name: running.state for name, running in before.items()}
        self._adopt(plan, self._orphans | known)
        self._orphans, self.refuses = {}, False
        for running in self.groups:
            earlier = before.pop(running.name, None)
            if earlier is not None:
                self._withdraw(earlier, set(running.rules), now, decided)
                decided.changes += running.state.changes(running.name, earlier.state)
        for name, gone in before.items():
            self._withdraw(gone, set(), now, decided)
            decided.changes += gone.state.gone(name)
        decided.changes += self._forgotten()
        return True

    def _adopt(self, plan: RulesPlan, known: Mapping[str, GroupState]) -> None:
        """Follow a plan; groups of the same file and name go on with what they remember."""
        self.plan = plan
        files = plan.load()
        groups = [(file.name, group) for file in files for group in file.groups]
        recorded = recorded_names(group for _, group in groups)
        placement = Placement(group for _, group in groups)
        reasons = {name_of(file, group): placement.reason(group) for file, group in groups}
        every = [
            RunningGroup(
                file, group, plan.evaluation_interval, recorded, reasons[name_of(file, group)]
            )
            for file, group in groups
        ]
        self.groups = [each for each in every if self._chosen(reasons[each.name])]
        self._on_arrival = OnArrival([each.arrival for each in self.groups])
        self.elsewhere = [each for each in every if not self._chosen(reasons[each.name])]
        self._alert_series = wanted(use.selector for use in self.uses())
        self._together = Together.of(
            ((running.step, running.group.query_offset), running.group.expressions)
            for running in self.groups
        )
        for running in self.groups:
            state = known.get(running.name, GroupState()).only(running.rules)
            running.state = replace(state, memory=self._at_work(running, state.memory))

    def _at_work(self, running: RunningGroup, memory: Memory) -> Memory:
        """The memory with detectors that go on with what they learned."""
        detections = {}
        for slot, rule in running.detectors.items():
            known = memory.detections.get(slot)
            if known is None:
                kept = self._learned.get(detection_key(running.name, slot), {})
                known = rule.detector.begin(kept)
            elif isinstance(rule.detector, Resumes):
                known = rule.detector.resume(known)
            detections[slot] = known
        return Memory(memory.alerts, memory.recorded, detections)

    def _news(self, group: str, memory: Memory) -> list[StateChange]:
        """What the group's detectors learned since the last instant."""
        found = []
        for slot, detection in memory.detections.items():
            name = detection_key(group, slot)
            for key, value in detection.changes().items():
                self._written.setdefault(name, set()).add(key)
                found.append(StateChange(f"{DETECTION}{name}\0{key}", value))
        return found

    def _forgotten(self) -> list[StateChange]:
        """What detectors had kept that no rule has any more."""
        stay = {detection_key(each.name, slot) for each in self.groups for slot in each.detectors}
        gone = self._written.keys() - stay
        return [
            StateChange(f"{DETECTION}{name}\0{key}", None)
            for name in sorted(gone)
            for key in sorted(self._written.pop(name))
        ]

    def _levels(self, running: RunningGroup, found: Evaluation, at: int) -> list[AlertLevel]:
        told = self._changes(running, found.transitions)
        if at // ANNOUNCE_EVERY > (at - running.step) // ANNOUNCE_EVERY:
            fresh = {(key, each.labels) for key, each in found.transitions}
            told += [
                levels.repeated(labels, alert, self._url(running, key), _wait(running, key))
                for key, alerts in found.memory.alerts.items()
                for labels, alert in alerts.items()
                if (key, labels) not in fresh
            ]
        return told

    def _changes(
        self, running: RunningGroup, transitions: Iterable[tuple[str, Transition]]
    ) -> list[AlertLevel]:
        return [
            levels.changed(each, self._url(running, key), _wait(running, key))
            for key, each in transitions
        ]

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


def _failed(running: RunningGroup, failure: Failure) -> str:
    """What a failure is counted under: without the labels in its reason, which have no end."""
    kind, labels, _ = failure.reason.partition("{")
    return f"rule failed:{running.name}:{failure.key}: {kind.rstrip()}{'…' if labels else ''}"


def _wait(running: RunningGroup, key: str) -> int:
    """The `for` of a rule, in ms."""
    rule = running.rules[key]
    return rule.hold.wait if isinstance(rule, AlertRule | DetectRule) else 0
