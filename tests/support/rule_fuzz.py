"""Hostile rule files, templates and expressions: mutations of sound ones, and plain noise."""

import contextlib
import time
from collections.abc import Callable
from random import Random

from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.memory import MemorySource
from processors.promql.plan import compile
from processors.rule_tests.file import cases, parsed
from processors.rule_tests.model import BadTests
from processors.rules.file import BadRules, Problem, load
from processors.rules.group import Memory
from processors.rules.template import BadTemplate, Surroundings, compiled

LONGEST = 5.0
"""CPU seconds that one case may take; all but the slowest take milliseconds."""
NAME = "__name__"
SOURCE = MemorySource.of(
    [
        (((NAME, name), ("a", a), ("le", le)), [(at, at / 7e3) for at in range(0, 600_000, 15_000)])
        for name in ("m", "n")
        for a in ("1", "2")
        for le in ("1", "+Inf")
    ]
)
EXPRESSIONS = [
    'sum by (a) (rate(m{a=~"1|2"}[5m])) > 0.5', "m + on (a, le) group_left (b) n offset 5m",
    "max_over_time(rate(m[1m])[10m:30s]) @ 300", "histogram_quantile(0.9, m)", "topk(2, -m) or n",
    'label_replace(m, "x", "$1", "a", "(.*)")', "absent_over_time(n[1h]) unless vector(1)",
    "m @ end() atan2 n % 2 ^ 3", "count_values('v', m) == bool 1e3", 'predict_linear(m[5m], 0x1F)',
    "quantile_over_time(0.5, m[2m]) and {a!=''}", "clamp(m, -Inf, NaN) > time()", "limitk(1, m)",
]  # fmt: skip
TEMPLATES = [
    '{{ range $i, $x := query "m" | sortByLabel "a" }}{{ $i }}{{ .Value | humanize }}{{ end }}',
    "{{ if and (gt $value 1.0) $labels.a }}1{{ else }}{{ with .Labels }}{{ . }}{{ end }}{{ end }}",
    '{{ printf "%6.2f|%-8s|%[2]d%% %q" $value $labels.a | toUpper | reReplaceAll "a*" "$0" }}',
    '{{ define "t" }}{{ template "t" . }}{{ end }}{{ template "t" 1 }}{{- /* c */ -}}',
    "{{ $v := query (printf \"m{a='%s'}\" $labels.a) | first | value }}{{ $v = 2 }}{{ $v }}",
    "{{ humanizeDuration 1e9 }} {{ (toTime $value).Unix }} {{ index $labels `a` }}",
]
FILE = """groups:
- name: g
  interval: 1m
  limit: 3
  labels: &labels {team: ops}
  rules:
  - record: r
    expr: EXPR
  - alert: A
    expr: |
      EXPR
    for: 5m
    keep_firing_for: 1h
    labels: {<<: *labels, severity: "page"}
    annotations:
      text: 'TEXT'
"""
TESTS = """evaluation_interval: 30s
fuzzy_compare: true
group_eval_order: [g]
tests:
- interval: 1m
  name: t
  input_series:
  - {series: 'm{a="1"}', values: '1+1x5 _ stale 3x2 -1.5'}
  external_labels: {dc: eu}
  alert_rule_test:
  - {eval_time: 3m, alertname: A, exp_alerts: [{exp_labels: {a: "1"}, exp_annotations: {s: "1"}}]}
  promql_expr_test:
  - {expr: 'EXPR', eval_time: 3m, exp_samples: [{labels: 'r{a="1"}', value: 8}]}
"""
PIECES = [
    *"(){}[]|:,.=~!<>+-*/^%@$\"'`\\_#&?\n\t 0179eExX", "{{", "}}", "{{-", "-}}", " offset ", "[5m]",
    "[1h:1s]", "bool", "group_left", "by (a)", "1e308", "-Inf", "NaN", "99999999999999999999", "é",
    "\x00", "\ud800", "\ufeff", "𝕏", "{{ range 9999999 }}", "{{ end }}", "{{ if 1 }}", "printf",
    '"%*d"', "%[3]*.[2]*[1]f", "1000000000y", ":=", "query", ".Labels", "- ", "  ", "&a ", "*a",
    "<<: ", "!!binary ", "---\n", "@ start()", "(((((((((", "{a=~\"(a+)+$\"}", "x1000000000",
]  # fmt: skip


def mutated(random: Random, text: str) -> str:
    """The text after a few cuts, repeats and insertions."""
    for _ in range(random.choice([0, 1, 1, 2, 3, 8])):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice([0, 1, 2, 5, 20]))
        piece = random.choice(
            [*PIECES, text[start:end], text[start:end] * random.randint(2, 40), ""]
        )
        text = text[:start] + piece + text[random.choice([start, end]) :]
    return text


def expression(random: Random) -> None:
    """Planned or refused, and what is planned can be evaluated or fails as expressions do."""
    text = mutated(random, random.choice(EXPRESSIONS))
    with contextlib.suppress(Refused, EvaluationFailed):
        compile(text).evaluate(SOURCE, 600_000)


def template(random: Random) -> None:
    """Compiled or refused, and what is compiled becomes text."""
    text = mutated(random, random.choice(TEMPLATES))
    with contextlib.suppress(BadTemplate):
        found = compiled(text).expand(
            (("a", "1"),), random.choice([1.5, 1e300, float("nan")]), AROUND
        )
        assert len(found) <= 1_100_000


AROUND = Surroundings(SOURCE, 600_000, (("dc", "eu"),), "http://here/x")


def rule_file(random: Random) -> None:
    """Loaded or refused, with a line that the file has."""
    text = FILE.replace("EXPR", random.choice(EXPRESSIONS), 1)
    text = text.replace("EXPR", mutated(random, random.choice(EXPRESSIONS)))
    text = mutated(random, text.replace("TEXT", random.choice(TEMPLATES).replace("'", "''")))
    problems: tuple[Problem, ...] = ()
    try:
        for group in load(text, "f.yml").groups:
            group.evaluate(SOURCE, 600_000, MEMORY, alert_series=True)
    except BadRules as fault:
        problems = fault.problems
    lines = len(text.splitlines()) + 1
    assert [each for each in problems if not 1 <= each.line <= lines] == []


def unit_tests(random: Random) -> None:
    """Run or refused."""
    text = mutated(random, TESTS.replace("EXPR", random.choice(EXPRESSIONS).replace("'", "''")))
    with contextlib.suppress(BadTests):
        tests = parsed(text)
        if max((test.longest for test in tests.tests), default=0) <= 86_400_000:
            assert len(list(cases(tests, [RULES]))) == len(tests.tests)


RULES = load(FILE.replace("EXPR", "m > 1").replace("TEXT", "{{ $value }}"), "f.yml")
MEMORY = Memory()

TARGETS: dict[str, Callable[[Random], None]] = {
    "expression": expression,
    "template": template,
    "rule file": rule_file,
    "unit tests": unit_tests,
}


def tried(target: Callable[[Random], None], random: Random) -> None:
    """One case, which must end soon."""
    began = time.process_time()
    target(random)
    assert time.process_time() - began < LONGEST
