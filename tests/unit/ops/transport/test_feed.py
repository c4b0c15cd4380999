"""The records of one partition between the group's consumer and the driver."""

from hypothesis import given
from hypothesis import strategies as st

from ops.transport.feed import FULL_RECORDS, Feed
from schemas.stage import Partition, Record

P = Partition("tocsin.alerts", 0)


def record(offset: int, at: int | None = None) -> Record:
    return Record(P, offset, offset * 10 if at is None else at, "k", b"value")


def offsets(feed: Feed, start: int, limit: int = 100, size: int = 1 << 20) -> list[int]:
    return [each.offset for each in feed.take(start, limit, size)]


def test_records_stay_until_they_are_committed() -> None:
    feed = Feed()
    feed.put([record(n) for n in range(5)])
    assert offsets(feed, 1) == [1, 2, 3, 4]
    assert offsets(feed, 1) == [1, 2, 3, 4]
    feed.drop(3)
    assert offsets(feed, 0) == [3, 4]


def test_what_a_rebalance_brings_again_is_passed_over_and_said_to_be_committed() -> None:
    told: list[int] = []
    feed = Feed(told.append)
    feed.put([record(n) for n in range(5)])
    feed.drop(4)
    feed.put([record(n) for n in range(2, 7)])
    assert offsets(feed, 0) == [4, 5, 6]
    assert told == [4, 4]


def test_what_is_below_the_checkpoint_is_never_kept() -> None:
    feed = Feed()
    feed.drop(3)
    feed.put([record(n) for n in range(5)])
    assert offsets(feed, 0) == [3, 4]


def test_append_times_that_go_back_are_no_new_log() -> None:
    feed = Feed()
    pair = [record(100, at=1_000), record(101, at=998)]
    feed.put(pair)
    feed.put(pair)
    assert offsets(feed, 0) == [100, 101]


def test_a_run_ends_at_a_hole() -> None:
    feed = Feed()
    feed.put([record(n) for n in (1, 2, 3, 7, 8)])
    assert offsets(feed, 0) == [1, 2, 3]
    assert offsets(feed, 4) == [7, 8]


def test_a_topic_found_to_be_new_begins_with_its_first_offset() -> None:
    feed = Feed()
    feed.put([record(n) for n in range(10)])
    feed.drop(5)
    feed.begin_again(anew=True)
    feed.drop(0)
    feed.put([record(0, at=1_000), record(1, at=1_001)])
    assert (offsets(feed, 0), feed.end) == ([0, 1], 2)


def test_it_is_full_by_count_and_by_bytes() -> None:
    feed = Feed()
    feed.put([record(n) for n in range(FULL_RECORDS)])
    assert feed.full
    feed.drop(1)
    assert not feed.full
    large = Feed()
    large.put([Record(P, n, n, "k", bytes(1 << 20)) for n in range(64)])
    assert large.full


def test_a_take_ends_at_its_limits_and_gives_one_record_at_least() -> None:
    feed = Feed()
    feed.put([record(n) for n in range(10)])
    assert offsets(feed, 0, limit=3) == [0, 1, 2]
    assert offsets(feed, 0, size=11) == [0, 1, 2]
    assert offsets(feed, 0, size=1) == [0]


def test_it_is_adrift_from_the_revocation_to_the_first_record_after_the_assignment() -> None:
    feed = Feed()
    feed.put([record(0)])
    assert not feed.adrift
    feed.cast_off()
    feed.put([record(1)])  # on its way when the group let go
    assert feed.adrift
    assert feed.unsettled
    feed.land()
    assert feed.adrift
    assert not feed.unsettled
    feed.put([record(1)])
    assert not feed.adrift


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=20))
def test_whatever_is_fed_again_nothing_is_taken_twice_or_out_of_order(
    parts: list[tuple[int, int]],
) -> None:
    feed, taken, at = Feed(), list[int](), 0
    fed = 0
    for start, count in parts:
        begin = min(start, fed)  # a group never leaves records out
        feed.put([record(n) for n in range(begin, begin + count)])
        fed = max(fed, begin + count)
        found = offsets(feed, at)
        taken += found
        if found:
            at = found[-1] + 1
        feed.drop(at)
    assert taken == list(range(fed))
