"""Group states as the checkpoint has them: changes alone, and what comes back is what went in."""

import zlib

import ormsgpack
from hypothesis import given
from hypothesis import strategies as st

from processors.group_state import SHARDS, GroupState, Restored
from processors.rules.group import Memory
from processors.rules.lifecycle import Alert, State
from schemas.stage import StateChange

labels = st.sampled_from([(("alertname", "a"), ("n", str(n))) for n in range(12)])
alerts = st.builds(
    Alert,
    state=st.sampled_from(State),
    active_at=st.integers(0, 3),
    value=st.sampled_from([0.0, 1.0]),
    annotations=st.sampled_from([(), (("summary", 'it\'s "hot"'),)]),
    fired_at=st.none() | st.integers(0, 3),
    keep_firing_since=st.none() | st.integers(0, 3),
)
rules = st.sampled_from(['alert A{x="[\\"]"}', "record r{}"])
memories = st.builds(
    Memory,
    alerts=st.dictionaries(rules, st.dictionaries(labels, alerts, min_size=1)),
    recorded=st.dictionaries(rules, st.lists(labels, max_size=3).map(tuple)),
)
states = st.builds(GroupState, last=st.integers(0, 10), memory=memories)


def apply(kept: dict[str, bytes], changes: list[StateChange]) -> None:
    for change in changes:
        if change.value is None:
            kept.pop(change.key, None)
        else:
            kept[change.key] = change.value


def restored(kept: dict[str, bytes]) -> dict[str, GroupState]:
    found = Restored()
    for key, value in kept.items():
        found.add(key, value)
    return found.states()


@given(st.lists(states, max_size=5))
def test_what_comes_back_is_the_newest_state(history: list[GroupState]) -> None:
    kept: dict[str, bytes] = {}
    before = GroupState()
    for state in history:
        changes = state.changes('f["]:g', before)
        assert bool(changes) is (state.memory != before.memory)
        apply(kept, changes)
        before = state if changes else before
    assert restored(kept).get('f["]:g', GroupState()).memory == before.memory
    apply(kept, before.gone('f["]:g'))
    assert kept == {}


def test_one_alert_of_thousands_writes_a_small_share() -> None:
    many = {(("n", str(n)),): Alert(State.FIRING, n, 1.0) for n in range(10_000)}
    before = GroupState(1, Memory({"a": many}))
    one = {**many, (("n", "7"),): Alert(State.FIRING, 7, 2.0)}
    whole = sum(len(change.value or b"") for change in before.changes("g", GroupState()))
    changes = GroupState(2, Memory({"a": one})).changes("g", before)
    assert sum(len(change.value or b"") for change in changes) < whole / SHARDS * 2
    assert len(changes) == 2  # its shard and the head


def test_the_head_is_written_last() -> None:
    state = GroupState(5, Memory({"a": {(): Alert(State.FIRING, 1, 1.0)}}))
    *_, head = state.changes("g", GroupState())
    assert restored({head.key: head.value or b""}) == {"g": GroupState(5)}


def test_a_checkpoint_under_one_key_is_taken_over() -> None:
    alert = [[("alertname", "A")], "firing", 1, 2.0, [("summary", "s")], 3, None]
    raw = {"last": 9, "alerts": {"rule": [alert]}, "recorded": {"r": [[("x", "y")]]}}
    kept = {"group/f:g": zlib.compress(ormsgpack.packb(raw))}
    state = restored(kept)["f:g"]
    assert state.last == 9
    after = GroupState(10, state.memory)
    apply(kept, after.changes("f:g", state))
    assert "group/f:g" not in kept
    assert restored(kept) == {"f:g": after}
