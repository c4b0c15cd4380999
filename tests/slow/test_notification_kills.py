"""kill -9 of router and courier at 20 random moments of a day on call."""

import os
import random
import time
from pathlib import Path

import pytest

from tests.support.notification_kills import survive, tocsin_for
from tests.support.on_call_day import Day
from tests.support.tocsin_process import Tocsin
from tests.support.webhook import Webhook

KILLS = 20


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_kills_lose_no_page_and_repeat_none(tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED", "0")) or int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    chance = random.Random(seed)

    def often(tocsin: Tocsin, day: Day) -> int:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 2.0))  # not a wait for something: the kill's moment
            assert tocsin.running, tocsin.tail()
            assert day.fault is None
            tocsin.kill()
            tocsin.start()
        return KILLS

    with Webhook() as receiver, tocsin_for(tmp_path, receiver) as tocsin:
        tocsin.start()
        proof = survive(tocsin, receiver, often, seed)
    assert proof.pages > KILLS
