"""Many at once are what they are one by one."""

from hypothesis import given
from hypothesis import strategies as st

from notifiers.fingerprints import FEW, LONG, fingerprints
from schemas.labels import fingerprint
from schemas.pairs import packed_labels

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.just("x" * LONG)
SETS = st.dictionaries(TEXTS, TEXTS, max_size=4)


@given(st.lists(SETS, min_size=1, max_size=12), st.integers(1, 4))
def test_each_is_the_fingerprint_of_its_set(sets: list[dict[str, str]], times: int) -> None:
    many = sets * (times * FEW)
    assert fingerprints([packed_labels(one) for one in many]) == [fingerprint(one) for one in many]


def test_of_none_there_is_none() -> None:
    assert fingerprints([]) == []
