"""Prometheus rule files: read, validated and compiled, with every problem reported at once."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeAlias

from pydantic import ValidationError

from processors.detect.model import Complaint
from processors.detect.registry import KINDS
from processors.promql.errors import Refused
from processors.promql.plan import DEFAULT_STEP, LOOKBACK, Plan, compile
from processors.promql.tree import Kind
from processors.rules.group import AlertRule, DetectRule, Group, RecordRule, Rule, Templates
from processors.rules.lifecycle import Hold
from processors.rules.marked import Document, Path, Unreadable, read
from processors.rules.model import MAY_BE_EMPTY, WrittenGroup, WrittenRule
from processors.rules.template import BadTemplate, Template, compiled
from schemas.templates.quoting import quoted

FIXED_TIMES = "@ with a time asks for samples that windows move away from: use offset"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it."""

    file: str
    line: int
    key: str
    message: str
    hint: str = ""
    column: int = 1
    place: str = ""
    """Group and rule in promtool's words, which only its lines show."""

    def __str__(self) -> str:
        hint = f": {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}: {self.key}: {self.message}{hint}"


class BadRules(ValueError):
    """A rule file that cannot be used; `problems` are all of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


Planning: TypeAlias = Callable[[Plan, int], Plan]
"""Makes of a plan what its reader runs; raises `Refused`."""
FAR_QUERY = (
    "a template's query reads raw samples, which are kept for two hours: record it by a rule"
)


def as_written(plan: Plan, _query_offset: int) -> Plan:
    """The plan, for a reader that has every sample."""
    return plan


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file's groups, ready to evaluate."""

    name: str
    groups: tuple[Group, ...]
    warnings: tuple[Problem, ...] = ()


def load(
    text: str,
    file: str,
    *,
    lookback: int = LOOKBACK,
    default_step: int = DEFAULT_STEP,
    fixed_times: bool = False,
    ignore_unknown: bool = False,
    planning: Planning = as_written,
) -> RuleFile:
    """Reads a rule file's text; raises BadRules.

    `default_step` is that of subqueries without one, in milliseconds; `fixed_times` allows `@` with
    a time, which only those can serve whose samples stay; `ignore_unknown` passes over keys that we
    do not know; `planning` is what becomes of each plan, given its group's `query_offset`.
    """
    try:
        document = read(text)
    except Unreadable as fault:
        raise BadRules((Problem(file, fault.line, "YAML", str(fault)),)) from fault
    loading = _Loading(document, file, lookback, default_step, fixed_times, ignore_unknown)
    loading.planning = planning
    groups = tuple(loading.groups())
    if loading.problems:
        found = sorted(loading.problems, key=lambda problem: problem.line)
        raise BadRules(tuple(found))
    return RuleFile(file, groups, tuple(loading.warnings))


