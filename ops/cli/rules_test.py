"""`tocsin rules test`: unit tests of rules in promtool's format, with promtool's verdicts."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from glob import glob
from pathlib import Path

from ops.cli.rules_check import text_at
from ops.cli.terminal import complain
from processors.promql.errors import Refused as BadPattern
from processors.rule_tests.file import cases, chosen, parsed
from processors.rule_tests.junit import Case, Suite, xml
from processors.rule_tests.model import BadTests
from processors.rules.file import BadRules, RuleFile, load
from schemas.errors import Refused

FAILED, FINE = 1, 0


def run(arguments: argparse.Namespace) -> int:
    """Run every file; 1 if a test failed or a file could not be used."""
    try:
        runs = chosen(arguments.run or ())
    except BadPattern as fault:
        raise Refused(f"--run: {fault}") from fault
    for file in arguments.files:
        if not Path(file).is_file():
            raise Refused(f"{file}: {'is no file' if Path(file).exists() else 'no such file'}")
    began = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    suites = [_suite(file, arguments, runs) for file in arguments.files]
    if arguments.junit:
        _write(arguments.junit, xml(suites, began))
    if arguments.json:
        print(json.dumps({"files": [_plain(suite) for suite in suites]}))
    return FAILED if any(_failed(suite) for suite in suites) else FINE


def _suite(file: str, arguments: argparse.Namespace, runs: Callable[[str], bool]) -> Suite:
    """One file, told as it ends."""
    loud = not arguments.json
    found: list[Case] = []
    began = time.monotonic()
    try:
        tests = parsed(text_at(file), ignore_unknown=arguments.ignore_unknown_fields)
        rules = _rules(Path(file), tests.rule_files, tests.interval, arguments, loud=loud)
        found += cases(tests, rules, runs, diff=arguments.diff)
        suite = Suite(file, tuple(found))
    except (BadTests, BadRules, Refused) as fault:
        suite = Suite(file, tuple(found), str(fault))
    if arguments.debug:
        print(f"DEBUG: {file}: {time.monotonic() - began:.3f} s", file=sys.stderr)
    if loud:
        _tell(suite)
    return suite


def _rules(
    file: Path, names: tuple[str, ...], interval: int, arguments: argparse.Namespace, *, loud: bool
) -> list[RuleFile]:
    """The rule files that a test file names, relative to where it lies."""
    found: list[RuleFile] = []
    for name in names:
        pattern = str(file.parent / name) if name else ""
        matched = sorted(glob(pattern, include_hidden=True))
        if not matched and loud:
            complain(f"  WARNING: no file match pattern {pattern}")
        found += [
            load(
                text_at(each),
                each,
                default_step=interval,
                fixed_times=True,
                ignore_unknown=arguments.ignore_unknown_fields,
            )
            for each in matched
        ]
    return found


def _tell(suite: Suite) -> None:
    # As promtool: what failed goes to standard error, its empty lines to standard output.
    if not _failed(suite):
        print("  SUCCESS\n")
        return
    sys.stdout.flush()
    complain("  FAILED:")
    failures = [failure for case in suite.cases for failure in case.failures]
    for failure in [suite.error] if suite.error else failures:
        complain(failure)
        print(flush=True)
    print(flush=True)


def _failed(suite: Suite) -> bool:
    return bool(suite.error) or any(case.failures for case in suite.cases)


def _plain(suite: Suite) -> dict[str, object]:
    tests = [{"name": case.name, "failures": list(case.failures)} for case in suite.cases]
    return {"file": suite.name, "error": suite.error, "tests": tests}


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, "utf-8")
    except OSError as fault:
        raise Refused(f"--junit: {file}: {fault.strerror}") from fault
