"""Asks `promtool test rules` what expressions are worth, on series written in its own notation."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml

SAMPLE = re.compile(r"(\{.*?\}) (NaN|[+-]?Inf|[-+0-9.E]+)(?:, (?=\{)|$)")
PAIR = re.compile(r'"?([^",= ]+)"?="((?:[^"\\]|\\.)*)"')

Labels = tuple[tuple[str, str], ...]
Answer = list[tuple[Labels, float]] | str


def promtool() -> str | None:
    """Where the oracle is, if it is here at all."""
    return os.environ.get("PROMTOOL") or shutil.which("promtool")


def parsed(text: str) -> list[tuple[Labels, float]]:
    """Samples as promtool prints them."""
    found = []
    for labels, value in SAMPLE.findall(text):
        pairs = [(name, raw.replace(r"\"", '"')) for name, raw in PAIR.findall(labels[1:-1])]
        found.append((tuple(sorted(pairs)), float(value)))
    return found


def ask(
    series: dict[str, str], step: str, cases: list[tuple[str, str]], rules: str = ""
) -> list[Answer]:
    """The answer to each (expression, time): samples, or the text of the error."""
    tests = [{"expr": expr, "eval_time": at, "exp_samples": []} for expr, at in cases]
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    group = {"interval": step, "input_series": inputs, "promql_expr_test": tests}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "test.yml")
        # A sample that nothing produces makes every case fail, so that every answer is printed.
        for test in tests:
            test["exp_samples"] = [{"labels": '{never="there"}', "value": 0}]
        Path(folder, "rules.yml").write_text(rules or "groups: []")
        whole = {"rule_files": ["rules.yml"], "evaluation_interval": step, "tests": [group]}
        file.write_text(yaml.safe_dump(whole))
        ran = subprocess.run(
            [promtool() or "promtool", "test", "rules", str(file)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    return _answers(ran.stdout + ran.stderr, cases)


def _answers(output: str, cases: list[tuple[str, str]]) -> list[Answer]:
    answers: list[Answer] = []
    blocks = re.split(r"(?m)^ *expr: ", output)[1:]
    assert len(blocks) == len(cases), output[:3000]
    for block in blocks:
        got = re.search(r"(?m)^ *got:(.*)$", block)
        error = re.search(r"err: (.*)", block)
        if got is not None:
            answers.append(parsed(got[1].strip()))
        else:
            assert error is not None, block
            answers.append(error[1].strip())
    return answers
