from collections.abc import Iterator
from pathlib import Path

import pytest

from notifiers import view
from notifiers.router import Router
from ops.embedded.router_state import STAGE, RouterState
from ops.transport.sqlite_log import SqliteLog
from ops.transport.stage_log import StageCommit
from schemas.alerts import AlertState
from schemas.commands import SilenceMatcher, SilenceSet
from schemas.event import Event
from schemas.stage import Partition, Received
from schemas.topics import ALERTS
from tests.unit.notifiers.scenario import batch, level, plan, sealed, seconds

ROUTES = """
route: {receiver: ops, group_wait: 10s}
receivers: [{name: ops, webhook_configs: [{url: 'http://ops/'}]}]
"""


class Whole:
    """A router that commits to a log, and what others see of it."""

    def __init__(self, path: Path) -> None:
        self.log = SqliteLog(path / "log.sqlite", lambda: seconds(0))
        self.router = Router(atomic=True)
        self.offset = 0
        self.reader = self.log.reader()
        self.state = RouterState(self.reader)
        self.commit(*plan(ROUTES))

    def commit(self, *events: Event) -> None:
        for event in events:
            now = seconds(self.offset)
            step = self.router.step([Received(self.offset, sealed(event, now))], now)
            self.offset += 1
            where = Partition(ALERTS, 0)
            self.log.commit_stage(StageCommit(STAGE, where, self.offset, (), step.changes))


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Whole]:
    found = Whole(tmp_path)
    yield found
    found.reader.close()
    found.log.close()


def names(whole: Whole, now: int = 5) -> list[str]:
    with whole.state.known(seconds(now)) as state:
        return [one.labels["alertname"] for one in view.shown(state, seconds(now))]


def test_it_is_unpacked_once_for_each_commit(whole: Whole) -> None:
    whole.commit(batch(1, level("firing", 1, alertname="A")))
    assert names(whole) == ["A"]
    with whole.state.known(seconds(5)) as one:
        pass
    with whole.state.known(seconds(9)) as same:
        assert same is one
        assert same.now == seconds(9)
    whole.commit(batch(2, level("firing", 2, alertname="B")))
    assert names(whole) == ["A", "B"]


def test_alerts_are_counted_by_state(whole: Whole) -> None:
    assert whole.state.counted() == {}
    whole.commit(batch(1, level("firing", 1, alertname="A"), level("pending", 1, alertname="B")))
    assert whole.state.counted() == {AlertState.FIRING: 1, AlertState.PENDING: 1}
    whole.commit(batch(2, level("firing", 2, alertname="B")))
    assert whole.state.counted() == {AlertState.FIRING: 2}


def test_what_is_outdated_is_let_go_when_figures_are_asked_for(whole: Whole) -> None:
    whole.commit(batch(1, level("firing", 1, alertname="A")))
    names(whole)
    whole.state.counted()
    assert whole.state._known is not None
    whole.commit(batch(2, level("firing", 2, alertname="B")))
    whole.state.counted()
    assert whole.state._known is None


def test_a_prefix_holds_no_more_than_its_entries(whole: Whole) -> None:
    whole.commit(batch(1, level("firing", 1, alertname="A")))
    matcher = SilenceMatcher(name="alertname", operator="=", value="A")
    whole.commit(
        SilenceSet(
            id="s",
            sets=((matcher,),),
            starts_at=seconds(1),
            ends_at=seconds(60),
            created_by="ann",
            comment="",
        )
    )
    assert [key for key, _ in whole.state.entries("silence")] == ["silence/s"]
    [found] = view.silences(whole.state.entries("silence"), seconds(5))
    assert found.silence.id == "s"
    with whole.state.known(seconds(5)) as state:
        [alert] = view.shown(state, seconds(5))
    assert alert.silenced_by == ("s",)
