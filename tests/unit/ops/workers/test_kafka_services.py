"""What the console's server is told on Kafka."""

import threading
from dataclasses import dataclass, field

import pytest

from notifiers.view import AlertView
from ops.cluster.facts import Facts
from ops.cluster.watch import OLD, Watch
from ops.history.errors import HistoryAway
from ops.parts.shared import Shared
from ops.services import StageStatus
from ops.settings import Settings
from ops.transport.log import Log
from ops.workers.followers import Followers
from ops.workers.kafka_services import KafkaServices
from schemas.errors import LogAway
from tests.support.fake_services import FakeRecords
from tests.support.waiting import eventually
from tests.unit.ops.cluster.test_report import NOW, fleet, heard
from tests.unit.ops.workers.test_follower import Clock, Fake


@dataclass
class FakeAsk:
    """Answers as the test says."""

    found: Facts = field(default_factory=lambda: Facts(NOW))
    away: bool = False
    asked: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def facts(self) -> Facts:
        self.asked += 1
        if self.away:
            raise LogAway("no broker")
        return self.found

    def close(self) -> None:
        self.closed.set()


@dataclass
class Stand:
    """Services over a log in memory."""

    ask: FakeAsk = field(default_factory=FakeAsk)
    source: Fake = field(default_factory=Fake)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.followers = Followers(self.source.opened, Clock(), every=0.01)
        self.watch = Watch(lambda: self.ask, 0.01, lambda: self.now)
        shared: Shared[Log] = Shared(Settings(), None, lambda _: None)  # type: ignore[arg-type]
        self.services = KafkaServices(shared, self.followers, self.watch, None, FakeRecords())

    def stop(self) -> None:
        for worker in (self.followers.worker, self.watch.worker):
            worker.ask_to_stop()
            assert worker.join(10)

    def names(self) -> list[str]:
        return [status.name for status in self.services.status()]


def test_before_anything_is_known_it_says_so() -> None:
    stand = Stand()
    assert stand.services.as_of == 0
    assert list(stand.services.alerts()) == []
    assert stand.services.cluster() is None
    [follower, workers] = stand.services.status()
    assert (follower.ready, workers.ready, workers.vital) == (False, True, False)
    assert workers.message == "nothing is heard of the workers: it was not asked yet"
    with pytest.raises(HistoryAway, match=r"history\.url"):
        stand.services.query("up", None)
    assert "tocsin apply" in stand.services.reload()[0]


def test_it_tells_of_its_follower_and_of_all_other_stages() -> None:
    stand = Stand(FakeAsk(Facts(NOW, heard=(*fleet(), heard("c", "console", healthy=False)))))
    stand.source.append(0, "A")
    stand.followers.start()
    stand.watch.worker.start()
    try:
        eventually(lambda: stand.followers.status().ready and stand.watch.facts(), 10)
        assert stand.names() == ["follower", "detector", "router", "courier"]
        assert all(status.healthy for status in stand.services.status())
        assert (stand.services.cluster() or {})["problems"] == ["console: c is unhealthy"]
        assert isinstance(stand.services.alerts()[0], AlertView)
        assert 'tocsin_alerts{state="firing"} 1' in stand.services.figures.render()
        assert 'tocsin_alerts{state="pending"} 0' in stand.services.figures.render()
    finally:
        stand.stop()
    assert stand.ask.closed.is_set()


def test_old_facts_are_told_no_more() -> None:
    stand = Stand()
    stand.watch.worker.start()
    try:
        eventually(lambda: stand.watch.facts() is not None, 10)
        stand.ask.away = True
        eventually(lambda: stand.watch.fault == "no broker", 10)
        assert stand.watch.facts() is not None
        stand.now = OLD + 1
        assert stand.watch.facts() is None
        status = stand.services.status()[1]
        assert status == StageStatus(
            "workers", False, True, "nothing is heard of the workers: no broker", vital=False
        )
        stand.ask.away = False
        eventually(lambda: stand.watch.facts() is not None, 10)
        assert stand.watch.fault == ""
    finally:
        stand.stop()
