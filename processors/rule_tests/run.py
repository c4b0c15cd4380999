"""Runs one test: rules at their instants over growing samples, and what was expected of them.

As in promtool every group is evaluated at every evaluation interval, whatever its own is.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from struct import pack

from processors.promql.columns import STALE
from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.labels import Labels, of
from processors.promql.plan import LOOKBACK, compile
from processors.promql.tree import Kind
from processors.promql.vector import Vector
from processors.rule_tests import durations, series, shown
from processors.rule_tests.difference import difference
from processors.rule_tests.inputs import steps
from processors.rule_tests.model import AlertTest, ExpressionTest, TestGroup
from processors.rule_tests.series import BadSeries
from processors.rule_tests.store import Store
from processors.rules.group import ALERT_NAME, Group, Memory, RecordRule
from processors.rules.lifecycle import State
from schemas.templates.numbers import duration, number
from schemas.templates.quoting import quoted

MOST_INSTANTS = 1_000_000
_INDENT = " " * 12


@dataclass(frozen=True, slots=True)
class Settings:
    """How the tests of a file run; `interval` in milliseconds."""

    interval: int
    fuzzy: bool = False
    diff: bool = False


@dataclass(slots=True)
class Running:
    """A rule group under test, and what it remembers."""

    group: Group
    memory: Memory = field(default_factory=Memory)

    def firing(self, name: str) -> Iterator[shown.Alert]:
        """The alerts of a name that fire."""
        for key, rule in zip(self.group.keys, self.group.rules, strict=True):
            if isinstance(rule, RecordRule) or rule.name != name:
                continue
            for labels, alert in self.memory.alerts.get(key, {}).items():
                if alert.state is State.FIRING:
                    yield labels, alert.annotations


def run(test: TestGroup, groups: Sequence[Group], settings: Settings) -> list[str]:
    """What failed, in promtool's words."""
    nameless = next((each for each in test.alert_rule_test if not each.alertname), None)
    if nameless is not None:
        where = f" (in TestGroup {test.name})" if test.name else ""
        return [
            "an item under alert_rule_test misses required attribute alertname "
            f"at eval_time {durations.text(nameless.eval_time)}{where}"
        ]
    if test.longest // settings.interval > MOST_INSTANTS:
        return [f"the last eval_time is more than {MOST_INSTANTS} evaluation intervals away"]
    try:
        return _Run(test, groups, settings).failures()
    except BadSeries as fault:
        return [str(fault)]


