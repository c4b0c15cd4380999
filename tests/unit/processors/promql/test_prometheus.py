"""What Prometheus 3.15 answered (written by `python -m tests.differential.golden`)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from processors.promql.aggregation import AGGREGATIONS
from processors.promql.kernels.registry import POINTWISE, RANGES
from processors.promql.operators import ARITHMETIC, COMPARISONS, SETS
from processors.promql.ranking import ORDERS
from tests.differential import samples
from tests.differential.compare import agree, ours
from tests.differential.promtool import Answer

BLOCKS = json.loads(Path(__file__).with_name("prometheus.json").read_text())


@pytest.mark.parametrize("block", BLOCKS)
def test_expressions_answer_as_prometheus_did(block: dict[str, Any]) -> None:
    source = samples.source(
        {
            tuple(sorted(labels.items())): [samples.read(item) for item in text.split()]
            for labels, text in block["series"]
        }
    )
    for expr, at, plain in block["cases"]:
        theirs: Answer = plain
        if not isinstance(plain, str):
            theirs = [(tuple(sorted(labels.items())), float(value)) for labels, value in plain]
        mine = ours(expr, at, source)
        assert agree(expr, mine, theirs), (expr, at, mine, theirs)


def test_every_function_and_operator_is_among_them() -> None:
    written = " ".join(case[0] for block in BLOCKS for case in block["cases"])
    served = {*RANGES, *POINTWISE, *AGGREGATIONS, *ORDERS, *ARITHMETIC, *COMPARISONS, *SETS}
    words = set(re.findall(r"[a-z_0-9]+|[-+*/%^=!<>]+", written))
    assert served - words == set()
