from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from notifiers.channels.channel import Channel, DeliveryFailed, Failure, Message
from notifiers.courier import Clock, Courier
from notifiers.lanes import MOST_THREADS
from schemas.deliveries import Receipt
from schemas.errors import LogAway
from schemas.stage import Gap, Partition, Record
from schemas.stage import Message as Wire
from schemas.topics import DEAD_LETTERS
from tests.unit.notifiers.courier_log import (
    PARTITION,
    Broken,
    Hooks,
    Log,
    Settling,
    either,
    loop,
    value,
)


@either
def test_every_delivery_is_answered_before_its_offset_is_committed(make: type[Log]) -> None:
    log, channel = make(*(value(f"d{n}", f"g{n}") for n in range(20)), ends=Event()), Hooks()
    loop(log, channel).run()
    assert sorted(log.receipts()) == sorted(channel.sent) == sorted(f"d{n}" for n in range(20))
    assert log.committed == 20
    assert log.trail[0] == ("settled" if make is Settling else "published")


def test_deliveries_that_nobody_can_send_any_more_are_said_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log, counted = Log(value("d"), ends=Event()), dict[str, int]()
    log.lost = [Gap(PARTITION, 3, 10), Gap(PARTITION, 20, 0)]

    def count(event: str, amount: int) -> None:
        counted[event] = counted.get(event, 0) + amount

    loop(log, Hooks(), count=count).run()
    assert counted["gap"] == 7
    assert caplog.messages.count("deliveries lost to retention") == 2


@either
def test_one_group_and_channel_keeps_its_order(make: type[Log]) -> None:
    log = make(*(value(f"d{n:02}") for n in range(30)), ends=Event())
    channel = Hooks()
    loop(log, channel).run()
    assert channel.sent == [f"d{n:02}" for n in range(30)]


@either
def test_a_slow_delivery_holds_up_neither_other_groups_nor_is_it_passed_by_the_commit(
    make: type[Log],
) -> None:
    log = make(value("slow", "g1"), value("fast", "g2"), ends=Event())
    channel = Hooks("slow")
    with ThreadPoolExecutor(4) as pool:
        work = loop(log, channel)
        while not log.published:
            work.turn(pool)
        assert (channel.sent, log.committed) == (["fast"], 0)
        channel.slow["slow"].set()
        while log.committed < 2:
            work.turn(pool)
    assert channel.sent == ["fast", "slow"]


@either
def test_a_dead_receiver_leaves_threads_for_the_others(make: type[Log]) -> None:
    dead = [f"dead{n}" for n in range(20)]
    log = make(*(value(name, name) for name in dead), value("fine", receiver="other"), ends=Event())
    channel = Hooks(*dead)
    with ThreadPoolExecutor(8) as pool:
        work = loop(log, channel, threads=8)
        while not channel.sent:
            work.turn(pool)
        assert channel.sent == ["fine"]
        for sign in channel.slow.values():
            sign.set()
        while log.committed < 21:
            work.turn(pool)


def test_receivers_that_all_fail_leave_threads_for_the_others() -> None:
    """Each of them waits for its next try, and holds a thread."""
    dead = [f"dead{n}" for n in range(20)]
    values = [value(name, name, receiver=name) for name in dead] + [value("fine", receiver="other")]
    log, fine, broken = Log(*values, ends=Event()), Hooks(), Broken()
    work = loop(log, fine)
    clock = Clock(lambda: 0, lambda: 0.0, log.ends.wait, lambda: 0.0)
    channels: dict[tuple[str, int], Channel] = {(name, 0): broken for name in dead}
    work.courier = Courier(channels | {("other", 0): fine}, clock)
    with ThreadPoolExecutor(MOST_THREADS) as pool:
        while not fine.sent:
            work.turn(pool)
        log.ends.set()
    assert fine.sent == ["fine"]


@either
def test_bytes_that_are_no_delivery_become_a_dead_letter_and_the_rest_goes_on(
    make: type[Log],
) -> None:
    log, channel = make(b"\x00nonsense", value("d"), ends=Event()), Hooks()
    loop(log, channel).run()
    assert [one.topic for one in log.published].count(DEAD_LETTERS) == 1
    assert log.committed == 2


