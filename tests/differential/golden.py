"""Writes the golden file of `tests/unit/processors/promql`: python -m tests.differential.golden."""

import json
from pathlib import Path

from tests.differential import generated, promtool
from tests.differential.compare import agree, ours
from tests.differential.test_promtool import cases

TARGET = Path(__file__).parents[1] / "unit/processors/promql/prometheus.json"


def main() -> None:
    """Asks promtool; keeps only what it confirmed."""
    blocks = []
    for seed in range(9000, 9006):
        draw = generated.Generator(seed)
        series = draw.series()
        asked = cases(draw, 90)
        written = {name: " ".join(items) for name, items in series.items()}
        answers = promtool.ask(written, f"{generated.STEP}s", asked)
        source = generated.source(series)
        kept = []
        for (expr, at), theirs in zip(asked, answers, strict=True):
            seconds = int(at[:-1])
            assert agree(expr, ours(expr, seconds, source), theirs), expr
            plain = theirs if isinstance(theirs, str) else [[dict(k), repr(v)] for k, v in theirs]
            if theirs:
                kept.append([expr, seconds, plain])
        blocks.append({"series": written, "cases": kept})
    lines = []
    for block in blocks:
        rows = ",\n".join(json.dumps(case) for case in block["cases"])
        lines.append(f'{{"series": {json.dumps(block["series"])}, "cases": [\n{rows}\n]}}')
    TARGET.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
