"""`tocsin rules check`: rule files one by one, in the words of promtool."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.cli.check import text_of
from ops.cli.terminal import complain
from processors.partials.planning import planned
from processors.promql.labels import Labels
from processors.rules.file import BadRules, Problem, RuleFile, load
from processors.rules.group import RecordRule, written
from schemas.errors import Refused

FINE, FAILED, LINT = 0, 1, 3
LINTS = frozenset({"all", "duplicate-rules", "none"})


@dataclass(frozen=True, slots=True)
class Checked:
    """What there is to say of one file."""

    file: str
    rules: int
    problems: tuple[Problem, ...] = ()
    duplicates: tuple[tuple[str, Labels], ...] = ()
    warnings: tuple[Problem, ...] = ()


def run(arguments: argparse.Namespace) -> int:
    """Check every file, or standard input; 1 if one is refused, 3 with --lint-fatal."""
    lints = set(arguments.lint.split(","))
    for unknown in sorted(lints - LINTS):
        complain(f'WARNING: unknown lint option: "{unknown}"')
    found = [_checked(file, lints, arguments) for file in arguments.files or ("-",)]
    if arguments.json:
        print(json.dumps({"files": [_plain(each) for each in found]}))
    else:
        for each in found:
            _tell(each)
    if any(each.problems for each in found):
        return FAILED
    duplicates = any(each.duplicates for each in found)
    return LINT if arguments.lint_fatal and duplicates else FINE


def _checked(file: str, lints: set[str], arguments: argparse.Namespace) -> Checked:
    name = "standard input" if file == "-" else file
    try:
        text = sys.stdin.read() if file == "-" else text_at(file)
        rules = load(text, name, ignore_unknown=arguments.ignore_unknown_fields)
    except BadRules as fault:
        return Checked(name, 0, fault.problems)
    except Refused as fault:
        why = str(fault).removeprefix(f"{name}: ")
        return Checked(name, 0, (Problem(name, 0, "", why),))
    count = sum(len(group.rules) for group in rules.groups)
    duplicates = tuple(_duplicates(rules)) if lints & {"all", "duplicate-rules"} else ()
    return Checked(name, count, (), duplicates, (*rules.warnings, *_beyond(text, name, arguments)))


def _beyond(text: str, name: str, arguments: argparse.Namespace) -> tuple[Problem, ...]:
    """What promtool takes and a detector refuses: ranges that need more samples than it keeps."""
    try:
        load(text, name, ignore_unknown=arguments.ignore_unknown_fields, planning=planned)
    except BadRules as fault:
        return fault.problems
    return ()


def text_at(file: str) -> str:
    """A file's text; raises Refused, which names it."""
    try:
        return text_of(Path(file))
    except Refused as fault:
        raise Refused(f"{file}: {fault}") from fault


def _duplicates(rules: RuleFile) -> Iterator[tuple[str, Labels]]:
    """Rules of the same name and labels, each once, in order."""
    seen: dict[tuple[str, Labels], int] = {}
    for group in rules.groups:
        for rule in group.rules:
            labels = rule.labels if isinstance(rule, RecordRule) else written(rule)
            seen[(rule.name, labels)] = seen.get((rule.name, labels), 0) + 1
    return (known for known, count in sorted(seen.items()) if count > 1)


def _tell(checked: Checked) -> None:
    print(f"Checking {checked.file}", flush=True)
    if checked.problems or checked.duplicates:
        complain("  FAILED:")
        for problem in checked.problems:
            complain(line(problem))
        if checked.duplicates:
            complain(_duplicate_text(checked))
    else:
        print(f"  SUCCESS: {checked.rules} rules found")
    for warning in checked.warnings:
        complain(f"  WARNING: {line(warning)}")
    if not checked.problems:
        print(flush=True)


def line(problem: Problem) -> str:
    """A problem as promtool writes it, and what to do about it."""
    place = f"{problem.line}:{problem.column}: " if problem.line else ""
    where = f"{problem.place}: " if problem.place else f"{problem.key}: " if problem.key else ""
    hint = f": {problem.hint}" if problem.hint else ""
    return f"{problem.file}: {place}{where}{_named(problem)}{hint}"


def _named(problem: Problem) -> str:
    # A missing option has no text of its own in the file, so only its key says which one it is.
    _, inside, option = problem.key.partition(".detect.")
    return f"{option}: {problem.message}" if inside and problem.place else problem.message


def _duplicate_text(checked: Checked) -> str:
    lines = [f"lint error {len(checked.duplicates)} duplicate rule(s) found."]
    for name, labels in checked.duplicates:
        lines += [f"Metric: {name}", "Label(s):"]
        lines += [f"    {key}: {value}" for key, value in labels]
    return "\n".join([*lines, "Might cause inconsistency while recording expressions"])


def _plain(checked: Checked) -> dict[str, object]:
    return {
        "file": checked.file,
        "rules": checked.rules,
        "problems": [asdict(problem) for problem in checked.problems],
        "duplicates": [
            {"name": name, "labels": dict(labels)} for name, labels in checked.duplicates
        ],
        "warnings": [asdict(warning) for warning in checked.warnings],
    }
