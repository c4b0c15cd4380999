from hypothesis import given
from hypothesis import strategies as st

from notifiers.checkpoint import PART, Checkpoint

STEPS = st.lists(
    st.dictionaries(
        st.sampled_from("abc"),
        st.one_of(st.none(), st.binary(max_size=4), st.just(b"x" * 11)),
        min_size=1,
    ),
    min_size=1,
    max_size=6,
)


@given(STEPS, st.data())
def test_any_prefix_of_a_step_restores_as_the_step_or_as_what_was_before(
    steps: list[dict[str, bytes | None]], data: st.DataObject
) -> None:
    stored: dict[str, bytes] = {}
    want: dict[str, bytes] = {}
    checkpoint = Checkpoint(part=4)
    for number, step in enumerate(steps):
        before = dict(want)
        changes = checkpoint.changes(step, number, number)
        for key, value in step.items():
            if value is None:
                want.pop(key, None)
            else:
                want[key] = value
        written = data.draw(st.integers(0, len(changes)))
        for change in changes[:written]:
            if change.value is None:
                stored.pop(change.key, None)
            else:
                stored[change.key] = change.value
        if written < len(changes):
            checkpoint = Checkpoint(part=4)
            for key, raw in stored.items():
                checkpoint.restore(key, raw)
            found = checkpoint.load()
            if checkpoint.seen == number:
                assert found == want
            else:
                assert found == before
                want = before


def test_a_single_change_is_one_write() -> None:
    changes = Checkpoint().changes({"a": b"1"}, 1, 1)
    assert [change.key for change in changes] == ["a"]
    assert Checkpoint().changes({}, 2, 2) == []


def test_no_part_is_longer_than_a_message_may_be() -> None:
    changes = Checkpoint().changes({"a": b"x" * 3_000_000, "b": b""}, 1, 1)
    assert max(len(change.value or b"") for change in changes) < PART + 100
