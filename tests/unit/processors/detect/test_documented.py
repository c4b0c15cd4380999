"""What the documentation and the examples say of detectors is so."""

from pathlib import Path

import pytest

from processors import detector
from processors.detect.counting import LATENESS
from processors.detect.registry import KINDS
from processors.rules.file import load

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("name", ["anomaly", "forecast", "slo", "spike"])
def test_every_option_is_described_in_its_section(name: str) -> None:
    text = (ROOT / "docs" / "detectors.md").read_text("utf-8")
    section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
    missing = [each for each in KINDS[name].options.model_fields if f"`{each}`" not in section]
    assert missing == []


def test_the_examples_load_without_a_warning() -> None:
    text = (ROOT / "examples" / "detectors.yml").read_text("utf-8")
    found = load(text, "detectors.yml")
    assert found.warnings == ()
    assert sum(len(group.rules) for group in found.groups) == 6


def test_what_is_final_is_what_the_detector_takes_no_samples_of() -> None:
    assert LATENESS == detector.LATENESS
