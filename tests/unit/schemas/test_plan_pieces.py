"""A plan arrives whole however its pieces come, and wherever the stage was restored meanwhile."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas import plan_pieces
from schemas.envelope import Envelope, Producer
from schemas.plan_pieces import PIECE, PREFIX, PlanKeeper, cut, digest_of
from schemas.plans import Plan
from schemas.stage import StateChange
from schemas.topics import CODEC, MAX_MESSAGE
from tests.unit.schemas.strategies import law


class Follower:
    """A stage that follows every plan that is whole, and keeps what it is told in a checkpoint."""

    def __init__(self) -> None:
        self.checkpoint: dict[str, bytes] = {}
        self.keeper = PlanKeeper()
        self.followed: list[bytes] = []

    def take(self, piece: Plan) -> None:
        """One record of the input."""
        content, changes = self.keeper.add(piece)
        if content is not None:
            changes += self.keeper.follow(piece.number)
            self.followed.append(content)
        self._write(changes)

    def restart(self) -> bytes | None:
        """Read the checkpoint; what is in force then."""
        self.keeper = PlanKeeper()
        for key, value in self.checkpoint.items():
            self.keeper.restore(key, value)
        return self.keeper.newest()

    def _write(self, changes: Sequence[StateChange]) -> None:
        for change in changes:
            assert change.key.startswith(PREFIX)
            if change.value is None:
                del self.checkpoint[change.key]
            else:
                self.checkpoint[change.key] = change.value


def pieces(number: int, content: bytes, size: int = 3) -> list[Plan]:
    """The plan in small pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_pieces, "PIECE", size)
        return cut("detector", number, content)


@given(st.binary(max_size=40), st.data())
@law
def test_a_plan_is_whole_once_all_pieces_came_in_any_order_and_however_often(
    content: bytes, data: st.DataObject
) -> None:
    parts = pieces(1, content)
    order = data.draw(st.permutations(parts + data.draw(st.lists(st.sampled_from(parts)))))
    stage = Follower()
    seen: set[int] = set()
    for piece in order:
        stage.take(piece)
        seen.add(piece.piece)
        assert stage.followed == ([content] if len(seen) == len(parts) else [])


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=4), st.data())
@law
def test_a_restart_anywhere_changes_nothing(contents: list[bytes], data: st.DataObject) -> None:
    parts = [part for n, content in enumerate(contents, 1) for part in pieces(n, content)]
    order = data.draw(st.permutations(parts + data.draw(st.lists(st.sampled_from(parts)))))
    steady, restarted = Follower(), Follower()
    for piece in order:
        steady.take(piece)
        if data.draw(st.booleans()):
            in_force = restarted.restart()
            assert in_force == (restarted.followed[-1] if restarted.followed else None)
        restarted.take(piece)
        assert restarted.followed == steady.followed
        assert restarted.keeper.number == steady.keeper.number
        assert restarted.checkpoint == steady.checkpoint
    assert steady.followed[-1] == contents[-1]
    assert steady.keeper.number == len(contents)


def test_a_plan_that_is_not_newer_is_ignored() -> None:
    stage = Follower()
    for piece in pieces(2, b"new") + pieces(1, b"old") + pieces(2, b"new"):
        stage.take(piece)
    assert stage.followed == [b"new"]
    assert len(stage.checkpoint) == 1


def test_following_a_plan_forgets_the_pieces_of_older_ones() -> None:
    stage = Follower()
    stage.take(pieces(1, b"half of it")[0])
    for piece in pieces(2, b"new"):
        stage.take(piece)
    assert [key.split("/")[1] for key in stage.checkpoint] == ["000000000002"]


def test_a_plan_that_was_refused_is_forgotten_and_may_come_again() -> None:
    keeper = PlanKeeper()
    (piece,) = pieces(1, b"bad")
    content, kept = keeper.add(piece)
    assert content == b"bad"
    assert keeper.refuse(1) == [StateChange(kept[0].key, None)]
    assert keeper.number == 0
    assert keeper.newest() is None
    assert keeper.add(piece)[0] == b"bad"


def test_pieces_whose_content_is_not_their_digest_s_never_make_a_plan() -> None:
    stage = Follower()
    for piece in pieces(1, b"whatever"):
        stage.take(piece.model_copy(update={"digest": digest_of(b"another")}))
    assert stage.followed == []
    assert stage.restart() is None


@given(st.binary(min_size=4, max_size=12), st.binary(max_size=12), st.data())
@law
def test_of_two_plans_under_one_number_that_which_comes_whole_last_is_followed(
    first: bytes, second: bytes, data: st.DataObject
) -> None:
    stage = Follower()
    for piece in pieces(1, first)[: data.draw(st.integers(0, 1))] + pieces(1, second):
        stage.take(piece)
        if data.draw(st.booleans()):
            stage.restart()
    assert stage.followed == [second]
    assert len(stage.checkpoint) == len(pieces(1, second))


def test_a_piece_beyond_the_last_is_no_plan() -> None:
    body = pieces(1, b"x")[0].model_dump()
    with pytest.raises(ValidationError, match="piece 1 of 1, counted from 0"):
        Plan.model_validate(body | {"piece": 1})


def test_a_piece_fits_a_message() -> None:
    first, last = cut("detector", 1, bytes(PIECE + 1))
    assert (len(first.content), len(last.content)) == (PIECE, 1)
    assert len(CODEC.encode(Envelope("x" * 256, Producer("p"), 0, first))) < MAX_MESSAGE
