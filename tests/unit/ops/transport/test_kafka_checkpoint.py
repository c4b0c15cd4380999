"""A checkpoint's entries: whatever was written is what is read, also cut in pieces."""

from hypothesis import given
from hypothesis import strategies as st

from ops.transport import kafka_checkpoint
from ops.transport.kafka_checkpoint import PIECE, read, written
from schemas.stage import StateChange

keys = st.text("abc/", min_size=1, max_size=3)
values = st.none() | st.binary(max_size=40)
commits = st.lists(st.lists(st.tuples(keys, values), max_size=4), max_size=8)


def compacted(topic: list[tuple[bytes, bytes | None]]) -> list[tuple[bytes, bytes]]:
    newest = dict(topic)
    return [(key, value) for key, value in newest.items() if value is not None]


@given(commits)
def test_state_and_offset_come_back_after_any_commits(
    history: list[list[tuple[str, bytes | None]]],
) -> None:
    kafka_checkpoint.PIECE, whole = 16, kafka_checkpoint.PIECE
    try:
        topic: list[tuple[bytes, bytes | None]] = []
        pieces: dict[str, int] = {}
        state: dict[str, bytes] = {}
        for number, changes in enumerate(history):
            made = [StateChange(k, v) for k, v in changes]
            topic += written(number, f"me/{number}", "id", made, pieces)
            for key, value in changes:
                state.pop(key, None)
                if value is not None:
                    state[key] = value
        found = read(compacted(topic))
        assert dict(found.state) == state
        assert found.next == (len(history) - 1 if history else None)
        assert found.mark == (f"me/{len(history) - 1}" if history else "")
        assert found.pieces == pieces
        # Nothing of a value that became smaller, or went, stays behind.
        left = sum(pieces.values()) + len(state) + bool(history)
        assert len(compacted(topic)) == left
    finally:
        kafka_checkpoint.PIECE = whole


def test_no_entry_is_above_what_a_broker_takes() -> None:
    entries = list(written(1, "me/1", "id", [StateChange("group/large", bytes(3 * PIECE + 5))], {}))
    assert len(entries) == 6
    assert max(len(value or b"") for _, value in entries) == PIECE
    found = read([(key, value) for key, value in entries if value is not None])
    assert found.state == [("group/large", bytes(3 * PIECE + 5))]
