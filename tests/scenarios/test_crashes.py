"""Killed at every boundary, under load: nothing lost, nothing decided or told twice."""

import signal
from pathlib import Path

import pytest

from tests.support import promises
from tests.support.history_rows import Rows
from tests.support.log_file import LogFile
from tests.support.oracle import ROUTES, RULES, Oracle, over_http
from tests.support.tocsin_process import Tocsin
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

PAGING = ("detector", "router", "courier", "console")
CONFIG = {
    "evaluation_interval": "200ms",
    "agent": {"host": {"enabled": False}},
}


def _lives_on(oracle: Oracle, more: int) -> None:
    """Wait until that many more lives have begun."""
    wanted = oracle.born + more
    eventually(lambda: oracle.born >= wanted or oracle.fault, 60, "the load goes on")


@pytest.mark.parametrize(
    "point",
    [
        "log.before-commit:25",
        "log.after-commit:25",
        "detector.before-commit:7",
        "detector.after-commit:7",
        "router.before-commit:6",
        "router.after-commit:6",
        "courier.before-send:3",
        "courier.after-send:3",
        "courier.after-receipt:3",
    ],
)
def test_a_kill_at_this_boundary_loses_no_page_and_decides_nothing_twice(
    point: str, tmp_path: Path, receiver: Webhook
) -> None:
    routes = ROUTES.format(url=receiver.url)
    with Tocsin(tmp_path, rules=RULES, routes=routes, config=CONFIG, only=PAGING) as tocsin:
        tocsin.start(crash_at=point)
        oracle = Oracle(over_http(tocsin.url, tocsin.token_file))
        oracle.start()
        try:
            assert tocsin.ended(within=60) == -signal.SIGKILL
            tocsin.start()
            _lives_on(oracle, 2)
            oracle.finish()
            promises.everybody_was_told(oracle, receiver)
        except BaseException:
            oracle.abandon()
            raise
        assert tocsin.stop() == 0
        proof = promises.check(LogFile(tocsin.data), oracle, receiver, kills=1)
        if point.startswith("courier.after-send"):
            assert proof.extra >= 1, "what was sent before the kill is sent once more"
        if point.startswith("courier.after-receipt"):
            assert proof.extra == 0, "what has its receipt is not read again"


@pytest.mark.parametrize(
    "point",
    [
        "historian.before-insert:4",
        "historian.after-insert:4",
        "historian.before-commit:4",
        "historian.after-commit:4",
    ],
)
def test_a_kill_at_this_boundary_leaves_no_gap_in_history_and_nothing_doubled(
    point: str, tmp_path: Path, receiver: Webhook
) -> None:
    routes = ROUTES.format(url=receiver.url)
    only = (*PAGING, "historian")
    with Tocsin(tmp_path, rules=RULES, routes=routes, config=CONFIG, only=only) as tocsin:
        tocsin.start(crash_at=point)
        oracle = Oracle(over_http(tocsin.url, tocsin.token_file))
        oracle.start()
        try:
            assert tocsin.ended(within=90) == -signal.SIGKILL
            tocsin.start()
            _lives_on(oracle, 2)
            oracle.finish()
            promises.everybody_was_told(oracle, receiver)
        except BaseException:
            oracle.abandon()
            raise
        with Rows(tocsin.data) as rows:
            rows.caught_up()
            rows.check_samples(oracle)
            rows.check_records()
        assert tocsin.stop() == 0
        promises.check(LogFile(tocsin.data), oracle, receiver, kills=1)
