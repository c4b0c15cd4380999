"""What promtool 3.15 made of 400 random templates."""

import json
from pathlib import Path

from processors.rules.template import compiled
from tests.differential.test_templates import LABELS, surroundings

CASES = json.loads(Path(__file__).with_name("prometheus.json").read_text())


def test_templates_become_what_prometheus_made_of_them() -> None:
    around = surroundings(1234.5)
    assert len(CASES) >= 400
    different = [
        (text, mine, theirs)
        for text, theirs in CASES
        if (mine := compiled(text, "A").expand(LABELS, 1234.5, around)) != theirs
    ]
    assert different == []
