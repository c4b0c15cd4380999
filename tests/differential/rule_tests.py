"""Random rule files with unit tests, and what promtool and we say of them."""

import contextlib
import io
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from ops.cli.command_line import main
from tests.differential.promtool import SAMPLE, promtool

EXPRESSIONS = [
    "m", "m > 2", "m * 2", "sum by (a) (m)", "count(m)", "m + on (a, b) n", "n offset 1m",
    "max_over_time(m[3m])", "m unless n", "absent(n)", "rate(n[5m]) > 0", "vector(1)", "time()",
    "m > bool 1", 'm{a="1"}', "count_over_time(n[10m:])", "-m", "m and n", "changes(m[10m])",
]  # fmt: skip
RECORDED = [
    "r1", "job:r:2", "r1 * 2", "r1 > 3", "sum(r1)", "ALERTS", "ALERTS_FOR_STATE",
    'ALERTS{alertstate="firing"}', "count by (alertname) (ALERTS)", "increase(r1[5m])",
]  # fmt: skip
ANNOTATIONS = [
    "plain", "{{ $labels.a }} is {{ $value }}", "{{ $value | humanize }}", "",
    '{{ range query "m" | sortByLabel "a" | sortByLabel "b" }}{{ .Labels.a }}{{ .Value }}{{ end }}',
    "{{ $externalLabels.dc }} {{ $externalURL }}", '{{ printf "%.2f" $value }}', "{{ $labels.no }}",
]  # fmt: skip
NAMES = ["A", "B", "C d"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


class Draw:
    """One rule file and one test file."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def some(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def values(self) -> str:
        items = ["1", "0", "2.5", "_", "stale", "_x3", "1+1x4", "10-2x5", "3x6", "-1.5", "1e3",
                 "0x10", "NaN", "Inf", "-Inf", "1+0.5x3", "7x0"]  # fmt: skip
        return " ".join(self.some(*items) for _ in range(self.random.randint(0, 8)))

    def series(self) -> list[dict[str, str]]:
        names = [
            'm{a="1",b="x"}',
            'm{a="2",b="x"}',
            'm{b="y",a="1"}',
            'n{a="1",b="x"}',
            "n",
            'n{a="2"}',
        ]
        found = [{"series": name, "values": self.values()} for name in names if self.some(0, 1, 1)]
        return [*found, *self.random.choices(found, k=1)] if found and self.some(0, 0, 1) else found

    def rule(self, expressions: list[str]) -> dict[str, Any]:
        expr = self.some(*expressions)
        if self.some(0, 1):
            labels = {"by": self.some("x", "{{ $value }}")} if self.some(0, 1) else {}
            return {"record": self.some("r1", "job:r:2"), "expr": expr, "labels": labels}
        rule = {"alert": self.some(*NAMES), "expr": expr}
        if self.some(0, 1):
            rule["for"] = self.some("0s", "1m", "90s", "5m")
        if self.some(0, 0, 1):
            rule["keep_firing_for"] = self.some("1m", "3m")
        if self.some(0, 1):
            rule["labels"] = {"severity": self.some("page", "{{ $labels.a }}", "{{ $value }}")}
        if self.some(0, 1):
            rule["annotations"] = {f"s{i}": self.some(*ANNOTATIONS) for i in range(2)}
        return rule

    def group(self, name: str, expressions: list[str]) -> dict[str, Any]:
        group: dict[str, Any] = {"name": name}
        if self.some(0, 0, 1):
            group["interval"] = self.some("15s", "5m")
        if self.some(0, 0, 0, 1):
            group["labels"] = {"team": "ops", "severity": "none"}
        if self.some(0, 0, 0, 0, 1):
            group["limit"] = self.some(1, 2)
        if self.some(0, 0, 0, 1):
            group["query_offset"] = self.some("30s", "2m")
        group["rules"] = [self.rule(expressions) for _ in range(self.random.randint(1, 4))]
        return group

    def test(self, number: int) -> dict[str, Any]:
        test: dict[str, Any] = {"input_series": self.series()}
        if self.some(0, 1):
            test["interval"] = self.some("15s", "1m", "2m")
        if self.some(0, 1):
            test["name"] = f"test {number}"
        if self.some(0, 1):
            test["external_labels"] = {"dc": "eu"}
            test["external_url"] = "http://here:9090"
        if self.some(0, 0, 0, 1):
            test["start_timestamp"] = self.some("2026-01-31T12:00:00Z", 1700000000)
        times = ["0s", "1m", "90s", "5m", "10m", "20m", "7m30s"]
        test["alert_rule_test"] = [
            {
                "eval_time": self.some(*times),
                "alertname": self.some("A", "B", "C d"),
                "exp_alerts": [],
            }
            for _ in range(self.random.randint(0, 5))
        ]
        test["promql_expr_test"] = [
            {"expr": self.some(*EXPRESSIONS, *RECORDED), "eval_time": self.some(*times),
             "exp_samples": [{"labels": 'm{a="1"}', "value": self.some(1, float("inf"), 2.5)}]
             if self.some(0, 0, 1) else []}
            for _ in range(self.random.randint(0, 5))
        ]  # fmt: skip
        return test

    def files(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The rule file and the test file."""
        groups = [self.group("one", EXPRESSIONS), self.group("two", [*EXPRESSIONS, *RECORDED])]
        tests: dict[str, Any] = {
            "rule_files": ["rules.yml"],
            "evaluation_interval": self.some("30s", "1m", "90s"),
            "group_eval_order": ["one", "two"],
            "tests": [self.test(number) for number in range(self.random.randint(1, 3))],
        }
        if self.some(0, 0, 1):
            tests["fuzzy_compare"] = True
        return {"groups": groups}, tests


def written(folder: Path, rules: object, tests: object) -> str:
    """Writes the files; the test file's name."""
    (folder / "rules.yml").write_text(yaml.safe_dump(rules, allow_unicode=True))
    file = folder / "tests.yml"
    file.write_text(yaml.safe_dump(tests, allow_unicode=True, sort_keys=False))
    return str(file)


def theirs(verb: list[str], *arguments: str) -> Said:
    """What promtool says."""
    ran = subprocess.run(
        [promtool() or "promtool", *verb, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Said(ran.returncode, ran.stdout, ran.stderr)


def ours(verb: list[str], *arguments: str) -> Said:
    """What we say."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*verb, *arguments])
    return Said(code, out.getvalue(), err.getvalue())


_EXPRESSION = re.compile(r"    expr: (\".*\"), time: (\S+),\n +exp: .*\n +got: (.*)")
_ALERTS = re.compile(
    r"    alertname: (.*), time: (\S+), \n +exp:(?:.|\n)*?, \n +got:((?:.|\n)*?)(?=\n    \S|\n*\Z)"
)
_ALERT = re.compile(r"Labels:(\{.*\})\n +Annotations:(\{.*\})")
_PAIR = re.compile(r'([\w]+)="((?:[^"\\]|\\.)*)"')


def settled(tests: dict[str, Any], told: str) -> dict[str, Any]:
    """The same tests, expecting what promtool said that it got; of the first group alone."""
    (group,) = tests["tests"] = tests["tests"][:1]
    worth = {(json.loads(e), at): got for e, at, got in _EXPRESSION.findall(told)}
    fires = {(name, at): got for name, at, got in _ALERTS.findall(told)}
    for asked in group["promql_expr_test"]:
        got = worth.get((asked["expr"], asked["eval_time"]))
        if got is not None:
            asked["exp_samples"] = [
                {"labels": labels, "value": float(value)} for labels, value in SAMPLE.findall(got)
            ]
    for asked in group["alert_rule_test"]:
        found = _ALERT.findall(fires.get((asked["alertname"], asked["eval_time"]), ""))
        if found:
            asked["exp_alerts"] = [
                {"exp_labels": _pairs(own), "exp_annotations": _pairs(notes)}
                for own, notes in found
            ]
    return tests


def _pairs(text: str) -> dict[str, str]:
    return {name: json.loads(f'"{value}"') for name, value in _PAIR.findall(text)}


def plain(said: Said, folder: Path) -> Said:
    """What was said, less what nothing fixes: which sample a rule was blamed for, and paths."""
    err = re.sub(r"(duplicate sample for timestamp|out of order sample).*", "unkept", said.err)
    return Said(said.code, said.out, err.replace(str(folder), ""))
