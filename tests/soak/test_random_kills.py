"""kill -9 of `tocsin up` at 300 random moments under load."""

import os
from pathlib import Path

import pytest

from tests.support.random_kills import survive


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_three_hundred_kills_at_random_moments_lose_nothing_and_repeat_nothing(
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("SEED", "0")) or int.from_bytes(os.urandom(4), "big")
    proof = survive(tmp_path, int(os.environ.get("KILLS", "300")), seed, print, 0.05, 0.8)
    assert proof.batches > 3_000
