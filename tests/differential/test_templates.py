import random

import pytest

from processors.promql.memory import MemorySource
from processors.rules.template import Surroundings, compiled
from tests.differential.templates import expanded
from tests.differential.test_promtool import needs_promtool

VALUES = [0.0, 1.5, -2.0, 3.0, 1234567.5, 1e-7, 1e21, 99.95, 0.05, 86461.5, -0.25, 1e300]
EXTERNAL = {"dc": "eu"}
SERIES = 'v{{instance="web-1",job="a b"}} {value!r}\nm{{i="1",z="b"}} 3\nm{{i="2",z="a"}} 7.5'
NUMBERS = [
    "$value", ".Value", "1", "-7", "0", "2.5", "1e6", "1e-9", "123456789", "0.1", "1e21", "60",
    '"12.5"', '(query "m{i=`1`}" | first | value)', "(len $labels)", "3661",
    "0.001234", "999.95", "1023.9",
]  # fmt: skip
STRINGS = [
    '"ab"', '"é x"', "$labels.instance", "$labels.no", ".Labels.job", '""', "`r\\n`",
    "$externalLabels.dc", '(print 1 "x")', '"10.0.0.1:80"', '"Ab.c:9"', '"<&>"', "$externalURL",
]  # fmt: skip
OF_NUMBERS = ["humanize", "humanize1024", "humanizeDuration", "humanizePercentage",
              "humanizeTimestamp", "toTime", "toDuration", "print", "printf \"%v\""]  # fmt: skip
OF_STRINGS = ["toUpper", "toLower", "title", "stripPort", "stripDomain", "urlQueryEscape", "len",
              "graphLink", "html", "urlquery", "println", "print", "match \"a\"",
              "reReplaceAll \"[a-z]\" \"<$0>\"", "parseDuration", "humanize"]  # fmt: skip
LABELS = (("__name__", "v"), ("instance", "web-1"), ("job", "a b"))
OF_SAMPLES = ["value", "label `i`", "strvalue"]


class Writer:
    """Draws templates from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def template(self) -> str:
        return "".join(self.piece(2) for _ in range(self.random.randint(1, 3)))

    def some(self, *choices: str) -> str:
        return self.random.choice(choices)

    def braces(self, inner: str) -> str:
        return self.some("{{", "{{ ", "{{- ") + inner + self.some(" }}", " }}", " -}}")

    def piece(self, depth: int) -> str:
        kind = self.random.randrange(11 if depth else 5)
        inner = self.piece(depth - 1) if depth else ""
        match kind:
            case 0:
                return self.some(" text ", "a%b", "\n", "}} { ", '"q"', "é")
            case 1:
                return self.braces(self.operand(depth))
            case 2:
                return self.braces(
                    f"{self.random.choice(NUMBERS)} | {self.random.choice(OF_NUMBERS)}"
                )
            case 3:
                return self.braces(
                    f"{self.random.choice(OF_STRINGS)} {self.random.choice(STRINGS)}"
                )
            case 4:
                return self.braces(self.printf())
            case 5:
                other = self.braces("else") + self.piece(0) if self.random.random() < 0.5 else ""
                return self.braces(f"if {self.condition()}") + inner + other + self.braces("end")
            case 6:
                return (
                    self.braces(f"with {self.operand(0)}") + "{{ . }}" + inner + self.braces("end")
                )
            case 7:
                names = self.some("", "$i := ", "$i, $x := ", "$_, $x := ")
                over = self.some(
                    'query "m"',
                    "$labels",
                    "3",
                    'query "none"',
                    "2",
                    'query "m" | sortByLabel "z"',
                    "$value",
                    "$labels.job",
                )
                used = "{{ $x }}" if "$x" in names and "m" not in over else ""
                body = (
                    inner
                    + used
                    + self.some("", "{{ break }}", "{{ if $value }}{{continue}}{{end}}")
                )
                end = self.braces("else") + "none" if self.random.random() < 0.3 else ""
                return self.braces(f"range {names}{over}") + body + end + self.braces("end")
            case 8:
                set_again = "{{ $v = 2 }}" if self.random.random() < 0.5 else ""
                return f"{{{{ $v := {self.operand(1)} }}}}{set_again}{inner}{{{{ $v }}}}"
            case 9:
                return inner
        asked = self.some("m{i='2'}", "v", "m{z='b'} * 2", "none", "sum(m)")
        return self.braces(f'query "{asked}" | first | {self.some(*OF_SAMPLES)}')

    def operand(self, depth: int) -> str:
        choices = [*NUMBERS, *STRINGS, "true", "$labels", "nil"]
        if depth and self.random.random() < 0.4:
            return f"({self.call()})"
        return self.random.choice(choices)

    def call(self) -> str:
        two = f"{self.operand(0)} {self.operand(0)}"
        return self.some(
            f"eq {two}", f"ne {two}", f"lt {two}", f"le {two}", f"gt {two}", f"ge {two}",
            f"and {two}", f"or {two}", f"not {self.operand(0)}", f"index {two}", f"len {two}",
            f"index $labels {self.operand(0)}", f"slice {self.some('`abc`', self.operand(0))} 1",
            f"print {two}", f"println {two}", self.printf(), f"args {two}", f"label {two}",
            f"len {self.operand(0)}", "now",
        )  # fmt: skip

    def condition(self) -> str:
        return self.some(self.call(), self.operand(0), f"gt $value {self.random.choice(NUMBERS)}")

    def printf(self) -> str:
        verb = self.some(*"vvgGeEfFdsqxXtbocUT%z")
        flags = "".join(self.some("", "", "", flag) for flag in "+-# 0")
        size = self.some("", "", "8", "3", "*", "12")
        precision = self.some("", "", ".2", ".0", ".", ".10", ".*")
        index = self.some("", "", "", "", "", "[1]", "[2]", "[9]")
        extra = " 5" * (size + precision).count("*")
        argument = self.random.choice([*NUMBERS, *STRINGS, "true", "nil"])
        more = self.some("", "", "", " $value")
        return f'printf "<%{flags}{index}{size}{precision}{verb}>"{extra} {argument}{more}'


@pytest.mark.slow
@needs_promtool
@pytest.mark.parametrize("seed", range(20))
def test_random_templates_become_what_prometheus_makes_of_them(seed: int) -> None:
    writer = Writer(seed)
    value = writer.random.choice(VALUES)
    texts = [writer.template() for _ in range(120)]
    theirs = expanded(texts, SERIES.format(value=value), EXTERNAL)
    assert differences(texts, theirs, value) == []


def surroundings(value: float) -> Surroundings:
    one = (("__name__", "m"), ("i", "1"), ("z", "b"))
    two = (("__name__", "m"), ("i", "2"), ("z", "a"))
    source = MemorySource.of([(LABELS, [(0, value)]), (one, [(0, 3.0)]), (two, [(0, 7.5)])])
    return Surroundings(source, 0, tuple(EXTERNAL.items()), "http://here:9090/x")


def differences(texts: list[str], theirs: list[str], value: float) -> list[tuple[str, str, str]]:
    around = surroundings(value)
    found = []
    for number, (text, their) in enumerate(zip(texts, theirs, strict=True)):
        mine = compiled(text, f"__alert_A{number}").expand(LABELS, value, around)
        if mine != their and "0x" not in their:
            found.append((text, mine, their))
    return found
