import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.promql.errors import Refused
from processors.promql.regex import LONGEST, Rewriting, anchored


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("a|b", "a", True),
        ("a|b", "ab", False),
        ("a|", "", True),
        ("(a|b)", "b", True),
        ("(?:a|b)", "b", True),
        (r"a\.b", "a.b", True),
        (r"a\.b", "axb", False),
        (r"a\|b", "a|b", True),
        ("", "", True),
        ("", "x", False),
        (".*", "", True),
        (".+", "", False),
        (".+", "\n", True),
        ("foo.*", "foo\nx", True),
        ("foo.*", "xfoo", False),
        ("foo.+", "foo", False),
        (".*foo", "xfoo", True),
        (".*foo.*", "a foo b", True),
        (".*foo.+", "a foo", False),
        ("a|.*b", "xb", True),
        ("(?i)AB", "ab", True),
        (r"\pL+", "äöü", True),
        (r"\d", "٣", False),
        ("[[:alpha:]]", "ä", False),
        (r"foo\z", "foo", True),
        (".", "\ud800", True),
    ],
)
def test_a_pattern_is_gos_and_is_anchored_on_both_sides(
    pattern: str, value: str, matches: bool
) -> None:
    assert anchored(pattern)(value) is matches


WORDS = st.lists(st.text("ab.", max_size=3), min_size=1, max_size=3)


@given(WORDS, st.sampled_from(["", ".*", ".+"]), st.sampled_from(["", ".*", ".+"]), st.text("ab."))
def test_a_shortcut_tells_what_the_whole_expression_would(
    words: list[str], head: str, tail: str, value: str
) -> None:
    pattern = head + "|".join(re.escape(word) for word in words) + tail
    expected = re.fullmatch(pattern, value, re.DOTALL) is not None
    assert anchored(pattern)(value) is expected


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", r"(?=a)", r"(a)\1", "(?>a)"])
def test_what_go_does_not_read_is_refused(pattern: str) -> None:
    with pytest.raises(Refused, match="regular expression"):
        anchored(pattern)


def test_a_pattern_that_is_too_long_or_too_large_is_refused() -> None:
    with pytest.raises(Refused, match="characters"):
        anchored("a" * (LONGEST + 1))
    with pytest.raises(Refused, match="regular expression"):
        anchored("((a{100}){100}){100}")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a|b|ab)*c", "(.*)(.*)(.*)(.*)(.*)x"])
def test_hostile_labels_stall_nothing(pattern: str) -> None:
    before = time.process_time()
    assert not anchored(pattern)("a" * 200_000)
    assert time.process_time() - before < 1  # `re` would take longer than the universe has


@pytest.mark.parametrize(
    ("pattern", "replacement", "value", "result"),
    [
        ("(.*):(.*)", "$1-${2}x", "a:b", "a-bx"),
        ("(?P<h>.*):.*", "$h$$1${h}_$hh", "a:b", "a$1a_"),
        ("a", "$", "a", "$"),
        ("a", "${", "a", "${"),
        ("a", "$1", "a", ""),
        ("a", "$01", "a", ""),
        ("(a)|(b)", "[$2]", "a", "[]"),
        (".*", "$0", "ä", "ä"),
        ("a", "x", "ab", None),
        ("a|ab", "x", "ab", "x"),
    ],
)
def test_a_replacement_expands_as_gos_do(
    pattern: str, replacement: str, value: str, result: str | None
) -> None:
    assert Rewriting(pattern, replacement).rewritten(value) == result


def test_a_pattern_that_closes_the_anchors_group_is_refused() -> None:
    with pytest.raises(Refused):
        Rewriting("a)|(b", "x")
