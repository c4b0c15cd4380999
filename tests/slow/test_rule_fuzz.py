from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.rule_fuzz import TARGETS, tried


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_hostile_rules_are_refused_or_taken_and_never_stall(target: str) -> None:
    @settings(max_examples=6000, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False))
    def attempt(random: Random) -> None:
        tried(TARGETS[target], random)

    attempt()
