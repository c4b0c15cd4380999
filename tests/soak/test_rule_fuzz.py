import time
from random import Random

import pytest

from tests.support.rule_fuzz import TARGETS, tried

LENGTH = 600.0
"""Seconds, shared by all targets."""


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_ten_minutes_of_hostile_rules_neither_crash_nor_stall() -> None:
    began, seed = time.monotonic(), 0
    while time.monotonic() - began < LENGTH:
        for target in TARGETS.values():
            try:
                tried(target, Random(seed))
            except BaseException as fault:
                fault.add_note(f"{target.__name__}, seed {seed}")
                raise
        seed += 1
    print(f"{seed} cases of each of {', '.join(TARGETS)}")
    assert seed > 1000
