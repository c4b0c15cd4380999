"""The queries of a template: what they read is known at load, what they answer when it runs.

A query's text is a literal, or is put together by `printf` and `print` from literals and what is
known only later. Then it is compiled twice with different stand-ins for the unknown: metric names,
ranges and offsets must come out the same, and a matcher that does not is left open.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from processors.promql.columns import Columns, SeriesSet, Source
from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.plan import DEFAULT_STEP, LOOKBACK, Plan, compile
from processors.promql.reach import SelectorUse
from processors.promql.selector import Matcher, Selector
from processors.promql.tree import Kind
from processors.promql.vector import Vector
from processors.templates.values import QueryResult, Sample
from schemas.templates.blocks import Range
from schemas.templates.errors import BadTemplate, Unexpandable
from schemas.templates.parser import Parsed
from schemas.templates.printf import sprint, sprintf
from schemas.templates.quoting import quoted
from schemas.templates.tree import Command, Identifier, Literal, Operand, Pipeline, Variable
from schemas.templates.values import Value

_STAND_INS = ("1", "2")


@dataclass(frozen=True, slots=True)
class _Unknown:
    """What is known only when the template runs."""


UNKNOWN = _Unknown()
_Known: TypeAlias = str | int | float | bool | _Unknown


@dataclass(frozen=True, slots=True)
class Queries:
    """What the queries of a template read."""

    plans: tuple[Plan, ...] = ()
    lookback: int = LOOKBACK
    default_step: int = DEFAULT_STEP


@lru_cache(maxsize=4096)
def _compiled(text: str, lookback: int, default_step: int) -> Plan:
    return compile(text, lookback, default_step)


def queries_of(parsed: Parsed, lookback: int, default_step: int) -> Queries:
    """The queries of a template; raises BadTemplate where it cannot be known what they read."""
    reading = _Reading(parsed, lookback, default_step)
    return Queries(tuple(reading.plans()), lookback, default_step)


def _nodes(node: object) -> Iterator[object]:
    """Everything below a node of the tree."""
    if isinstance(node, tuple):
        for each in node:
            yield from _nodes(each)
    elif is_dataclass(node) and not isinstance(node, type):
        yield node
        for part in fields(node):
            yield from _nodes(getattr(node, part.name))


class _Reading:
    """One pass over one template."""

    def __init__(self, parsed: Parsed, lookback: int, default_step: int) -> None:
        self.nodes = [
            *_nodes(parsed.block),
            *(node for block in parsed.definitions.values() for node in _nodes(block)),
        ]
        self.lookback, self.default_step = lookback, default_step
        self.stand_in = _STAND_INS[0]

    def plans(self) -> Iterator[Plan]:
        """A plan for each query."""
        for node in self.nodes:
            if isinstance(node, Pipeline):
                for place, command in enumerate(node.commands):
                    text = self.asked(node, place, command)
                    if text is not None:
                        yield self.plan(text)

    def asked(self, pipeline: Pipeline, place: int, command: Command) -> tuple[str, str] | None:
        """The text of a query, once with each stand-in; nothing where the command is no query."""
        if not isinstance(command.operands[0], Identifier) or command.operands[0].text != "query":
            if any(isinstance(e, Identifier) and e.text == "query" for e in command.operands[1:]):
                raise BadTemplate(1, "query needs an expression")
            return None
        found: list[str] = []
        for self.stand_in in _STAND_INS:
            known: _Known = UNKNOWN
            if len(command.operands) == 2:
                known = self.worth(command.operands[1], ())
            elif place:
                known = self.piped(pipeline.commands[:place], ())
            if not isinstance(known, str):
                raise BadTemplate(
                    1,
                    f"what {quoted(pipeline.text)} reads is known only when it runs: "
                    "write the query as a text, or as printf of a text",
                )
            found.append(known)
        return found[0], found[1]

    def piped(self, commands: tuple[Command, ...], seen: tuple[str, ...]) -> _Known:
        """What commands are worth, each given the one before."""
        value: _Known | None = None
        for command in commands:
            value = self.command(command, value, seen)
        return UNKNOWN if value is None else value

    def worth(self, operand: Operand, seen: tuple[str, ...]) -> _Known:
        """What an operand is worth, as far as that is known."""
        match operand:
            case Literal(value=value):
                return value
            case Pipeline(commands=commands):
                return self.piped(commands, seen)
            case Variable(name=name, names=()) if name not in seen:
                return self.variable(name, seen)
        return UNKNOWN

    def variable(self, name: str, seen: tuple[str, ...]) -> _Known:
        """A variable that is given a value in one place only."""
        loops = [node.pipeline for node in self.nodes if isinstance(node, Range)]
        given = [
            node for node in self.nodes if isinstance(node, Pipeline) and name in node.declares
        ]
        if len(given) != 1 or given[0] in loops:
            return UNKNOWN
        return self.piped(given[0].commands, (*seen, name))

    def command(self, command: Command, final: _Known | None, seen: tuple[str, ...]) -> _Known:
        """What a command is worth."""
        first = command.operands[0]
        if not isinstance(first, Identifier):
            return self.worth(first, seen) if len(command.operands) == 1 else UNKNOWN
        given = [self.worth(each, seen) for each in command.operands[1:]]
        given += [] if final is None else [final]
        if first.text == "print":
            return sprint([self.shown(each) for each in given])
        if first.text == "printf" and given and isinstance(given[0], str):
            return self.printed(given[0], given[1:])
        return UNKNOWN

    def shown(self, known: _Known) -> Value:
        return self.stand_in if isinstance(known, _Unknown) else known

    def printed(self, form: str, given: list[_Known]) -> str:
        """A format with stand-ins: a number stands where a number is asked for."""
        if not any(isinstance(each, _Unknown) for each in given):
            return sprintf(form, given)
        text = sprintf(form, [self.shown(each) for each in given])
        number = int(self.stand_in)
        for wanted in (number, float(number)):
            if "%!" not in text:
                break
            text = sprintf(form, [wanted if isinstance(e, _Unknown) else e for e in given])
        return text

    def plan(self, texts: tuple[str, str]) -> Plan:
        """The plan of a query, with the matchers that are the same in both texts."""
        one, other = (self.compiled(text) for text in texts)
        if texts[0] == texts[1]:
            return one
        uses = tuple(
            replace(mine, selector=Selector(_shared(mine.selector, theirs.selector)))
            for mine, theirs in zip(one.selectors, other.selectors, strict=False)
            if replace(mine, selector=theirs.selector) == theirs
        )
        same = len(uses) == len(one.selectors) == len(other.selectors)
        if not same or any(use.selector.metric is None for use in uses):
            raise BadTemplate(
                1,
                f"the query {quoted(texts[0])} must name its metrics, ranges and offsets: "
                "they are needed before it runs",
            )
        return replace(one, selectors=uses)

    def compiled(self, text: str) -> Plan:
        try:
            plan = _compiled(text, self.lookback, self.default_step)
        except Refused as fault:
            raise BadTemplate(1, f"could not use query {quoted(text)}: {fault}") from fault
        if plan.kind not in {Kind.SCALAR, Kind.VECTOR}:
            raise BadTemplate(1, f"query {quoted(text)} gives no vector or scalar")
        return plan


def _shared(one: Selector, other: Selector) -> tuple[Matcher, ...]:
    return tuple(each for each in one.matchers if each in other.matchers)


@dataclass(slots=True, eq=False)  # not frozen: one is made for every expansion
class Answers:
    """What the queries of a template are worth at an instant (ms)."""

    queries: Queries
    source: Source
    at: int
    external_url: str

    @property
    def now(self) -> float:
        """The instant in seconds."""
        return self.at / 1000

    def query(self, text: str) -> QueryResult:
        """The result in label order; raises Unexpandable."""
        try:
            plan = _compiled(text, self.queries.lookback, self.queries.default_step)
            known = [use for each in self.queries.plans for use in each.selectors]
            value = plan.evaluate(_Narrowing(self.source, _covers(plan, known)), self.at)
        except (Refused, EvaluationFailed) as fault:
            raise Unexpandable(str(fault)) from fault
        if isinstance(value, Vector):
            return QueryResult(Sample(dict(labels), each) for labels, each in plan.listed(value))
        if isinstance(value, float):
            return QueryResult([Sample({}, value)])
        raise Unexpandable("rule result is not a vector or scalar")


def _covers(plan: Plan, known: list[SelectorUse]) -> dict[Selector, Selector]:
    """For each selector of a query the one, known at load, that holds its series."""
    found: dict[Selector, Selector] = {}
    for use in plan.selectors:
        wider = next((each.selector for each in known if _holds(each, use)), None)
        if wider is None:
            raise Unexpandable("the query reads what was not known when the rule was loaded")
        found[use.selector] = wider
    return found


def _holds(known: SelectorUse, use: SelectorUse) -> bool:
    """Whether what is known to be read includes what a query reads."""
    return (
        set(known.selector.matchers) <= set(use.selector.matchers)
        and known.reach_ms >= use.reach_ms
        and known.ahead_ms >= use.ahead_ms
        and set(known.fixed_at) >= set(use.fixed_at)
    )


@dataclass(frozen=True, slots=True)
class _Narrowing:
    """A source that is asked for the wider selectors, reduced to the narrower ones."""

    source: Source
    wider: dict[Selector, Selector]

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """The series that the selector selects."""
        wide = self.wider.get(selector, selector)
        columns = self.source.select(wide, start, end)
        if wide == selector:
            return columns
        labels = columns.series.labels
        rows = np.array([i for i, each in enumerate(labels) if selector.matches(each)], np.intp)
        return Columns(
            SeriesSet(tuple(labels[row] for row in rows)),
            columns.times[rows],
            columns.values[rows],
            columns.counts[rows],
        )