class _Run:
    def __init__(self, test: TestGroup, groups: Sequence[Group], settings: Settings) -> None:
        self.test, self.settings = test, settings
        self.store = Store()
        self.running = [Running(group) for group in groups]
        self.external = of(test.external_labels.items())
        self.inputs = steps(test, settings.interval, self.store)

    def failures(self) -> list[str]:
        """Evaluates everything, then asks everything."""
        found: list[str] = []
        start, interval = self.test.start_timestamp, self.settings.interval
        asked = sorted(self.test.alert_rule_test, key=lambda each: each.eval_time)
        given = 0
        for at in range(start, start + self.test.longest + 1, interval):
            while given < len(self.inputs) and self.inputs[given].at <= at:
                self.inputs[given].append()
                given += 1
            broken = self.evaluate(at)
            found += broken
            if broken:
                return found
            while asked and asked[0].eval_time < at + interval - start:
                found += self.alerts(asked.pop(0))
        for expression in self.test.promql_expr_test:
            found += self.expression(expression)
        return found

    def evaluate(self, at: int) -> list[str]:
        """Every group at an instant; what could not be evaluated or kept."""
        broken: list[str] = []
        when = duration(at * 1_000_000)
        for running in self.running:
            before = running.memory.recorded
            found = running.group.evaluate(
                self.store, at, running.memory, self.external, self.test.external_url, True
            )
            running.memory = found.memory
            failed = {failure.key: failure.reason for failure in found.failures}
            samples = iter(found.samples)
            for key, rule in zip(running.group.keys, running.group.rules, strict=True):
                why = failed.get(key)
                if why is None:
                    count = _recorded(before.get(key, ()), found.memory.recorded.get(key, ()))
                    why = self.record(list(islice(samples, count)), found.sampled_at)
                if why is not None:
                    broken.append(f"    rule: {rule.name}, time: {when}, err: {why}")
        return broken

    def record(self, samples: Sequence[tuple[Labels, float]], at: int) -> str | None:
        """Keeps what a rule recorded; why something of it cannot be kept, which is the last."""
        reason = None
        for known, value in self.store.add(samples, at):
            if not _stale(value) and (known[0] > at or bits(known[1]) != bits(value)):
                reason = _unkept(at, known, value)
        return reason

    def alerts(self, asked: AlertTest) -> list[str]:
        """Whether the alerts that fire are those expected."""
        found = sorted(each for one in self.running for each in one.firing(asked.alertname))
        expected = sorted(
            (
                tuple(sorted({**each.exp_labels, ALERT_NAME: asked.alertname}.items())),
                tuple(sorted(each.exp_annotations.items())),
            )
            for each in asked.exp_alerts
        )
        if found == expected:
            return []
        name = f"    name: {self.test.name},\n" if self.test.name else ""
        head = (
            f"{name}    alertname: {asked.alertname}, time: {durations.text(asked.eval_time)}, \n"
        )
        wanted, got = (
            shown.alerts(each, "" if self.settings.diff else _INDENT) for each in (expected, found)
        )
        if self.settings.diff:
            return [f"{head}        diff: {difference(wanted, got, _INDENT)}"]
        return [f"{head}        exp:{wanted}, \n        got:{got}"]

    def expression(self, asked: ExpressionTest) -> list[str]:
        """Whether an expression is worth what is expected."""
        time = durations.text(asked.eval_time)
        head = f"    expr: {quoted(asked.expr)}, time: {time},"
        try:
            got = self.value(asked)
        except (Refused, EvaluationFailed) as fault:
            return [f"{head} err: {fault}"]
        expected: list[shown.Sample] = []
        for sample in asked.exp_samples:
            if sample.histogram:
                return [f"{head} err: labels {quoted(sample.labels)}: native histograms are not "
                        "supported"]  # fmt: skip
            try:
                expected.append((series.labels(sample.labels), sample.value))
            except BadSeries as fault:
                return [f"{head} err: labels {quoted(sample.labels)}: {fault}"]
        expected.sort(key=_labels)
        got.sort(key=_labels)
        if _agree(expected, got, self.settings.fuzzy):
            return []
        wanted, found = shown.samples(expected), shown.samples(got)
        return [f"{head}\n        exp: {wanted}\n        got: {found}"]

    def value(self, asked: ExpressionTest) -> list[shown.Sample]:
        plan = compile(asked.expr, LOOKBACK, self.settings.interval)
        if plan.kind not in {Kind.SCALAR, Kind.VECTOR}:
            raise Refused("rule result is not a vector or scalar")
        value = plan.evaluate(self.store, self.test.start_timestamp + asked.eval_time)
        if isinstance(value, Vector):
            return value.items()
        assert isinstance(value, float)
        return [((), value)]


def _unkept(at: int, known: tuple[int, float], value: float) -> str:
    """Why a sample that is no newer than another cannot be kept, in Prometheus's words."""
    if known[0] > at:
        return "out of order sample"
    if not at:
        return "duplicate sample for timestamp"
    existing, new = number(known[1]), number(value)
    return (
        f"duplicate sample for timestamp {at}; overrides not allowed: "
        f"existing {existing}, new value {new}"
    )


def _labels(sample: shown.Sample) -> Labels:
    return sample[0]


def _agree(expected: list[shown.Sample], got: list[shown.Sample], fuzzy: bool) -> bool:
    if len(expected) != len(got):
        return False
    return all(
        mine[0] == theirs[0] and _same(mine[1], theirs[1], fuzzy)
        for mine, theirs in zip(expected, got, strict=True)
    )


def _same(mine: float, theirs: float, fuzzy: bool) -> bool:
    if mine == theirs:
        return True
    return fuzzy and theirs in {math.nextafter(mine, -math.inf), math.nextafter(mine, math.inf)}


def bits(value: float) -> bytes:
    """What tells one NaN from another, and zero from minus zero."""
    return pack("<d", value)


def _stale(value: float) -> bool:
    return bits(value) == bits(STALE)


def _recorded(before: Collection[Labels], after: Collection[Labels]) -> int:
    """How many samples a rule recorded: one for each series, and one for each that ended."""
    now = set(after)
    return len(now) + sum(labels not in now for labels in before)
