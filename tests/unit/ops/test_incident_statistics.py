"""Means, medians, percentiles: against the definitions."""

import statistics as stdlib

from hypothesis import given
from hypothesis import strategies as st

from ops.incident_statistics import Life, spread, summary


def lives(spans: list[int]) -> list[Life]:
    return [Life("r", 1, 1 + span, None, False, 0, 0, 0) for span in spans]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50))
def test_the_spread_is_what_its_names_say(spans: list[int]) -> None:
    found = spread(lives(spans), lambda one: one.acknowledged_at)
    assert found is not None
    assert abs(found["mean"] - stdlib.fmean(spans) / 1_000) < 0.001
    assert abs(found["median"] - stdlib.median(spans) / 1_000) < 0.001
    at_most = sum(span <= found["p90"] * 1_000 + 0.5 for span in spans)
    below = sum(span < found["p90"] * 1_000 - 0.5 for span in spans)
    assert at_most >= 0.9 * len(spans) > below


def test_of_nothing_there_are_no_figures() -> None:
    told = summary([], 86_400_000)
    assert told["incidents"] == told["deliveries"] == 0
    for name in ("time_to_resolve", "time_to_acknowledge", "delivered_share", "escalated_share"):
        assert told[name] is None
