"""120 rule files that people publish, where a copy of them lies beside the repository."""

import os
from pathlib import Path

import pytest

from processors.rules.file import BadRules, load

FOLDER = Path(os.environ.get("PUBLIC_RULES") or Path(__file__).parents[4] / "../shared/rules")
FILES = sorted(FOLDER.rglob("*.y*ml")) if FOLDER.is_dir() else []


@pytest.mark.skipif(not FILES, reason="no rule files in ../shared/rules; PUBLIC_RULES names others")
def test_every_public_rule_file_loads() -> None:
    refused = []
    for file in FILES:
        try:
            load(file.read_text("utf-8"), file.name)
        except BadRules as fault:
            refused += [str(problem) for problem in fault.problems]
    assert refused == []
