"""What the agent has to send, on virtual time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.batches import Sealer
from collectors.outbox import Outbox
from collectors.retry import LONGEST, Throttled, backoff
from collectors.spool import Spool
from schemas.envelope import Envelope
from schemas.errors import TooLarge
from schemas.labels import labels_of
from schemas.metrics import MetricBatch, metric_batch
from schemas.stage import Message, Position
from schemas.topics import CODEC, METRICS
from tests.unit.collectors.log_fake import AWAY, LOST, OK, FakeLog, as_a_reader_sees


class Desk:
    """An outbox with a log, a spool and a clock that the test moves."""

    def __init__(self, directory: Path | None = None, log: FakeLog | None = None, **more: int):
        self.directory, self.more = directory, more
        self.log = log or FakeLog()
        self.at = 0.0
        self.sealer = Sealer("agent:web-1", 1)
        self.open()

    def open(self) -> None:
        self.spool = Spool(self.directory, 1_000_000) if self.directory else None
        self.outbox = Outbox(
            self.log, self.spool, now=lambda: int(self.at * 1_000), jitter=lambda: 0.0, **self.more
        )

    def restart(self) -> None:
        """As after kill -9: what was in memory is gone."""
        if self.spool:
            self.spool.close()
        self.open()

    def put(self, count: int = 1, instance: str = "web-1") -> None:
        self.outbox.put([self.sealer.seal(a_batch(instance)) for _ in range(count)])

    def settle(self, limit: int = 10_000) -> None:
        """Step until nothing is left to send, or the log is away."""
        for _ in range(limit):
            if self.outbox.step(self.at) != 0.0:
                return
        raise AssertionError("never settles")

    def until_sent(self) -> None:
        for _ in range(1_000):
            if (wait := self.outbox.step(self.at)) is None:
                return
            self.at += wait
        raise AssertionError("never sent")

    def seen(self) -> list[int]:
        return as_a_reader_sees(self.log.envelopes())


def a_batch(instance: str = "web-1", samples: int = 1) -> MetricBatch:
    series = [labels_of({"__name__": "m", "n": str(n)}) for n in range(samples)]
    return metric_batch(instance, series, [1.0] * samples, [5])


@contextmanager
def desk(directory: Path | None = None, **more: int) -> Iterator[Desk]:
    found = Desk(directory, **more)
    try:
        yield found
    finally:
        if found.spool:
            found.spool.close()


def test_while_the_log_answers_nothing_touches_the_disk(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.put(3)
        it.settle()
        assert it.seen() == [1, 2, 3]
        assert list(tmp_path.glob("*.spool")) == []
        assert it.outbox.waiting == 0


def test_messages_go_to_the_metrics_topic_keyed_by_instance() -> None:
    with desk() as it:
        it.put(instance="db-7")
        it.settle()
        assert [(each.topic, each.key) for each in it.log.got] == [(METRICS, "db-7")]


def test_sent_at_is_stamped_at_every_attempt_and_samples_keep_their_time(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.log.outcomes = [LOST]
        it.put()
        it.settle()
        it.at = 3_600.0
        it.settle()
        first, second = it.log.envelopes()
        assert (first.sent_at, second.sent_at) == (0, 3_600_000)
        assert first.id == second.id
        assert isinstance(second.event, MetricBatch)
        assert second.event == first.event


def test_while_the_log_is_away_the_spool_takes_over_and_keeps_the_order(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.log.always = AWAY
        for _ in range(5):
            it.put(2)
            it.settle()
        assert it.outbox.spooled == 10
        assert it.outbox.away == AWAY
        it.log.always = OK
        it.put()
        it.until_sent()
        assert it.seen() == list(range(1, 12))
        assert it.outbox.away == ""
        assert list(tmp_path.glob("*.spool")) == []


def test_what_is_put_during_an_outage_is_on_disk_at_the_next_step(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.log.outcomes = [AWAY]
        it.put()
        it.settle()
        it.put()
        it.settle()
        it.restart()
        it.until_sent()
        assert it.seen() == [1, 2]


def test_it_waits_longer_after_each_failure_and_never_beyond_fifteen_seconds() -> None:
    with desk() as it:
        it.log.always = AWAY
        it.put()
        waits = []
        for _ in range(9):
            wait = it.outbox.step(it.at)
            assert wait is not None
            waits.append(wait)
            it.at += wait
        assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 7.5, 7.5, 7.5, 7.5]
        assert len(it.log.got) == 0
        it.log.always = OK
        it.until_sent()
        assert it.seen() == [1]


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_jitter_spreads_the_upper_half_of_a_wait(failures: int, jitter: float) -> None:
    assert backoff(failures, 0.0) <= backoff(failures, jitter) <= 2 * backoff(failures, 0.0)
    assert 0 < backoff(failures, jitter) <= LONGEST


def test_it_leaves_a_log_alone_for_as_long_as_the_log_asks() -> None:
    class Busy:
        def publish(self, messages: object, timeout: float = 30.0) -> list[Position]:
            raise Throttled("429", 120.0)

    outbox = Outbox(Busy(), None, now=lambda: 0, jitter=lambda: 0.0)
    outbox.put([Sealer("a", 1).seal(a_batch())])
    assert outbox.step(0.0) == 120.0
    assert outbox.step(100.0) == 20.0


def test_what_the_log_refuses_is_counted_and_blocks_nothing(tmp_path: Path) -> None:
    def bad(message: Message) -> bool:
        return CODEC.decode(message.value).producer.sequence in (1, 4, 7)

    with desk(tmp_path) as it:
        it.log._refuse = bad
        it.put(4)
        it.settle()
        it.log.outcomes = [AWAY]
        it.put(4)
        it.settle()
        it.until_sent()
        assert it.seen() == [2, 3, 5, 6, 8]
        assert it.outbox.refused == 3
        assert it.outbox.waiting == 0


def test_a_message_too_large_for_the_log_blocks_nothing() -> None:
    class Narrow(FakeLog):
        def publish(self, messages: list[Message], timeout: float = 30.0) -> list[Position]:  # type: ignore[override]
            if any(len(each.value) > 600 for each in messages):
                raise TooLarge("above the limit")
            return super().publish(messages, timeout)

    sealer = Sealer("a", 1)
    log = Narrow()
    outbox = Outbox(log, None, now=lambda: 0, jitter=lambda: 0.0)
    outbox.put([sealer.seal(a_batch(samples=n)) for n in (1, 200, 1)])
    while outbox.step(0.0) is not None:
        pass
    assert as_a_reader_sees(log.envelopes()) == [1, 3]
    assert outbox.refused == 1


def test_a_spooled_record_that_this_version_cannot_read_blocks_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.log.outcomes = [AWAY]
        it.put()
        it.settle()
        assert it.spool
        it.spool.append([b"of another version", b"and another"])
        it.put()
        it.settle()
        it.until_sent()
        assert it.seen() == [1, 2]
        assert it.outbox.refused == 2


def test_an_event_that_cannot_be_encoded_is_refused_at_once() -> None:
    with desk() as it:
        it.outbox.put([it.sealer.seal(a_batch().model_copy(update={"instance": "\udcff"}))])
        it.put()
        it.settle()
        assert it.outbox.refused == 1
        assert it.seen() == [2]


def test_a_publisher_that_breaks_its_contract_costs_no_data(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeLog):
        broken = True

        def publish(self, messages: list[Message], timeout: float = 30.0) -> list[Position]:  # type: ignore[override]
            if self.broken:
                raise RuntimeError("dictionary changed size during iteration")
            return super().publish(messages, timeout)

    with desk() as it:
        it.outbox._publish = log = Broken()
        it.put(2)
        it.settle()
        log.broken = False
        it.until_sent()
        assert as_a_reader_sees(log.envelopes()) == [1, 2]
        assert "publisher failed" in caplog.text


def test_without_a_spool_memory_holds_the_newest_and_counts_the_rest() -> None:
    with desk(memory=3_000) as it:
        it.log.always = AWAY
        it.put(100)
        it.settle()
        kept = it.outbox.waiting
        assert 5 < kept < 50
        it.log.always = OK
        it.until_sent()
        assert it.seen() == list(range(101 - kept, 101))
        assert it.outbox.overflowed == 100 - kept


def test_on_a_full_disk_memory_takes_over_behind_the_spool(tmp_path: Path) -> None:
    class Full(Spool):
        full = False

        def append(self, payloads: list[bytes]) -> bool:  # type: ignore[override]
            return not self.full and super().append(payloads)

    log = FakeLog()
    log.always = AWAY
    with desk() as it:
        spool = Full(tmp_path)
        it.outbox = Outbox(log, spool, now=lambda: 0, jitter=lambda: 0.0)
        it.put(2)
        it.settle()
        spool.full = True
        it.put(2)
        it.settle()
        assert (spool.pending, it.outbox.waiting) == (2, 4)
        log.always = OK
        it.until_sent()
        assert as_a_reader_sees(log.envelopes()) == [1, 2, 3, 4]
        spool.close()


def test_a_group_is_bounded_so_that_a_lost_answer_repeats_little() -> None:
    with desk() as it:
        it.put(500)
        it.settle()
        assert [len(group) for group in it.log.groups] == [200, 200, 100]


def test_repeats_are_counted() -> None:
    with desk() as it:
        it.log.outcomes = [LOST, LOST]
        it.put(3)
        it.settle()
        it.until_sent()
        assert it.outbox.resent == 6
        assert it.seen() == [1, 2, 3]


def test_closing_sends_what_it_can(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.put(300)
        it.outbox.close(it.at)
        assert it.seen() == list(range(1, 301))


@pytest.mark.parametrize("before", [True, False])
def test_closing_while_the_log_is_away_spools_what_is_left(tmp_path: Path, before: bool) -> None:
    with desk(tmp_path) as it:
        it.log.always = AWAY
        if before:
            it.put()
            it.settle()
        it.put(3)
        it.outbox.close(it.at)
        it.log.always = OK
        it.restart()
        it.until_sent()
        assert it.seen() == list(range(1, 5 if before else 4))


Move = st.one_of(
    st.sampled_from([OK, AWAY, LOST]),
    st.integers(1, 4),
    st.sampled_from(["step", "wait", "restart after a step"]),
)


@settings(max_examples=150, deadline=None)
@given(moves=st.lists(Move, max_size=40), with_spool=st.booleans())
def test_whatever_the_log_answers_all_arrive_in_order_with_repeats_only(
    tmp_path_factory: pytest.TempPathFactory, moves: list[str | int], with_spool: bool
) -> None:
    with desk(tmp_path_factory.mktemp("spool") if with_spool else None) as it:
        put = 0
        for move in moves:
            if isinstance(move, int):
                it.put(move)
                put += move
            elif move in (OK, AWAY, LOST):
                it.log.outcomes.append(str(move))
            elif move == "restart after a step" and with_spool:
                it.settle()
                it.restart()
            else:
                it.at += 20.0 * (move == "wait")
                it.outbox.step(it.at)
        it.log.outcomes.clear()
        it.until_sent()
        assert it.seen() == list(range(1, put + 1))
        sent = [envelope.producer.sequence for envelope in it.log.envelopes()]
        for group in it.log.groups:
            numbers = [CODEC.decode(each.value).producer.sequence for each in group]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert set(sent) == set(range(1, put + 1))


def test_the_envelope_keeps_its_identity_through_the_spool(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.log.outcomes = [AWAY]
        sealed: Envelope = Sealer("agent:x", 77, "acme").seal(a_batch())
        it.outbox.put([sealed])
        it.settle()
        it.until_sent()
        (arrived,) = it.log.envelopes()
        assert (arrived.id, arrived.producer, arrived.tenant, arrived.event) == (
            sealed.id,
            sealed.producer,
            "acme",
            sealed.event,
        )
