"""Asks promtool what templates become: one alert for each, whose annotation is the template."""

import ast
import re
import subprocess
import tempfile
from pathlib import Path

import yaml

from tests.differential.promtool import promtool

_GOT = re.compile(r"alertname: A(\d+), time: 0s, \n(.*?)(?=\n\s*alertname: |\Z)", re.DOTALL)
_NOTE = re.compile(r'Annotations:\{(?:text="((?:[^"\\]|\\.)*)")?\}')


def expanded(texts: list[str], series: str, external: dict[str, str]) -> list[str]:
    """What each template becomes for the alert of `v`; every one must be readable.

    `series` are lines of `name{labels} value`, of which `v` is one.
    """
    rules = [
        {"alert": f"A{i}", "expr": "v", "annotations": {"text": text}}
        for i, text in enumerate(texts)
    ]
    inputs = [
        {"series": line.rpartition(" ")[0], "values": line.rpartition(" ")[2]}
        for line in series.splitlines()
    ]
    never = [{"exp_labels": {"never": "there"}}]
    asked = [
        {"eval_time": "0s", "alertname": f"A{i}", "exp_alerts": never} for i in range(len(texts))
    ]
    test = {
        "interval": "1m",
        "input_series": inputs,
        "alert_rule_test": asked,
        "external_labels": external,
        "external_url": "http://here:9090/x",
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yml").write_text(
            yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}, allow_unicode=True)
        )
        whole = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}
        Path(folder, "test.yml").write_text(yaml.safe_dump(whole))
        ran = subprocess.run(
            [promtool() or "promtool", "test", "rules", str(Path(folder, "test.yml"))],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    found: dict[int, str] = {}
    for number, block in _GOT.findall(ran.stderr):
        note = _NOTE.search(block.partition("got:")[2])
        assert note is not None, block
        found[int(number)] = ast.literal_eval(f'"{note[1] or ""}"')
    assert len(found) == len(texts), ran.stderr[:3000]
    return [found[i] for i in range(len(texts))]
