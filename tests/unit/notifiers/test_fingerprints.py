"""Many at once are what they are one by one."""

from hypothesis import given
from hypothesis import strategies as st

from notifiers.fingerprints import FEW, LONG, fingerprints
from schemas.labels import fingerprint
from schemas.pairs import packed_labels

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
AROUND_LONG = st.builds(lambda key, end: {key: "x" * (LONG - 6) + end}, TEXTS, TEXTS)
SETS = st.dictionaries(TEXTS, TEXTS, max_size=4) | AROUND_LONG


@given(st.lists(SETS, min_size=1, max_size=10), st.integers(1, 4))
def test_each_is_the_fingerprint_of_its_set(sets: list[dict[str, str]], times: int) -> None:
    # One by one in Python: what is long comes once, and what makes them many is short.
    many = [*sets, *({"n": str(n)} for n in range(times * FEW))]
    assert fingerprints([packed_labels(one) for one in many]) == [fingerprint(one) for one in many]


def test_of_none_there_is_none() -> None:
    assert fingerprints([]) == []
