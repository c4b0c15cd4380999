"""What router and courier promise over kills, checked on a day of people on call."""

from collections.abc import Callable
from pathlib import Path

from notifiers.incidents.lifecycle import PAGES
from schemas.deliveries import Delivery
from schemas.incidents import IncidentAction, IncidentCommand
from schemas.topics import ALERTS, DELIVERIES
from tests.support import promises
from tests.support.log_file import LogFile
from tests.support.on_call_day import ONLY, ROUTES, Day
from tests.support.promises import Proof
from tests.support.tocsin_process import Tocsin
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

Kill = Callable[[Tocsin, Day], int]
"""Ends the process as often as it answers, and starts it again."""


def survive(tocsin: Tocsin, receiver: Webhook, kill: Kill, seed: int, every: float = 0.1) -> Proof:
    """A day with kills in it; raises AssertionError where a promise was broken.

    Several deliveries may be under way at a kill: each may be attempted once more.
    """
    day = Day(lambda: tocsin.url, receiver, seed, every)
    day.start()
    try:
        kills = kill(tocsin, day)
        day.finish()
        everybody_was_told(day, receiver)
    except BaseException:
        day.abandon()
        raise
    assert tocsin.stop() == 0, tocsin.tail()
    log = LogFile(tocsin.data)
    proof = promises.check_pages(
        log, [life for life in day.lives if life.kind != "acknowledged"], receiver, kills
    )
    assert what_is_acknowledged_pages_nobody(log) == sum(
        life.kind == "acknowledged" for life in day.lives
    )
    return proof


def everybody_was_told(day: Day, receiver: Webhook) -> None:
    """Wait for a page at the beginning of every life and one at its end."""
    names = {life.name for life in day.lives}
    for status in ("firing", "resolved"):

        def told(status: str = status) -> bool:
            silent = names - receiver.told("life", status)
            assert not silent, f"no page that {sorted(silent)[:5]} is {status}"
            return True

        eventually(told, 60)


def what_is_acknowledged_pages_nobody(log: LogFile) -> int:
    """How many incidents were acknowledged; no page of one was decided after that."""
    taken: dict[str, int] = {}
    for record, envelope in log.envelopes(ALERTS):
        event = envelope.event
        if isinstance(event, IncidentCommand) and event.action is IncidentAction.ACKNOWLEDGE:
            taken.setdefault(event.incident, record.appended_at)
    for event in log.events(DELIVERIES, Delivery):
        if event.why in PAGES and event.attempt == 1:
            after = taken.get(event.incident, event.decided_at) < event.decided_at
            assert not after, f"{event.incident} was acknowledged, then {event.why}"
    return len(taken)


def tocsin_for(home: Path, receiver: Webhook) -> Tocsin:
    """The process under test."""
    return Tocsin(home, routes=ROUTES.format(url=receiver.url), only=ONLY)
