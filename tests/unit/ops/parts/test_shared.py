"""Figures that several parts tell."""

from collections.abc import Mapping
from typing import Any

import pytest

from ops.parts.shared import behind
from schemas.stage import Partition


class Member:
    def __init__(self, lags: Mapping[Partition, int]) -> None:
        self.lag = lambda: lags


@pytest.mark.parametrize(
    ("lags", "figures"),
    [
        ({}, {}),
        ({("a", 0): 2, ("a", 3): 5}, {"lag": 7.0, "lag:0": 2.0, "lag:3": 5.0}),
        ({("a", 0): 2, ("b", 0): 5}, {"lag": 7.0}),
    ],
)
def test_lag_is_by_partition_where_a_number_says_which(
    lags: dict[tuple[str, int], int], figures: dict[str, float]
) -> None:
    member: Any = Member({Partition(*where): lag for where, lag in lags.items()})
    assert behind(member) == figures
