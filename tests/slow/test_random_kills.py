"""kill -9 of `tocsin up` at 20 random moments under load."""

import os
from pathlib import Path

import pytest

from tests.support.random_kills import survive


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_kills_at_random_moments_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED", "0")) or int.from_bytes(os.urandom(4), "big")
    proof = survive(tmp_path, 20, seed, print)
    assert proof.batches > 500
