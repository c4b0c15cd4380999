from collections.abc import Sequence

import ormsgpack
from hypothesis import given
from hypothesis import strategies as st

from notifiers.checkpoint import PART, Checkpoint
from schemas.stage import StateChange

STEP = st.dictionaries(
    st.sampled_from("abc"),
    st.one_of(st.none(), st.binary(max_size=4), st.just(b"x" * 11)),
    min_size=1,
)
ANEW = st.just("topic made anew")


class Store:
    """What is written, and whoever is killed in between."""

    def __init__(self, atomic: bool = False) -> None:
        self.atomic = atomic
        self.stored: dict[str, bytes] = {}
        self.checkpoint = Checkpoint(part=4, atomic=atomic)

    def write(self, changes: Sequence[StateChange]) -> None:
        for change in changes:
            if change.value is None:
                self.stored.pop(change.key, None)
            else:
                self.stored[change.key] = change.value

    def restart(self) -> dict[str, bytes]:
        self.checkpoint = Checkpoint(part=4, atomic=self.atomic)
        for key, raw in self.stored.items():
            self.checkpoint.restore(key, raw)
        return self.checkpoint.load()


@given(st.booleans(), st.lists(st.one_of(STEP, STEP, STEP, ANEW), max_size=9), st.data())
def test_any_prefix_of_a_step_restores_as_the_step_or_as_what_was_before(
    atomic: bool, steps: list[dict[str, bytes | None] | str], data: st.DataObject
) -> None:
    store = Store(atomic)
    entries: dict[str, bytes] = {}
    seen = offset = -1
    for step in steps:
        before = (entries, seen)
        if isinstance(step, str):
            changes, seen = store.checkpoint.begin_again(), -1
        else:
            # None comes again with other changes, not even one whose step was not written.
            seen = offset = offset + 1
            changes = store.checkpoint.changes(step, offset, 0)
            kept = {key: value for key, value in entries.items() if key not in step}
            entries = kept | {key: value for key, value in step.items() if value is not None}
        counts = st.sampled_from([0, len(changes)]) if atomic else st.integers(0, len(changes))
        written = data.draw(counts)
        store.write(changes[:written])
        if written < len(changes) or data.draw(st.booleans()):
            restored = (store.restart(), store.checkpoint.seen)
            after = (entries, seen)
            assert restored in ([after] if written == len(changes) else [before, after])
            entries, seen = restored
        if isinstance(step, str) and written == len(changes):
            offset = -1


def test_a_journal_from_before_the_topic_was_made_anew_is_completed_after_it() -> None:
    store = Store()
    changes = store.checkpoint.changes({"a": b"1", "b": b"2"}, 7, 0)
    store.write([one for one in changes if one.key.startswith("journal/")])
    store.restart()
    store.write(store.checkpoint.begin_again())
    assert store.restart() == {"a": b"1", "b": b"2"}
    assert store.checkpoint.seen == -1
    store.write(store.checkpoint.changes({"a": b"3"}, 0, 0))
    assert store.restart() == {"a": b"3", "b": b"2"}
    assert store.checkpoint.seen == 0


def test_a_checkpoint_of_the_time_before_places_is_read() -> None:
    store = Store()
    store.stored = {
        "a": ormsgpack.packb([5, 9, 1, b"1"]), "meta": ormsgpack.packb([4, 8, 1, b""])
    }  # fmt: skip
    assert store.restart() == {"a": b"1"}
    assert (store.checkpoint.seen, store.checkpoint.now) == (5, 9)


def test_a_single_change_is_one_write() -> None:
    changes = Checkpoint().changes({"a": b"1"}, 1, 1)
    assert [change.key for change in changes] == ["a"]
    assert Checkpoint().changes({}, 2, 2) == []


def test_no_part_is_longer_than_a_message_may_be() -> None:
    changes = Checkpoint().changes({"a": b"x" * 3_000_000, "b": b""}, 1, 1)
    assert max(len(change.value or b"") for change in changes) < PART + 100
