"""What `promtool` 3.15 answered (written by `python -m tests.differential.golden`)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.differential import generated
from tests.differential.compare import agree, ours

BLOCKS = json.loads(Path(__file__).with_name("prometheus.json").read_text())


@pytest.mark.parametrize("block", BLOCKS)
def test_expressions_answer_as_prometheus_did(block: dict[str, Any]) -> None:
    source = generated.source({name: text.split() for name, text in block["series"].items()})
    for expr, at, plain in block["cases"]:
        theirs = (
            plain
            if isinstance(plain, str)
            else [(tuple(sorted(labels.items())), float(value)) for labels, value in plain]
        )
        mine = ours(expr, at, source)
        assert agree(expr, mine, theirs), (expr, at, mine, theirs)
