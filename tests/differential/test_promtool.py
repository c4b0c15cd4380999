import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.differential import promtool, samples
from tests.differential.compare import agree, ours
from tests.differential.grammar import expressions, instants

needs_promtool = pytest.mark.skipif(
    promtool.promtool() is None,
    reason="no promtool: put Prometheus 3's on PATH or name it in PROMTOOL (`make peers`)",
)
# Of 60 expressions each; a difference is shrunk to the smallest expression that shows it.
EXAMPLES = int(os.environ.get("DIFFERENTIAL_EXAMPLES", "400"))
CASES = st.lists(
    st.tuples(expressions(ranked=False), instants()),
    min_size=60,
    max_size=60,
)
patient = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.slow
@needs_promtool
@patient
@given(st.integers(0, 1 << 32), st.booleans(), CASES)
def test_random_expressions_answer_as_prometheus_does(
    seed: int, wild: bool, cases: list[tuple[str, int]]
) -> None:
    given = samples.series(Random(seed), wild=wild, stale=True)
    answers = promtool.ask(given, cases)
    source = samples.source(given)
    different = [
        (expr, at, mine, theirs)
        for (expr, at), theirs in zip(cases, answers, strict=True)
        if not agree(expr, mine := ours(expr, at, source), theirs)
    ]
    assert different == []
