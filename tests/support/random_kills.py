"""kill -9 at random moments of one data directory's life, under load, and the proof after it."""

import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.support import promises
from tests.support.history_rows import Rows
from tests.support.log_file import LogFile
from tests.support.oracle import ROUTES, RULES, Oracle, over_http
from tests.support.promises import Proof
from tests.support.tocsin_process import Tocsin, gone
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

CONFIG = {
    "evaluation_interval": "200ms",
    "agent": {"host": {"enabled": True}, "interval": "1s"},
}
EARLIEST, LATEST = 0.5, 4.0
"""Seconds after it serves."""


def survive(
    home: Path,
    kills: int,
    seed: int,
    say: Callable[[str], None],
    every: float = 0.03,
    life_every: float = 0.4,
) -> Proof:
    """Everything runs, history and agent too, and is killed again and again.

    Raises AssertionError where a promise was broken.
    """
    chance = random.Random(seed)
    say(f"{kills} kills, seed {seed}")
    with (
        Webhook() as receiver,
        Tocsin(home, rules=RULES, routes=ROUTES.format(url=receiver.url), config=CONFIG) as tocsin,
        Rows(tocsin.data) as rows,
    ):
        tocsin.start()
        oracle = Oracle(
            over_http(tocsin.url, tocsin.token_file),
            seed=seed,
            every=every,
            life_every=life_every,
        )
        oracle.start()
        try:
            for number in range(kills):
                after = chance.uniform(EARLIEST, LATEST)
                time.sleep(after)  # not a wait for something: the moment of the kill
                assert tocsin.running, tocsin.tail()
                children = tocsin.children()
                tocsin.kill()
                say(f"kill {number + 1} after {after:.2f} s, {oracle.acknowledged} acknowledged")
                eventually(lambda c=children: all(map(gone, c)), 30, "its children ended with it")
                tocsin.start()
            oracle.finish(120)
            promises.everybody_was_told(oracle, receiver, 120)
        except BaseException:
            oracle.abandon()
            raise
        rows.caught_up(120)
        samples = rows.check_samples(oracle)
        rows.check_records()
        assert tocsin.stop() == 0, tocsin.tail()
        proof = promises.check(LogFile(tocsin.data), oracle, receiver, kills)
        say(f"{samples} samples in history, {len(oracle.lives)} lives, {proof}")
        return proof