@either
def test_the_same_attempt_read_twice_is_sent_once_and_answered_twice(make: type[Log]) -> None:
    log, channel = make(value("d"), value("d"), value("d", attempt=2), ends=Event()), Hooks()
    loop(log, channel).run()
    assert channel.sent == ["d", "d"]
    assert log.receipts() == ["d", "d", "d"]


def test_what_is_sent_again_by_hand_is_sent_though_that_attempt_was_answered() -> None:
    log = Log(value("d", attempt=2), value("d", attempt=2, event_id="resend"), ends=Event())
    channel = Hooks()
    loop(log, channel).run()
    assert channel.sent == ["d", "d"]


def test_of_what_was_buried_only_the_receipt_is_remembered() -> None:
    log = Log(value("d", receiver="nobody"), value("d", receiver="nobody"), ends=Event())
    work = loop(log, Hooks())
    work.run()
    assert log.receipts() == ["d", "d"]
    assert [one.topic for one in log.published].count(DEAD_LETTERS) == 1
    assert [type(one.event) for one in work.remembered.values()] == [Receipt]


@either
def test_while_the_log_is_away_receipts_are_kept_and_nothing_is_committed(
    monkeypatch: pytest.MonkeyPatch, make: type[Log]
) -> None:
    monkeypatch.setattr("notifiers.courier_loop._AWAY", 0.001)
    log, channel = make(value("d"), ends=Event()), Hooks()
    log.away = 3
    loop(log, channel).run()
    assert log.receipts() == ["d"]
    assert log.trail == (["settled"] if make is Settling else ["published", "committed"])


@pytest.mark.parametrize(
    ("point", "sent", "published", "committed"),
    [
        ("courier.before-send", 0, 0, 0),
        ("courier.after-send", 1, 0, 0),
        ("courier.after-receipt", 1, 1, 0),
    ],
)
def test_a_crash_at_each_boundary_leaves_the_delivery_to_be_read_again(
    point: str, sent: int, published: int, committed: int
) -> None:
    class Crash(BaseException):
        pass

    def crash(at: str) -> None:
        if at == point:
            raise Crash

    log, channel = Log(value("d"), ends=Event()), Hooks()
    with pytest.raises(Crash):
        loop(log, channel, crash=crash).run()
    assert (len(channel.sent), len(log.published), log.committed) == (sent, published, committed)
    log.polled = 0
    loop(log, channel).run()
    assert (len(channel.sent), log.committed) == (sent + 1, 1)
    assert set(channel.sent) == {"d"}


def test_a_crash_after_receipts_and_offsets_leaves_nothing_to_be_read_again() -> None:
    class Crash(BaseException):
        pass

    def crash(at: str) -> None:
        if at == "courier.after-receipt":
            raise Crash

    log, channel = Settling(value("d"), ends=Event()), Hooks()
    with pytest.raises(Crash):
        loop(log, channel, crash=crash).run()
    assert (channel.sent, log.receipts(), log.committed) == (["d"], ["d"], 1)


@either
def test_stopping_finishes_what_is_under_way(make: type[Log]) -> None:
    log, channel = make(value("slow"), value("next"), ends=Event()), Hooks("slow")
    thread = Thread(target=loop(log, channel).run)
    thread.start()
    assert channel.started.wait(5)
    log.ends.set()
    channel.slow["slow"].set()
    thread.join(5)
    assert not thread.is_alive()
    assert (log.receipts(), log.committed) == (["slow"], 1)


@either
def test_threads_go_on_while_the_log_takes_its_time(make: type[Log]) -> None:
    """Answers that come meanwhile make the next, larger group."""
    log, channel = make(*(value(f"d{n}", f"g{n}") for n in range(12)), ends=Event()), Hooks("d11")
    name = "settle" if make is Settling else "publish"
    append, groups = getattr(log, name), list[int]()

    def slow(messages: Sequence[Wire], *rest: object) -> object:
        groups.append(len(messages))
        while len(channel.sent) < 11:
            assert not log.ends.wait(0.001)
        channel.slow["d11"].set()
        return append(messages, *rest)

    setattr(log, name, slow)
    loop(log, channel).run()
    assert sum(groups) == log.committed == 12
    assert len(groups) <= 3


