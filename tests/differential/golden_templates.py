"""Writes the golden file of templates: python -m tests.differential.golden_templates."""

import json
from pathlib import Path

from tests.differential.templates import expanded
from tests.differential.test_templates import EXTERNAL, SERIES, Writer, differences

TARGET = Path(__file__).parents[1] / "unit/processors/templates/prometheus.json"


def main() -> None:
    """Asks promtool; keeps only what it confirmed."""
    writer = Writer(9000)
    texts = sorted({writer.template() for _ in range(500)}, key=len)[:400]
    theirs = expanded(texts, SERIES.format(value=1234.5), EXTERNAL)
    assert differences(texts, theirs, 1234.5) == []
    pairs = [[t, each.replace(f"__alert_A{i}", "A")] for i, (t, each) in
             enumerate(zip(texts, theirs, strict=True))]  # fmt: skip
    TARGET.write_text("[\n" + ",\n".join(json.dumps(pair) for pair in pairs) + "\n]\n")


if __name__ == "__main__":
    main()
