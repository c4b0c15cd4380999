"""Silences, acknowledgements and pages over a kill at every boundary of router and courier."""

import signal
from pathlib import Path

import pytest

from tests.support.notification_kills import survive, tocsin_for
from tests.support.on_call_day import Day
from tests.support.tocsin_process import Tocsin
from tests.support.waiting import eventually
from tests.support.webhook import Webhook


@pytest.mark.parametrize(
    "point",
    [
        "log.before-commit:40",
        "log.after-commit:40",
        "router.before-commit:20",
        "router.after-commit:20",
        "courier.before-send:5",
        "courier.after-send:5",
        "courier.after-receipt:5",
    ],
)
def test_a_kill_loses_no_page_silence_or_acknowledgement(
    point: str, tmp_path: Path, receiver: Webhook
) -> None:
    def once(tocsin: Tocsin, day: Day) -> int:
        assert tocsin.ended(60) == -signal.SIGKILL
        tocsin.start()
        wanted = day.born + 3
        eventually(lambda: day.born >= wanted or day.fault, 60, "the day goes on")
        return 1

    with tocsin_for(tmp_path, receiver) as tocsin:
        tocsin.start(crash_at=point)
        survive(tocsin, receiver, once, seed=7)