@either
def test_only_so_many_are_sent_before_their_receipts_are_in_the_log(make: type[Log]) -> None:
    log, channel = make(*(value(f"d{n}", f"g{n}") for n in range(40)), ends=Event()), Hooks()
    name = "settle" if make is Settling else "publish"
    append, ahead = getattr(log, name), list[int]()

    def slow(messages: Sequence[Wire], *rest: object) -> object:
        log.ends.wait(0.01)
        ahead.append(len(channel.sent) - len(log.published))
        return append(messages, *rest)

    setattr(log, name, slow)
    loop(log, channel, threads=8).run()
    assert log.committed == len(channel.sent) == 40
    assert max(ahead) <= 8


def test_a_commit_that_fails_is_made_up_for_and_nothing_is_sent_again() -> None:
    log, channel = Log(value("d1", "g1"), value("d2", "g2"), ends=Event()), Hooks()
    commit, faults = log.commit, [LogAway(), LogAway()]

    def failing(offsets: Mapping[Partition, int]) -> None:
        if faults:
            raise faults.pop()
        commit(offsets)

    log.commit = failing  # type: ignore[method-assign]
    loop(log, channel).run()
    assert sorted(channel.sent) == sorted(log.receipts()) == ["d1", "d2"]
    assert log.committed == 2


def test_a_partition_that_went_and_came_back_is_committed_only_as_far_as_it_was_read_again() -> (
    None
):
    log, channel = Log(value("slow"), value("fast", "g2"), ends=Event()), Hooks("slow")
    looping = loop(log, channel)
    with ThreadPoolExecutor(4) as pool:
        while not log.published:
            looping.turn(pool)
        log.owned = frozenset()
        looping.turn(pool)
        log.owned = frozenset({PARTITION})
        channel.slow["slow"].set()
        while len(log.receipts()) < 2:
            looping.turn(pool)
        assert log.committed == 0  # its next owner may be anywhere
        log.polled = 0
        while not log.ends.is_set():
            looping.turn(pool)
    assert channel.sent == ["fast", "slow"]


def test_a_log_that_is_away_is_polled_again_and_costs_nobody_a_second_message() -> None:
    log, channel = Log(value("slow"), ends=Event()), Hooks("slow")
    poll = log.poll

    def failing(timeout: float, limit: int = 500) -> list[Record]:
        if channel.started.is_set() and not channel.slow["slow"].is_set():
            channel.slow["slow"].set()
            raise LogAway("gone")
        return poll(timeout, limit)

    log.poll = failing  # type: ignore[method-assign]
    loop(log, channel).run()
    assert (channel.sent, log.receipts(), log.committed) == (["slow"], ["slow"], 1)


@either
def test_what_was_answered_behind_an_open_delivery_is_not_sent_again_by_the_next_loop(
    make: type[Log],
) -> None:
    log = make(value("slow1"), value("slow2"), value("fast", "g2"), ends=Event())
    channel = Hooks("slow1", "slow2")
    first = loop(log, channel)
    with ThreadPoolExecutor(4) as pool:
        while not log.published:
            first.turn(pool)
        channel.slow["slow1"].set()
        channel.slow["slow2"].set()
    assert log.committed == 0
    log.polled = 0  # a new member reads from what was committed
    second = loop(log, channel, remembered=first.remembered)
    second.run()
    assert channel.sent.count("fast") == 1
    assert log.committed == 3


def test_a_channel_that_takes_nothing_is_named_once_until_it_delivers_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Moody(Hooks):
        def send(self, message: Message) -> None:
            if message.delivery.id != "good":
                raise DeliveryFailed(Failure.REJECTED, retry=False)
            super().send(message)

    ends = Event()
    log = Log(value("bad1", "g1"), value("bad2", "g1"), ends=ends)
    failing: dict[tuple[str, int], str] = {}
    loop(log, Moody(), failing=failing).run()
    assert failing == {("ops", 0): str(Failure.REJECTED)}
    assert [record.message for record in caplog.records] == ["channel fails"]
    again = Log(value("good", "g1"), ends=Event())
    loop(again, Moody(), failing=failing).run()
    assert failing == {}
    assert caplog.records[-1].message == "channel delivers again"
