"""Label sets as bytes: nothing is lost, equal sets are equal bytes, others are refused."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.alerts import PostedAlerts
from schemas.event import MAX_ENTRIES
from schemas.labels import fingerprint, packed_fingerprint
from schemas.pairs import canonical, finder, packed, packed_labels, problem, unpacked

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.just("ÿ\0\udbff"[:2])


def _marked(text: str) -> bytes:
    """Marks where each ÿ is: sets, and what is nearly one."""
    return text.encode("latin-1")


PAIRS = st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=5)


@given(PAIRS)
def test_what_is_packed_comes_back(pairs: dict[str, str]) -> None:
    assert unpacked(packed(pairs)) == pairs
    assert list(unpacked(packed(pairs))) == sorted(pairs)
    assert problem([packed(pairs)]) == ""


@given(PAIRS, TEXTS.filter(bool))
def test_a_value_is_found_by_its_name_and_by_nothing_else(pairs: dict[str, str], name: str) -> None:
    # Names that are values, too, and parts of names.
    pairs |= {f"{name}{value}": name for value in pairs.values()}
    for one in (name, *pairs, *(text[:1] for text in pairs), *pairs.values()):
        found = finder(one)(packed(pairs)) if one else None
        assert (found and found[1].decode()) == (pairs.get(one) if one else None)


@given(st.lists(st.binary(max_size=6) | st.text("a\u00ff", max_size=4).map(_marked), max_size=4))
def test_of_many_sets_is_said_what_is_said_of_the_first_that_is_none(sets: list[bytes]) -> None:
    assert bool(problem(sets)) == any(problem([one]) for one in sets)


@given(PAIRS)
def test_the_bytes_are_what_the_fingerprint_is_made_of(pairs: dict[str, str]) -> None:
    assert packed_fingerprint(packed_labels(pairs)) == fingerprint(pairs)


@given(PAIRS, st.randoms())
def test_every_way_to_write_a_label_set_is_one(pairs: dict[str, str], random: Random) -> None:
    turned = [
        (name + "\udcff" + value).encode("utf-8", "surrogateescape") + b"\xff"
        for name, value in pairs.items()
    ]
    random.shuffle(turned)
    packed_twice = [packed_labels(pairs)] * 2
    assert canonical([packed_twice[0], b"".join(turned)]) == packed_twice


def test_of_a_name_that_stands_twice_one_value_counts() -> None:
    assert canonical([b"a\xff1\xffa\xff2\xff"]) == [packed_labels({"a": "2"})]


def test_half_a_surrogate_pair_is_no_text() -> None:
    for half in ("\udcff", "\ud800"):
        with pytest.raises(UnicodeEncodeError):
            packed({"a": half})


@pytest.mark.parametrize(
    ("pairs", "wrong"),
    [
        (b"a", "no end"),
        (b"a\xff", "no end"),
        (b"a\xff1", "no end"),
        (b"a\xff1\xffb\xff", "no end"),
        (b"\xff1\xff", "0 characters"),
        (b"a\xff1\xff\xff2\xff", "0 characters"),
        (b"a\xff\xc3\xff", "no UTF-8"),
        (b"a\xff\xed\xa0\x80\xff", "no UTF-8"),
        (b"n" * 1_025 + b"\xff1\xff", "1025 characters"),
        (b"a\xff" + b"v" * 65_537 + b"\xff", "65537 characters"),
        (packed({str(n): "1" for n in range(MAX_ENTRIES + 1)}), "257 entries"),
    ],
)
def test_what_is_no_set_is_said(pairs: bytes, wrong: str) -> None:
    assert wrong in problem([packed({"b": "2"}), pairs])
    with pytest.raises(ValidationError, match=wrong.replace(".", r"\.")):
        _posted(labels=(pairs,))
    with pytest.raises(ValidationError, match=wrong):
        _posted(annotations=(pairs,))


def test_a_character_that_two_texts_share_is_none() -> None:
    assert "no end" in problem([b"a\xff\xc3", b"\xbc\xff"])


def test_columns_are_of_one_length() -> None:
    with pytest.raises(ValidationError, match="of one length"):
        _posted(starts_at=(1, 2))


def _posted(**columns: object) -> PostedAlerts:
    body: dict[str, object] = {
        "decided_at": 1,
        "labels": (b"a\xff1\xff",),
        "annotations": (b"",),
        "starts_at": (1,),
        "ends_at": (None,),
        "generator_urls": ("",),
    }
    return PostedAlerts.model_validate(body | columns)
