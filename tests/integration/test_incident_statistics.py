"""The questions about incidents, asked of real history: what the router told of a day."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ops.history import tables
from ops.history.child import HistoryChild
from ops.history.clickhouse import History
from ops.history.migrations import migrate
from ops.history.writer import Writer
from ops.incident_statistics import statistics
from ops.incidents import found, whole
from processors.historian import Collector
from schemas.envelope import Envelope, Producer
from schemas.incidents import IncidentAction, IncidentChanged, IncidentCommand
from schemas.topics import HISTORY
from tests.support.fake_services import FakeServices
from tests.unit.notifiers.scenario import START, Scenario

DAY = 86_400_000
ROUTES = """
route: {receiver: ops, group_by: [alertname], group_wait: 10s, group_interval: 1m}
receivers: [{name: ops, webhook_configs: [{url: http://127.0.0.1:1/}]}]
"""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    child = HistoryChild(tmp_path_factory.mktemp("history"), longest_pause=0.1)
    child.start()
    assert child.wait_ready(30)
    history = History(lambda: child.address)
    migrate(history, days=9_000)
    yield history
    history.close()
    child.stop()


def lived() -> Scenario:
    """`a`: acknowledged 50 s after its page, over 200 s later; `b`: nobody's, a false positive."""
    day = Scenario(ROUTES).fires(0, "a").until(60)
    name = day.router.incidents()[0].id
    day.at(60, IncidentCommand(incident=name, action=IncidentAction.ACKNOWLEDGE, by="ada"))
    day.resolves(200, "a").until(300).fires(400, "b").until(500)
    name = day.router.incidents()[0].id
    return day.at(510, IncidentCommand(incident=name, action=IncidentAction.FALSE_POSITIVE,
                                       by="bob"))  # fmt: skip


def stored(history: History, day: Scenario) -> None:
    collector = Collector(retention=10**15)
    lines = [event for event in day.history if isinstance(event, IncidentChanged)]
    for offset, event in enumerate(lines):
        envelope = Envelope("id", Producer("router"), event.at, event)
        collector.add(offset, event.at, envelope)
    for table, columns in collector.take():
        if table == "incidents":
            rows = tables.INCIDENTS.rows(columns)
            Writer(history).write(tables.INCIDENTS, HISTORY, 0, rows)


def test_a_day_is_counted_and_told(history: History) -> None:
    day = lived()
    stored(history, day)
    services = FakeServices(rows=history.rows, incident_views=day.router.incidents())
    told = statistics(services, START - DAY)["all"]
    assert (told["incidents"], told["acknowledged"], told["resolved"]) == (2, 1, 1)
    assert told["time_to_acknowledge"] == {"mean": 50.0, "median": 50.0, "p90": 50.0}
    assert told["time_to_resolve"]["mean"] == 240.0
    assert (told["false_positives"], told["deliveries"], told["delivered_share"]) == (1, 3, 1.0)
    assert statistics(services, START + 100_000)["all"]["incidents"] == 1
    one = day.router.incidents()[-1]
    services.incident_views = [replace(one, timeline=one.timeline[-1:], dropped=99)]
    assert whole(services, found(services, one.id)).timeline == one.timeline
