from hypothesis import given
from hypothesis import strategies as st

from schemas.waits import waited, waits


@given(st.integers(1, 2**53))
def test_what_is_said_is_read(length: int) -> None:
    assert waited(waits(length)) == length


def test_people_read_it_and_other_reasons_say_nothing() -> None:
    assert waits(5_400_000) == "waits for 1h30m"
    assert waits(1_500) == "waits for 1s500ms"
    assert waits(0) == ""
    for other in ("", "waits for ", "rule removed by plan 3", "waits for 5m!", "waits for 5 m"):
        assert waited(other) is None
