import pytest

from processors.promql.errors import Refused
from processors.promql.plan import compile
from tests.differential import generated, promtool
from tests.differential.compare import agree, ours

needs_promtool = pytest.mark.skipif(
    promtool.promtool() is None,
    reason="no promtool: put Prometheus 3's on PATH or name it in PROMTOOL (`make peers`)",
)


def cases(draw: generated.Generator, count: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while len(found) < count:
        expr = draw.vector(draw.random.choice([0, 0, 1, 1, 2, 3]))
        try:
            compile(expr)
        except Refused:
            continue  # the generator does not know PromQL's types
        found.append((expr, draw.time()))
    return found


@pytest.mark.slow
@needs_promtool
@pytest.mark.parametrize("seed", range(60))
def test_random_expressions_answer_as_prometheus_does(seed: int) -> None:
    draw = generated.Generator(seed)
    series = draw.series()
    asked = cases(draw, 120)
    written = {name: " ".join(items) for name, items in series.items()}
    answers = promtool.ask(written, f"{generated.STEP}s", asked)
    source = generated.source(series)
    different = [
        (expr, at, mine, theirs)
        for (expr, at), theirs in zip(asked, answers, strict=True)
        if not agree(expr, mine := ours(expr, int(at[:-1]), source), theirs)
    ]
    assert different == []
