"""Asks `promtool test rules` what expressions are worth, on series written in its own notation."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from processors.promql.labels import Labels
from tests.differential.samples import LAST, STEP, Item, Series, is_stale, spelled

SAMPLE = re.compile(
    r'(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}) (NaN|[+-]?Inf|[-+0-9.E]+)(?:, (?=\{)|$)', re.DOTALL
)
PAIR = re.compile(r'"?([^",= ]+)"?=("(?:[^"\\]|\\.)*")', re.DOTALL)

Answer = list[tuple[Labels, float]] | str


def promtool() -> str | None:
    """Where the oracle is, if it is here at all."""
    return os.environ.get("PROMTOOL") or shutil.which("promtool")


def labels_of(answer: Answer) -> list[Labels]:
    """The series of an answer that must not be an error, in its order."""
    assert not isinstance(answer, str), answer
    return [labels for labels, _ in answer]


def parsed(text: str) -> list[tuple[Labels, float]]:
    """Samples as promtool prints them."""
    found = []
    for labels, value in SAMPLE.findall(text):
        pairs = [(name, json.loads(quoted)) for name, quoted in PAIR.findall(labels[1:-1])]
        found.append((tuple(sorted(pairs)), float(value)))
    return found


def notation(item: Item) -> str:
    """A sample in promtool's notation."""
    if item is None:
        return "_"
    return "stale" if is_stale(item) else spelled(item)


def written(labels: Labels) -> str:
    """A series in a form that takes every name."""
    metric = dict(labels)["__name__"]
    rest = [f"{_quoted(name)}={_quoted(value)}" for name, value in labels if name != "__name__"]
    return "{" + ",".join([_quoted(metric), *rest]) + "}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def ask(series: Series, cases: Sequence[tuple[str, int]], rules: str = "") -> list[Answer]:
    """The answer to each (expression, milliseconds): samples, or the text of the error."""
    # promtool loads samples up to the latest instant it is asked about.
    asked = [*cases, ("1", LAST)]
    tests = [
        # A sample that nothing produces makes every case fail, so that every answer is printed.
        {
            "expr": expr,
            "eval_time": f"{at}ms",
            "exp_samples": [{"labels": '{never="there"}', "value": 0}],
        }
        for expr, at in asked
    ]
    inputs = [
        {"series": written(labels), "values": " ".join(map(notation, items))}
        for labels, items in series.items()
    ]
    step = f"{STEP}ms"
    group = {"interval": step, "input_series": inputs, "promql_expr_test": tests}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "test.yml")
        Path(folder, "rules.yml").write_text(rules or "groups: []")
        whole = {"rule_files": ["rules.yml"], "evaluation_interval": step, "tests": [group]}
        file.write_text(json.dumps(whole))  # which is YAML, and faster to write
        ran = subprocess.run(
            [promtool() or "promtool", "test", "rules", str(file)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    return _answers(ran.stdout + ran.stderr, asked)[:-1]


def _answers(output: str, cases: Sequence[tuple[str, int]]) -> list[Answer]:
    answers: list[Answer] = []
    blocks = re.split(r"(?m)^ *expr: ", output)[1:]
    assert len(blocks) == len(cases), output[:3000]
    for block in blocks:
        got = re.search(r"(?ms)^ *got:(.*?)\s*$", block)
        error = re.search(r"err: (.*)", block)
        if got is not None:
            answers.append(parsed(got[1].strip()))
        else:
            assert error is not None, block
            answers.append(error[1].strip())
    return answers