class _Loading:
    """One pass over one document; collects problems instead of stopping at the first."""

    def __init__(
        self,
        document: Document,
        file: str,
        lookback: int,
        default_step: int,
        fixed_times: bool,
        ignore_unknown: bool,
    ) -> None:
        self.document, self.file, self.lookback = document, file, lookback
        self.default_step, self.fixed_times = default_step, fixed_times
        self.ignore_unknown = ignore_unknown
        self.planning: Planning = as_written
        self.query_offset = 0
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def report(self, path: Path, message: str, hint: str = "") -> None:
        """Notes a problem at a path of the document."""
        self.problems.append(self.problem(path, message, hint))

    def warn(self, path: Path, message: str) -> None:
        """Notes what stops nothing, yet will not do what its writer expects."""
        self.warnings.append(self.problem(path, message, ""))

    def problem(self, path: Path, message: str, hint: str) -> Problem:
        """What is said of a path of the document."""
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
        line, column = self.document.line(path), self.document.column(path)
        name = key.lstrip(".") or "file"
        return Problem(self.file, line, name, message, hint, column, self.place(path))

    def place(self, path: Path) -> str:
        """The group and the rule that a path leads through."""
        match path:
            case ("groups", int(i), "rules", int(j), *_):
                group = self.document.content["groups"][i]
                rule = group["rules"][j]
                if isinstance(rule, dict):
                    name = rule.get("alert") or rule.get("record") or ""
                    return (
                        f"group {quoted(str(group.get('name')))}, rule {j + 1}, {quoted(str(name))}"
                    )
        return ""

    def groups(self) -> Iterator[Group]:
        """Every group that is sound."""
        content = self.document.content
        if not isinstance(content, dict):
            self.report((), "must be a mapping with the key 'groups'")
            return
        for key in () if self.ignore_unknown else content.keys() - {"groups"}:
            self.report((key,), f"unknown key {key!r}", "a rule file has 'groups' only")
        names: set[str] = set()
        for i, written in enumerate(self.listed(content.get("groups") or [], ("groups",))):
            path: Path = ("groups", i)
            group = self.group(written, path)
            if group is None:
                continue
            if group.name in names:
                self.report((*path, "name"), f"group {group.name!r} is repeated in the same file")
            names.add(group.name)
            yield group

    def listed(self, value: Any, path: Path) -> list[Any]:
        """The value where it is a list."""
        if isinstance(value, list):
            return value
        self.report(path, "must be a list")
        return []

    def group(self, written: Any, path: Path) -> Group | None:
        """One group with all its rules; none where its own keys are wrong."""
        if not isinstance(written, dict):
            self.report(path, "must be a mapping")
            return None
        own = {key: value for key, value in written.items() if key != "rules"}
        head = self.validated(WrittenGroup, own, path)
        self.query_offset = 0 if head is None else head.query_offset
        labels = {} if head is None else head.labels
        listed = self.listed(written.get("rules") or [], (*path, "rules"))
        rules = [self.rule(each, (*path, "rules", i), labels) for i, each in enumerate(listed)]
        if head is None:
            return None
        sound = tuple(rule for rule in rules if rule is not None)
        if head.evaluation is not None:
            sound = tuple(
                replace(rule, interval_only=True) if isinstance(rule, AlertRule) else rule
                for rule in sound
            )
        return Group(head.name, head.interval, sound, head.limit, head.query_offset)

    def validated(self, model: Any, written: Mapping[str, Any], path: Path) -> Any:
        """The model, or nothing after its problems were noted."""
        empty = [key for key, value in written.items() if value == "" and key in MAY_BE_EMPTY]
        given = {key: value for key, value in written.items() if key not in empty}
        try:
            return model.model_validate(given, extra="ignore" if self.ignore_unknown else None)
        except ValidationError as fault:
            for error in fault.errors(include_url=False):
                message = error["msg"].removeprefix("Value error, ")
                shown = error["input"]
                told = not isinstance(shown, str) or repr(shown) in message
                hint = "" if told else f"got {shown!r}"
                if error["type"] == "extra_forbidden":
                    message, hint = f"unknown key {str(error['loc'][-1])!r}", ""
                place = tuple(part for part in error["loc"] if part != "[key]")
                self.report((*path, *place), message, hint)
            return None

    def rule(self, written: Any, path: Path, shared: Mapping[str, str]) -> Rule | None:
        """One rule."""
        if not isinstance(written, dict):
            self.report(path, "must be a mapping")
            return None
        rule: WrittenRule | None = self.validated(WrittenRule, written, path)
        expr = written.get("expr")
        if expr in (None, "") and "detect" not in written:
            self.report(path, "field 'expr' must be set in rule")
        plan = self.plan(expr, path) if isinstance(expr, str) and expr else None
        if rule is None:
            self.told_anyway(written, path)
            return None
        labels = dict(sorted({**shared, **rule.labels}.items()))
        if rule.record:
            if plan is None:
                return None
            return RecordRule(rule.record, rule.expr, plan, tuple(labels.items()))
        texts = self.templates(labels, (*path, "labels"), rule.alert)
        notes = self.templates(rule.annotations, (*path, "annotations"), rule.alert)
        hold = Hold(rule.wait, rule.keep_firing_for)
        if rule.detect is not None:
            return self.detector(rule.alert, rule.detect, hold, texts, notes, path)
        if plan is None:
            return None
        waits = rule.evaluation is not None
        return AlertRule(rule.alert, rule.expr, plan, hold, texts, notes, waits)

    def detector(
        self,
        name: str,
        written: Mapping[str, Any],
        hold: Hold,
        texts: Templates,
        notes: Templates,
        path: Path,
    ) -> DetectRule | None:
        """A rule with `detect:` in place of `expr:`: one detector by name, with its options."""
        place: Path = (*path, "detect")
        if len(written) != 1 or (kind_name := next(iter(written))) not in KINDS:
            known = ", ".join(sorted(KINDS))
            self.report(place, "must name one detector", f"one of {known}")
            return None
        place = (*place, kind_name)
        kind, given = KINDS[kind_name], written[kind_name]
        options = self.validated(kind.options, {} if given is None else given, place)
        if options is None:
            return None
        try:
            built = kind.build(options, self.compiled)
        except Complaint as fault:
            self.report((*place, *fault.path), fault.reason, fault.hint)
            return None
        except Refused as fault:
            self.report(place, f"could not use expression: {fault}")
            return None
        for below, warning in built.warnings:
            self.warn((*place, *below), warning)
        text = json.dumps({kind_name: options.model_dump(mode="json")}, sort_keys=True)
        learned = options.model_dump(mode="json", include=kind.learns_from)
        digest = sha256(json.dumps({kind_name: learned}, sort_keys=True).encode()).hexdigest()[:16]
        return DetectRule(name, text, digest, built.detector, hold, texts, notes)

    def told_anyway(self, written: Mapping[str, Any], path: Path) -> None:
        """Notes what is wrong with the templates of a rule that is wrong already."""
        for key in ("labels", "annotations"):
            texts = written.get(key)
            if "record" not in written and isinstance(texts, dict):
                texts = {name: text for name, text in texts.items() if isinstance(text, str)}
                self.templates(texts, (*path, key), str(written.get("alert")))

    def compiled(self, expr: str) -> Plan:
        """The compiled expression; raises Refused."""
        plan = compile(expr, self.lookback, self.default_step)
        if plan.fixed_times and not self.fixed_times:
            raise Refused(FIXED_TIMES)
        return self.planning(plan, self.query_offset)

    def plan(self, expr: str, path: Path) -> Plan | None:
        """The compiled expression."""
        try:
            plan = self.compiled(expr)
        except Refused as fault:
            self.report((*path, "expr"), f"could not use expression: {fault}", repr(expr.strip()))
            return None
        if plan.kind in {Kind.SCALAR, Kind.VECTOR}:
            return plan
        self.report((*path, "expr"), "rule result is not a vector or scalar", repr(expr.strip()))
        return None

    def templates(self, written: Mapping[str, str], path: Path, alert: str) -> Templates:
        """Compiled templates, sorted by name."""
        found: list[tuple[str, Template]] = []
        for name, text in sorted(written.items()):
            try:
                template = compiled(text, f"__alert_{alert}", self.lookback, self.default_step)
                found.append((name, template))
                if any(plan.fixed_times for plan in template.plans) and not self.fixed_times:
                    self.report((*path, name), FIXED_TIMES, repr(text))
                elif any(
                    self.planning(plan, self.query_offset) is not plan for plan in template.plans
                ):
                    self.report((*path, name), FAR_QUERY, repr(text))
            except Refused as fault:
                self.report((*path, name), f"could not use query: {fault}", repr(text))
            except BadTemplate as fault:
                what = f"{str(path[-1]).removesuffix('s')} {quoted(name)}"
                message = f"{what}: template: __alert_{alert}:{fault.line}: {fault}"
                self.report((*path, name), message, repr(text))
        return tuple(found)
