"""Rules of mixed shapes, as people publish them, over ten series for each selector.

The rules are not part of this repository: `--rules=DIR` names a directory of rule files.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

import numpy as np
import yaml

from benchmarks.detect.fleet import T0, Target
from benchmarks.detect.ours import Ours
from benchmarks.detect.peer import running
from benchmarks.detect.table import Row
from processors.promql.columns import Floats
from processors.promql.errors import Refused
from processors.promql.fusion.engine import Fusion
from processors.promql.plan import Plan, compile
from processors.promql.selector import Match, Matcher, Selector
from processors.promql.tree import Aggregate, Binary, Expression, children
from processors.windows import Windows

GOAL = 5.0
RULES, SERIES, TURNS, INTERVAL = 1_000, 10, 16, 5_000
FURTHEST = 7_200_000
"""Ranges that Tocsin keeps raw (ms); rules that look further back are left out."""
BOUNDS = ("0.01", "0.05", "0.1", "0.5", "1", "2", "5", "10", "60", "+Inf")
LEVELS = (0.0, 1.0, 1e9, 0.5, 100.0)
GUESSES = ("x", "1", "5xx", "500", "node", "/", "/data", "eth0", "sda", "etcd", "ext4", "a-b", "")


def run(directory: Path | None, with_peer: bool) -> Iterator[Row]:
    """One row; none without a directory."""
    if directory is None:
        return
    text, plans = drawn(directory)
    series = tuple(_series(plans))
    for quiet in (True, False):
        levels = _quiet(series, plans) if quiet else np.full(len(series), 0.5)
        yield _row(text, len(plans), Target("0", series, _values(levels)), with_peer)


def _row(text: str, rules: int, target: Target, with_peer: bool) -> Row:
    theirs = None
    if with_peer:
        with (
            TemporaryDirectory(dir=".") as name,
            running(Path(name), [target], "5s", "15s") as peer,
        ):
            sleep(TURNS * INTERVAL / 1_000)
            theirs = peer.rules_cost(text, 15, 30, peer.cost(15)) / rules * 1e6
    ours = Ours([target], {"rules.yml": text}, INTERVAL)
    ours.take(TURNS)
    spent = ours.cost()
    active = sum(len(a) for g in ours.evaluator.groups for a in g.state.memory.alerts.values())
    return Row(
        f"{ours.rules:,} public rules of mixed shapes, {len(target.series):,} series",
        "µs a rule",
        theirs,
        spent / ours.rules * 1e6,
        GOAL,
        note=f"{active:,} alerts active",
    )


def drawn(directory: Path) -> tuple[str, list[Plan]]:
    """One file with up to a thousand of the rules, and their plans."""
    groups: list[dict[str, Any]] = []
    plans: list[Plan] = []
    for file in sorted(directory.rglob("*.y*ml")):
        for group in (yaml.safe_load(file.read_text()) or {}).get("groups") or []:
            rules = []
            for rule in group.get("rules") or []:
                plan = _plan(str(rule["expr"]))
                if plan is not None and len(plans) < RULES:
                    plans.append(plan)
                    rules.append(rule)
            if rules:
                groups.append({"name": f"{len(groups)} {group['name']}", "rules": rules})
    return yaml.safe_dump({"groups": groups}, sort_keys=False), plans


def _plan(expr: str) -> Plan | None:
    try:
        plan = compile(expr)
    except Refused:
        return None
    near = all(use.reach_ms <= FURTHEST for use in plan.selectors)
    return plan if near else None


def _series(plans: Iterable[Plan]) -> Iterator[tuple[str, dict[str, str]]]:
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for plan in plans:
        names = sorted(set(_labels(plan.tree)))
        for use in plan.selectors:
            for number in range(SERIES):
                found = _matching(use.selector, names, number)
                if found is not None:
                    name, pairs = found
                    known = (name, tuple(sorted(pairs.items())))
                    if known not in seen:
                        seen.add(known)
                        yield name, pairs


def _labels(tree: Expression) -> Iterator[str]:
    """The labels that the expression groups and matches by."""
    match tree:
        case Aggregate(labels=labels, by=True):
            yield from labels
        case Binary(matching=matching) if matching.on:
            yield from (*matching.labels, *matching.include)
    for child in children(tree):
        yield from _labels(child)


def _matching(
    selector: Selector, names: list[str], number: int
) -> tuple[str, dict[str, str]] | None:
    """The labels of series `number` of a selector; None if nobody can think of any."""
    pairs = {name: f"{name}-{number}" for name in names} | {"shard": str(number)}
    if "le" in names or (selector.metric or "").endswith("_bucket"):
        pairs["le"] = BOUNDS[number]
    metric = selector.metric or "up"
    for matcher in selector.matchers:
        if matcher.name == "__name__":
            metric = _value(matcher, "x") or metric
        elif matcher.name not in {"instance", "job"} or not matcher.accepts("node"):
            value = _value(matcher, pairs.get(matcher.name, ""))
            if value is None:
                return None
            pairs[matcher.name] = value
    pairs = {key: value for key, value in pairs.items() if value and key not in {"instance", "job"}}
    return metric, pairs


def _value(matcher: Matcher, given: str) -> str | None:
    if matcher.op is Match.EQUAL:
        return matcher.value
    likely = matcher.value.replace(".+", "x").replace(".*", "").replace("\\", "")
    for each in (given, *likely.strip("()^$").split("|"), *GUESSES):
        if matcher.accepts(each):
            return each
    return None


def _quiet(series: Sequence[tuple[str, dict[str, str]]], plans: list[Plan]) -> Floats:
    """For each series one of a few levels: so that rules fire where no level keeps them quiet."""
    found = np.full(len(series), LEVELS[0])
    fusion = Fusion(plans)
    for level in LEVELS[1:]:
        target = Target("0", tuple(series), [found])
        place = {labels: row for row, labels in enumerate(target.labels)}
        windows = Windows([use for plan in plans for use in plan.selectors])
        block = target.block()
        for turn in range(TURNS):
            now = T0 + turn * INTERVAL
            windows.add(target.batch(block, turn, now), np.array([now]), now)
        for plan in fusion.evaluate(windows.all, now).found:
            for use in plan.selectors:
                for labels in windows.locate(use.selector).series.labels:
                    found[place[labels]] = level
    return found


def _values(levels: Floats) -> list[Floats]:
    """They stand still, so that no alert comes and goes at every pass."""
    return [levels]
