"""Writes the golden file of `tests/unit/processors/promql`: python -m tests.differential.golden."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.differential import promtool, samples, server
from tests.differential.compare import KNOWN, agree, ours
from tests.differential.grammar import DEPTHS, POINTWISE, Writer
from tests.differential.promtool import Answer
from tests.differential.samples import LAST, Series

TARGET = Path(__file__).parents[1] / "unit/processors/promql/prometheus.json"
PER_BLOCK = 240
LARGEST = 12  # samples of an answer that is kept

Cases = Sequence[tuple[str, int]]


def drawn(random: Random, *, experimental: bool) -> Cases:
    """Expressions and instants, the same for the same seed."""
    write = Writer(random.choice, experimental, ranked=False)
    each = [f"{name}(m)" for name in POINTWISE if name] + ["topk(2, n)", "bottomk by (job) (1, n)"]
    each += ["limitk(2, m)"] * experimental
    return [(expr, LAST // 3) for expr in each] + [
        (write.expression(random.choice(DEPTHS)), random.randrange(LAST // 1000) * 1000)
        for _ in range(PER_BLOCK)
    ]


def asked() -> Iterator[tuple[Series, Cases, Sequence[Answer]]]:
    """Sets of series, each with what one of the oracles answers."""
    for seed in range(4):
        random = Random(seed)
        series = samples.series(random, wild=seed % 2 == 1, stale=True)
        cases = drawn(random, experimental=False)
        yield series, cases, promtool.ask(series, cases)
    for seed in range(4, 8):
        random = Random(seed)
        series = samples.series(random, wild=seed % 2 == 1, stale=False)
        cases = drawn(random, experimental=True)
        with (
            tempfile.TemporaryDirectory() as folder,
            server.serving([(0, series)], Path(folder)) as running,
        ):
            yield series, cases, [running.query(expr, at) for expr, at in cases]


def block(series: Series, cases: Cases, answers: Sequence[Answer]) -> str:
    """One line of series, and one line a case that the oracle confirms."""
    source = samples.source(series)
    lines = []
    for (expr, at), theirs in zip(cases, answers, strict=True):
        assert agree(expr, ours(expr, at, source), theirs), expr
        telling = isinstance(theirs, str) or 0 < len(theirs) <= LARGEST
        if telling and not KNOWN.search(expr):
            lines.append(json.dumps([expr, at, _plain(theirs)], ensure_ascii=False))
    written = [
        [dict(labels), " ".join(map(promtool.notation, items))] for labels, items in series.items()
    ]
    given = json.dumps(written, ensure_ascii=False)
    return f'{{"series": {given}, "cases": [\n' + ",\n".join(lines) + "\n]}"


def _plain(answer: Answer) -> Any:
    if isinstance(answer, str):
        return "error"
    return [[dict(labels), samples.spelled(value)] for labels, value in answer]


def main() -> None:
    """Asks both oracles; keeps only what they confirmed."""
    TARGET.write_text("[\n" + ",\n".join(block(*each) for each in asked()) + "\n]\n")


if __name__ == "__main__":
    main()
