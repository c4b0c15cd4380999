from dataclasses import replace

import pytest

from notifiers.matchers import Matcher, Operator
from notifiers.silences import (
    Edit,
    Silence,
    SilenceBook,
    SilenceState,
    UnknownSilence,
    edit,
    may_keep_id,
    unpacked_silence,
)

A = Silence("s", ((Matcher("a", Operator.EQUAL, "1"),),), 10_000, 20_000, "ann", "why", {"x": "y"})
OTHER = ((Matcher("a", Operator.EQUAL, "2"),),)


def test_a_silence_is_active_from_its_start_until_before_its_end() -> None:
    found = [A.state_at(now) for now in (9_999, 10_000, 19_999, 20_000)]
    active = SilenceState.ACTIVE
    assert found == [SilenceState.PENDING, active, active, SilenceState.EXPIRED]


@pytest.mark.parametrize(
    ("now", "starts_at", "ends_at", "keeps"),
    [
        (5_000, 6_000, 9_000, True),
        (5_000, 4_999, 9_000, False),
        (15_000, 10_999, 30_000, True),
        (15_000, 11_000, 30_000, False),
        (15_000, 10_000, 14_999, False),
        (15_000, 10_000, 15_000, True),
        (20_000, 10_000, 90_000, False),
    ],
)
def test_what_may_change_under_the_same_id(
    now: int, starts_at: int, ends_at: int, keeps: bool
) -> None:
    wanted = replace(A, starts_at=starts_at, ends_at=ends_at, comment="new")
    assert may_keep_id(A, wanted, now) is keeps
    assert not may_keep_id(A, replace(wanted, sets=OTHER), now)


def test_an_edit_that_may_not_keep_the_id_expires_the_old_one() -> None:
    known = {"s": A}
    assert edit(known, replace(A, ends_at=30_000), 15_000) == Edit((), "s")
    assert edit(known, replace(A, sets=OTHER), 15_000) == Edit(("s",), "")
    assert edit(known, A, 20_000) == Edit((), "")
    assert edit(known, replace(A, id=""), 1) == Edit((), "")
    with pytest.raises(UnknownSilence):
        edit({}, A, 1)


def test_expiring_a_pending_silence_ends_it_before_it_began() -> None:
    over = A.expired(5_000)
    assert (over.starts_at, over.ends_at) == (5_000, 5_000)
    assert over.state_at(5_000) is SilenceState.EXPIRED


def test_what_is_packed_comes_back() -> None:
    assert unpacked_silence("s", A.packed()) == A


def test_a_set_matches_whole_and_one_set_is_enough() -> None:
    pair = (Matcher("a", Operator.EQUAL, "1"), Matcher("b", Operator.NOT_EQUAL, "2"))
    silence = replace(A, sets=(pair, OTHER[0]))
    assert silence.matches({"a": "1"})
    assert not silence.matches({"a": "1", "b": "2"})
    assert silence.matches({"a": "2", "b": "2"})


def test_the_book_tries_only_what_came_since_and_sees_edits() -> None:
    book = SilenceBook()
    book.put(A)
    assert book.active("f", {"a": "1"}, 15_000) == ("s",)
    book.put(replace(A, id="t"))
    assert book.active("f", {"a": "1"}, 15_000) == ("s", "t")
    book.put(replace(A, sets=OTHER))
    assert book.active("f", {"a": "1"}, 15_000) == ("t",)
    assert book.forget_old(19_999 + 432_000_000) == []
    assert sorted(book.forget_old(20_000 + 432_000_000)) == ["s", "t"]
    assert book.active("f", {"a": "1"}, 15_000) == ()
