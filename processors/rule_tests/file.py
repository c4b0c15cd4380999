"""A test file: read, and run against the rules that it names."""

from collections.abc import Callable, Iterator, Sequence

from processors.promql.regex import Searching
from processors.rule_tests.junit import Case
from processors.rule_tests.model import BadTests, TestFile, Wrong, validated
from processors.rule_tests.run import Settings, run
from processors.rules.file import RuleFile
from processors.rules.group import Group
from processors.rules.marked import Unreadable, read


def parsed(text: str, *, ignore_unknown: bool = False) -> TestFile:
    """A test file's text by its model; raises BadTests."""
    try:
        document = read(text)
    except Unreadable as fault:
        raise BadTests((Wrong(fault.line, str(fault)),)) from fault
    tests = validated(document, ignore_unknown=ignore_unknown)
    order = tests.group_eval_order
    repeated = next((name for place, name in enumerate(order) if name in order[:place]), None)
    if repeated is not None:
        line = document.line(("group_eval_order",))
        message = f"group name repeated in evaluation order: {repeated}"
        raise BadTests((Wrong(line, message),))
    return tests


def chosen(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Which tests run, by their names; raises Refused where a pattern is none."""
    if not patterns:
        return lambda _: True
    return Searching("|".join(patterns)).found


def ordered(tests: TestFile, files: Sequence[RuleFile]) -> tuple[Group, ...]:
    """All groups in the order in which they are evaluated: `group_eval_order`, else the files'."""
    order = {name: place for place, name in enumerate(tests.group_eval_order)}
    groups = [group for file in files for group in file.groups]
    return tuple(sorted(groups, key=lambda group: order.get(group.name, 0)))


def cases(
    tests: TestFile,
    files: Sequence[RuleFile],
    runs: Callable[[str], bool] = lambda _: True,
    *,
    diff: bool = False,
) -> Iterator[Case]:
    """Runs the tests one after the other."""
    groups = ordered(tests, files)
    settings = Settings(tests.interval, tests.fuzzy_compare, diff)
    for number, test in enumerate(tests.tests):
        if runs(test.name):
            yield Case(test.name or f"unnamed#{number}", tuple(run(test, groups, settings)))
