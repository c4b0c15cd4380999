"""The follower shows what the router knows, from whichever checkpoint it began."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.router import Router
from ops.workers.follower import CHUNK, Follower
from ops.workers.followers import LATE, Followers
from schemas.errors import LogAway
from schemas.stage import Gap, Partition, Record, Step
from schemas.topics import ALERTS, CODEC
from tests.support.waiting import eventually
from tests.unit.notifiers.scenario import batch, level, sealed, seconds
from tests.unit.notifiers.stored import alerts
from tests.unit.notifiers.test_router_replay import Entry, Runtime, fresh, logs

HERE = Partition(ALERTS, 0)


@dataclass
class Fake:
    """A log in memory with a router's checkpoint."""

    records: list[Record] = field(default_factory=list)
    next: int | None = None
    state: dict[str, bytes] = field(default_factory=dict)
    first: int = 0
    most: int = CHUNK
    away: bool = False
    open: int = 0

    def partitions(self) -> Sequence[Partition]:
        self._answer()
        return [HERE]

    def checkpoint(self, partition: Partition) -> tuple[int | None, Sequence[tuple[str, bytes]]]:
        self._answer()
        return self.next, list(self.state.items())

    def begin(self, partition: Partition) -> int:
        self._answer()
        return self.first

    def end(self, partition: Partition) -> int:
        self._answer()
        return self.records[-1].offset + 2 if self.records else 0  # a mark ends the log

    def read(
        self, partition: Partition, offset: int, limit: int, /
    ) -> tuple[list[Record], Gap | None]:
        self._answer()
        gap = Gap(partition, offset, self.first) if offset < self.first else None
        found = [r for r in self.records if r.offset >= max(offset, self.first)]
        return found[: min(limit, self.most)], gap

    def close(self) -> None:
        self.open -= 1

    def opened(self) -> "Fake":
        self._answer()
        self.open += 1
        return self

    def append(self, at: float, *names: str) -> None:
        event = batch(at, *(level("firing", at, alertname=name) for name in names))
        self.put(Entry(seconds(at), event))

    def put(self, entry: Entry) -> None:
        offset = len(self.records)
        value = CODEC.encode(sealed(entry.event, entry.at))
        self.records.append(Record(HERE, offset, entry.at, "", value))

    def _answer(self) -> None:
        if self.away:
            raise LogAway("no broker")


def settle(follower: Follower, source: Fake) -> None:
    while follower.turn(source, source.end(HERE)):
        pass


def names(follower: Follower | Followers) -> list[str]:
    return [alert.labels["alertname"] for alert in follower.alerts()]


@settings(max_examples=100, deadline=None)
@given(logs(), st.data())
def test_it_shows_what_the_router_has_committed(log: list[Entry], data: st.DataObject) -> None:
    runtime, router = Runtime(log), fresh()
    start = data.draw(st.integers(0, len(log)), "the checkpoint that it starts from")
    end = data.draw(st.integers(start, len(log)), "what there is to read")
    source = Fake(most=data.draw(st.integers(1, 7)))
    for number, entry in enumerate(log[:end]):
        if number == start and start:
            source.next, source.state = start, dict(runtime.state)
        runtime.write(runtime.step(router, [number]))
        source.put(entry)
    follower = Follower(source, HERE, fresh)
    settle(follower, source)
    assert follower.alerts() == alerts(runtime.state.items())
    assert follower.plan == router.plan_number


def test_before_the_router_ever_committed_it_reads_all_there_is() -> None:
    source = Fake()
    source.append(0, "First")
    follower = Follower(source, HERE)
    settle(follower, source)
    assert names(follower) == ["First"]


def test_after_a_gap_it_goes_on_from_a_newer_checkpoint() -> None:
    source = Fake()
    for at in range(6):
        source.append(at, f"A{at}")
    follower = Follower(source, HERE)
    router = Router()
    for record in source.records[:4]:
        from ops.runtime.intake import decoded

        step = router.step(decoded("router", [record], record.appended_at)[0], record.appended_at)
        source.state.update((c.key, c.value) for c in step.changes if c.value is not None)
    source.next, source.first = 4, 3
    settle(follower, source)
    assert names(follower) == [f"A{at}" for at in range(6)]


def test_after_a_gap_nobody_has_read_it_goes_on_behind_it() -> None:
    source = Fake()
    for at in range(4):
        source.append(at, f"A{at}")
    follower = Follower(source, HERE)
    source.first = 2
    settle(follower, source)
    assert names(follower) == ["A2", "A3"]


def test_a_topic_made_anew_is_read_from_its_begin() -> None:
    source = Fake()
    for at in range(3):
        source.append(at, "Old")
    follower = Follower(source, HERE)
    settle(follower, source)
    source.records.clear()
    source.append(9, "New")
    settle(follower, source)
    assert names(follower) == ["New"]


class Fussy(Router):
    """Fails at whatever holds an alert of this name, having forgotten half of what it knew."""

    def step(self, batch: Sequence, now: int) -> Step:  # type: ignore[type-arg]
        if any("Bad" in str(one.envelope.event) for one in batch):
            self._state.alerts.clear()
            raise ArithmeticError("no")
        return super().step(batch, now)


def test_a_record_that_fails_is_passed_over_alone() -> None:
    source = Fake()
    for at, name in enumerate(["A", "B", "Bad", "C"]):
        source.append(at if name != "Bad" else 1, name)
    follower = Follower(source, HERE, Fussy)
    settle(follower, source)
    assert names(follower) == ["A", "B", "C"]


def test_garbage_is_passed_over() -> None:
    source = Fake()
    source.append(0, "A")
    source.records.append(Record(HERE, 1, seconds(1), "", b"\xff"))
    source.append(2, "B")
    follower = Follower(source, HERE)
    settle(follower, source)
    assert names(follower) == ["A", "B"]


class Clock:
    """Goes as the test says."""

    def __init__(self) -> None:
        self.now = seconds(0)

    def __call__(self) -> int:
        return self.now


def test_a_broker_that_is_away_makes_it_late_and_it_finds_back() -> None:
    source, clock = Fake(away=True), Clock()
    followers = Followers(source.opened, clock, every=0.01)
    assert not followers.status().ready
    followers.start()
    try:
        assert followers.as_of is None
        source.append(0, "A")
        source.away = False
        eventually(lambda: names(followers) == ["A"] and followers.status().ready)
        source.away = True
        eventually(lambda: source.open == 0)
        clock.now += LATE + 1
        status = followers.status()
        assert (status.healthy, status.ready) == (False, False)
        assert "5 s ago: no broker" in status.message
        assert names(followers) == ["A"]
        source.append(1, "B")
        source.away = False
        eventually(lambda: followers.status().ready)
        assert names(followers) == ["A", "B"]
        assert followers.as_of == clock.now
        assert followers.plans() == {0: 0}
    finally:
        followers.worker.ask_to_stop()
        assert followers.worker.join(10)
    assert source.open == 0


def test_asking_while_it_reads_is_safe() -> None:
    source = Fake()
    for at in range(300):
        source.append(at, *(f"A{at}-{n}" for n in range(5)))
    follower = Follower(source, HERE)
    failures: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                follower.alerts()
        except BaseException as fault:
            failures.append(fault)

    asking = threading.Thread(target=ask)
    asking.start()
    settle(follower, source)
    done.set()
    asking.join()
    assert failures == []
    assert len(follower.alerts()) == 1_500
